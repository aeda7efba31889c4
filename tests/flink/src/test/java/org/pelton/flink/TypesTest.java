package org.pelton.flink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.pelton.flink.FlinkJobs.environment;
import static org.pelton.flink.FlinkJobs.numbers;
import static org.pelton.flink.FlinkJobs.rows;
import static org.pelton.flink.FlinkJobs.streaming;

import java.math.BigDecimal;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.table.runtime.typeutils.ExternalTypeInfo;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.logical.utils.LogicalTypeParser;
import org.apache.flink.table.types.utils.TypeConversions;
import org.apache.flink.test.junit5.MiniClusterExtension;
import org.apache.flink.types.Row;
import org.assertj.core.util.Throwables;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pelton.metrics.PeltonMetrics;

/** Every type, many columns, large values and event time on their way through a decision. */
class TypesTest extends MetadataTests {

  @RegisterExtension private static final MiniClusterExtension CLUSTER = FlinkJobs.cluster(2);

  /** A column of every type, with values at the edges and NULL. */
  private static final Map<String, List<Object>> COLUMNS = new LinkedHashMap<>();

  static {
    column("bo BOOLEAN", true, false);
    column("ti TINYINT", (byte) 1, Byte.MIN_VALUE, Byte.MAX_VALUE);
    column("si SMALLINT", (short) 2, Short.MIN_VALUE, Short.MAX_VALUE);
    column("i INT", 3, Integer.MIN_VALUE, Integer.MAX_VALUE);
    column("b BIGINT", 4L, Long.MIN_VALUE, Long.MAX_VALUE);
    column("f FLOAT", 1.5f, Float.NaN, Float.NEGATIVE_INFINITY, -0f);
    column("d DOUBLE", 2.5d, -0.0d, Double.MIN_VALUE, Double.NaN);
    column("c CHAR(3)", "abc", "äöü");
    column("v VARCHAR(20)", "1234567", "", "12345678");
    column("s STRING", "longer than seven", "日本語テキスト", "");
    column("bi BINARY(3)", new byte[] {0, 1, -1});
    column("vb BYTES", new byte[0], new byte[] {-128}, new byte[7], new byte[300]);
    column(
        "da DATE", LocalDate.of(2013, 12, 24), LocalDate.of(1, 1, 1), LocalDate.of(9999, 12, 31));
    column(
        "tm TIME", LocalTime.of(23, 59, 59), LocalTime.MIDNIGHT); // 1.20 knows no other precision
    column("t0 TIMESTAMP(0)", time("2013-12-24T18:30:15"), time("0001-01-01T00:00:00"));
    column("t3 TIMESTAMP(3)", time("2013-12-24T18:30:15.123"), time("1969-12-31T23:59:59.999"));
    column(
        "t6 TIMESTAMP(6)", time("2013-12-24T18:30:15.123456"), time("1969-12-31T23:59:59.999999"));
    column(
        "t9 TIMESTAMP(9)",
        time("9999-12-31T23:59:59.999999999"),
        time("0001-01-01T00:00:00.000000001"));
    column(
        "l3 TIMESTAMP_LTZ(3)",
        Instant.parse("2013-12-24T18:30:15.123Z"),
        Instant.EPOCH.minusMillis(1));
    column(
        "l9 TIMESTAMP_LTZ(9)",
        Instant.parse("2013-12-24T18:30:15.123456789Z"),
        Instant.EPOCH.minusNanos(1));
    column("de DECIMAL(5, 2)", new BigDecimal("-999.99"), new BigDecimal("0.01"));
    column(
        "dw DECIMAL(38, 18)",
        new BigDecimal("-99999999999999999999.999999999999999999"),
        new BigDecimal("0.000000000000000001"));
    column("ai ARRAY<INT>", new Integer[] {1, null, -3}, new Integer[0]);
    column("a_s ARRAY<STRING>", (Object) new String[] {"", null, "longer than seven"});
    column("m MAP<STRING, DOUBLE>", Map.of("a", 1.5, "longer than seven", -0.0), Map.of());
    column("r ROW<x INT, y STRING>", Row.of(1, "one"), Row.of(null, "longer than seven"));
    column(
        "n ARRAY<ROW<x DECIMAL(20, 3), y MAP<INT, ARRAY<BYTES>>>>",
        (Object)
            new Row[] {
              Row.of(new BigDecimal("1.250"), Map.of(7, new byte[][] {{1}, null, new byte[20]})),
              null,
              Row.of(null, null)
            });
  }

