package org.pelton.flink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.pelton.flink.FlinkJobs.rows;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TimeZone;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.test.junit5.MiniClusterExtension;
import org.apache.flink.types.Row;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pelton.TestPaths;

/**
 * The same Hive-style files, joined by Flink's own source and looked up by ours: the same rows.
 *
 * <p>Flink's Parquet and ORC formats are not to be had for 1.20.
 */
class FlinkFilesTest {

  /** Flink's sink writes the days since 1970 as the name of a DATE. */
  private static final String WRITTEN_LEVELS = "dt STRING, region STRING";

  private static final String LEVELS = "dt DATE, region STRING";

  /** Every type that Flink writes and reads in both formats, and ugly values, from a number n. */
  private static final String[][] VALUES = {
    {"flag", "BOOLEAN", "MOD(n, 2) = 0"},
    {"tiny", "TINYINT", "MOD(n, 256) - 128"},
    {"small", "SMALLINT", "MOD(n * 997, 65536) - 32768"},
    {"seats", "INT", "n * 4000000 - 2000000000"},
    {"ratio", "FLOAT", "CAST(n AS FLOAT) / CAST(7 AS FLOAT)"},
    {"price", "DOUBLE", "CAST(n AS DOUBLE) / 3 - 100"},
    {"fee", "DECIMAL(5, 2)", "CAST(n AS DECIMAL(10, 2)) / 100 - 5"},
    {"amount", "DECIMAL(18, 4)", "CAST(n AS DECIMAL(10, 0)) * 1234567.8901"},
    {"large", "DECIMAL(38, 10)", "n * CAST('-98765432109876543.2109876543' AS DECIMAL(27, 10))"},
    {"name", "STRING", "'naïve ' || CAST(n AS STRING) || REPEAT('é', CAST(MOD(n, 9) AS INT))"},
    {"code", "VARCHAR(12)", "'c' || CAST(MOD(n, 5) AS STRING)"},
    {"raw", "BYTES", "ENCODE('b' || CAST(n AS STRING), 'UTF-8')"},
    {"day", "DATE", time("DAY", "n * 300 - 200000")},
    {"at", "TIMESTAMP(3)", time("MINUTE", "n * 7919 - 2000000")},
    {"old", "TIMESTAMP(3)", time("DAY", "n * -450")},
    {"micros", "TIMESTAMP(6)", second("n * 1001", 6)},
    {"nanos", "TIMESTAMP(9)", second("n * 1000007", 9)},
    {"words", "ARRAY<STRING>", "ARRAY['a', CAST(NULL AS STRING), CAST(n AS STRING)]"},
    {"plane", "ROW<seats INT, name STRING>", "ROW(CAST(n AS INT), 'p' || CAST(n AS STRING))"},
    {"attributes", "MAP<STRING, BIGINT>", "MAP['k', n, 'l', CAST(NULL AS BIGINT)]"},
  };

  @RegisterExtension private static final MiniClusterExtension CLUSTER = FlinkJobs.cluster(2);

  @TempDir Path directory;

  private TimeZone before;

  @BeforeEach
  void keepZone() {
    before = TimeZone.getDefault();
  }

  @AfterEach
  void restoreZone() {
    TimeZone.setDefault(before);
  }

