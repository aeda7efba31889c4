package org.pelton.metrics;

import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.Metric;
import org.apache.flink.metrics.MetricConfig;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.metrics.reporter.MetricReporter;
import org.apache.flink.metrics.reporter.MetricReporterFactory;

/**
 * Pelton's metrics as Flink reports them, kept after a job has ended: Pelton's gauges stay
 * readable, as reporters may ask late.
 */
public final class PeltonMetrics implements MetricReporterFactory, MetricReporter {

  private static final Map<String, Gauge<?>> GAUGES = new ConcurrentHashMap<>();

  /** Switches the reporter on for a cluster. */
  public static Configuration configure(Configuration configuration) {
    configuration.setString("metrics.reporters", "pelton");
    configuration.setString("metrics.reporter.pelton.factory.class", PeltonMetrics.class.getName());
    return configuration;
  }

  /** Begins anew: what was reported before is not counted. */
  public static void forget() {
    GAUGES.clear();
  }

  /** The sum over all tasks since {@link #forget}. */
  public static long sum(String metric) {
    return values(metric).stream().mapToLong(Long::longValue).sum();
  }

  /** One value for each task. */
  public static List<Long> values(String metric) {
    return GAUGES.entrySet().stream()
        .filter(gauge -> gauge.getKey().endsWith(".pelton." + metric))
        .map(gauge -> (Long) gauge.getValue().getValue())
        .toList();
  }

  @Override
  public MetricReporter createMetricReporter(Properties properties) {
    return this;
  }

  @Override
  public void open(MetricConfig config) {}

  @Override
  public void close() {}

  @Override
  public void notifyOfAddedMetric(Metric metric, String name, MetricGroup group) {
    String identifier = group.getMetricIdentifier(name);
    if (metric instanceof Gauge && identifier.contains(".pelton.")) {
      // Restarted attempts of a task have the same identifier.
      GAUGES.put(System.identityHashCode(metric) + " " + identifier, (Gauge<?>) metric);
    }
  }

  @Override
  public void notifyOfRemovedMetric(Metric metric, String name, MetricGroup group) {}
}