  @ParameterizedTest(name = "object reuse {0}")
  @ValueSource(booleans = {true, false})
  void everyTypeComesBackAsItWent(boolean objectReuse) throws Exception {
    String columns = String.join(", ", COLUMNS.keySet());
    List<String> names = COLUMNS.keySet().stream().map(column -> column.split(" ")[0]).toList();
    String uri = decisions.publish("identity", columns, String.join(", ", names));
    StreamExecutionEnvironment jobs = StreamExecutionEnvironment.getExecutionEnvironment();
    StreamTableEnvironment sql =
        environment(jobs, EnvironmentSettings.inStreamingMode(), objectReuse, 1);
    DataType type =
        TypeConversions.fromLogicalToDataType(
            LogicalTypeParser.parse("ROW<" + columns + ">", getClass().getClassLoader()));
    List<Row> in = allRows();
    sql.createTemporaryView("t", sql.fromDataStream(jobs.fromData(in, ExternalTypeInfo.of(type))));

    String arguments = "'" + uri + "', t." + String.join(", t.", names);
    List<Row> byTable =
        rows(sql, "SELECT p.* FROM t, LATERAL TABLE(predict(" + arguments + ")) AS p");
    assertThat(byTable).containsExactlyInAnyOrderElementsOf(in);
    List<Row> byRow =
        rows(
            sql,
            "SELECT p."
                + String.join(", p.", names)
                + " FROM (SELECT predict_row("
                + arguments
                + ") AS p FROM t)");
    assertThat(byRow).containsExactlyInAnyOrderElementsOf(in);
    assertThat(PeltonMetrics.sum("evaluations")).isEqualTo(2L * in.size());
    assertThat(PeltonMetrics.sum("errors")).isZero();
  }

  @Test
  void fiveHundredArguments() throws Exception {
    List<String> columns =
        IntStream.range(0, 500)
            .mapToObj(i -> "c" + i + (i % 2 == 0 ? " STRING" : " BIGINT"))
            .toList();
    String names = IntStream.range(0, 500).mapToObj(i -> "c" + i).collect(Collectors.joining(", "));
    String uri = decisions.publish("wide", String.join(", ", columns), names);
    String arguments =
        IntStream.range(0, 500)
            .mapToObj(i -> i % 2 == 0 ? "CAST(n + " + i + " AS STRING)" : "n + " + i)
            .collect(Collectors.joining(", "));
    StreamTableEnvironment sql = streaming(true, 1);
    numbers(sql, 3);
    List<Row> out =
        rows(
            sql,
            "SELECT p.* FROM numbers, LATERAL TABLE(predict('" + uri + "', " + arguments + ")) p");
    List<Row> expected =
        LongStream.rangeClosed(1, 3)
            .mapToObj(
                n ->
                    Row.of(
                        IntStream.range(0, 500)
                            .mapToObj(i -> i % 2 == 0 ? (Object) String.valueOf(n + i) : n + i)
                            .toArray()))
            .toList();
    assertThat(out).containsExactlyInAnyOrderElementsOf(expected);
  }

  /** Small, large and small again: the buffers grow and shrink on the way. */
  @Test
  void bytesOf250Kilobytes() throws Exception {
    String uri = decisions.publish("blob", "n BIGINT, x BYTES", "n AS m, x, x AS again");
    StreamTableEnvironment sql = streaming(true, 1);
    numbers(sql, 5000);
    String bytes = "CAST(REPEAT('ä', CASE WHEN n IN (10, 4000) THEN 125000 ELSE 5 END) AS BYTES)";
    List<Row> out =
        rows(
            sql,
            "SELECT m, CHAR_LENGTH(CAST(x AS STRING)), x = again, CAST(x AS STRING) = REPEAT('ä',"
                + " CHAR_LENGTH(CAST(x AS STRING))) FROM numbers, LATERAL TABLE(predict('"
                + uri
                + "', n, "
                + bytes
                + "))");
    assertThat(out)
        .containsExactlyElementsOf(
            LongStream.rangeClosed(1, 5000)
                .mapToObj(n -> Row.of(n, n == 10 || n == 4000 ? 125000 : 5, true, true))
                .toList());
  }

