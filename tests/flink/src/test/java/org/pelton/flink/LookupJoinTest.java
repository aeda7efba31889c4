package org.pelton.flink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.pelton.flink.FlinkJobs.rows;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.test.junit5.MiniClusterExtension;
import org.apache.flink.types.Row;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pelton.TestDimensions;
import org.pelton.TestPaths;

/** Lookup joins through the connector, compared with Flink's own join over the same rows. */
class LookupJoinTest {

  /** More than what buffers hold that are not worth to be made smaller. */
  private static final int LARGE = 100_000;

  private static final String PLANES = "tailnum STRING, build_year INT, seats SMALLINT";
  private static final String GATES = "airport STRING, gate INT, opened TIMESTAMP(3), fee DOUBLE";
  private static final String ROUTES = "airport STRING, dest STRING, miles INT";

  /** A changelog that looks up: of each of five ids the last number. */
  private static final String LATEST =
      "SELECT o.id, o.n, d.tailnum, d.seats FROM (SELECT *, PROCTIME() AS pt FROM (SELECT"
          + " MOD(n, 5) AS id, MAX(n) * 2 AS n, 'N' || CAST(MAX(n) AS STRING) AS tailnum"
          + " FROM numbers GROUP BY MOD(n, 5))) AS o"
          + " LEFT JOIN planes FOR SYSTEM_TIME AS OF o.pt AS d ON d.tailnum = o.tailnum";

  @RegisterExtension private static final MiniClusterExtension CLUSTER = FlinkJobs.cluster(4);

  @TempDir private static Path directory;

  private static TestDimensions dimensions;

  @BeforeAll
  static void writeDimensions() throws Exception {
    dimensions = new TestDimensions(directory.resolve("metadata"));
    dimensions.define("planes", PLANES, "\"tailnum\"");
    List<String> planes = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      String year = i % 7 == 0 ? "" : String.valueOf(1950 + i % 60);
      planes.add(String.format("N%d,%s,%d", i * 2, year, i));
    }
    planes.add("ZÜRICH-a-longer-name,1999,");
    planes.add("L".repeat(LARGE) + ",2001,300");
    dimensions.write("planes", "2013-01-01", PLANES, planes);

