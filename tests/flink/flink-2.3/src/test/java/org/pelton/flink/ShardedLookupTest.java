package org.pelton.flink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.pelton.flink.FlinkJobs.rows;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.test.junit5.MiniClusterExtension;
import org.apache.flink.types.Row;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.pelton.TestDimensions;
import org.pelton.metrics.PeltonMetrics;

/**
 * {@code 'sharded' = 'true'}: the planner of Flink 2.x sends each key to the subtask that has it.
 */
class ShardedLookupTest {

  private static final String GATES = "airport STRING, gate INT, fee DOUBLE";
  private static final String JOIN =
      " gates FOR SYSTEM_TIME AS OF o.pt AS d ON d.airport = o.airport AND d.gate = o.gate";
  private static final String AS_OF =
      "choice = \"as_of\"\nperiod = \"1 d\"\nlate = \"previous\"\nkeep = 2";
  private static final String HINT = "/*+ LOOKUP('table'='d', 'shuffle'='true') */ ";

  @RegisterExtension private static final MiniClusterExtension CLUSTER = FlinkJobs.cluster(4);

  @TempDir private static Path directory;

  private static TestDimensions dimensions;

  @BeforeAll
  static void writeDimension() throws Exception {
    dimensions = new TestDimensions(directory.resolve("metadata"));
    dimensions.define("gates", GATES, "\"gate\", \"airport\"");
    List<String> gates = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      gates.add(String.format("%s,%d,%d.5", "ABC".charAt(i % 3), i / 3, i));
    }
    dimensions.write("gates", "2013-01-01", GATES, gates);
    dimensions.define("as_of_gates", GATES, "\"gate\", \"airport\"", AS_OF);
    for (int day = 1; day <= 3; day++) {
      String fee = "," + day; // instead of each gate's
      List<String> ofDay = gates.stream().map(gate -> gate.replaceAll(",[^,]*$", fee)).toList();
      dimensions.write("as_of_gates", "2013-01-0" + day, GATES, ofDay);
    }
  }

  /** NULL keys are sent to some subtask too; there Flink itself knows that they find nothing. */
  @ParameterizedTest
  @CsvSource({"1,true", "3,true", "4,true", "4,false"})
  void shardedAnswersAreTheUnshardedOnes(int parallelism, boolean streaming) throws Exception {
    List<Row> whole =
        rows(environment(1, true, false), "SELECT o.n, d.fee FROM orders AS o LEFT JOIN" + JOIN);
    PeltonMetrics.forget();
    List<Row> sharded =
        rows(
            environment(parallelism, streaming, true),
            "SELECT " + HINT + "o.n, d.fee FROM orders AS o LEFT JOIN" + JOIN);
    assertThat(whole)
        .hasSize(2000)
        .filteredOn(row -> row.getField(1) != null)
        .hasSizeGreaterThan(900);
    assertThat(sharded).containsExactlyInAnyOrderElementsOf(whole);
    if (streaming) { // in batch mode Flink chooses how many subtasks there are
      assertThat(PeltonMetrics.values("dimension.gates.lookups"))
          .hasSize(parallelism)
          .allMatch(lookups -> lookups > 2000 / parallelism / 2);
    }
    assertThat(PeltonMetrics.sum("dimension.gates.lookups")).isEqualTo(2000 - 2000 / 13);
    assertThat(PeltonMetrics.sum("dimension.gates.misrouted")).isZero();
  }

  /** The group is that of the key; the time chooses among the images. */
  @ParameterizedTest
  @CsvSource({"1", "3", "4"})
  void shardedAnswersAsOfATimeAreTheUnshardedOnes(int parallelism) throws Exception {
    String join =
        "o.n, d.fee FROM orders AS o LEFT JOIN as_of_gates FOR SYSTEM_TIME AS OF o.pt AS d"
            + " ON d.airport = o.airport AND d.as_of = o.ts AND d.gate = o.gate";
    List<Row> whole = rows(environment(1, true, false), "SELECT " + join);
    PeltonMetrics.forget();
    List<Row> sharded = rows(environment(parallelism, true, true), "SELECT " + HINT + join);
    assertThat(whole)
        .extracting(row -> row.getField(1))
        .hasSize(2000)
        .contains(null, 2.0, 3.0)
        .doesNotContain(1.0);
    assertThat(sharded).containsExactlyInAnyOrderElementsOf(whole);
    assertThat(PeltonMetrics.values("dimension.as_of_gates.lookups"))
        .hasSize(parallelism)
        .doesNotContain(0L);
    assertThat(PeltonMetrics.sum("dimension.as_of_gates.late")).isPositive();
    assertThat(PeltonMetrics.sum("dimension.as_of_gates.misrouted")).isZero();
  }

  /** All records ask for one key, or for keys with one part that is the same. */
  @ParameterizedTest
  @CsvSource({"d.airport = 'B' AND d.gate = 7", "d.airport = 'B' AND d.gate = o.gate"})
  void constantsMayStandInTheKey(String condition) throws Exception {
    String join =
        "o.n, d.fee FROM orders AS o JOIN gates FOR SYSTEM_TIME AS OF o.pt AS d ON " + condition;
    List<Row> whole = rows(environment(1, true, false), "SELECT " + join);
    List<Row> sharded = rows(environment(4, true, true), "SELECT " + HINT + join);
    assertThat(whole).hasSizeGreaterThan(1500);
    assertThat(sharded).containsExactlyInAnyOrderElementsOf(whole);
  }

  @Test
  void thePlanHasThePartitionerBeforeTheJoin() throws Exception {
    String plan =
        environment(4, true, true)
            .explainSql("SELECT " + HINT + "o.n, d.fee FROM orders AS o JOIN" + JOIN);
    assertThat(plan).contains("shuffle=[true]");
    assertThat(
            environment(4, true, true)
                .explainSql(
                    "SELECT " + HINT + "o.n, d.fee FROM orders AS o JOIN" + JOIN,
                    org.apache.flink.table.api.ExplainDetail.JSON_EXECUTION_PLAN))
        .contains("\"ship_strategy\" : \"CUSTOM\"");
  }

  @Test
  void withoutThePartitionerItIsRefusedAtPlanning() {
    assertThatThrownBy(
            () ->
                rows(environment(4, true, true), "SELECT o.n, d.fee FROM orders AS o JOIN" + JOIN))
        .hasStackTraceContaining(
            "ARGUMENT_MISMATCH: table `default_catalog`.`default_database`.`gates`: 'sharded' ="
                + " 'true' needs Pelton's partitioner")
        .hasStackTraceContaining("LOOKUP('table'='NAME', 'shuffle'='true')");
  }

  private static StreamTableEnvironment environment(
      int parallelism, boolean streaming, boolean sharded) {
    StreamTableEnvironment sql =
        FlinkJobs.environment(
            StreamExecutionEnvironment.getExecutionEnvironment(),
            streaming ? EnvironmentSettings.inStreamingMode() : EnvironmentSettings.inBatchMode(),
            true,
            parallelism);
    sql.getConfig().set("table.exec.resource.default-parallelism", String.valueOf(parallelism));
    FlinkJobs.numbers(sql, 2000);
    sql.executeSql(
        "CREATE TEMPORARY VIEW orders AS SELECT n, PROCTIME() AS pt,"
            + " CASE WHEN MOD(n, 13) <> 0 THEN SUBSTRING('ABCD', CAST(MOD(n, 4) AS INT) + 1, 1)"
            + " END AS airport, CAST(MOD(n, 120) AS INT) AS gate, CAST(TIMESTAMPADD(MINUTE,"
            + " CAST(n AS INT) * 5, TIMESTAMP '2013-01-01 00:00:00') AS TIMESTAMP(3)) AS ts"
            + " FROM numbers");
    createTable(sql, "gates", GATES, sharded);
    createTable(sql, "as_of_gates", GATES + ", as_of TIMESTAMP(3)", sharded);
    return sql;
  }

  private static void createTable(
      StreamTableEnvironment sql, String name, String columns, boolean sharded) {
    sql.executeSql(
        String.format(
            "CREATE TEMPORARY TABLE %s (%s) WITH ('connector' = 'pelton', 'dimension' = '%s',"
                + " 'sharded' = '%s')",
            name, columns, dimensions.definition(name), sharded));
  }
}
