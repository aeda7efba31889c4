package org.pelton.flink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.pelton.flink.FlinkJobs.rows;

import java.nio.file.Path;
import java.util.List;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.Schema;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.test.junit5.MiniClusterExtension;
import org.apache.flink.types.Row;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pelton.metrics.PeltonMetrics;

/** {@code 'sharded' = 'true'} on Flink 1.20, where the job itself sends the keys. */
class PartitionCustomTest {

  private static final String JOIN = "SELECT o.n, d.fee FROM orders AS o LEFT JOIN" + Gates.GATES;

  @RegisterExtension private static final MiniClusterExtension CLUSTER = FlinkJobs.cluster(4);

  @TempDir private static Path directory;

  private static Gates gates;

  @BeforeAll
  static void writeGates() throws Exception {
    gates = new Gates(directory);
  }

  @ParameterizedTest
  @CsvSource({"1,true", "3,true", "4,true", "3,false", "4,false"})
  void thePartitionerSendsEachKeyWhereItIs(int parallelism, boolean streaming) throws Exception {
    StreamTableEnvironment sql = environment(parallelism, streaming);
    PeltonMetrics.forget();
    send(sql, new KeyGroupPartitioner(DataTypes.INT(), DataTypes.STRING()));
    List<Row> found = rows(sql, JOIN);
    assertThat(found)
        .hasSize(Gates.RECORDS)
        .filteredOn(row -> row.getField(1) != null)
        .hasSizeGreaterThan(900);
    assertThat(found)
        .allSatisfy(
            row -> {
              long n = (Long) row.getField(0);
              boolean known = n % 13 != 0 && n % 4 != 3 && n % 120 < 100;
              Double fee = known ? n % 120 * 3 + n % 4 + 0.5 : null;
              assertThat(row.getField(1)).as("%d", n).isEqualTo(fee);
            });
    assertThat(PeltonMetrics.values("dimension.gates.lookups"))
        .hasSize(parallelism)
        .doesNotContain(0L);
    assertThat(PeltonMetrics.sum("dimension.gates.misrouted")).isZero();
  }

  /** The group is that of the key; the time chooses among the images. */
  @ParameterizedTest
  @ValueSource(ints = {1, 3, 4})
  void theTimeOfTheRecordIsNoPartOfWhatIsSent(int parallelism) throws Exception {
    StreamTableEnvironment sql = environment(parallelism, true);
    PeltonMetrics.forget();
    send(sql, new KeyGroupPartitioner(DataTypes.INT(), DataTypes.STRING()));
    List<Row> found = rows(sql, "SELECT o.n, d.fee FROM orders AS o LEFT JOIN" + Gates.AS_OF_GATES);
    assertThat(found)
        .hasSize(Gates.RECORDS)
        .allSatisfy(
            row -> {
              long n = (Long) row.getField(0);
              boolean known = n % 13 != 0 && n % 4 != 3 && n % 120 < 100;
              // What is valid from January 3 on, and from January 4 on.
              Double fee = !known || n < 2 * 288 ? null : n < 3 * 288 ? 2.0 : 3.0;
              assertThat(row.getField(1)).as("%d", n).isEqualTo(fee);
            });
    assertThat(PeltonMetrics.sum("dimension.as_of_gates.misrouted")).isZero();
    assertThat(PeltonMetrics.sum("dimension.as_of_gates.late")).isPositive();
  }

  @Test
  void aKeyInAnotherOrderIsSentElsewhereAndRefusedWithTheTypes() {
    StreamTableEnvironment sql = environment(4, true);
    PeltonMetrics.forget();
    send(sql, new KeyGroupPartitioner(DataTypes.STRING(), DataTypes.INT()), "airport", "gate");
    assertThatThrownBy(() -> rows(sql, JOIN))
        .hasStackTraceContaining(
            "KEY_MISROUTED: table `default_catalog`.`default_database`.`gates`")
        .hasStackTraceContaining("org.pelton.flink.KeyGroupPartitioner")
        .hasStackTraceContaining("the dimension hashes (`gate` INT, `airport` STRING)");
    assertThat(PeltonMetrics.sum("dimension.gates.misrouted")).isPositive();
  }

  private static void send(StreamTableEnvironment sql, KeyGroupPartitioner partitioner) {
    send(sql, partitioner, "gate", "airport");
  }

  private static void send(
      StreamTableEnvironment sql, KeyGroupPartitioner partitioner, String first, String second) {
    DataStream<Row> sent =
        sql.toDataStream(sql.from("numbered"))
            .partitionCustom(partitioner, row -> Row.of(row.getField(first), row.getField(second)));
    sql.createTemporaryView(
        "orders", sent, Schema.newBuilder().columnByExpression("pt", "PROCTIME()").build());
  }

  private static StreamTableEnvironment environment(int parallelism, boolean streaming) {
    StreamTableEnvironment sql =
        FlinkJobs.environment(
            StreamExecutionEnvironment.getExecutionEnvironment(),
            streaming ? EnvironmentSettings.inStreamingMode() : EnvironmentSettings.inBatchMode(),
            true,
            parallelism);
    sql.getConfig().set("execution.batch.adaptive.auto-parallelism.enabled", "false");
    gates.create(sql, true);
    return sql;
  }
}