  @Test
  void eventTimePassesThroughToAWindow() throws Exception {
    String uri =
        decisions.publish(
            "timed", "n BIGINT, moment TIMESTAMP(3)", "n + n AS twice, moment AS seen");
    StreamTableEnvironment sql = streaming(true, 1);
    sql.executeSql(
        "CREATE TEMPORARY TABLE events (n BIGINT, ts AS CAST(TIMESTAMPADD(SECOND, CAST(n AS INT),"
            + " TIMESTAMP '2020-01-01 00:00:00') AS TIMESTAMP(3)), WATERMARK FOR ts AS ts)"
            + " WITH ('connector' = 'datagen', 'number-of-rows' = '100', 'fields.n.kind' ="
            + " 'sequence', 'fields.n.start' = '0', 'fields.n.end' = '99')");
    sql.executeSql(
        "CREATE TEMPORARY VIEW decided AS SELECT ts, twice, seen FROM events,"
            + " LATERAL TABLE(predict('"
            + uri
            + "', n, ts))");
    List<Row> out =
        rows(
            sql,
            "SELECT window_start, COUNT(*), SUM(twice), MAX(seen) FROM TABLE(TUMBLE(TABLE decided,"
                + " DESCRIPTOR(ts), INTERVAL '10' SECONDS)) GROUP BY window_start, window_end");
    LocalDateTime start = time("2020-01-01T00:00:00");
    assertThat(out)
        .containsExactlyInAnyOrderElementsOf(
            LongStream.range(0, 10)
                .mapToObj(
                    w ->
                        Row.of(
                            start.plusSeconds(10 * w),
                            10L,
                            2 * (100 * w + 45),
                            start.plusSeconds(10 * w + 9)))
                .toList());
  }

  @Test
  void notNullInputsTakeColumnsThatAreNotNullAlone() throws Exception {
    String uri =
        decisions.publish("strict", "n BIGINT NOT NULL, s STRING NOT NULL", "n + 1 AS m, s AS t");
    StreamTableEnvironment sql = streaming(true, 1);
    sql.executeSql(
        "CREATE TEMPORARY VIEW whole AS SELECT CAST(n AS BIGINT) AS n, s FROM"
            + " (VALUES (1, 'a'), (2, 'longer than seven')) AS v(n, s)");
    String call = " LATERAL TABLE(predict('" + uri + "', n, s))";
    assertThat(rows(sql, "SELECT m, t FROM whole," + call))
        .containsExactlyInAnyOrder(Row.of(2L, "a"), Row.of(3L, "longer than seven"));
    numbers(sql, 1);
    Throwable error =
        catchThrowable(() -> rows(sql, "SELECT m FROM (SELECT n, 'x' AS s FROM numbers)," + call));
    assertThat(Throwables.getRootCause(error))
        .hasMessageStartingWith(
            "ARGUMENT_MISMATCH: decision `strict` version 1: argument 2 (n) must be BIGINT NOT NULL,"
                + " but BIGINT is given");
  }

  private static void column(String declaration, Object... values) {
    COLUMNS.put(declaration, Arrays.asList(values));
  }

  /** Every value of every column, and a row that is NULL everywhere. */
  private static List<Row> allRows() {
    int longest = COLUMNS.values().stream().mapToInt(List::size).max().orElseThrow();
    return IntStream.rangeClosed(0, longest)
        .mapToObj(
            i ->
                Row.of(
                    COLUMNS.values().stream()
                        .map(values -> i < longest ? values.get(i % values.size()) : null)
                        .toArray()))
        .toList();
  }

  private static LocalDateTime time(String text) {
    return LocalDateTime.parse(text);
  }
}