    dimensions.define("gates", GATES, "\"gate\", \"airport\"");
    List<String> gates = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      gates.add(
          String.format(
              "%s,%d,2013-01-%02d 07:30:00.125,%d.5", "ABC".charAt(i % 3), i / 3, 1 + i % 9, i));
    }
    dimensions.write("gates", "2013-01-01", GATES, gates);

    dimensions.define("routes", ROUTES, "\"airport\"", "duplicates = \"all\"");
    List<String> routes = new ArrayList<>(List.of("A,X,7", "C,X,10", "A,,9", "A,X,7", ",X,1"));
    for (int i = 0; i < 400; i++) {
      String dest = i % 5 == 0 ? "" : i % 2 == 0 ? "X" : "a-longer-name-" + i;
      routes.add(String.format("B,%s,%d", dest, i));
    }
    dimensions.write("routes", "2013-01-01", ROUTES, routes);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void innerAndLeftJoinsFindWhatFlinksJoinFinds(boolean objectReuse) throws Exception {
    StreamTableEnvironment sql = environment(FlinkJobs.streaming(objectReuse, 1));
    for (String join : List.of("JOIN", "LEFT JOIN")) {
      assertSame(
          sql,
          "SELECT o.n, d.tailnum, d.build_year, d.seats FROM orders AS o "
              + join
              + " planes AS d ON d.tailnum = o.tailnum",
          join.equals("JOIN") ? 180 : 500);
    }
  }

  @Test
  void compositeKeysMayStandInAnyOrder() throws Exception {
    StreamTableEnvironment sql = environment(FlinkJobs.streaming(true, 1));
    assertSame(
        sql,
        "SELECT o.n, d.fee, d.opened FROM orders AS o JOIN gates AS d"
            + " ON d.airport = o.airport AND d.gate = o.gate",
        300);
  }

  @Test
  void constantsMayStandInTheKey() throws Exception {
    StreamTableEnvironment sql = environment(FlinkJobs.streaming(true, 1));
    assertSame(
        sql,
        "SELECT o.n, d.fee FROM orders AS o JOIN gates AS d"
            + " ON d.airport = 'B' AND d.gate = o.gate",
        400);
    assertSame(
        sql,
        "SELECT o.n, d.fee FROM orders AS o JOIN gates AS d ON d.airport = 'B' AND d.gate = 7",
        500);
  }

  @Test
  void moreThanTheKeyMayBeCompared() throws Exception {
    StreamTableEnvironment sql = environment(FlinkJobs.streaming(true, 1));
    assertSame(
        sql,
        "SELECT o.n, d.fee FROM orders AS o LEFT JOIN gates AS d ON d.airport = o.airport"
            + " AND d.gate = o.gate AND d.opened = TIMESTAMP '2013-01-05 07:30:00.125'"
            + " AND d.fee < 50",
        500);
  }

  /** Buffers for keys and rows grow with a large one, and shrink behind 1024 small ones. */
  @Test
  void aLargeKeyBetweenSmallOnesIsFoundAndSoAreThey() throws Exception {
    StreamTableEnvironment sql = environment(FlinkJobs.streaming(true, 1));
    sql.executeSql("DROP TEMPORARY TABLE numbers");
    FlinkJobs.numbers(sql, 4000);
    sql.executeSql(
        "CREATE TEMPORARY VIEW asked AS SELECT n, PROCTIME() AS pt, CASE WHEN n IN (10, 3000) THEN"
            + " REPEAT('L', "
            + LARGE
            + ") ELSE 'N' || CAST(MOD(n, 400) AS STRING) END AS tailnum"
            + " FROM numbers");
    assertSame(
        sql,
        "SELECT o.n, d.tailnum, d.seats FROM asked AS o JOIN planes AS d ON d.tailnum = o.tailnum",
        2000);
  }

  @Test
  void onlyWhatAQueryUsesIsRead() throws Exception {
    StreamTableEnvironment sql = environment(FlinkJobs.streaming(true, 1));
    String query = "SELECT o.n, d.seats FROM orders AS o JOIN planes AS d ON d.tailnum = o.tailnum";
    assertThat(
            sql.explainSql(query.replace("planes AS d", "planes FOR SYSTEM_TIME AS OF o.pt AS d")))
        .contains("select=[n, tailnum, tailnum0, seats]");
    assertSame(sql, query, 180);
    assertSame(sql, query.replace("d.seats", "d.tailnum"), 180);
  }

  /** One of the keys has 400 rows, one has two that are the same, one has none. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void allRowsOfAKeyAreFound(boolean objectReuse) throws Exception {
    StreamTableEnvironment sql = environment(FlinkJobs.streaming(objectReuse, 1));
    for (String join : List.of("JOIN", "LEFT JOIN")) {
      String query =
          "SELECT o.n, d.airport, d.dest, d.miles FROM (SELECT * FROM orders WHERE n <= 40) AS o "
              + join
              + " routes AS d ON d.airport = o.airport";
      assertSame(sql, query, 4_000);
      assertSame(sql, query + " AND d.dest = 'X'", 1_500);
      assertSame(sql, query + " AND d.miles > 390", 90);
      assertSame(sql, query + " AND d.dest = 'X' AND d.miles = CAST(o.n AS INT)", 1);
    }
  }

  @Test
  void allRowsOfAKeyAreFoundInBatchJobsAndStayAsTheyWere() throws Exception {
    String query =
        "SELECT d.airport, d.dest, COUNT(*), MAX(d.miles) FROM orders AS o JOIN routes AS d"
            + " ON d.airport = o.airport GROUP BY d.airport, d.dest";
    assertSame(environment(FlinkJobs.batch(true)), query, 165);
    StreamTableEnvironment sql = environment(FlinkJobs.streaming(true, 1));
    assertThat(FlinkJobs.finalRows(sql, lookup(query)))
        .containsExactlyInAnyOrderElementsOf(FlinkJobs.finalRows(sql, regular(query)));
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void rowsThatAreKeptDownstreamStayAsTheyWere(boolean objectReuse) throws Exception {
    StreamTableEnvironment sql = environment(FlinkJobs.streaming(objectReuse, 1));
    assertSame(
        sql,
        "SELECT d.tailnum, MAX(d.seats), COUNT(*) FROM orders AS o JOIN planes AS d"
            + " ON d.tailnum = o.tailnum GROUP BY d.tailnum",
        180);
  }

  /** The join itself keeps rows, to take them back when its input does. */
  @Test
  void whatAChangelogTakesBackIsWhatItHasGiven() throws Exception {
    StreamTableEnvironment sql = tryResolve(environment(FlinkJobs.streaming(true, 1)));
    assertThat(FlinkJobs.finalRows(sql, LATEST)).hasSize(5);
  }

  /**
   * That it keeps rows stands in the plan; the session that executes the plan says nothing of it.
   */
  @Test
  void whatACompiledPlanTakesBackIsWhatItHasGiven() throws Exception {
    String plan = directory.resolve("latest.json").toString();
    StreamTableEnvironment compiling = tryResolve(environment(FlinkJobs.streaming(true, 1)));
    sink(compiling);
    compiling.executeSql("COMPILE PLAN '" + plan + "' FOR INSERT INTO sink " + LATEST);
    StreamTableEnvironment executing = environment(FlinkJobs.streaming(true, 1));
    sink(executing);
    executing.executeSql("EXECUTE PLAN '" + plan + "'").await();
    assertThat(FlinkJobs.finalRows(executing, "SELECT * FROM sink")).hasSize(5);
  }

  private static StreamTableEnvironment tryResolve(StreamTableEnvironment sql) {
    sql.getConfig().set("table.optimizer.non-deterministic-update.strategy", "TRY_RESOLVE");
    return sql;
  }

  private static void sink(StreamTableEnvironment sql) {
    sql.executeSql(
        "CREATE TEMPORARY TABLE sink (id BIGINT, n BIGINT, tailnum STRING, seats SMALLINT) WITH ("
            + "'connector' = 'filesystem', 'format' = 'debezium-json', 'path' = '"
            + directory.resolve("changes")
            + "')");
  }

  @Test
  void batchJobsFindTheSame() throws Exception {
    StreamTableEnvironment sql = environment(FlinkJobs.batch(true));
    assertSame(
        sql,
        "SELECT o.n, d.build_year FROM orders AS o LEFT JOIN planes AS d ON d.tailnum = o.tailnum",
        500);
  }

  @Test
  void theTableItselfMaySayWhatADefinitionSays() throws Exception {
    StreamTableEnvironment sql = environment(FlinkJobs.streaming(true, 1));
    sql.executeSql(
        String.format(
            "CREATE TEMPORARY TABLE named (opened TIMESTAMP(3), gate INT, airport STRING, dt DATE,"
                + " PRIMARY KEY (airport, gate) NOT ENFORCED) WITH ('connector' = 'pelton', 'path' ="
                + " '%s', 'format' = 'parquet', 'key' = 'airport;gate', 'partition' = 'dt DATE',"
                + " 'min-rows' = '10', 'choice' = 'dt=2013-01-01')",
            dimensions.directory("gates")));
    List<Row> rows =
        rows(
            sql,
            "SELECT d.dt, d.opened FROM orders AS o JOIN named FOR SYSTEM_TIME AS OF o.pt AS d"
                + " ON d.airport = o.airport AND d.gate = o.gate");
    assertThat(rows).hasSize(300).allMatch(row -> row.getField(0).equals(LocalDate.of(2013, 1, 1)));
  }

  /** The file is pyarrow's, the JSON beside it holds the same rows. */
  @ParameterizedTest
  @ValueSource(strings = {"id", "large", "fixed", "raw", "at", "local", "small", "id,fixed,at"})
  void everyTypeIsFoundAndCanBeAKey(String key) throws Exception {
    String columns =
        "id BIGINT, small DECIMAL(5, 2), `large` DECIMAL(38, 10), `raw` BYTES, fixed BINARY(3),"
            + " `at` TIMESTAMP_LTZ(6), `local` TIMESTAMP(9), ints ARRAY<INT>,"
            + " prices ARRAY<DECIMAL(5, 2)>, words ARRAY<ARRAY<STRING>>,"
            + " plane ROW<seats INT, names ARRAY<STRING>>,"
            + " attributes MAP<STRING, ROW<x TIMESTAMP(3)>>";
    Path golden = TestPaths.root().resolve("tests/golden/arrow");
    Path partition =
        Files.createDirectories(dimensions.directory("all_types").resolve("dt=2013-01-01"));
    if (!Files.exists(partition.resolve("_SUCCESS"))) {
      Files.copy(golden.resolve("all_types.parquet"), partition.resolve("part-0.parquet"));
      Files.createFile(partition.resolve("_SUCCESS"));
    }
    StreamTableEnvironment sql = FlinkJobs.streaming(true, 1);
    sql.getConfig().set("table.local-time-zone", "UTC");
    sql.executeSql(
        String.format(
            "CREATE TEMPORARY TABLE all_types (%s) WITH ('connector' = 'pelton', 'path' = '%s',"
                + " 'format' = 'parquet', 'partition' = 'dt DATE', 'key' = '%s')",
            columns, dimensions.directory("all_types"), key.replace(',', ';')));
    sql.executeSql(
        String.format(
            "CREATE TEMPORARY TABLE json (%s, pt AS PROCTIME()) WITH ('connector' = 'filesystem',"
                + " 'path' = '%s', 'format' = 'json')",
            columns, golden.resolve("all_types.jsonl")));
    String condition =
        Stream.of(key.split(","))
            .map(name -> "d.`" + name + "` = o.`" + name + "`")
            .collect(Collectors.joining(" AND "));
    List<Row> found =
        rows(
            sql,
            "SELECT d.* FROM json AS o JOIN all_types FOR SYSTEM_TIME AS OF o.pt AS d ON "
                + condition);
    List<Row> expected =
        rows(
            sql,
            "SELECT id, small, `large`, `raw`, fixed, `at`, `local`, ints, prices, words, plane,"
                + " attributes FROM json WHERE id = 1 OR id = 3"
                + (key.equals("id") ? " OR id = 2" : ""));
    // Not by Row.equals: arrays of objects have none.
    assertThat(found.stream().map(Row::toString))
        .containsExactlyInAnyOrderElementsOf(expected.stream().map(Row::toString).toList());
  }

  /** The tables of the connector, those of Flink beside them, and a stream that looks up. */
  private static StreamTableEnvironment environment(StreamTableEnvironment sql) {
    table(sql, "planes", PLANES);
    table(sql, "gates", GATES);
    table(sql, "routes", ROUTES);
    FlinkJobs.numbers(sql, 500);
    sql.executeSql(
        "CREATE TEMPORARY VIEW orders AS SELECT n, PROCTIME() AS pt,"
            + " CASE WHEN n = 77 THEN 'ZÜRICH-a-longer-name' WHEN MOD(n, 11) <> 0 THEN"
            + " 'N' || CAST(n AS STRING) END AS tailnum,"
            + " SUBSTRING('ABCD', CAST(MOD(n, 4) AS INT) + 1, 1) AS airport,"
            + " CAST(MOD(n, 25) AS INT) AS gate FROM numbers");
    return sql;
  }

  private static void table(StreamTableEnvironment sql, String name, String columns) {
    sql.executeSql(
        String.format(
            "CREATE TEMPORARY TABLE %s (%s, dt DATE) WITH ('connector' = 'pelton', 'dimension' ="
                + " '%s')",
            name, columns, dimensions.definition(name)));
    sql.executeSql(
        String.format(
            "CREATE TEMPORARY TABLE %s_csv (%s) WITH ('connector' = 'filesystem', 'path' = '%s',"
                + " 'format' = 'csv', 'csv.null-literal' = '')",
            name, columns, dimensions.csv(name)));
  }

  /**
   * @param query a join with a table of the connector, as a regular join
   * @param atLeast so many rows come out
   */
  private static void assertSame(StreamTableEnvironment sql, String query, int atLeast)
      throws Exception {
    List<Row> found = rows(sql, lookup(query));
    List<Row> expected = FlinkJobs.finalRows(sql, regular(query));
    assertThat(found)
        .hasSizeGreaterThanOrEqualTo(atLeast)
        .containsExactlyInAnyOrderElementsOf(expected);
  }

  private static String lookup(String query) {
    return query.replaceAll("JOIN (\\w+) AS d", "JOIN $1 FOR SYSTEM_TIME AS OF o.pt AS d");
  }

  private static String regular(String query) {
    return query.replaceAll("JOIN (\\w+) AS d", "JOIN $1_csv AS d");
  }
}
