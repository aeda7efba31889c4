package org.pelton.flink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.pelton.flink.FlinkJobs.rows;
import static org.pelton.flink.FlinkJobs.streaming;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.apache.flink.table.api.TableEnvironment;
import org.apache.flink.test.junit5.MiniClusterExtension;
import org.apache.flink.types.Row;
import org.assertj.core.util.Throwables;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pelton.TestDecisions;
import org.pelton.TestPaths;

/** The candidates of a record, from an ARRAY of ROWs to an ARRAY of scores, in SQL. */
class RankingTest {

  @RegisterExtension private static final MiniClusterExtension CLUSTER = FlinkJobs.cluster(2);

  private static final Path RANKING = TestPaths.root().resolve("models").resolve("ranking");

  private static final String COLUMNS =
      "user_id BIGINT, age INT, country STRING, avg_price DOUBLE,"
          + " clicks ARRAY<ROW<sku STRING, dwell DOUBLE, days INT>>,"
          + " items ARRAY<ROW<sku STRING, price DOUBLE, stock INT>>";

  private static final String OUTPUTS =
      "user_id BIGINT, p_buy ARRAY<FLOAT>, places ARRAY<ARRAY<FLOAT>>, candidates INT";

  private static final String ARGUMENTS = "user_id, age, country, avg_price, clicks, items";

  @TempDir Path directory;

  /** The same rows as {@code pelton run} gives, whose examples are those of ONNX Runtime. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void candidatesAreScoredAsByPeltonRun(boolean objectReuse) throws Exception {
    String uri = publish();
    Path records = records();
    Path decided = Files.createDirectories(directory.resolve("decided")).resolve("out.jsonl");
    TestDecisions.pelton(
        "run", "--decision", uri, "--input", records.toString(), "--output", decided.toString());
    TableEnvironment sql = streaming(objectReuse, 1);
    json(sql, "records", COLUMNS, records.getParent());
    json(sql, "decided", OUTPUTS, decided.getParent());
    List<Row> expected = rows(sql, "SELECT * FROM decided");
    assertThat(expected).hasSize(40);

    String table = "SELECT d.* FROM records, LATERAL TABLE(predict('%s', %s)) AS d(u, p, s, n)";
    assertThat(rows(sql, String.format(table, uri, ARGUMENTS)))
        .containsExactlyInAnyOrderElementsOf(expected);

    String scalar = "SELECT d.user_id, d.p_buy, d.places, d.candidates FROM";
    scalar += " (SELECT predict_row('%s', %s) AS d FROM records)";
    assertThat(rows(sql, String.format(scalar, uri, ARGUMENTS)))
        .containsExactlyInAnyOrderElementsOf(expected);
  }

  /** Each candidate with its score, as SQL takes arrays apart. */
  @Test
  void scoresStandInTheOrderOfTheCandidates() throws Exception {
    String uri = publish();
    String a = candidate("sku-001", 1.0);
    String b = candidate("sku-002", 9.0);
    write(List.of(record(0, List.of(a, b, a)), record(1, List.of(b, a, b))));
    TableEnvironment sql = streaming(true, 1);
    json(sql, "records", COLUMNS, directory.resolve("records"));
    String query =
        "SELECT u, p[1], p[2], p[3], CARDINALITY(p), s[2][3] FROM (SELECT d.* FROM records,"
            + " LATERAL TABLE(predict('%s', %s)) AS d(u, p, s, n))";
    List<Row> rows = rows(sql, String.format(query, uri, ARGUMENTS));
    Row first = rows.stream().filter(row -> row.getField(0).equals(0L)).findFirst().orElseThrow();
    Row turned = rows.stream().filter(row -> row.getField(0).equals(1L)).findFirst().orElseThrow();
    assertThat(first.getField(1)).isEqualTo(first.getField(3)).isEqualTo(turned.getField(2));
    assertThat(first.getField(2)).isEqualTo(turned.getField(1)).isNotEqualTo(first.getField(1));
    assertThat(first.getField(4)).isEqualTo(3);
    assertThat(first.getField(5)).isInstanceOf(Float.class);
  }

  @Test
  void tooManyCandidatesFailTheRecordByName() throws Exception {
    String uri = publish();
    write(List.of(record(0, Collections.nCopies(501, candidate("a", 1.0)))));
    TableEnvironment sql = streaming(true, 1);
    json(sql, "records", COLUMNS, directory.resolve("records"));
    String query = "SELECT d.* FROM records, LATERAL TABLE(predict('%s', %s)) AS d(u, p, s, n)";
    Throwable failure = catchThrowable(() -> rows(sql, String.format(query, uri, ARGUMENTS)));
    assertThat(Throwables.getRootCause(failure))
        .hasMessageContaining("EVALUATION_FAILED")
        .hasMessageContaining("501 items, where `max_items` = 500, in model `rank`");
  }

  private static String candidate(String sku, double price) {
    return String.format("{\"sku\": \"%s\", \"price\": %s, \"stock\": 1}", sku, price);
  }

  private static String record(int user, List<String> candidates) {
    return String.format(
        "{\"user_id\": %d, \"age\": 30, \"avg_price\": 10.0, \"clicks\": [], \"items\": [%s]}",
        user, String.join(", ", candidates));
  }

  private String publish() throws Exception {
    Path metadata = directory.resolve("metadata");
    TestDecisions.pelton("publish", RANKING.toString(), "--to", metadata.toString());
    return new TestDecisions(metadata).uri("ranking");
  }

  /** The inputs of the examples as a file of their own. */
  private Path records() throws Exception {
    List<String> lines = new ArrayList<>();
    for (String line : Files.readAllLines(RANKING.resolve("examples.jsonl"))) {
      String input = "{\"input\": ";
      lines.add(line.substring(input.length(), line.indexOf(", \"output\": ")));
    }
    return write(lines);
  }

  private Path write(List<String> records) throws Exception {
    Path file = Files.createDirectories(directory.resolve("records")).resolve("in.jsonl");
    return Files.write(file, records);
  }

  private static void json(TableEnvironment sql, String name, String columns, Path directory) {
    sql.executeSql(
        String.format(
            "CREATE TEMPORARY TABLE %s (%s) WITH ('connector' = 'filesystem', 'path' = '%s',"
                + " 'format' = 'json')",
            name, columns, directory));
  }
}
