package org.pelton.bench;

import java.util.Properties;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.Metric;
import org.apache.flink.metrics.MetricConfig;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.metrics.reporter.MetricReporter;
import org.apache.flink.metrics.reporter.MetricReporterFactory;

/** How often the dimension of the JVM's only job was renewed, by Pelton's own metric. */
public final class Refreshes implements MetricReporterFactory, MetricReporter {

  private static volatile Gauge<?> refreshes;

  /** Switches the reporter on for a cluster. */
  static Configuration configure(Configuration configuration) {
    configuration.setString("metrics.reporters", "refreshes");
    configuration.setString("metrics.reporter.refreshes.factory.class", Refreshes.class.getName());
    return configuration;
  }

  /** The first load counts. */
  static long count() {
    Gauge<?> known = refreshes;
    return known == null ? 0 : (Long) known.getValue();
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
    // Of several subtasks the first one reports it, and the others 0.
    if (name.equals("refreshes") && group.getAllVariables().get("<subtask_index>").equals("0")) {
      refreshes = (Gauge<?>) metric;
    }
  }

  @Override
  public void notifyOfRemovedMetric(Metric metric, String name, MetricGroup group) {}
}
