package org.pelton.flink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.pelton.flink.FlinkJobs.rows;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongPredicate;
import org.apache.flink.table.api.TableResult;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.test.junit5.MiniClusterExtension;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pelton.TestDecisions;
import org.pelton.metrics.PeltonMetrics;

/** Every metric of a dimension, of a lookup join and of a decision. */
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class DimensionMetricsTest extends MetadataTests {

  private static final String PLANES = "tailnum STRING, seats INT";
  private static final String PRICES = "product STRING, price DOUBLE";
  private static final long JANUARY_2 = 1_357_084_800_000L;

  private static final String LOOKUP =
      "SELECT o.n, d.seats FROM orders AS o LEFT JOIN planes FOR SYSTEM_TIME AS OF o.pt AS d"
          + " ON d.tailnum = o.tailnum";

  @RegisterExtension private static final MiniClusterExtension CLUSTER = FlinkJobs.cluster(2);

  @ParameterizedTest
  @ValueSource(strings = {"lookup join", "decision"})
  void tellHowADimensionIsAndWhatBecameOfItsRefreshes(String door) throws Exception {
    dimensions.define("planes", PLANES, "\"tailnum\"", "refresh = \"200 ms\"", "min_rows = 2");
    dimensions.write("planes", "2013-01-01", PLANES, List.of("N1,10", "N2,20", "N3,30"));
    StreamTableEnvironment sql = FlinkJobs.streaming(true, 1);
    sql.executeSql(
        "CREATE TEMPORARY TABLE orders (n BIGINT, pt AS PROCTIME(), tailnum AS 'N' ||"
            + " CAST(MOD(n, 10) AS STRING)) WITH ('connector' = 'datagen', 'rows-per-second' ="
            + " '200', 'fields.n.kind' = 'sequence', 'fields.n.start' = '1', 'fields.n.end' ="
            + " '1000000')");
    sql.executeSql(
        "CREATE TEMPORARY TABLE nowhere (n BIGINT, seats INT) WITH ('connector' = 'blackhole')");
    String query = door.equals("decision") ? decision() : lookup(sql);
    TableResult job = sql.executeSql("INSERT INTO nowhere " + query);
    await("misses", misses -> misses > 100);
    long lookups = metric("lookups");
    assertThat(metric("misses")).isBetween(lookups * 6 / 10, lookups * 8 / 10);
    assertThat(metric("rows")).isEqualTo(3);
    assertThat(metric("bytes")).isPositive();
    assertThat(metric("epoch")).isEqualTo(JANUARY_2 - 86_400_000);
    assertThat(metric("refreshes")).isEqualTo(1);
    assertThat(metric("failures")).isZero();

    dimensions.write("planes", "2013-01-02", PLANES, List.of("N1,1", "N2,2", "N3,3", "N4,4"));
    await("epoch", epoch -> epoch == JANUARY_2);
    assertThat(metric("rows")).isEqualTo(4);
    assertThat(metric("refreshes")).isEqualTo(2);
    assertThat(metric("refused")).isZero();
    long current = metric("age");

    dimensions.write("planes", "2013-01-03", PLANES, List.of("N1,1")); // fewer than min_rows
    await("refused", refused -> refused >= 3);
    assertThat(metric("failures")).isGreaterThanOrEqualTo(3);
    assertThat(metric("epoch")).isEqualTo(JANUARY_2);
    await("age", age -> age > current + 1000);

    Files.delete(dimensions.directory("planes").resolve("dt=2013-01-03/_SUCCESS"));
    await("age", age -> age < 1000);
    assertThat(metric("refreshes")).isEqualTo(2);
    assertThat(metric("misrouted")).isZero();
    assertThat(metric("late")).isZero();
    job.getJobClient().orElseThrow().cancel().get(30, TimeUnit.SECONDS);
  }

  /** Those of lookup joins are counted in AsOfLookupTest. */
  @Test
  void aDecisionCountsTheRecordsThatAreLate() throws Exception {
    dimensions.define(
        "prices",
        PRICES,
        "\"product\"",
        "choice = \"as_of\"\nperiod = \"1 d\"\nlate = \"previous\"");
    dimensions.write("prices", "2013-01-01", PRICES, List.of("P1,0.5"));
    StreamTableEnvironment sql = FlinkJobs.streaming(true, 1);
    FlinkJobs.numbers(sql, 100);
    sql.executeSql(
        "CREATE TEMPORARY VIEW orders AS SELECT n, CAST(TIMESTAMPADD(HOUR, CAST(n - 1 AS INT),"
            + " TIMESTAMP '2013-01-02 00:00:00') AS TIMESTAMP(3)) AS ts FROM numbers");
    Path draft = Files.createDirectories(directory.resolve("draft"));
    Files.writeString(
        draft.resolve("decision.toml"),
        "name = \"late\"\ninput = \"ts TIMESTAMP(3)\"\noutput = \"price.price AS price\"\n"
            + "[lookups.price]\ndimension = \"prices\"\nkey = [\"'P1'\"]\nas_of = \"ts\"\n");
    String metadata = directory.resolve("metadata").toString();
    TestDecisions.pelton("publish", draft.toString(), "--to", metadata);
    assertThat(
            rows(
                sql,
                "SELECT price FROM orders, LATERAL TABLE(predict('"
                    + metadata
                    + "/decisions/late', ts)) AS d"))
        .hasSize(100)
        .allMatch(row -> row.getField(0).equals(0.5));
    assertThat(PeltonMetrics.sum("dimension.prices.late")).isEqualTo(100 - 24);
  }

  private String lookup(StreamTableEnvironment sql) {
    sql.executeSql(
        String.format(
            "CREATE TEMPORARY TABLE planes (%s) WITH ('connector' = 'pelton', 'dimension' = '%s')",
            PLANES, dimensions.definition("planes")));
    return LOOKUP;
  }

  private String decision() throws Exception {
    Path draft = Files.createDirectories(directory.resolve("draft"));
    Files.writeString(
        draft.resolve("decision.toml"),
        "name = \"seats\"\ninput = \"tailnum STRING\"\noutput = \"plane.seats AS seats\"\n"
            + "[lookups.plane]\ndimension = \"planes\"\nkey = [\"tailnum\"]\n");
    String metadata = directory.resolve("metadata").toString();
    TestDecisions.pelton("publish", draft.toString(), "--to", metadata);
    return "SELECT n, seats FROM orders, LATERAL TABLE(predict('"
        + metadata
        + "/decisions/seats', tailnum)) AS d";
  }

  private static long metric(String name) {
    return PeltonMetrics.sum("dimension.planes." + name);
  }

  private static void await(String name, LongPredicate expected) throws InterruptedException {
    while (!expected.test(metric(name))) {
      Thread.sleep(20);
    }
  }
}
