package org.pelton.flink;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.flink.runtime.util.EnvironmentInformation;
import org.apache.flink.table.api.Table;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.table.types.DataType;
import org.apache.flink.test.junit5.MiniClusterExtension;
import org.apache.flink.types.Row;
import org.apache.flink.util.CloseableIterator;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.pelton.TestDecisions;

/** Expressions mean what they mean in Flink: see {@code tests/expressions/README.md}. */
class DifferentialTest {

  /** Functions whose last bit the JVM does not promise either. */
  private static final Pattern INEXACT =
      Pattern.compile(
          "\\b(EXP|LN|LOG|LOG10|LOG2|POWER|SQRT|A?SIN|A?COS|A?TAN2?|COT|SINH|COSH|TANH)\\(",
          Pattern.CASE_INSENSITIVE);

  /** Ends the name of a file whose functions Flink 1.20 does not have. */
  static final String SINCE_2 = "-2.x.sql";

  static final boolean IS_2 = EnvironmentInformation.getVersion().startsWith("2.");

  @RegisterExtension private static final MiniClusterExtension CLUSTER = FlinkJobs.cluster(1);

  @TempDir Path directory;

  static Stream<Path> files() throws Exception {
    List<Path> files;
    try (Stream<Path> all = Files.list(ExpressionCorpus.DIRECTORY)) {
      files = all.filter(file -> file.toString().endsWith(".sql")).sorted().toList();
    }
    assertThat(files).as("files in %s", ExpressionCorpus.DIRECTORY).hasSizeGreaterThan(1);
    return files.stream()
        .filter(file -> !file.endsWith("columns.sql"))
        .filter(file -> IS_2 || !file.toString().endsWith(SINCE_2));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("files")
  void typesAndValuesAreThoseOfFlink(Path file) throws Exception {
    List<String> expressions = ExpressionCorpus.expressions(file);
    String columns = ExpressionCorpus.columns(file);
    String output = select(expressions, "p");
    TestDecisions decisions = new TestDecisions(directory.resolve("metadata"));
    String uri = decisions.publish("corpus", columns, output);

    StreamTableEnvironment sql = ExpressionCorpus.open();
    Table table =
        sql.sqlQuery(
            String.format(
                "SELECT %s, %s FROM %s, LATERAL TABLE(predict('%s', %s)) AS pelton",
                select(expressions, "f"),
                names(expressions.size(), "p"),
                ExpressionCorpus.table(file, sql),
                uri,
                ExpressionCorpus.arguments(columns)));

    assertThat(typeDifferences(expressions, table)).isEmpty();
    List<String> differences = new ArrayList<>();
    int rows = 0;
    try (CloseableIterator<Row> results = table.execute().collect()) {
      while (results.hasNext()) {
        rows++;
        valueDifferences(expressions, results.next(), rows, differences);
      }
    }
    assertThat(differences).isEmpty();
    assertThat(rows).isEqualTo(Files.readAllLines(ExpressionCorpus.file("rows.csv")).size());
  }

  private static String select(List<String> expressions, String prefix) {
    return IntStream.range(0, expressions.size())
        .mapToObj(i -> expressions.get(i) + " AS " + prefix + i)
        .collect(Collectors.joining(",\n"));
  }

  private static String names(int count, String prefix) {
    return IntStream.range(0, count).mapToObj(i -> prefix + i).collect(Collectors.joining(", "));
  }

  /**
   * Whether a value, or one in it, may be NULL is not compared: every output of a decision may be.
   */
  private static List<String> typeDifferences(List<String> expressions, Table table) {
    List<DataType> types = table.getResolvedSchema().getColumnDataTypes();
    List<String> differences = new ArrayList<>();
    for (int i = 0; i < expressions.size(); i++) {
      String flink = nullable(types.get(i));
      String pelton = nullable(types.get(i + expressions.size()));
      if (!flink.equals(pelton)) {
        differences.add(expressions.get(i) + ": Flink " + flink + ", Pelton " + pelton);
      }
    }
    return differences;
  }

  private static String nullable(DataType type) {
    return type.toString().replace(" NOT NULL", "");
  }

  private static void valueDifferences(
      List<String> expressions, Row row, int number, List<String> differences) {
    for (int i = 0; i < expressions.size(); i++) {
      Object flink = row.getField(i);
      Object pelton = row.getField(i + expressions.size());
      int ulps = ulps(expressions.get(i));
      if (!Objects.deepEquals(flink, pelton) && !neighbours(flink, pelton, ulps)) {
        differences.add(
            String.format(
                "%s, row %d: Flink %s, Pelton %s", expressions.get(i), number, flink, pelton));
      }
    }
  }

  /**
   * By how many units in the last place the results may be apart; a quotient of logarithms by two.
   */
  private static int ulps(String expression) {
    if (!INEXACT.matcher(expression).find()) {
      return 0;
    }
    return expression.startsWith("LOG(") ? 2 : 1;
  }

  private static boolean neighbours(Object a, Object b, int ulps) {
    if (a instanceof Double x && b instanceof Double y) {
      return Math.abs(x - y) <= ulps * Math.ulp(x);
    }
    if (a instanceof Float x && b instanceof Float y) {
      return Math.abs(x - y) <= ulps * Math.ulp(x);
    }
    return false;
  }
}
