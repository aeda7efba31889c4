package org.pelton.flink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.pelton.flink.FlinkJobs.csv;
import static org.pelton.flink.FlinkJobs.numbers;
import static org.pelton.flink.FlinkJobs.rows;
import static org.pelton.flink.FlinkJobs.streaming;

import java.util.List;
import java.util.stream.LongStream;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.test.junit5.MiniClusterExtension;
import org.apache.flink.types.Row;
import org.assertj.core.util.Throwables;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.pelton.metrics.PeltonMetrics;

/** What becomes of a record that fails: one of ten, by a division by zero. */
class OnErrorTest extends MetadataTests {

  private static final String REASON =
      "`share`: division by zero, in output `share`: 100 / (n - 5) AS share";

  @RegisterExtension private static final MiniClusterExtension CLUSTER = FlinkJobs.cluster(2);

  private StreamTableEnvironment sql;
  private String uri;

  @BeforeEach
  void publish() throws Exception {
    uri = publish("100 / (n - 5)");
    sql = streaming(true, 1);
    numbers(sql, 10);
  }

  @Test
  void failIsTheDefault() {
    Throwable error = catchThrowable(() -> rows(sql, "SELECT * FROM numbers, " + lateral()));
    assertThat(Throwables.getRootCause(error).getMessage())
        .contains("EVALUATION_FAILED: " + REASON);
  }

  @Test
  void nullMakesTheOutputsNullAndKeepsTheVersion() throws Exception {
    sql.getConfig().set("pelton.on-error", "null");
    assertThat(rows(sql, "SELECT n, share, version, error FROM numbers, " + lateral()))
        .containsExactlyElementsOf(
            LongStream.rangeClosed(1, 10)
                .mapToObj(n -> Row.of(n, n == 5 ? null : 100 / (n - 5), 1L, null))
                .toList());
    assertCounted();
  }

  @Test
  void emitTellsTheReasonToo() throws Exception {
    sql.getConfig().set("pelton.share.on-error", "emit");
    String failed = "SELECT n, share, version, error.code, error.message FROM numbers, ";
    assertThat(rows(sql, failed + lateral() + " WHERE error IS NOT NULL"))
        .containsExactly(Row.of(5L, null, 1L, "EVALUATION_FAILED", REASON));
    assertCounted();
  }

  /** The text of {@code docs/flink.md}, with this decision. */
  @Test
  void deadLettersAreDecidedOnceTheDecisionIsFixed() throws Exception {
    csv(sql, "results", "n BIGINT, share BIGINT, version BIGINT", directory.resolve("results"));
    csv(sql, "dead_letters", "n BIGINT, code STRING, message STRING", directory.resolve("dead"));
    sql.getConfig().set("pelton.on-error", "emit");
    sql.executeSql("CREATE VIEW decided AS SELECT n, " + row() + " AS d FROM numbers");
    sql.executeSql(
            "EXECUTE STATEMENT SET BEGIN"
                + " INSERT INTO results SELECT n, d.share, d.version FROM decided"
                + " WHERE d.error IS NULL;"
                + " INSERT INTO dead_letters SELECT n, d.error.code, d.error.message FROM decided"
                + " WHERE d.error IS NOT NULL;"
                + " END")
        .await();
    assertCounted();
    assertThat(rows(sql, "SELECT * FROM dead_letters"))
        .containsExactly(Row.of(5L, "EVALUATION_FAILED", REASON));
    assertThat(rows(sql, "SELECT n FROM results")).hasSize(9).doesNotContain(Row.of(5L));

    publish("CASE WHEN n <> 5 THEN 100 / (n - 5) ELSE 0 END");
    sql.executeSql(
            "INSERT INTO results SELECT n, d.share, d.version FROM (SELECT n, "
                + row()
                + " AS d FROM dead_letters) AS again WHERE d.error IS NULL")
        .await();
    List<Row> decided = rows(sql, "SELECT n, share, version FROM results");
    assertThat(decided)
        .containsExactlyInAnyOrderElementsOf(
            LongStream.rangeClosed(1, 10)
                .mapToObj(n -> n == 5 ? Row.of(5L, 0L, 2L) : Row.of(n, 100 / (n - 5), 1L))
                .toList());
  }

  private static void assertCounted() {
    assertThat(PeltonMetrics.sum("evaluations")).isEqualTo(10);
    assertThat(PeltonMetrics.sum("errors")).isEqualTo(1);
  }

  private String publish(String share) throws Exception {
    return decisions.publish(
        "share", "n BIGINT", share + " AS share, pelton.version AS version, pelton.error AS error");
  }

  private String lateral() {
    return "LATERAL TABLE(predict('" + uri + "', n)) AS d(share, version, error)";
  }

  private String row() {
    return "predict_row('" + uri + "', n)";
  }
}
