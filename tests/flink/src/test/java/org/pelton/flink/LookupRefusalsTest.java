package org.pelton.flink;

import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.pelton.flink.FlinkJobs.rows;

import java.nio.file.Path;
import java.util.List;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.test.junit5.MiniClusterExtension;
import org.junit.jupiter.api.BeforeAll;
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
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "'dimension' = '$URI', 'path' = 'x' | 'dimension' and 'path' are both set",
        "'dimension' = '$URI.txt' | expected METADATA/dimensions/NAME.toml",
        "'dimension' = '/no/dimensions/planes.toml' | which does not exist",
        "'dimension' = '$URI', 'shraded' = 'true' | shraded",
        "'dimension' = '$URI', 'sharded' = 'perhaps' | Could not parse value 'perhaps' for key 'sharded'",
        "'path' = '/x', 'format' = 'parquet' | 'key' is missing; expected 'dimension' =",
        "'path' = '/x', 'format' = 'parquet', 'key' = 'tailnum', 'partition' = 'dt' | 'partition' = 'dt', expected the directory levels with their types",
        "'path' = '/x', 'format' = 'avro', 'key' = 'tailnum' | `format` cannot be \"avro\"",
        "'path' = '/x', 'format' = 'parquet', 'key' = 'tail' | rows are found by the whole key, [tail]",
        "'path' = 'x/y', 'format' = 'parquet', 'key' = 'tailnum', 'partition' = 'dt DATE' | `path` is \"x/y\", which is relative; in a table without a file it has to be an absolute path or a URI",
      })
  void options(String options, String message) {
    String uri = dimensions.definition("planes").toString();
    refused(COLUMNS, "", options.replace("$URI", uri), "d.tailnum = o.tailnum", message);
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
        "PARTITIONED BY (seats) | PARTITIONED BY is not used; the directory levels are 'partition'",
      })
  void clauses(String clause, String message) {
    String options = "'dimension' = '" + dimensions.definition("planes") + "'";
    refused(COLUMNS, clause, options, "d.tailnum = o.tailnum", TABLE, message);
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

  private static void refused(
      String columns, String clause, String options, String condition, String... messages) {
    StreamTableEnvironment sql = FlinkJobs.streaming(true, 1);
    FlinkJobs.numbers(sql, 1);
    sql.executeSql(
        "CREATE TEMPORARY VIEW orders AS SELECT 'N' || CAST(n AS STRING) AS tailnum,"
            + " CAST(n AS INT) AS seats, PROCTIME() AS pt FROM numbers");
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
