package org.pelton.flink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.pelton.flink.FlinkJobs.csv;
import static org.pelton.flink.FlinkJobs.lines;
import static org.pelton.flink.FlinkJobs.numbers;
import static org.pelton.flink.FlinkJobs.rows;
import static org.pelton.flink.FlinkJobs.streaming;

import java.util.stream.LongStream;
import org.apache.flink.table.api.StatementSet;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.test.junit5.MiniClusterExtension;
import org.apache.flink.types.Row;
import org.assertj.core.util.Throwables;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.pelton.metrics.PeltonMetrics;

/** {@code ML_PREDICT} over a decision, in jobs on a real cluster. */
class MlPredictTest extends MetadataTests {

  private static final int RECORDS = 1000;

  private static final String ALL = "ML_PREDICT(TABLE numbers, MODEL label, DESCRIPTOR(n))";

  @RegisterExtension private static final MiniClusterExtension CLUSTER = FlinkJobs.cluster(2);

  private StreamTableEnvironment sql;

  @BeforeEach
  void createTheModel() throws Exception {
    publish("'number ' || CAST(n AS STRING)");
    sql = streaming(true, 1);
    numbers(sql, RECORDS);
    sql.executeSql(
        "CREATE MODEL label INPUT (n BIGINT) OUTPUT (twice BIGINT, label STRING)"
            + " WITH ('provider' = 'pelton', 'decision' = '"
            + decisions.uri("label")
            + "')");
  }

  @Test
  void inputColumnsPassThroughAndEveryRecordIsEvaluatedOnce() throws Exception {
    String query =
        "SELECT n, twice, twice + 1, label, UPPER(label) FROM "
            + ALL
            + " WHERE twice > 0 AND CHAR_LENGTH(label) > 0";
    assertThat(rows(sql, query))
        .containsExactlyInAnyOrderElementsOf(
            LongStream.rangeClosed(1, RECORDS)
                .mapToObj(n -> Row.of(n, 2 * n, 2 * n + 1, "number " + n, "NUMBER " + n))
                .toList());
    assertThat(PeltonMetrics.sum("evaluations")).isEqualTo(RECORDS);
  }

  @Test
  void twoSinksEvaluateOnce() throws Exception {
    csv(sql, "low", "n BIGINT, label STRING", directory.resolve("low"));
    csv(sql, "high", "n BIGINT, label STRING", directory.resolve("high"));
    sql.executeSql("CREATE VIEW decided AS SELECT * FROM " + ALL);
    StatementSet sinks = sql.createStatementSet();
    sinks.addInsertSql("INSERT INTO low SELECT n, label FROM decided WHERE twice <= 1000");
    sinks.addInsertSql("INSERT INTO high SELECT n, label FROM decided WHERE twice > 1000");
    sinks.execute().await();
    assertThat(lines(directory.resolve("low")))
        .hasSize(RECORDS / 2)
        .contains("1,\"number 1\"", "500,\"number 500\"");
    assertThat(lines(directory.resolve("high")))
        .hasSize(RECORDS / 2)
        .contains("501,\"number 501\"", "1000,\"number 1000\"");
    assertThat(PeltonMetrics.sum("evaluations")).isEqualTo(RECORDS);
  }

  @Test
  void alterModelTakesAnotherDecision() throws Exception {
    String other =
        decisions.publish("other", "n BIGINT", "n + n AS twice, CAST(NULL AS STRING) AS label");
    sql.executeSql("ALTER MODEL label SET ('decision' = '" + other + "')");
    assertThat(rows(sql, "SELECT label FROM " + ALL + " WHERE n = 1")).containsExactly(new Row(1));
  }

  @Test
  void aNewVersionIsTakenByTheNextJobAndAPinnedOneIsNot() throws Exception {
    publish("'second'");
    String query = "SELECT label FROM " + ALL + " WHERE n = 7";
    assertThat(rows(sql, query)).containsExactly(Row.of("second"));
    sql.getConfig().set("pelton.label.pin-version", "1");
    assertThat(rows(sql, query)).containsExactly(Row.of("number 7"));
  }

  @Test
  void modelsAreShownDescribedRenamedAndDropped() throws Exception {
    assertThat(rows(sql, "SHOW MODELS")).containsExactly(Row.of("label"));
    assertThat(rows(sql, "SHOW CREATE MODEL label").toString())
        .contains("'decision' = '" + decisions.uri("label") + "'", "'provider' = 'pelton'");
    assertThat(rows(sql, "DESCRIBE MODEL label"))
        .extracting(row -> row.getField(0) + " " + row.getField(1))
        .containsExactly("n BIGINT", "twice BIGINT", "label STRING");
    sql.executeSql("ALTER MODEL label RENAME TO renamed");
    assertThat(rows(sql, "SELECT twice FROM " + ALL.replace("label", "renamed") + " WHERE n = 1"))
        .containsExactly(Row.of(2L));
    sql.executeSql("DROP MODEL renamed");
    assertThat(rows(sql, "SHOW MODELS")).isEmpty();
    Throwable gone = catchThrowable(() -> rows(sql, "SELECT * FROM " + ALL));
    assertThat(gone).hasStackTraceContaining("label");
  }

  @Test
  void aTemporaryModelNeedsNoCatalog() throws Exception {
    sql.executeSql(
        "CREATE TEMPORARY MODEL passing INPUT (n BIGINT) OUTPUT (twice BIGINT, label STRING)"
            + " WITH ('provider' = 'pelton', 'decision' = '"
            + decisions.uri("label")
            + "')");
    String query = "SELECT twice FROM " + ALL.replace("label", "passing") + " WHERE n = 4";
    assertThat(rows(sql, query)).containsExactly(Row.of(8L));
    sql.executeSql("DROP TEMPORARY MODEL passing");
  }

  @Test
  void nullsAndNotNullColumnsAreTaken() throws Exception {
    sql.executeSql(
        "CREATE TEMPORARY VIEW pair AS SELECT * FROM"
            + " (VALUES (CAST(1 AS BIGINT)), (CAST(NULL AS BIGINT))) AS v(n)");
    sql.executeSql("CREATE TEMPORARY VIEW single AS SELECT CAST(5 AS BIGINT) AS n");
    assertThat(rows(sql, "SELECT * FROM " + ALL.replace("numbers", "pair")))
        .containsExactlyInAnyOrder(Row.of(1L, 2L, "number 1"), new Row(3));
    assertThat(rows(sql, "SELECT * FROM " + ALL.replace("numbers", "single")))
        .containsExactly(Row.of(5L, 10L, "number 5"));
  }

  @Test
  void aFailedRecordFailsTheJobWithCodeAndDecision() throws Exception {
    decisions.publish("label", "n BIGINT", "100 / (n - 500) AS twice, 'x' AS label");
    sql.executeSql("DROP MODEL label");
    sql.executeSql(
        "CREATE MODEL label INPUT (n BIGINT) OUTPUT (twice BIGINT, label STRING)"
            + " WITH ('provider' = 'pelton', 'decision' = '"
            + decisions.uri("label")
            + "')");
    Throwable error = catchThrowable(() -> rows(sql, "SELECT * FROM " + ALL));
    assertThat(Throwables.getRootCause(error).getMessage()).contains("EVALUATION_FAILED: `label`");
  }

  private void publish(String label) throws Exception {
    decisions.publish("label", "n BIGINT", "n + n AS twice, " + label + " AS label");
  }
}
