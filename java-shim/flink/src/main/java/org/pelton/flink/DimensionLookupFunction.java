package org.pelton.flink;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.apache.flink.api.common.TaskInfo;
import org.apache.flink.core.memory.MemorySegment;
import org.apache.flink.core.memory.MemorySegmentFactory;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.binary.BinaryRowData;
import org.apache.flink.table.functions.FunctionContext;
import org.apache.flink.table.functions.LookupFunction;
import org.apache.flink.table.types.logical.RowType;
import org.pelton.DimensionLookup;

/**
 * The lookups of one task. Public, because generated code names it.
 *
 * <p>The rows that {@link #lookup} returns lie in a buffer that the next call overwrites, unless
 * Flink keeps rows without copying them.
 */
public final class DimensionLookupFunction extends LookupFunction {

  private static final long serialVersionUID = 1L;

  private final PlannedDimension planned;
  private final RowType key;
  private final RowType columns;

  private transient DimensionLookup dimension;
  private transient RowEncoder encoder;
  private transient ByteBuffer outputBuffer;
  private transient MemorySegment output;
  private transient BinaryRowData row;
  private transient boolean rowsAreKept;

  DimensionLookupFunction(PlannedDimension planned, RowType key, RowType columns) {
    this.planned = planned;
    this.key = key;
    this.columns = columns;
  }

  @Override
  public void open(FunctionContext context) throws Exception {
    int subtask = 0;
    int subtasks = 0;
    if (planned.sharded()) {
      TaskInfo task = Tasks.infoOf(context);
      subtask = task.getIndexOfThisSubtask();
      subtasks = task.getNumberOfParallelSubtasks();
    }
    dimension =
        new DimensionLookup(
            planned.table(),
            planned.definition().source(),
            planned.definition().text(),
            planned.definition().root(),
            PlannedDimension.columns(key.getFields()),
            PlannedDimension.columns(columns.getFields()),
            subtask,
            subtasks,
            Tasks.storageOptions(context),
            planned.nativeDirectory());
    encoder = newEncoder();
    row = newRow();
    // Under TRY_RESOLVE a join that has to take rows back keeps them in its state, uncopied.
    rowsAreKept = Tasks.hasKeyedState(context);
    DimensionMetrics metrics = new DimensionMetrics(List.of(planned.name()));
    dimension.publish(metrics.numbers());
    metrics.register(context.getMetricGroup().addGroup("pelton"));
  }

  @Override
  public Collection<RowData> lookup(RowData values) {
    if (encoder.buffer() != dimension.input()) {
      encoder = newEncoder(); // after large keys
    }
    int found = dimension.lookup(encoder.encode(values));
    if (found == 0) {
      return List.of();
    }
    if (outputBuffer != dimension.output()) {
      outputBuffer = dimension.output();
      output = MemorySegmentFactory.wrapOffHeapMemory(outputBuffer);
    }
    int length = outputBuffer.getInt(0);
    return DimensionLookup.HEADER_BYTES + length == found
        ? List.of(pointTo(row, 0, length))
        : several(found);
  }

  private Collection<RowData> several(int found) {
    List<RowData> rows = new ArrayList<>();
    int at = 0;
    while (at < found) {
      int length = outputBuffer.getInt(at);
      rows.add(pointTo(newRow(), at, length));
      at += DimensionLookup.HEADER_BYTES + length;
    }
    return rows;
  }

  private RowData pointTo(BinaryRowData target, int at, int length) {
    target.pointTo(output, at + DimensionLookup.HEADER_BYTES, length);
    return rowsAreKept ? target.copy() : target;
  }

  @Override
  public void close() {
    if (dimension != null) {
      dimension.close();
    }
  }

  private RowEncoder newEncoder() {
    return new RowEncoder(key, dimension.input(), dimension::growInput);
  }

  private BinaryRowData newRow() {
    return new BinaryRowData(columns.getFieldCount());
  }
}
