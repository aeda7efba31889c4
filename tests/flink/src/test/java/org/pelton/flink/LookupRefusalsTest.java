package org.pelton.flink;

import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.pelton.flink.FlinkJobs.rows;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.test.junit5.MiniClusterExtension;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.pelton.TestDimensions;

/** What a table of the connector, or a join with it, is told that cannot be. */
class LookupRefusalsTest {

  private static final String COLUMNS = "tailnum STRING, seats INT";
  private static final String TABLE = "table `default_catalog`.`default_database`.`planes`: ";

  @RegisterExtension private static final MiniClusterExtension CLUSTER = FlinkJobs.cluster(1);

  @TempDir private static Path directory;

  private static TestDimensions dimensions;

  @BeforeAll
  static void writeDimension() throws Exception {
    dimensions = new TestDimensions(directory.resolve("metadata"));
    dimensions.define("planes", COLUMNS, "\"tailnum\"");
    dimensions.write("planes", "2013-01-01", COLUMNS, List.of("N1,7"));
    Files.createDirectory(dimensions.definition("folder"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "'dimension' = '$URI', 'path' = 'x', 'fsst' = 'y' | 'dimension' and 'path', 'fsst' are both set",
        "'dimension' = '$URI.txt' | expected METADATA/dimensions/NAME.toml",
        "'dimension' = '/no/dimensions/planes.toml' | names file:/no/dimensions/planes.toml, which cannot be read: /no/dimensions/planes.toml (No such file or directory)",
        "'dimension' = '$URI/../folder.toml' | folder.toml, which cannot be read: ",
        "'dimension' = 's3://bucket/dimensions/planes.toml' | names s3://bucket/dimensions/planes.toml, which cannot be read: org.apache.flink.core.fs.UnsupportedFileSystemSchemeException: Could not find a file system implementation for scheme 's3'",
        "'dimension' = '$URI', 'shraded' = 'true' | there is no option 'shraded'; did you mean 'sharded'?",
        "'dimension' = '$URI', 'sharded' = 'perhaps' | Could not parse value 'perhaps' for key 'sharded'",
        "'path' = '/x', 'format' = 'parquet' | 'key' is missing; expected 'dimension' =",
        "'path' = '/x', 'min-rows' = 'few' | Could not parse value 'few' for key 'min-rows'",
        "'path' = '/x', 'format' = 'parquet', 'key' = 'tailnum', 'partition' = 'dt' | 'partition' = 'dt', expected the directory levels with their types",
        "'path' = '/x', 'format' = 'avro', 'key' = 'tailnum' | `format` cannot be \"avro\"",
        "'path' = '/x', 'format' = 'parquet', 'key' = 'tail' | rows are found by the whole key, [tail]",
        "'path' = '/x', 'format' = 'parquet', 'key' = 'tailnum', 'keep' = '3' | `keep` belongs to `choice = \"as_of\"`",
        "'path' = '/x', 'format' = 'parquet', 'key' = 'tailnum', 'choice' = 'as_of' | `choice = \"as_of\"` needs a column `as_of` TIMESTAMP(3) or TIMESTAMP_LTZ(3)",
        "'path' = 'x/y', 'format' = 'parquet', 'key' = 'tailnum', 'partition' = 'dt DATE' | `path` is \"x/y\", which is relative; in a table without a file it has to be an absolute path or a URI",
      })
  void options(String options, String message) {
    String uri = dimensions.definition("planes").toString();
    refused(COLUMNS, "", options.replace("$URI", uri), "d.tailnum = o.tailnum", message);
  }

  @Test
  void allThatIsWrongIsSaidAtOnce() {
    refused(
        COLUMNS,
        "PARTITIONED BY (seats)",
        "'path' = '/x', 'shraded' = 'true', 'min_rows' = '1', 'partition' = 'dt'",
        "d.tailnum = o.tailnum",
        "ARGUMENT_MISMATCH: " + TABLE + "5 errors",
        "PARTITIONED BY is not used",
        "there is no option 'min_rows'; did you mean 'min-rows'?",
        "there is no option 'shraded'; did you mean 'sharded'?",
        "'format', 'key' are missing; expected",
        "'partition' = 'dt', expected the directory levels with their types");
    refused(
        COLUMNS,
        "",
        "'path' = '/x', 'format' = 'parquet', 'key' = 'tail', 'choice' = 'as_of', 'late' = 'never',"
            + " 'refresh' = 'often'",
        "d.tailnum = o.tailnum",
        "needs a column `as_of`");
    // The definition itself is read by the tasks.
    refused(
        COLUMNS,
        "",
        "'path' = '/x', 'format' = 'csv', 'key' = 'tailnum', 'late' = 'never', 'refresh' = 'often'",
        "d.tailnum = o.tailnum",
        "DIMENSION_INVALID: " + TABLE,
        "`format` cannot be \"csv\"",
        "`late` belongs to `choice = \"as_of\"`",
        "`refresh` cannot be \"often\"");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "as_of INT | d.as_of = o.seats | needs a column `as_of` TIMESTAMP(3) or TIMESTAMP_LTZ(3) beside the dimension's own: the record's time, which a join compares, as in AND d.as_of = o.event_time; it is INT",
        "as_of TIMESTAMP(3) | d.seats = o.seats | the join compares [tailnum, seats] with `=`, but rows are found by the whole key as of the record's time, [tailnum, as_of]",
        "as_of TIMESTAMP(3), PRIMARY KEY (tailnum) NOT ENFORCED | d.as_of = o.ts | PRIMARY KEY is [tailnum], but rows are told apart by [tailnum, as_of]",
        "as_of TIMESTAMP(3) | d.as_of = o.ts | the dimension has a column `as_of`, which in a table stands for the record's time",
      })
  void timesOfRecords(String column, String condition, String message) {
    String levels = message.contains("has a column") ? "as_of DATE" : "dt DATE";
    refused(
        COLUMNS + ", " + column,
        "",
        "'path' = '/x', 'format' = 'parquet', 'key' = 'tailnum', 'choice' = 'as_of', 'period' ="
            + " '1 d', 'partition' = '"
            + levels
            + "'",
        "d.tailnum = o.tailnum AND " + condition,
        TABLE,
        message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "tailnum STRING, seats BIGINT | the table declares `seats` BIGINT, the dimension has `seats` INT",
        "tailnum STRING, seat INT | the dimension has no column `seat`, which the table declares; did you mean `seats`?",
        "tailnum STRING, seats INT NOT NULL | the dimension has `seats` INT; both have to be the same",
      })
  void columns(String columns, String message) {
    String options = "'dimension' = '" + dimensions.definition("planes") + "'";
    refused(columns, "", options, "d.tailnum = o.tailnum", "DIMENSION_INVALID: " + TABLE, message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "PARTITIONED BY (seats) | | PARTITIONED BY is not used; the directory levels are 'partition'",
        "| , PRIMARY KEY (seats) NOT ENFORCED | PRIMARY KEY is [seats], but rows are told apart by [tailnum]",
      })
  void clauses(String clause, String constraint, String message) {
    String options = "'dimension' = '" + dimensions.definition("planes") + "'";
    String columns = COLUMNS + (constraint == null ? "" : constraint);
    refused(
        columns,
        clause == null ? "" : clause,
        options,
        "d.tailnum = o.tailnum",
        "ARGUMENT_MISMATCH: " + TABLE + message);
  }

