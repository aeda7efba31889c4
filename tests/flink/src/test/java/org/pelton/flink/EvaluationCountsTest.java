package org.pelton.flink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.pelton.flink.FlinkJobs.csv;
import static org.pelton.flink.FlinkJobs.lines;
import static org.pelton.flink.FlinkJobs.numbers;
import static org.pelton.flink.FlinkJobs.rows;
import static org.pelton.flink.FlinkJobs.streaming;

import java.util.List;
import java.util.stream.LongStream;
import org.apache.flink.table.api.StatementSet;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.test.junit5.MiniClusterExtension;
import org.apache.flink.types.Row;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.pelton.metrics.PeltonMetrics;

/**
 * How often a record is evaluated: the records that come out against Pelton's own counter. The
 * table in {@code docs/flink.md} says the same.
 */
class EvaluationCountsTest extends MetadataTests {

  private static final int RECORDS = 1000;

  @RegisterExtension private static final MiniClusterExtension CLUSTER = FlinkJobs.cluster(2);

  private StreamTableEnvironment sql;
  private String uri;

  @BeforeEach
  void publish() throws Exception {
    uri =
        decisions.publish(
            "label", "n BIGINT", "n + n AS twice, 'number ' || CAST(n AS STRING) AS label");
    sql = streaming(true, 1);
    numbers(sql, RECORDS);
    csv(sql, "low", "twice BIGINT, label STRING", directory.resolve("low"));
    csv(sql, "high", "twice BIGINT, label STRING", directory.resolve("high"));
  }

  @Test
  void theTableFunctionEvaluatesOnceHoweverOftenItsOutputsAreUsed() throws Exception {
    List<Row> out = rows(sql, used("twice", "label", "FROM numbers, " + lateral()));
    assertThat(out).containsExactlyInAnyOrderElementsOf(expected());
    assertEvaluations(RECORDS);
  }

  @Test
  void theScalarFunctionEvaluatesOnceHoweverOftenItsOutputsAreUsed() throws Exception {
    String from = "FROM (SELECT predict_row('" + uri + "', n) AS d FROM numbers)";
    List<Row> out = rows(sql, used("d.twice", "d.label", from));
    assertThat(out).containsExactlyInAnyOrderElementsOf(expected());
    assertEvaluations(RECORDS);
  }

  @Test
  void aSqlViewOfTheTableFunctionIsEvaluatedForEachSink() throws Exception {
    sql.executeSql("CREATE VIEW decided AS SELECT twice, label FROM numbers, " + lateral());
    writeBothSinks("twice", "label");
    assertEvaluations(2 * RECORDS);
  }

  @Test
  void aTableObjectOfTheTableFunctionIsEvaluatedOnceForAllSinks() throws Exception {
    sql.createTemporaryView(
        "decided", sql.sqlQuery("SELECT twice, label FROM numbers, " + lateral()));
    writeBothSinks("twice", "label");
    assertEvaluations(RECORDS);
  }

  @Test
  void aSqlViewOfTheScalarFunctionIsEvaluatedOnceForAllSinks() throws Exception {
    sql.executeSql("CREATE VIEW decided AS SELECT predict_row('" + uri + "', n) AS d FROM numbers");
    writeBothSinks("d.twice", "d.label");
    assertEvaluations(RECORDS);
  }

  @Test
  void aTableObjectOfTheScalarFunctionIsEvaluatedOnceForAllSinks() throws Exception {
    sql.createTemporaryView(
        "decided", sql.sqlQuery("SELECT predict_row('" + uri + "', n) AS d FROM numbers"));
    writeBothSinks("d.twice", "d.label");
    assertEvaluations(RECORDS);
  }

  /** Both calls are the work of one function object: neither may see the other's result. */
  @Test
  void twoScalarCallsInOneSelectKeepTheirResultsApart() throws Exception {
    List<Row> out =
        rows(
            sql,
            String.format(
                "SELECT predict_row('%s', n).label, predict_row('%s', n + 1).label FROM numbers",
                uri, uri));
    assertThat(out)
        .containsExactlyInAnyOrderElementsOf(
            LongStream.rangeClosed(1, RECORDS)
                .mapToObj(n -> Row.of("number " + n, "number " + (n + 1)))
                .toList());
    assertEvaluations(2 * RECORDS);
  }

  private String lateral() {
    return "LATERAL TABLE(predict('" + uri + "', n)) AS d(twice, label)";
  }

  /** Every output several times, in the filter too. */
  private static String used(String twice, String label, String from) {
    return String.format(
        "SELECT %s, %s + 1, %s, UPPER(%s) %s WHERE %s > 0 AND CHAR_LENGTH(%s) > 0",
        twice, twice, label, label, from, twice, label);
  }

  private static List<Row> expected() {
    return LongStream.rangeClosed(1, RECORDS)
        .mapToObj(n -> Row.of(2 * n, 2 * n + 1, "number " + n, "NUMBER " + n))
        .toList();
  }

  private void writeBothSinks(String twice, String label) throws Exception {
    StatementSet sinks = sql.createStatementSet();
    String select = String.format(" SELECT %s, %s FROM decided WHERE %s ", twice, label, twice);
    sinks.addInsertSql("INSERT INTO low" + select + "<= 1000");
    sinks.addInsertSql("INSERT INTO high" + select + "> 1000");
    sinks.execute().await();
    assertThat(lines(directory.resolve("low")))
        .hasSize(RECORDS / 2)
        .contains("2,\"number 1\"", "1000,\"number 500\"");
    assertThat(lines(directory.resolve("high")))
        .hasSize(RECORDS / 2)
        .contains("1002,\"number 501\"", "2000,\"number 1000\"");
  }

  private static void assertEvaluations(long expected) {
    assertThat(PeltonMetrics.sum("evaluations")).isEqualTo(expected);
    assertThat(PeltonMetrics.sum("errors")).isZero();
  }
}
