package org.pelton.flink;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.apache.flink.api.common.JobStatus;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.table.api.TableResult;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.test.junit5.MiniClusterExtension;
import org.apache.flink.types.Row;
import org.apache.flink.util.CloseableIterator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pelton.TestDecisions;
import org.pelton.TestPaths;
import org.pelton.metrics.PeltonMetrics;

/** Dimensions that get other Hive partitions while jobs run. */
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class RefreshTest {

  @RegisterExtension private static final MiniClusterExtension CLUSTER = FlinkJobs.cluster(4);

  private static final int PLANES = 3322;
  private static final String DECISION =
      "name = \"seats\"\n"
          + "input = \"n BIGINT, tailnum STRING\"\n"
          + "output = \"n AS m, plane.seats AS seats, pelton.partitions AS partitions\"\n"
          + "[lookups.plane]\ndimension = \"planes\"\nkey = [\"tailnum\"]\n";

  @TempDir Path directory;

  private Path metadata;
  private String uri;

  @BeforeEach
  void publish() throws Exception {
    metadata = directory.resolve("metadata");
    Path definition = models().resolve("dimensions/planes.toml");
    Files.createDirectories(metadata.resolve("dimensions"));
    Files.writeString(
        metadata.resolve("dimensions/planes.toml"),
        Files.readString(definition) + "refresh = \"200 ms\"\ninitial = \"wait 10 min\"\n");
    Path draft = Files.createDirectories(directory.resolve("draft"));
    Files.writeString(draft.resolve("decision.toml"), DECISION);
    TestDecisions.pelton("publish", draft.toString(), "--to", metadata.toString());
    uri = metadata.resolve("decisions/seats").toString();
    PeltonMetrics.forget();
  }

  @Test
  void aNewerHivePartitionIsSeenByLaterRecordsAndNoneFails() throws Exception {
    addPlanes("2013-01-01");
    TableResult job = startJob();
    List<Row> rows = new ArrayList<>();
    try (CloseableIterator<Row> results = job.collect()) {
      readUntil(results, rows, "dt=2013-01-01");
      addPlanes("2013-02-01");
      readUntil(results, rows, "dt=2013-02-01");
      Files.createDirectories(metadata.resolve("planes/dt=2013-03-01"));
      Files.writeString(metadata.resolve("planes/dt=2013-03-01/planes.parquet"), "not Parquet");
      Files.writeString(metadata.resolve("planes/dt=2013-03-01/_SUCCESS"), "");
      while (PeltonMetrics.sum("dimension.planes.failures") < 2) {
        rows.add(results.next());
      }
      assertThat(partition(rows.get(rows.size() - 1))).isEqualTo("dt=2013-02-01");
      // Two tasks share the image; one of them reports it, and the other when that one has ended.
      assertThat(PeltonMetrics.sum("dimension.planes.refreshes")).isEqualTo(2);
      assertThat(PeltonMetrics.values("dimension.planes.rows"))
          .containsExactlyInAnyOrder((long) PLANES, 0L);
    }
    assertThat(rows).extracting(row -> row.getField("seats")).containsOnly(149);
    assertThat(rows).extracting(RefreshTest::partition).isSorted();
    assertThat(PeltonMetrics.sum("errors")).isZero();
    // The lookups are told from time to time, not with every record.
    assertThat(PeltonMetrics.sum("dimension.planes.lookups"))
        .isPositive()
        .isLessThanOrEqualTo(PeltonMetrics.sum("evaluations"));
    assertThat(PeltonMetrics.sum("dimension.planes.misses")).isZero();
  }

  @Test
  void aLookupJoinSeesANewerHivePartitionInLaterRecordsAndLosesNone() throws Exception {
    addPlanes("2013-01-01");
    StreamTableEnvironment sql = FlinkJobs.streaming(true, 1);
    sql.executeSql(
        "CREATE TEMPORARY TABLE numbers (n BIGINT, pt AS PROCTIME()) WITH ('connector' = 'datagen',"
            + " 'rows-per-second' = '500', 'fields.n.kind' = 'sequence',"
            + " 'fields.n.start' = '1', 'fields.n.end' = '1000000')");
    sql.executeSql(
        "CREATE TEMPORARY TABLE planes (tailnum STRING, seats INT, dt DATE) WITH ('connector' ="
            + " 'pelton', 'dimension' = '"
            + metadata.resolve("dimensions/planes.toml")
            + "')");
    List<Row> rows = new ArrayList<>();
    try (CloseableIterator<Row> results =
        sql.executeSql(
                "SELECT o.n, d.seats, CAST(d.dt AS STRING) AS dt FROM numbers AS o JOIN planes"
                    + " FOR SYSTEM_TIME AS OF o.pt AS d ON d.tailnum = 'N14228'")
            .collect()) {
      for (String day : List.of("2013-01-01", "2013-02-01", "2013-03-01")) {
        if (!rows.isEmpty()) {
          addPlanes(day);
        }
        for (int seen = 0; seen < 100; ) {
          rows.add(results.next());
          seen += rows.get(rows.size() - 1).getField("dt").equals(day) ? 1 : 0;
        }
      }
    }
    assertThat(rows).extracting(row -> row.getField("seats")).containsOnly(149);
    assertThat(rows).extracting(row -> (String) row.getField("dt")).isSorted();
    assertThat(rows)
        .extracting(row -> row.getField("n"))
        .containsExactlyElementsOf(LongStream.rangeClosed(1, rows.size()).boxed().toList());
  }

  /**
   * While its tasks open, and when they wait. Not with a sink that collects: cancelled before it is
   * open, Flink's own ends the TaskManager (a NullPointerException in CollectSinkFunction).
   */
  @ParameterizedTest
  @ValueSource(ints = {0, 50, 200, 2000})
  @Timeout(60)
  void aJobThatWaitsForItsFirstHivePartitionCanBeCancelled(int pause) throws Exception {
    Files.createDirectories(metadata.resolve("planes"));
    StreamTableEnvironment sql = environment();
    sql.executeSql(
        "CREATE TEMPORARY TABLE nowhere (m BIGINT, seats INT, partitions MAP<STRING, STRING>)"
            + " WITH ('connector' = 'blackhole')");
    JobClient job = sql.executeSql("INSERT INTO nowhere " + query()).getJobClient().orElseThrow();
    while (job.getJobStatus().get() != JobStatus.RUNNING) {
      assertThat(job.getJobStatus().get().isTerminalState()).isFalse();
      Thread.sleep(20);
    }
    Thread.sleep(pause);
    job.cancel().get();
    while (!job.getJobStatus().get().isTerminalState()) {
      Thread.sleep(20);
    }
    assertThat(job.getJobStatus().get()).isEqualTo(JobStatus.CANCELED);
  }

  @Test
  void aJobThatWaitsBeginsWhenItsFirstHivePartitionComes() throws Exception {
    Files.createDirectories(metadata.resolve("planes"));
    try (CloseableIterator<Row> results = startJob().collect()) {
      Thread.sleep(500);
      addPlanes("2013-01-01");
      assertThat(partition(results.next())).isEqualTo("dt=2013-01-01");
    }
  }

  private TableResult startJob() {
    return environment().executeSql(query());
  }

  private static StreamTableEnvironment environment() {
    StreamTableEnvironment sql = FlinkJobs.streaming(true, 2);
    sql.executeSql(
        "CREATE TEMPORARY TABLE numbers (n BIGINT) WITH ('connector' = 'datagen',"
            + " 'rows-per-second' = '500', 'fields.n.kind' = 'sequence',"
            + " 'fields.n.start' = '1', 'fields.n.end' = '1000000')");
    return sql;
  }

  private String query() {
    return "SELECT m, seats, partitions FROM numbers,"
        + " LATERAL TABLE(predict('"
        + uri
        + "', n, 'N14228')) AS p";
  }

  /** Rows of two tasks: until both have seen a Hive partition, whatever the other has. */
  private static void readUntil(CloseableIterator<Row> results, List<Row> rows, String partition) {
    for (int seen = 0; seen < 200; ) {
      Row row = results.next();
      rows.add(row);
      seen += partition(row).equals(partition) ? 1 : 0;
    }
  }

  private static String partition(Row row) {
    return (String) row.<java.util.Map<?, ?>>getFieldAs("partitions").get("plane");
  }

  private void addPlanes(String day) throws Exception {
    Path from = models().resolve("planes/dt=2013-01-01");
    Path to = Files.createDirectories(metadata.resolve("planes/dt=" + day));
    Files.copy(from.resolve("planes.parquet"), to.resolve("planes.parquet"));
    Files.createFile(to.resolve("_SUCCESS"));
  }

  private static Path models() {
    return TestPaths.root().resolve("models/metadata");
  }
}
