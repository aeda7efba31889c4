package org.pelton.flink;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.ZoneOffset;
import java.util.List;
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
