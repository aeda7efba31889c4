package org.pelton.flink;

import java.util.stream.IntStream;
import org.apache.flink.api.common.functions.Partitioner;
import org.apache.flink.runtime.state.KeyGroupRangeAssignment;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.binary.BinaryRowData;
import org.apache.flink.table.data.conversion.DataStructureConverter;
import org.apache.flink.table.data.conversion.DataStructureConverters;
import org.apache.flink.table.data.utils.ProjectedRowData;
import org.apache.flink.table.runtime.typeutils.RowDataSerializer;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.table.types.utils.TypeConversions;
import org.apache.flink.types.Row;
import org.apache.flink.types.RowKind;

/**
 * Sends keys where {@code 'sharded' = 'true'} expects them: to the subtask that has the key's
 * group, as Flink deals out key groups.
 *
 * <p>In Flink 2.x the planner uses it by itself, under {@code LOOKUP('table'='...',
 * 'shuffle'='true')}. In Flink 1.20 a job uses it before the join:
 *
 * <pre>{@code
 * stream.partitionCustom(
 *     new KeyGroupPartitioner(DataTypes.STRING(), DataTypes.TIMESTAMP(3)),
 *     order -> Row.of(order.origin, order.hour));
 * }</pre>
 */
public class KeyGroupPartitioner implements Partitioner<Row> {

  private static final long serialVersionUID = 1L;

  private final DataType type;
  private final RowDataSerializer serializer;
  private final int[] positions;

  private transient DataStructureConverter<Object, Object> converter;
  private transient ProjectedRowData key;

  /**
   * @param key the types of the dimension's key, in its order, as the dimension declares them: the
   *     same value in another type is sent elsewhere
   */
  public KeyGroupPartitioner(DataType... key) {
    this(rowOf(key), IntStream.range(0, key.length).toArray());
  }

  /**
   * @param arriving the columns of the rows of internal data that arrive
   * @param positions of the key's columns among them, in the key's order
   */
  KeyGroupPartitioner(RowType arriving, int[] positions) {
    this(
        rowOf(
            IntStream.of(positions)
                .mapToObj(arriving::getTypeAt)
                .map(TypeConversions::fromLogicalToDataType)
                .toArray(DataType[]::new)),
        positions);
  }

  private KeyGroupPartitioner(DataType type, int[] positions) {
    this.type = type;
    this.serializer = new RowDataSerializer((RowType) type.getLogicalType());
    this.positions = positions;
  }

  /** The subtask of a key, whose fields are of the classes that their types have in Java. */
  @Override
  public int partition(Row values, int subtasks) {
    if (converter == null) {
      converter = DataStructureConverters.getConverter(type);
      converter.open(Thread.currentThread().getContextClassLoader());
    }
    return subtask((RowData) converter.toInternalOrNull(values), subtasks);
  }

  /** The subtask of a key in Flink's internal data, which may hold other columns as well. */
  public int partition(RowData values, int subtasks) {
    if (key == null) {
      key = ProjectedRowData.from(positions);
    }
    return subtask(key.replaceRow(values), subtasks);
  }

  private int subtask(RowData ordered, int subtasks) {
    BinaryRowData binary = serializer.toBinaryRow(ordered);
    binary.setRowKind(RowKind.INSERT); // it is hashed with the row, and no part of the key
    int keyGroups = KeyGroupRangeAssignment.computeDefaultMaxParallelism(subtasks);
    return KeyGroupRangeAssignment.assignKeyToParallelOperator(binary, keyGroups, subtasks);
  }

  private static DataType rowOf(DataType... key) {
    return DataTypes.ROW(
        IntStream.range(0, key.length)
            .mapToObj(i -> DataTypes.FIELD("f" + i, key[i]))
            .toArray(DataTypes.Field[]::new));
  }
}
