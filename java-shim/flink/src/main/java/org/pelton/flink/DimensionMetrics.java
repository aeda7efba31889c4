package org.pelton.flink;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.apache.flink.metrics.MetricGroup;

/**
 * The metrics of dimensions as Flink's gauges, {@code pelton.dimension.NAME.rows} and so on.
 *
 * <p>The numbers lie in a direct buffer that the native side keeps current; reporters read them
 * without a call, also when the job has ended.
 */
final class DimensionMetrics {

  /** In the order of {@code Figures::NAMES} in rust/dimension. */
  private static final List<String> NAMES =
      List.of(
          "rows",
          "bytes",
          "age",
          "epoch",
          "refreshes",
          "failures",
          "refused",
          "lookups",
          "misses",
          "misrouted",
          "late");

  private final List<String> dimensions;
  private final ByteBuffer numbers;

  DimensionMetrics(List<String> dimensions) {
    this.dimensions = dimensions;
    this.numbers =
        ByteBuffer.allocateDirect(dimensions.size() * NAMES.size() * Long.BYTES)
            .order(ByteOrder.nativeOrder());
  }

  /** Where the native side writes: a block of all numbers for each dimension. */
  ByteBuffer numbers() {
    return numbers;
  }

  /**
   * @param pelton the group {@code pelton} of an operator
   */
  void register(MetricGroup pelton) {
    int place = 0;
    for (String dimension : dimensions) {
      MetricGroup group = pelton.addGroup("dimension", dimension);
      for (String name : NAMES) {
        int at = place;
        group.gauge(name, () -> numbers.getLong(at));
        place += Long.BYTES;
      }
    }
  }
}
