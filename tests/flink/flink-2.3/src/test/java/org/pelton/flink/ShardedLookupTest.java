package org.pelton.flink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.pelton.flink.FlinkJobs.rows;

import java.nio.file.Path;
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
import org.pelton.metrics.PeltonMetrics;

/**
 * {@code 'sharded' = 'true'}: the planner of Flink 2.x sends each key to the subtask that has it.
 */
class ShardedLookupTest {

  private static final String HINT = "/*+ LOOKUP('table'='d', 'shuffle'='true') */ ";

  @RegisterExtension private static final MiniClusterExtension CLUSTER = FlinkJobs.cluster(4);

  @TempDir private static Path directory;

  private static Gates gates;

  @BeforeAll
  static void writeGates() throws Exception {
    gates = new Gates(directory);
  }

  /** NULL keys are sent to some subtask too; there Flink itself knows that they find nothing. */
  @ParameterizedTest
  @CsvSource({"1,true", "3,true", "4,true", "3,false", "4,false"})
  void shardedAnswersAreTheUnshardedOnes(int parallelism, boolean streaming) throws Exception {
    List<Row> whole =
        rows(
            environment(1, true, false),
            "SELECT o.n, d.fee FROM orders AS o LEFT JOIN" + Gates.GATES);
    PeltonMetrics.forget();
    List<Row> sharded =
        rows(
            environment(parallelism, streaming, true),
            "SELECT " + HINT + "o.n, d.fee FROM orders AS o LEFT JOIN" + Gates.GATES);
    assertThat(whole)
        .hasSize(Gates.RECORDS)
        .filteredOn(row -> row.getField(1) != null)
        .hasSizeGreaterThan(900);
    assertThat(sharded).containsExactlyInAnyOrderElementsOf(whole);
    assertThat(PeltonMetrics.values("dimension.gates.lookups"))
        .hasSize(parallelism)
        .allMatch(lookups -> lookups > Gates.RECORDS / parallelism / 2);
    assertThat(PeltonMetrics.sum("dimension.gates.lookups"))
        .isEqualTo(Gates.RECORDS - Gates.RECORDS / 13);
    assertThat(PeltonMetrics.sum("dimension.gates.misrouted")).isZero();
  }

  /** The group is that of the key; the time chooses among the images. */
  @ParameterizedTest
  @CsvSource({"1", "3", "4"})
  void shardedAnswersAsOfATimeAreTheUnshardedOnes(int parallelism) throws Exception {
    String join = "o.n, d.fee FROM orders AS o LEFT JOIN" + Gates.AS_OF_GATES;
    List<Row> whole = rows(environment(1, true, false), "SELECT " + join);
    PeltonMetrics.forget();
    List<Row> sharded = rows(environment(parallelism, true, true), "SELECT " + HINT + join);
    assertThat(whole)
        .extracting(row -> row.getField(1))
        .hasSize(Gates.RECORDS)
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
            .explainSql("SELECT " + HINT + "o.n, d.fee FROM orders AS o JOIN" + Gates.GATES);
    assertThat(plan).contains("shuffle=[true]");
    assertThat(
            environment(4, true, true)
                .explainSql(
                    "SELECT " + HINT + "o.n, d.fee FROM orders AS o JOIN" + Gates.GATES,
                    org.apache.flink.table.api.ExplainDetail.JSON_EXECUTION_PLAN))
        .contains("\"ship_strategy\" : \"CUSTOM\"");
  }

  @Test
  void withoutThePartitionerItIsRefusedAtPlanning() {
    assertThatThrownBy(
            () ->
                rows(
                    environment(4, true, true),
                    "SELECT o.n, d.fee FROM orders AS o JOIN" + Gates.GATES))
        .hasStackTraceContaining(
            "ARGUMENT_MISMATCH: table `default_catalog`.`default_database`.`gates`: 'sharded' ="
                + " 'true' needs Pelton's partitioner")
        .hasStackTraceContaining("LOOKUP('table'='NAME', 'shuffle'='true')");
  }

  /** To take rows back it keeps them by key, and Flink sends keys in its own way. */
  @Test
  void aJoinThatTakesRowsBackIsRefusedAtPlanning() {
    StreamTableEnvironment sql = environment(4, true, true);
    sql.executeSql(
        "CREATE TEMPORARY VIEW latest AS SELECT *, PROCTIME() AS pt FROM"
            + " (SELECT airport, MAX(gate) AS gate FROM numbered GROUP BY airport)");
    String query = "SELECT " + HINT + "o.airport, d.fee FROM latest AS o JOIN" + Gates.GATES;
    assertThat(sql.explainSql(query)).as("without TRY_RESOLVE").contains("shuffle=[true]");
    sql.getConfig().set("table.optimizer.non-deterministic-update.strategy", "TRY_RESOLVE");
    assertThatThrownBy(() -> rows(sql, query))
        .hasStackTraceContaining("'sharded' = 'true' needs Pelton's partitioner before the join")
        .hasStackTraceContaining("under TRY_RESOLVE, with updates as input, Flink leaves it out");
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
    sql.getConfig().set("execution.batch.adaptive.auto-parallelism.enabled", "false");
    gates.create(sql, sharded);
    sql.executeSql("CREATE TEMPORARY VIEW orders AS SELECT *, PROCTIME() AS pt FROM numbered");
    return sql;
  }
}
