package org.pelton.flink;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.runtime.testutils.MiniClusterResourceConfiguration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.test.junit5.MiniClusterExtension;
import org.apache.flink.types.Row;
import org.apache.flink.types.RowKind;
import org.apache.flink.util.CloseableIterator;
import org.pelton.metrics.PeltonMetrics;

/** What all tests of jobs share: the cluster, table environments, sources, sinks, results. */
final class FlinkJobs {

  private FlinkJobs() {}

  /** A cluster of one TaskManager, whose Pelton metrics {@link PeltonMetrics} keeps. */
  static MiniClusterExtension cluster(int slots) {
    return new MiniClusterExtension(
        new MiniClusterResourceConfiguration.Builder()
            .setConfiguration(PeltonMetrics.configure(new Configuration()))
            .setNumberTaskManagers(1)
            .setNumberSlotsPerTaskManager(slots)
            .build());
  }

  static StreamTableEnvironment streaming(boolean objectReuse, int parallelism) {
    return environment(
        StreamExecutionEnvironment.getExecutionEnvironment(),
        EnvironmentSettings.inStreamingMode(),
        objectReuse,
        parallelism);
  }

  static StreamTableEnvironment batch(boolean objectReuse) {
    return environment(
        StreamExecutionEnvironment.getExecutionEnvironment(),
        EnvironmentSettings.inBatchMode(),
        objectReuse,
        1);
  }

  static StreamTableEnvironment environment(
      StreamExecutionEnvironment jobs,
      EnvironmentSettings settings,
      boolean objectReuse,
      int parallelism) {
    jobs.setParallelism(parallelism);
    StreamTableEnvironment sql = StreamTableEnvironment.create(jobs, settings);
    sql.getConfig().set("pipeline.object-reuse", String.valueOf(objectReuse));
    createFunctions(sql);
    return sql;
  }

  static void createFunctions(TableEnvironment sql) {
    sql.executeSql("CREATE FUNCTION predict AS 'org.pelton.flink.PredictFunction'");
    sql.executeSql("CREATE FUNCTION predict_row AS 'org.pelton.flink.PredictRowFunction'");
  }

  /** A table {@code numbers} with n from 1 on. */
  static void numbers(TableEnvironment sql, int count) {
    sql.executeSql(
        "CREATE TEMPORARY TABLE numbers (n BIGINT) WITH ('connector' = 'datagen',"
            + " 'number-of-rows' = '"
            + count
            + "', 'fields.n.kind' = 'sequence', 'fields.n.start' = '1', 'fields.n.end' = '"
            + count
            + "')");
  }

  /** A table of CSV files in a directory, to write and to read. */
  static void csv(TableEnvironment sql, String name, String columns, Path directory) {
    sql.executeSql(
        String.format(
            "CREATE TEMPORARY TABLE %s (%s) WITH ('connector' = 'filesystem', 'path' = '%s',"
                + " 'format' = 'csv', 'csv.null-literal' = 'NULL')",
            name, columns, directory));
  }

  /** The lines of all files that a job has written into a directory, in any order. */
  static List<String> lines(Path directory) throws IOException {
    List<String> lines = new ArrayList<>();
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        lines.addAll(Files.readAllLines(file));
      }
    }
    return lines;
  }

  static List<Row> rows(TableEnvironment sql, String query) throws Exception {
    List<Row> rows = new ArrayList<>();
    try (CloseableIterator<Row> results = sql.executeSql(query).collect()) {
      results.forEachRemaining(rows::add);
    }
    return rows;
  }

  /** The rows that are left of a changelog. */
  static List<Row> finalRows(TableEnvironment sql, String query) throws Exception {
    List<Row> rows = new ArrayList<>();
    for (Row change : rows(sql, query)) {
      RowKind kind = change.getKind();
      change.setKind(RowKind.INSERT);
      if (kind == RowKind.INSERT || kind == RowKind.UPDATE_AFTER) {
        rows.add(change);
      } else {
        rows.remove(change);
      }
    }
    return rows;
  }
}
