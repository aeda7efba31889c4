package org.pelton.flink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.pelton.flink.FlinkJobs.rows;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.test.junit5.MiniClusterExtension;
import org.apache.flink.types.Row;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.pelton.TestPaths;

/** Real flights, decided in a streaming job and in a batch job: the same bits. */
class BatchModeTest {

  private static final Path MODELS = TestPaths.root().resolve("models");
  private static final int FLIGHTS = 2000;
  private static final String ARGUMENTS =
      "carrier, tailnum, origin, dest, sched_dep, local_hour, dep_delay, distance";

  @RegisterExtension private static final MiniClusterExtension CLUSTER = FlinkJobs.cluster(1);

  @TempDir Path directory;

  @Test
  void theTableFunctionGivesTheSameBitsInBatchMode() throws Exception {
    String uri = MODELS.resolve("metadata/decisions/arrival_delay").toString();
    assertSame(
        "SELECT flight, p_late, risk, action, fired_rule FROM flights, LATERAL TABLE(predict('"
            + uri
            + "', "
            + ARGUMENTS
            + "))");
  }

  @Test
  void theScalarFunctionGivesTheSameBitsInBatchMode() throws Exception {
    String uri = MODELS.resolve("metadata/decisions/arrival_delay").toString();
    assertSame(
        "SELECT flight, d.p_late, d.risk, d.action, d.fired_rule FROM (SELECT flight,"
            + " predict_row('"
            + uri
            + "', "
            + ARGUMENTS
            + ") AS d FROM flights)");
  }

  private void assertSame(String query) throws Exception {
    List<Row> streamed = decide(FlinkJobs.streaming(true, 1), query);
    List<Row> batched = decide(FlinkJobs.batch(true), query);
    assertThat(streamed).hasSize(FLIGHTS);
    assertThat(streamed).filteredOn(row -> row.getField(1) != null).hasSizeGreaterThan(FLIGHTS / 2);
    assertThat(batched).containsExactlyElementsOf(streamed); // Float.equals compares bits
  }

  private List<Row> decide(StreamTableEnvironment sql, String query) throws Exception {
    Path some = directory.resolve("flights.csv");
    try (Stream<String> lines = Files.lines(MODELS.resolve("flights/2013-12.csv"))) {
      Files.write(some, lines.limit(FLIGHTS).toList());
    }
    String columns = Files.readString(MODELS.resolve("flights/flights.columns"));
    sql.executeSql(
        String.format(
            "CREATE TEMPORARY TABLE flights (%s) WITH ('connector' = 'filesystem', 'path' = '%s',"
                + " 'format' = 'csv', 'csv.null-literal' = '')",
            columns, some));
    return rows(sql, query);
  }
}
