package org.pelton.flink;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.apache.flink.core.memory.MemorySegment;
import org.apache.flink.core.memory.MemorySegmentFactory;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.binary.BinaryRowData;
import org.apache.flink.table.functions.FunctionContext;
import org.apache.flink.table.types.logical.RowType;
import org.pelton.Evaluator;
import org.pelton.PeltonException;

/**
 * A decision at work in one task: arguments in, output row out.
 *
 * <p>Made in {@code open()}, used by the task's thread alone, closed in {@code close()}. The row
 * that {@link #predict} returns lies in a buffer that the next call overwrites; Flink copies what
 * it keeps.
 */
final class Predictor implements AutoCloseable {

  private final Evaluator evaluator;
  private final RowType input;
  private final Arguments arguments = new Arguments();
  private final BinaryRowData output;

  private RowEncoder encoder;
  private ByteBuffer outputBuffer;
  private MemorySegment[] outputSegments;

  Predictor(PlannedDecision planned, FunctionContext context) {
    PublishedDecision decision = planned.decision();
    evaluator =
        new Evaluator(
            decision.uri(),
            decision.version(),
            planned.options().onError(),
            Tasks.storageOptions(context),
            planned.options().nativeDirectory());
    input = decision.input();
    output = new BinaryRowData(decision.output().getFieldCount());
    try {
      checkSignature(decision);
      encoder = newEncoder();
      MetricGroup group = context.getMetricGroup().addGroup("pelton");
      group.gauge("evaluations", evaluator::evaluations);
      group.gauge("errors", evaluator::errors);
      DimensionMetrics dimensions = new DimensionMetrics(evaluator.dimensions());
      evaluator.publish(dimensions.numbers());
      dimensions.register(group);
    } catch (RuntimeException e) {
      evaluator.close();
      throw e;
    }
  }

  /** One record, as an array of the arguments in Flink's internal form. */
  BinaryRowData predict(Object[] values) {
    return predict(arguments.of(values));
  }

  BinaryRowData predict(RowData record) {
    if (encoder.buffer() != evaluator.input()) {
      encoder = newEncoder(); // after large rows; what it keeps for nested values is large as well
    }
    int length = evaluator.evaluate(encoder.encode(record));
    if (outputBuffer != evaluator.output()) {
      outputBuffer = evaluator.output();
      outputSegments = new MemorySegment[] {MemorySegmentFactory.wrapOffHeapMemory(outputBuffer)};
    }
    output.pointTo(outputSegments, 0, length);
    return output;
  }

  @Override
  public void close() {
    evaluator.close();
  }

  private RowEncoder newEncoder() {
    return new RowEncoder(input, evaluator.input(), evaluator::growInput);
  }

  /** Planner and task read the same version, but perhaps not the same file. */
  private void checkSignature(PublishedDecision planned) {
    if (!planned.matches(evaluator.signature().getBytes(StandardCharsets.UTF_8))) {
      throw new PeltonException(
          "MANIFEST_MISMATCH",
          false,
          planned.label() + ": the columns differ from those that the job was planned with");
    }
  }
}
