package org.pelton.bench;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.flink.core.memory.MemorySegmentFactory;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.binary.BinaryRowData;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.table.types.logical.utils.LogicalTypeParser;

/** The rows of a table from a file that {@code rust/dimension/benches/table.rs} has written. */
final class TableRows implements AutoCloseable {

  private final DataInputStream file;
  private final RowType type;
  private final int[] key;
  private int count;
  private long valueBytes;

  TableRows(Path path) throws IOException {
    file = new DataInputStream(new BufferedInputStream(Files.newInputStream(path), 1 << 20));
    type = (RowType) LogicalTypeParser.parse(file.readUTF(), getClass().getClassLoader());
    key = Stream.of(file.readUTF().split(",")).mapToInt(type::getFieldIndex).toArray();
  }

  RowType type() {
    return type;
  }

  /** The columns of the key. */
  int[] key() {
    return key;
  }

  RowType keyType() {
    return RowType.of(IntStream.of(key).mapToObj(type::getTypeAt).toArray(LogicalType[]::new));
  }

  /** The next row, over bytes of its own, or null behind the last. */
  BinaryRowData next() throws IOException {
    int length = file.readInt();
    if (length < 0) {
      valueBytes = file.readLong();
      return null;
    }
    BinaryRowData row = new BinaryRowData(type.getFieldCount());
    row.pointTo(MemorySegmentFactory.wrap(file.readNBytes(length)), 0, length);
    count++;
    return row;
  }

  /** The rows that were read. */
  int count() {
    return count;
  }

  /** Behind the last row, the bytes of all values: fixed widths, UTF-8, NULLs 0. */
  long valueBytes() {
    return valueBytes;
  }

  /** Readers of all columns. */
  RowData.FieldGetter[] getters() {
    RowData.FieldGetter[] getters = new RowData.FieldGetter[type.getFieldCount()];
    for (int i = 0; i < getters.length; i++) {
      getters[i] = RowData.createFieldGetter(type.getTypeAt(i), i);
    }
    return getters;
  }

  /** Some columns of a row. */
  static GenericRowData project(RowData row, int[] columns, RowData.FieldGetter[] getters) {
    GenericRowData projected = new GenericRowData(columns.length);
    for (int i = 0; i < columns.length; i++) {
      projected.setField(i, getters[columns[i]].getFieldOrNull(row));
    }
    return projected;
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
