package org.pelton.flink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.pelton.flink.FlinkJobs.csv;
import static org.pelton.flink.FlinkJobs.lines;
import static org.pelton.flink.FlinkJobs.rows;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.flink.runtime.util.EnvironmentInformation;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.table.api.TableResult;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.test.junit5.MiniClusterExtension;
import org.apache.flink.types.Row;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.pelton.TestDecisions;

/** What {@code pelton ddl} prints, run statement by statement as it stands. */
class DdlTest extends MetadataTests {

  private static final boolean HAS_MODELS = !EnvironmentInformation.getVersion().startsWith("1.");

  /** Names that mean something else without quotes, and one that the input has, too. */
  private static final String INPUT = "id BIGINT NOT NULL, `value` DOUBLE, `the text` STRING";

  private static final String OUTPUT =
      "id, 100 / CAST(`value` AS INT) AS share, UPPER(`the text`) AS `Upper`";

  private static final String GOOD = "(1, 4, 'ann'), (2, 50, CAST(NULL AS STRING))";

  private static final List<Row> GOOD_DECIDED = List.of(Row.of(1L, 25, "ANN"), Row.of(2L, 2, null));

  @RegisterExtension private static final MiniClusterExtension CLUSTER = FlinkJobs.cluster(2);

  private StreamTableEnvironment sql;

  @BeforeEach
  void newSession() {
    StreamExecutionEnvironment jobs = StreamExecutionEnvironment.getExecutionEnvironment();
    jobs.setParallelism(1);
    sql = StreamTableEnvironment.create(jobs);
  }

  @Test
  void everyQueryDecidesTheTableAsItIsPrinted() throws Exception {
    String uri = decisions.publish("order", INPUT, OUTPUT);
    records("`select`", GOOD);
    String table = "default_catalog.default_database.select";
    List<List<Row>> results = run(ddl(uri, "--table", table), () -> {});
    assertThat(results).hasSize(HAS_MODELS ? 3 : 2);
    assertThat(results.get(0)).containsExactlyInAnyOrderElementsOf(flat(GOOD_DECIDED));
    assertThat(results.get(1))
        .extracting(row -> row.getField("d"))
        .containsExactlyInAnyOrderElementsOf(GOOD_DECIDED);
    if (HAS_MODELS) {
      assertThat(results.get(2)).containsExactlyInAnyOrderElementsOf(flat(GOOD_DECIDED));
    }
    assertThat(sql.getConfig().getConfiguration().toMap())
        .containsEntry("pipeline.object-reuse", "true")
        .containsEntry("table.optimizer.non-deterministic-update.strategy", "TRY_RESOLVE");
  }

  @Test
  void recordsThatFailGoToTheirOwnTable() throws Exception {
    String uri = decisions.publish("order", INPUT, OUTPUT + ", pelton.error AS error");
    records("records", GOOD);
    String columns = "id BIGINT, `value` DOUBLE, `the text` STRING";
    Path decided = directory.resolve("decided");
    Path failed = directory.resolve("failed");
    csv(sql, "order_decided", columns + ", id_decided BIGINT, share INT, `Upper` STRING", decided);
    csv(sql, "order_failed", columns + ", error_code STRING, error_message STRING", failed);
    run(ddl(uri), () -> records("records", GOOD + ", (3, 0, 'zero')"));
    assertThat(lines(decided))
        .containsExactlyInAnyOrder("1,4.0,ann,1,25,ANN", "2,50.0,NULL,2,2,NULL");
    assertThat(lines(failed))
        .singleElement()
        .asString()
        .startsWith("3,0.0,zero,EVALUATION_FAILED,")
        .contains("output `share`");
  }

  @Test
  void aDecisionWithoutErrorsInItsOutputIsToldHowToGetThem() throws Exception {
    String script = ddl(decisions.publish("order", INPUT, OUTPUT));
    assertThat(script).contains("add `pelton.error AS error`");
    assertThat(SqlScript.statements(script)).noneMatch(s -> s.contains("on-error"));
  }

  private static String ddl(String uri, String... more) throws Exception {
    List<String> arguments =
        new ArrayList<>(List.of("ddl", uri, "--flink", HAS_MODELS ? "2.x" : "1.20"));
    arguments.addAll(List.of(more));
    return TestDecisions.pelton(arguments.toArray(new String[0]));
  }

  private void records(String table, String values) {
    sql.executeSql("DROP TEMPORARY VIEW IF EXISTS " + table);
    sql.executeSql(
        "CREATE TEMPORARY VIEW "
            + table
            + " AS SELECT CAST(id AS BIGINT) AS id, CAST(v AS DOUBLE) AS `value`, t AS `the text`"
            + " FROM (VALUES "
            + values
            + ") AS r(id, v, t)");
  }

  /**
   * Runs a script and returns what its queries give; {@code beforeSinks} before it sets options.
   */
  private List<List<Row>> run(String script, Runnable beforeSinks) throws Exception {
    List<List<Row>> results = new ArrayList<>();
    for (String statement : SqlScript.statements(script)) {
      if (statement.startsWith("SET 'pelton.")) {
        beforeSinks.run();
      }
      if (statement.startsWith("SELECT")) {
        results.add(rows(sql, statement));
        continue;
      }
      Optional<TableResult> result = SqlScript.run(sql, statement);
      if (result.isPresent()) {
        result.get().await();
      }
    }
    return results;
  }

  /** The records of {@link #GOOD} with their decisions behind them. */
  private static List<Row> flat(List<Row> decided) {
    return List.of(
        Row.join(Row.of(1L, 4d, "ann"), decided.get(0)),
        Row.join(Row.of(2L, 50d, null), decided.get(1)));
  }
}
