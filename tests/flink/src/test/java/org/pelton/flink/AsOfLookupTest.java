package org.pelton.flink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.pelton.flink.FlinkJobs.rows;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.flink.api.common.JobStatus;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.table.api.TableResult;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.test.junit5.MiniClusterExtension;
import org.apache.flink.types.Row;
import org.apache.flink.util.CloseableIterator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pelton.metrics.PeltonMetrics;

/** Lookup joins that see what was there at the record's own time. */
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class AsOfLookupTest extends MetadataTests {

  private static final String COLUMNS = "product STRING, num INT, price DOUBLE";

  /** Of the Hive partition of January k: what it has is seen from 2:00 of January k + 1 on. */
  private static final String VALID = "period = \"1 d\"\navailable_after = \"2 h\"";

  @RegisterExtension private static final MiniClusterExtension CLUSTER = FlinkJobs.cluster(4);

  @ParameterizedTest
  @CsvSource({"JOIN,true", "LEFT JOIN,true", "LEFT JOIN,false"})
  void aRecordSeesWhatWasThereAtItsTime(String join, boolean objectReuse) throws Exception {
    define("previous");
    writeDays(1, 4);
    StreamTableEnvironment sql = FlinkJobs.streaming(objectReuse, 1);
    assertAsOf(sql, join);
    assertThat(PeltonMetrics.sum("dimension.prices.lookups")).isEqualTo(known(sql, "TRUE"));
    assertThat(PeltonMetrics.sum("dimension.prices.late"))
        .isEqualTo(known(sql, "ts >= TIMESTAMP '2013-01-06 02:00:00'"))
        .isGreaterThan(50);
  }

  @Test
  void batchJobsSeeTheSame() throws Exception {
    define("previous");
    writeDays(1, 4);
    assertAsOf(FlinkJobs.batch(true), "LEFT JOIN");
  }

  /** The usual case: the time is the stream's own, with its watermark. */
  @ParameterizedTest
  @ValueSource(strings = {"TIMESTAMP(3)", "TIMESTAMP_LTZ(3)"})
  void theTimeMayBeTheEventTimeOfTheStream(String type) throws Exception {
    define("previous");
    writeDays(1, 4);
    StreamTableEnvironment sql = FlinkJobs.streaming(true, 1);
    sql.getConfig().set("table.local-time-zone", "UTC");
    sql.executeSql(
        "CREATE TEMPORARY TABLE events (n BIGINT, pt AS PROCTIME(), ts AS CAST(TIMESTAMPADD(HOUR,"
            + " CAST(n AS INT), TIMESTAMP '2013-01-03 00:00:00') AS "
            + type
            + "), WATERMARK FOR ts AS ts) WITH ('connector' = 'datagen', 'number-of-rows' = '80',"
            + " 'fields.n.kind' = 'sequence', 'fields.n.start' = '1', 'fields.n.end' = '80')");
    createTable(sql, type);
    List<Row> rows =
        rows(
            sql,
            "SELECT o.n, d.num, d.as_of, o.ts, d.product FROM events AS o LEFT JOIN prices"
                + " FOR SYSTEM_TIME AS OF o.pt AS d ON d.as_of = o.ts AND d.product = 'P1'");
    assertThat(rows)
        .hasSize(80)
        .allSatisfy(
            row -> {
              long hours = row.<Long>getFieldAs(0) - 2; // since January 3, 2:00
              Integer num = hours < 0 ? null : Math.min(4, 2 + (int) hours / 24);
              assertThat(row.getField(1)).isEqualTo(num);
              assertThat(row.getField(2)).isEqualTo(num == null ? null : row.getField(3));
              assertThat(row.getField(4)).isEqualTo(num == null ? null : "P1");
            });
  }

  @Test
  void theTableItselfMaySayAllOfIt() throws Exception {
    define("previous");
    writeDays(1, 4);
    StreamTableEnvironment sql = FlinkJobs.streaming(true, 1);
    createOrders(sql);
    sql.executeSql(
        String.format(
            "CREATE TEMPORARY TABLE prices (as_of TIMESTAMP(3), %s, dt DATE, PRIMARY KEY (product,"
                + " as_of) NOT ENFORCED) WITH ('connector' = 'pelton', 'path' = '%s', 'format' ="
                + " 'parquet', 'partition' = 'dt DATE', 'key' = 'product', 'choice' = 'as_of',"
                + " 'period' = '1 d', 'available-after' = '2 h', 'keep' = '3', 'late' = 'previous')",
            COLUMNS, dimensions.directory("prices")));
    assertThat(rows(sql, lookup("LEFT JOIN")))
        .containsExactlyInAnyOrderElementsOf(FlinkJobs.finalRows(sql, regular("LEFT JOIN")));
    assertThat(rows(sql, lookup("JOIN").replace("d.price", "d.dt")))
        .allMatch(row -> row.getField(3).toString().equals("2013-01-0" + row.getField(2)));
  }

  @Test
  void aRecordThatIsLateFailsTheJobWhereTheDimensionSaysSo() throws Exception {
    define("fail");
    writeDays(1, 4);
    StreamTableEnvironment sql = FlinkJobs.streaming(true, 1);
    createOrders(sql);
    createTable(sql, "TIMESTAMP(3)");
    assertThatThrownBy(() -> rows(sql, lookup("LEFT JOIN")))
        .hasStackTraceContaining(
            "DIMENSION_UNAVAILABLE: table `default_catalog`.`default_database`.`prices`: for 0 s"
                + " of the record's time a newer Hive partition than dt=2013-01-04 should be there,"
                + " and `late = \"fail\"`");
    assertThat(PeltonMetrics.sum("dimension.prices.late")).isEqualTo(1);
  }

  @Test
  void aRecordThatIsLateWaitsForItsHivePartitionAndTheWaitEndsWithTheJob() throws Exception {
    define("wait");
    writeDays(1, 2);
    TableResult result = startLate();
    JobClient job = result.getJobClient().orElseThrow();
    List<Integer> seen = new ArrayList<>();
    try (CloseableIterator<Row> results = result.collect()) {
      for (int i = 0; i < 8; i++) {
        seen.add(results.next().getFieldAs(1));
      }
      awaitLate(1);
      Thread.sleep(500); // some refreshes, which bring nothing
      assertThat(PeltonMetrics.sum("dimension.prices.lookups")).isEqualTo(9);
      writeDays(3, 3);
      for (int i = 0; i < 4; i++) {
        seen.add(results.next().getFieldAs(1));
      }
      awaitLate(2);
      assertThat(PeltonMetrics.sum("dimension.prices.lookups")).isEqualTo(13);
      job.cancel().get(10, TimeUnit.SECONDS);
      while (!job.getJobStatus().get().isTerminalState()) {
        Thread.sleep(20);
      }
      assertThat(job.getJobStatus().get()).isEqualTo(JobStatus.CANCELED);
    }
    assertThat(seen).containsExactly(1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
    assertThat(PeltonMetrics.sum("dimension.prices.misses")).isZero();
  }

  /**
   * The first record has the time at which the first Hive partition is valid, each is 6 h later.
   */
  private TableResult startLate() {
    StreamTableEnvironment sql = FlinkJobs.streaming(true, 1);
    sql.executeSql(
        "CREATE TEMPORARY TABLE events (n BIGINT, pt AS PROCTIME(), ts AS CAST(TIMESTAMPADD(HOUR,"
            + " CAST(n - 1 AS INT) * 6, TIMESTAMP '2013-01-02 02:00:00') AS TIMESTAMP(3)))"
            + " WITH ('connector' = 'datagen', 'rows-per-second' = '100', 'fields.n.kind' ="
            + " 'sequence', 'fields.n.start' = '1', 'fields.n.end' = '1000000')");
    createTable(sql, "TIMESTAMP(3)");
    return sql.executeSql(
        "SELECT o.n, d.num FROM events AS o LEFT JOIN prices FOR SYSTEM_TIME AS OF o.pt AS d"
            + " ON d.product = 'P1' AND d.as_of = o.ts");
  }

  private static void awaitLate(int records) throws InterruptedException {
    while (PeltonMetrics.sum("dimension.prices.late") < records) {
      Thread.sleep(20);
    }
    assertThat(PeltonMetrics.sum("dimension.prices.late")).isEqualTo(records);
  }

  private void define(String late) throws Exception {
    dimensions.define(
        "prices",
        COLUMNS,
        "\"product\"",
        "choice = \"as_of\"\nkeep = 3\nrefresh = \"200 ms\"\nlate = \"" + late + "\"",
        VALID);
  }

  /** The Hive partitions of some days of January; P9 has a price on every other day. */
  private void writeDays(int from, int to) throws Exception {
    for (int day = from; day <= to; day++) {
      List<String> prices = new ArrayList<>();
      for (int i = 0; i < (day % 2 == 0 ? 10 : 9); i++) {
        prices.add(String.format("P%d,%d,%d.5", i, day, 100 * day + i));
      }
      dimensions.write("prices", "2013-01-0" + day, COLUMNS, prices);
    }
  }

  private void createTable(StreamTableEnvironment sql, String time) {
    sql.executeSql(
        String.format(
            "CREATE TEMPORARY TABLE prices (as_of %s, %s) WITH ('connector' = 'pelton',"
                + " 'dimension' = '%s')",
            time, COLUMNS, dimensions.definition("prices")));
  }

  /** A record every 20 minutes of a week, and what Flink's own join needs to find its prices. */
  private void createOrders(StreamTableEnvironment sql) {
    FlinkJobs.numbers(sql, 500);
    sql.executeSql(
        "CREATE TEMPORARY VIEW times AS SELECT n, PROCTIME() AS pt,"
            + " CASE WHEN MOD(n, 17) <> 0 THEN 'P' || CAST(MOD(n, 11) AS STRING) END AS product,"
            + " CASE WHEN MOD(n, 13) <> 0 THEN CAST(TIMESTAMPADD(MINUTE, CAST(n AS INT) * 20,"
            + " TIMESTAMP '2013-01-02 02:00:00') AS TIMESTAMP(3)) END AS ts FROM numbers");
    sql.executeSql(
        "CREATE TEMPORARY VIEW orders AS SELECT *,"
            + " CAST(EXTRACT(DAY FROM ts - INTERVAL '2' HOUR) AS INT) - 1 AS num FROM times");
    sql.executeSql(
        String.format(
            "CREATE TEMPORARY TABLE prices_csv (%s) WITH ('connector' = 'filesystem', 'path' ="
                + " '%s', 'format' = 'csv')",
            COLUMNS, dimensions.csv("prices")));
  }

  private void assertAsOf(StreamTableEnvironment sql, String join) throws Exception {
    createOrders(sql);
    createTable(sql, "TIMESTAMP(3)");
    List<Row> found = rows(sql, lookup(join));
    assertThat(found).filteredOn(row -> row.getField(2) != null).hasSizeGreaterThan(200);
    assertThat(found).containsExactlyInAnyOrderElementsOf(FlinkJobs.finalRows(sql, regular(join)));
  }

  private static String lookup(String join) {
    return "SELECT o.n, d.product, d.num, d.price FROM orders AS o "
        + join
        + " prices FOR SYSTEM_TIME AS OF o.pt AS d ON d.product = o.product AND d.as_of = o.ts";
  }

  /** The day before the newest of the three days that are kept, from 2:00 on. */
  private static String regular(String join) {
    return "SELECT o.n, d.product, d.num, d.price FROM orders AS o "
        + join
        + " (SELECT * FROM prices_csv WHERE num > 1) AS d ON d.product = o.product"
        + " AND d.num = CASE WHEN o.num > 4 THEN 4 ELSE o.num END";
  }

  /** How many records have a key and a time, and fulfil a condition. */
  private static long known(StreamTableEnvironment sql, String condition) throws Exception {
    return rows(
            sql,
            "SELECT n FROM orders WHERE product IS NOT NULL AND ts IS NOT NULL AND " + condition)
        .size();
  }
}
