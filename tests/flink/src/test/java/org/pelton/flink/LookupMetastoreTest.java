package org.pelton.flink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.pelton.flink.FlinkJobs.rows;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.test.junit5.MiniClusterExtension;
import org.apache.flink.types.Row;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.pelton.TestDimensions;

/** Tables whose Hive partitions a metastore knows, by options in place of a file. */
class LookupMetastoreTest {

  private static final String COLUMNS = "tailnum STRING, seats INT";

  @RegisterExtension private static final MiniClusterExtension CLUSTER = FlinkJobs.cluster(1);

  @TempDir private static Path directory;

  /** Where the files lie: not below the table's own directory. */
  private static Path elsewhere;

  @BeforeAll
  static void writeFiles() throws Exception {
    TestDimensions dimensions = new TestDimensions(directory.resolve("metadata"));
    dimensions.define("planes", COLUMNS, "\"tailnum\"");
    dimensions.write("planes", "2013-01-02", COLUMNS, List.of("N1,7", "N3,9"));
    elsewhere = dimensions.directory("planes").toRealPath();
    Files.createDirectories(directory.resolve("warehouse"));
  }

  @Test
  void rowsLieWhereTheMetastoreSays() throws Exception {
    try (PlayedMetastore metastore = metastore()) {
      assertThat(found(metastore, ", 'locations' = '" + elsewhere + "'"))
          .containsExactlyInAnyOrder(
              Row.of(1L, 7, "2013-01-02"), Row.of(2L, null, null), Row.of(3L, 9, "2013-01-02"));
    }
  }

  @Test
  void placesThatAreNotAllowedAreNotRead() throws Exception {
    try (PlayedMetastore metastore = metastore()) {
      assertThatThrownBy(() -> found(metastore, ", 'initial' = 'fail'"))
          .hasStackTraceContaining("DIMENSION_")
          .hasStackTraceContaining("file:" + elsewhere + "/dt=2013-01-02");
    }
  }

  private static PlayedMetastore metastore() throws Exception {
    return new PlayedMetastore("file:" + elsewhere + "/dt=2013-01-02", "2013-01-02");
  }

  private static List<Row> found(PlayedMetastore metastore, String more) throws Exception {
    StreamTableEnvironment sql = FlinkJobs.streaming(true, 1);
    FlinkJobs.numbers(sql, 3);
    sql.executeSql(
        "CREATE TEMPORARY VIEW orders AS SELECT n, 'N' || CAST(n AS STRING) AS tailnum,"
            + " PROCTIME() AS pt FROM numbers");
    sql.executeSql(
        String.format(
            "CREATE TEMPORARY TABLE planes (%s, dt DATE) WITH ('connector' = 'pelton', 'path' ="
                + " '%s', 'format' = 'parquet', 'partition' = 'dt DATE', 'key' = 'tailnum',"
                + " 'ready' = 'metastore', 'metastore' = '%s', 'table' = 'flights.planes',"
                + " 'transport' = 'framed'%s)",
            COLUMNS, directory.resolve("warehouse"), metastore.uri(), more));
    return rows(
        sql,
        "SELECT o.n, d.seats, CAST(d.dt AS STRING) FROM orders AS o LEFT JOIN planes"
            + " FOR SYSTEM_TIME AS OF o.pt AS d ON d.tailnum = o.tailnum");
  }
}
