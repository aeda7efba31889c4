package org.pelton.flink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.pelton.flink.FlinkJobs.batch;
import static org.pelton.flink.FlinkJobs.environment;
import static org.pelton.flink.FlinkJobs.numbers;
import static org.pelton.flink.FlinkJobs.rows;
import static org.pelton.flink.FlinkJobs.streaming;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.table.runtime.typeutils.ExternalTypeInfo;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.logical.utils.LogicalTypeParser;
import org.apache.flink.table.types.utils.TypeConversions;
import org.apache.flink.test.junit5.MiniClusterExtension;
import org.apache.flink.types.Row;
import org.apache.flink.util.CloseableIterator;
import org.assertj.core.util.Throwables;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pelton.TestDecisions;

/**
 * {@code predict} in jobs on a real cluster, with decisions that the {@code pelton} command made.
 */
class PredictFunctionTest {

  @RegisterExtension private static final MiniClusterExtension CLUSTER = FlinkJobs.cluster(4);

  /** Every supported type, with the row that is NULL everywhere and values at the edges. */
  private static final String ALL_COLUMNS =
      "bo BOOLEAN, ti TINYINT, si SMALLINT, i INT, b BIGINT, f FLOAT, d DOUBLE, c CHAR(3),"
          + " v VARCHAR(20), s STRING, da DATE, t0 TIMESTAMP(0), t3 TIMESTAMP(3),"
          + " t6 TIMESTAMP(6), t9 TIMESTAMP(9)";

  private static final List<Row> ALL_ROWS =
      List.of(
          Row.of(
              true,
              (byte) 1,
              (short) 2,
              3,
              4L,
              1.5f,
              2.5d,
              "abc",
              "1234567",
              "longer than seven",
              LocalDate.of(2013, 12, 24),
              time("2013-12-24T18:30:15"),
              time("2013-12-24T18:30:15.123"),
              time("2013-12-24T18:30:15.123456"),
              time("2013-12-24T18:30:15.123456789")),
          new Row(15),
          Row.of(
              false,
              Byte.MIN_VALUE,
              Short.MIN_VALUE,
              Integer.MIN_VALUE,
              Long.MIN_VALUE,
              Float.NaN,
              -0.0d,
              "äöü",
              "",
              "日本語テキスト",
              LocalDate.of(1, 1, 1),
              time("0001-01-01T00:00:00"),
              time("1969-12-31T23:59:59.999"),
              time("1969-12-31T23:59:59.999999"),
              time("0001-01-01T00:00:00.000000001")),
          Row.of(
              null,
              Byte.MAX_VALUE,
              Short.MAX_VALUE,
              Integer.MAX_VALUE,
              Long.MAX_VALUE,
              Float.NEGATIVE_INFINITY,
              Double.MIN_VALUE,
              "zzz",
              "12345678",
              "",
              LocalDate.of(9999, 12, 31),
              null,
              time("9999-12-31T23:59:59.999"),
              null,
              time("9999-12-31T23:59:59.999999999")));

  @TempDir Path directory;

  private TestDecisions decisions;

  @BeforeEach
  void newMetadataDirectory() {
    decisions = new TestDecisions(directory.resolve("metadata"));
    PeltonMetrics.forget();
  }

  @ParameterizedTest(name = "object reuse {0}")
  @ValueSource(booleans = {true, false})
  void everyTypeComesBackAsItWent(boolean objectReuse) throws Exception {
    String names = names(ALL_COLUMNS);
    String qualified = "t." + names.replace(", ", ", t.");
    String uri = decisions.publish("identity", ALL_COLUMNS, names);
    StreamExecutionEnvironment jobs = StreamExecutionEnvironment.getExecutionEnvironment();
    StreamTableEnvironment sql =
        environment(jobs, EnvironmentSettings.inStreamingMode(), objectReuse, 1);
    DataType type =
        TypeConversions.fromLogicalToDataType(
            LogicalTypeParser.parse("ROW<" + ALL_COLUMNS + ">", getClass().getClassLoader()));
    sql.createTemporaryView(
        "t", sql.fromDataStream(jobs.fromData(ALL_ROWS, ExternalTypeInfo.of(type))));
    List<Row> out =
        rows(
            sql,
            "SELECT p.* FROM t, LATERAL TABLE(predict('" + uri + "', " + qualified + ")) AS p");
    assertThat(out).containsExactlyInAnyOrderElementsOf(ALL_ROWS);
    assertThat(PeltonMetrics.sum("evaluations")).isEqualTo(ALL_ROWS.size());
    assertThat(PeltonMetrics.sum("errors")).isZero();
  }

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
  void buffersGrowForLargeAndManyColumns() throws Exception {
    List<String> columns = new ArrayList<>();
    for (int i = 0; i < 75; i++) {
      columns.add("c" + i + (i % 2 == 0 ? " STRING" : " INT"));
    }
    String declared = String.join(", ", columns);
    String uri = decisions.publish("wide", declared, names(declared));
    StringBuilder arguments = new StringBuilder();
    for (int i = 0; i < 75; i++) {
      arguments.append(i == 0 ? "" : ", ");
      arguments.append(
          i % 2 != 0 ? "n" : i == 70 ? "REPEAT('ä', n * 1000)" : "CAST(NULL AS STRING)");
    }
    StreamTableEnvironment sql = streaming(true, 1);
    sql.executeSql("CREATE TEMPORARY VIEW t AS SELECT * FROM (VALUES (1), (200), (2)) AS v(n)");
    List<Row> out =
        rows(
            sql,
            "SELECT n, p.* FROM t, LATERAL TABLE(predict('" + uri + "', " + arguments + ")) AS p");
    assertThat(out).hasSize(3);
    for (Row row : out) {
      int n = (int) row.getField(0);
      for (int i = 0; i < 75; i++) {
        Object expected = i % 2 != 0 ? (Object) n : i == 70 ? "ä".repeat(n * 1000) : null;
        assertThat(row.getField(i + 1)).as("n = %s, c%s", n, i).isEqualTo(expected);
      }
    }
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

  /** {@code "a INT, b STRING"} to {@code "a, b"}. */
  private static String names(String columns) {
    return List.of(columns.split(", ")).stream()
        .map(column -> column.trim().split(" ")[0])
        .collect(Collectors.joining(", "));
  }

  private static LocalDateTime time(String text) {
    return LocalDateTime.parse(text);
  }
}