  @Test
  void aPrimaryKeyHasOneRow() {
    refused(
        COLUMNS + ", PRIMARY KEY (tailnum) NOT ENFORCED",
        "",
        "'path' = '/x', 'format' = 'parquet', 'key' = 'tailnum', 'duplicates' = 'all'",
        "d.tailnum = o.tailnum",
        TABLE + "PRIMARY KEY is declared, but with `duplicates = \"all\"` a key has several rows");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "d.seats = o.seats | the join compares [seats] with `=`, but rows are found by the whole key, [tailnum]",
      })
  void conditions(String condition, String message) {
    String options = "'dimension' = '" + dimensions.definition("planes") + "'";
    refused(COLUMNS, "", options, condition, "ARGUMENT_MISMATCH: " + TABLE + message);
  }

  /** It runs fewer subtasks than it deals the keys out to, where there is little data. */
  @Test
  void shardsInABatchJobWhoseParallelismFlinkChooses() {
    refused(
        FlinkJobs.batch(true),
        COLUMNS,
        "",
        "'dimension' = '" + dimensions.definition("planes") + "', 'sharded' = 'true'",
        "d.tailnum = o.tailnum",
        "ARGUMENT_MISMATCH: "
            + TABLE
            + "'sharded' = 'true' in batch mode needs a fixed parallelism",
        "SET 'execution.batch.adaptive.auto-parallelism.enabled' = 'false', or leave out 'sharded'");
  }

  private static void refused(
      String columns, String clause, String options, String condition, String... messages) {
    StreamTableEnvironment sql = FlinkJobs.streaming(true, 1);
    refused(sql, columns, clause, options, condition, messages);
  }

  private static void refused(
      StreamTableEnvironment sql,
      String columns,
      String clause,
      String options,
      String condition,
      String... messages) {
    FlinkJobs.numbers(sql, 1);
    sql.executeSql(
        "CREATE TEMPORARY VIEW orders AS SELECT 'N' || CAST(n AS STRING) AS tailnum,"
            + " CAST(n AS INT) AS seats, TIMESTAMP '2013-01-01 00:00:00.000' AS ts,"
            + " PROCTIME() AS pt FROM numbers");
    sql.executeSql(
        String.format(
            "CREATE TEMPORARY TABLE planes (%s) %s WITH ('connector' = 'pelton', %s)",
            columns, clause, options));
    String column = columns.contains("seats") ? "seats" : "seat";
    var thrown =
        assertThatThrownBy(
            () ->
                rows(
                    sql,
                    "SELECT d."
                        + column
                        + " FROM orders AS o JOIN planes FOR SYSTEM_TIME AS OF o.pt AS d ON "
                        + condition));
    for (String message : messages) {
      thrown.hasStackTraceContaining(message);
    }
  }
}
