package org.pelton.flink;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.ZoneOffset;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.pelton.TestPaths;

/** The files of {@code tests/expressions}, and a session whose table {@code t} has their rows. */
final class ExpressionCorpus {

  static final Path DIRECTORY = TestPaths.root().resolve("tests/expressions");

  private ExpressionCorpus() {}

  static Path file(String name) {
    return DIRECTORY.resolve(name);
  }

  /** The columns of the rows, as in a CREATE TABLE. */
  static String columns() throws IOException {
    return Files.readString(file("columns.sql"));
  }

  /**
   * The columns that the expressions of a file read: those of the rows, and for {@code nested.sql}
   * the values of ARRAY, MAP and ROW that are made of them.
   */
  static String columns(Path file) throws IOException {
    if (!isNested(file)) {
      return columns();
    }
    return nested()
        .map(column -> column[0] + " " + column[1])
        .reduce(columns().strip(), (a, b) -> a + ",\n" + b);
  }

  /** The table that has them. */
  static String table(Path file, StreamTableEnvironment sql) throws IOException {
    if (!isNested(file)) {
      return "t";
    }
    // In two steps: Flink 1.20 cannot cast a ROW(...) where it is written.
    String made = list(column -> column[2] + " AS made_" + column[0]);
    sql.createTemporaryView("made", sql.sqlQuery("SELECT *, " + made + " FROM t"));
    String where =
        list(column -> "CASE WHEN i IS NOT NULL THEN " + cast(column) + " END AS " + column[0]);
    String plain = arguments(columns());
    sql.createTemporaryView(
        "nested", sql.sqlQuery("SELECT " + plain + ", " + where + " FROM made"));
    return "nested";
  }

  /** Only a cast names the fields of a ROW; Flink 1.20 fails when it casts an ARRAY with NULLs. */
  private static String cast(String[] column) {
    String made = "made_" + column[0];
    return column[1].contains("ROW<") ? "CAST(" + made + " AS " + column[1] + ")" : made;
  }

  private static String list(Function<String[], String> item) throws IOException {
    return nested().map(item).collect(Collectors.joining(", "));
  }

  private static boolean isNested(Path file) {
    return file.getFileName().toString().startsWith("nested");
  }

  /** Name, type and expression of each, between {@code |}. */
  private static Stream<String[]> nested() throws IOException {
    return Files.readAllLines(file("nested-columns.txt")).stream()
        .map(line -> line.split("\\s*\\|\\s*"));
  }

  /** One a line; comments begin with two dashes. */
  static List<String> expressions(Path file) throws IOException {
    return Files.readAllLines(file).stream()
        .map(line -> line.replaceAll("(^|\\s)--.*", "").strip())
        .filter(line -> !line.isEmpty())
        .toList();
  }

  /** The names of columns, as arguments of a decision that takes all of them. */
  static String arguments(String columns) {
    return Stream.of(columns.split(",\\s*\\R"))
        .map(column -> column.strip().split("\\s+")[0])
        .collect(Collectors.joining(", "));
  }

  /** A session in the time zone of decisions. */
  static StreamTableEnvironment open() throws IOException {
    StreamTableEnvironment sql = FlinkJobs.streaming(false, 1);
    sql.getConfig().setLocalTimeZone(ZoneOffset.UTC);
    sql.executeSql(
        String.format(
            "CREATE TEMPORARY TABLE t (%s) WITH ('connector' = 'filesystem', 'path' = '%s',"
                + " 'format' = 'csv', 'csv.field-delimiter' = '|', 'csv.null-literal' = 'NULL',"
                + " 'csv.disable-quote-character' = 'true')",
            columns(), file("rows.csv")));
    return sql;
  }
}