  /** Both meanings of a timestamp in Parquet. ORC's is local: it is read as it was written. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "parquet | 'parquet.utc-timezone' = 'true' | UTC | UTC",
        "parquet | 'parquet.utc-timezone' = 'true' | America/New_York | UTC",
        "parquet | 'parquet.utc-timezone' = 'false' | Europe/Berlin | Europe/Berlin",
        "parquet | 'parquet.write.int64.timestamp' = 'true', 'parquet.timestamp.time.unit' = 'micros'"
            + " | Asia/Kolkata | Asia/Kolkata",
        "orc | 'orc.compress' = 'SNAPPY' | UTC | UTC",
        "orc | 'orc.compress' = 'ZLIB' | Europe/Berlin | UTC",
      })
  void whatFlinkWritesIsFoundAsFlinkReadsIt(
      String format, String options, String zoneOfFlink, String zone) throws Exception {
    TimeZone.setDefault(TimeZone.getTimeZone(zoneOfFlink));
    StreamTableEnvironment sql = environment();
    String columns =
        Stream.of(VALUES)
            .map(value -> "`" + value[0] + "` " + value[1])
            .collect(Collectors.joining(", ", "id BIGINT, ", ""));
    createFiles(sql, columns, WRITTEN_LEVELS, format, options);
    write(sql);
    assertSame(sql, columns, WRITTEN_LEVELS, format, zone, 900);
  }

  /**
   * Parquet with INT96, as Hive and older Spark write it, and ORC by ORC's C++ library. Flink's
   * Parquet reader fails on decimals of fixed length that would fit into 8 bytes.
   */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "parquet | 'parquet.utc-timezone' = 'true' | UTC",
        "parquet | 'parquet.utc-timezone' = 'false' | Europe/Berlin",
        "orc | 'orc.compress' = 'ZLIB' | UTC",
      })
  void whatPyarrowWritesIsFoundAsFlinkReadsIt(String format, String options, String zone)
      throws Exception {
    TimeZone.setDefault(TimeZone.getTimeZone(zone));
    String columns =
        "id BIGINT, tiny TINYINT, small SMALLINT, seats INT, retired BOOLEAN, ratio FLOAT,"
            + " price DOUBLE, `large` DECIMAL(38, 10), name STRING,"
            + " `day` DATE, `local` TIMESTAMP(6), words ARRAY<STRING>,"
            + " plane ROW<seats INT, name STRING>, attributes MAP<STRING, BIGINT>";
    String file =
        format.equals("orc") ? "dimension/types_for_flink.orc" : "dimension/types.parquet";
    copy(file, "dt=2013-01-01/region=EU");
    copy(file, "dt=2013-01-02/region=__HIVE_DEFAULT_PARTITION__");
    copy(file, "dt=2013-01-04/region=a%3Ab c");
    StreamTableEnvironment sql = environment();
    createFiles(sql, columns, LEVELS, format, options);
    assertSame(sql, columns, LEVELS, format, zone, format.equals("orc") ? 9 : 15);
  }

  /** INT64 of nanoseconds. Those of microseconds are before 1970, where Flink's reader fails. */
  @ParameterizedTest
  @ValueSource(strings = {"UTC", "Asia/Kolkata"})
  void parquetsOwnTimestampsAreFoundAsFlinkReadsThem(String zone) throws Exception {
    TimeZone.setDefault(TimeZone.getTimeZone(zone));
    String columns =
        "id BIGINT, `large` DECIMAL(38, 10), `raw` BYTES,"
            + " `local` TIMESTAMP(9), ints ARRAY<INT>, plane ROW<seats INT, names ARRAY<STRING>>";
    copy("arrow/all_types.parquet", "dt=2013-01-01/region=EU");
    StreamTableEnvironment sql = environment();
    createFiles(sql, columns, LEVELS, "parquet", "'parquet.utc-timezone' = 'false'");
    assertSame(sql, columns, LEVELS, "parquet", zone, 3);
  }

  /** Flink's file source shows the name of Hive's NULL as a string; Hive does not. */
  private static void asHive(Row row) {
    int region = row.getArity() - 1;
    if ("__HIVE_DEFAULT_PARTITION__".equals(row.getField(region))) {
      row.setField(region, null);
    }
  }

  private static StreamTableEnvironment environment() {
    StreamTableEnvironment sql =
        FlinkJobs.environment(
            StreamExecutionEnvironment.getExecutionEnvironment(),
            EnvironmentSettings.inBatchMode(),
            true,
            1);
    FlinkJobs.numbers(sql, 4000);
    return sql;
  }

  /** Flink's table of the files. */
  private void createFiles(
      StreamTableEnvironment sql, String columns, String levels, String format, String options) {
    sql.executeSql(
        String.format(
            "CREATE TEMPORARY TABLE files (%s, %s) PARTITIONED BY (dt, region) WITH ('connector' ="
                + " 'filesystem', 'path' = '%s', 'format' = '%s', %s,"
                + " 'sink.partition-commit.policy.kind' = 'success-file')",
            columns, levels, directory.resolve("files"), format, options));
  }

  /** 900 rows in several Hive partitions, with NULLs in every column of the files but the first. */
  private static void write(StreamTableEnvironment sql) throws Exception {
    String values =
        IntStream.range(0, VALUES.length)
            .mapToObj(
                i ->
                    String.format(
                        "CASE WHEN MOD(n, %d) <> 0 THEN CAST(%s AS %s) END, ",
                        i + 5, VALUES[i][2], VALUES[i][1]))
            .collect(Collectors.joining());
    sql.executeSql(
            "INSERT INTO files SELECT n, "
                + values
                + "CAST(CAST("
                + time("DAY", "MOD(n, 4)")
                + " AS DATE) AS STRING), CAST(CASE MOD(n, 3) WHEN 0 THEN 'EU/West:1' WHEN 1 THEN 'ü' ELSE 'x y' END AS"
                + " STRING) FROM numbers WHERE n <= 900")
        .await();
  }

  private static String time(String unit, String count) {
    return "TIMESTAMPADD("
        + unit
        + ", CAST("
        + count
        + " AS INT), TIMESTAMP '2013-01-01 00:00:00')";
  }

  private static String second(String fraction, int digits) {
    return "'2013-07-01 02:30:00.' || LPAD(CAST(" + fraction + " AS STRING), " + digits + ", '0')";
  }

  private void copy(String golden, String partition) throws Exception {
    Path to = Files.createDirectories(directory.resolve("files").resolve(partition));
    Files.copy(TestPaths.root().resolve("tests/golden").resolve(golden), to.resolve("part-0-c000"));
    Files.createFile(to.resolve("_SUCCESS"));
  }

  /** Each row is asked for once, and as many keys again that there are not. */
  private void assertSame(
      StreamTableEnvironment sql,
      String columns,
      String levels,
      String format,
      String zone,
      int rows)
      throws Exception {
    sql.executeSql(
        String.format(
            "CREATE TEMPORARY TABLE dimension (%s, %s) WITH ('connector' = 'pelton', 'path' = '%s',"
                + " 'format' = '%s', 'partition' = '%s', 'key' = 'id;dt', 'choice' = 'all',"
                + " 'time-zone' = '%s')",
            columns, levels, directory.resolve("files"), format, levels, zone));
    sql.executeSql(
        "CREATE TEMPORARY VIEW orders AS SELECT n, PROCTIME() AS pt, (n + 3) / 4 AS id, CAST("
            + time("DAY", "MOD(n, 4)")
            + " AS DATE) AS `date` FROM numbers");
    String dt = levels.equals(LEVELS) ? "o.`date`" : "CAST(o.`date` AS STRING)";
    for (String join : List.of("JOIN", "LEFT JOIN")) {
      String query = "SELECT o.n, d.* FROM orders AS o " + join;
      String condition = " AS d ON d.id = o.id AND d.dt = " + dt;
      List<Row> found = rows(sql, query + " dimension FOR SYSTEM_TIME AS OF o.pt" + condition);
      List<Row> expected = rows(sql, query + " files" + condition);
      expected.forEach(FlinkFilesTest::asHive);
      // Not by Row.equals: arrays of objects have none.
      assertThat(found.stream().map(Row::toString))
          .hasSize(join.equals("JOIN") ? rows : 4000)
          .containsExactlyInAnyOrderElementsOf(expected.stream().map(Row::toString).toList());
    }
  }
}
