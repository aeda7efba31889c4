package org.pelton.flink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.pelton.flink.FlinkJobs.batch;
import static org.pelton.flink.FlinkJobs.numbers;
import static org.pelton.flink.FlinkJobs.rows;
import static org.pelton.flink.FlinkJobs.streaming;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.test.junit5.MiniClusterExtension;
import org.apache.flink.types.Row;
import org.apache.flink.util.CloseableIterator;
import org.assertj.core.util.Throwables;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pelton.metrics.PeltonMetrics;

/**
 * {@code predict} in jobs on a real cluster, with decisions that the {@code pelton} command made.
 */
class PredictFunctionTest extends MetadataTests {

  @RegisterExtension private static final MiniClusterExtension CLUSTER = FlinkJobs.cluster(4);

  /** A sort keeps every row until the last one has come. */
  @ParameterizedTest(name = "object reuse {0}")
  @ValueSource(booleans = {true, false})
  void rowsThatAreBufferedDownstreamAreNotOverwritten(boolean objectReuse) throws Exception {
    String uri = decisions.publish("label", "n BIGINT, s STRING", "n AS m, s || '-' || s AS label");
    StreamTableEnvironment sql = batch(objectReuse);
    numbers(sql, 500);
    List<Row> out =
        rows(
            sql,
            "SELECT m, label FROM numbers,"
                + " LATERAL TABLE(predict('"
                + uri
                + "', n, 'row ' || CAST(n AS STRING))) AS p"
                + " ORDER BY MOD(m, 10), m DESC");
    List<Row> expected =
        LongStream.rangeClosed(1, 500)
            .boxed()
            .sorted(
                Comparator.<Long>comparingLong(n -> n % 10)
                    .thenComparing(Comparator.reverseOrder()))
            .map(n -> Row.of(n, "row " + n + "-row " + n))
            .collect(Collectors.toList());
    assertThat(out).containsExactlyElementsOf(expected);
  }

  @ParameterizedTest(name = "object reuse {0}")
  @ValueSource(booleans = {true, false})
  void twoTasksShareTheWorkAndEveryRecordIsEvaluatedOnce(boolean objectReuse) throws Exception {
    String uri = "file://" + decisions.publish("twice", "n BIGINT", "n AS m, n + n AS twice");
    StreamTableEnvironment sql = streaming(objectReuse, 2);
    numbers(sql, 1000);
    List<Row> out =
        rows(
            sql,
            "SELECT numbers.n, twice, twice + 1, m FROM numbers,"
                + " LATERAL TABLE(predict('"
                + uri
                + "', n))");
    List<Row> expected =
        LongStream.rangeClosed(1, 1000)
            .mapToObj(n -> Row.of(n, 2 * n, 2 * n + 1, n))
            .collect(Collectors.toList());
    assertThat(out).containsExactlyInAnyOrderElementsOf(expected);
    assertThat(PeltonMetrics.values("evaluations")).hasSize(2).doesNotContain(0L);
    assertThat(PeltonMetrics.sum("evaluations")).isEqualTo(1000);
  }

  @Test
  void aFailedRecordFailsTheJobWithCodeAndDecision() throws Exception {
    String uri = decisions.publish("share", "n BIGINT", "100 / (n - 500) AS share");
    StreamTableEnvironment sql = streaming(true, 1);
    numbers(sql, 1000);
    Throwable error =
        catchThrowable(
            () -> rows(sql, "SELECT share FROM numbers, LATERAL TABLE(predict('" + uri + "', n))"));
    assertThat(Throwables.getRootCause(error).getMessage()).contains("EVALUATION_FAILED: `share`");
    assertThat(PeltonMetrics.sum("errors")).isEqualTo(1);
    assertThat(PeltonMetrics.sum("evaluations")).isEqualTo(500);
  }

  @Test
  void aFileThatIsNotThePublishedOneFailsTheJobWhenItOpens() throws Exception {
    String uri = decisions.publish("torn", "n BIGINT", "n + 1 AS up");
    Path file = decisions.directory("torn").resolve("versions/1/decision.toml");
    Files.writeString(file, Files.readString(file).replace("+ 1", "+ 2"));
    StreamTableEnvironment sql = streaming(true, 1);
    numbers(sql, 1);
    Throwable error =
        catchThrowable(
            () -> rows(sql, "SELECT * FROM numbers, LATERAL TABLE(predict('" + uri + "', n))"));
    assertThat(Throwables.getRootCause(error).getMessage())
        .contains("MANIFEST_MISMATCH: `torn`")
        .contains("decision.toml");
  }

  @Test
  void theVersionIsTheOneThatWasActiveWhenTheJobWasPlanned() throws Exception {
    String uri = decisions.publish("moving", "n BIGINT", "n + 1 AS up");
    StreamTableEnvironment sql = streaming(true, 1);
    numbers(sql, 3);
    String query = "SELECT up FROM numbers, LATERAL TABLE(predict('" + uri + "', n))";
    DataStream<Row> planned = sql.toDataStream(sql.sqlQuery(query));
    decisions.publish("moving", "n BIGINT", "n + 2 AS up");
    try (CloseableIterator<Row> rows = planned.executeAndCollect()) {
      assertThat(rows).toIterable().containsExactlyInAnyOrder(Row.of(2L), Row.of(3L), Row.of(4L));
    }
    assertThat(rows(sql, query)).containsExactlyInAnyOrder(Row.of(3L), Row.of(4L), Row.of(5L));
  }
}
