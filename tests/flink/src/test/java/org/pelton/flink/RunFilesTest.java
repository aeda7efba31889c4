package org.pelton.flink;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;
import org.apache.flink.types.Row;
import org.apache.flink.util.CloseableIterator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pelton.TestDecisions;

/** Files that Flink writes are read by {@code pelton run}, and the other way round: every value. */
class RunFilesTest {

  /** Column, type, a value. */
  private static final List<String[]> FLAT =
      List.of(
          new String[] {"a", "BOOLEAN", "TRUE"},
          new String[] {"b", "TINYINT", "CAST(-128 AS TINYINT)"},
          new String[] {"c", "SMALLINT", "CAST(-32768 AS SMALLINT)"},
          new String[] {"d", "INT", "2147483647"},
          new String[] {"e", "BIGINT", "CAST('-9223372036854775808' AS BIGINT)"},
          new String[] {"f", "FLOAT", "CAST('1.17549435E-38' AS FLOAT)"},
          new String[] {"g", "DOUBLE", "CAST('-4.9E-324' AS DOUBLE)"},
          new String[] {
            "h", "DECIMAL(38, 10)", "CAST('-1234567890123456789.0123456789' AS DECIMAL(38, 10))"
          },
          new String[] {"i", "STRING", "'Zoë, \"the boss\"'"},
          new String[] {"j", "BYTES", "X'0001FF'"},
          new String[] {"k", "DATE", "DATE '1969-12-31'"},
          new String[] {"l", "TIME(0)", "TIME '23:59:59'"},
          new String[] {"m", "TIMESTAMP(3)", "TIMESTAMP '1969-12-31 23:59:59.999'"},
          new String[] {"n", "TIMESTAMP(9)", "TIMESTAMP '2013-12-02 04:59:00.123456789'"},
          new String[] {"o", "TIMESTAMP_LTZ(3)", "TO_TIMESTAMP_LTZ(1385960340123, 3)"});

  private static final List<String[]> NESTED =
      List.of(
          new String[] {"p", "ARRAY<INT>", "ARRAY[1, CAST(NULL AS INT), -3]"},
          new String[] {"q", "MAP<STRING, DOUBLE>", "MAP['a', 1.5E0, 'b', CAST(NULL AS DOUBLE)]"},
          new String[] {"r", "ROW<x INT, y ROW<z STRING>>", "ROW(1, ROW('é'))"},
          new String[] {
            "s", "ARRAY<ROW<x DECIMAL(5, 2)>>", "ARRAY[ROW(CAST(1.25 AS DECIMAL(5, 2)))]"
          });

  @TempDir Path directory;

  private final TableEnvironment sql = TableEnvironment.create(EnvironmentSettings.inBatchMode());

  @Test
  void jsonLinesOfEveryType() throws Exception {
    List<String[]> all = Stream.of(FLAT, NESTED).flatMap(List::stream).toList();
    comparesEqual(all, "json", "jsonl");
  }

  @Test
  void csvOfEveryTypeThatIsNotNested() throws Exception {
    comparesEqual(FLAT, "csv", "csv");
  }

  /** What Flink reads of its own file and of what {@code pelton run} makes of that is the same. */
  private void comparesEqual(List<String[]> columns, String format, String extension)
      throws Exception {
    String names = columns.stream().map(c -> c[0]).collect(Collectors.joining(", "));
    String declared =
        columns.stream().map(c -> c[0] + " " + c[1]).collect(Collectors.joining(", "));
    createTable("written", declared, format);
    createTable("echoed", declared, format);
    String values = columns.stream().map(c -> c[2]).collect(Collectors.joining(", "));
    String nulls =
        columns.stream().map(c -> "CAST(NULL AS " + c[1] + ")").collect(Collectors.joining(", "));
    sql.executeSql("INSERT INTO written SELECT " + values + " UNION ALL SELECT " + nulls).await();

    Path input = directory.resolve("input." + extension);
    Files.write(input, lines(directory.resolve("written")));
    Path output = directory.resolve("output." + extension);
    TestDecisions decisions = new TestDecisions(directory.resolve("metadata"));
    String uri = decisions.publish("echo", declared, names);
    String[] run = {
      "run",
      "--decision",
      uri,
      "--input",
      input.toString(),
      "--output",
      output.toString(),
      "--columns",
      declared
    };
    TestDecisions.pelton(run);
    List<String> echoed = Files.readAllLines(output);
    boolean header = format.equals("csv");
    Path data = Files.createDirectories(directory.resolve("echoed")).resolve("part");
    Files.write(data, echoed.subList(header ? 1 : 0, echoed.size()));

    assertThat(rows("echoed")).hasSize(2).containsExactlyInAnyOrderElementsOf(rows("written"));
  }

  private void createTable(String name, String columns, String format) {
    String nullLiteral = format.equals("csv") ? ", 'csv.null-literal' = ''" : "";
    sql.executeSql(
        String.format(
            "CREATE TABLE %s (%s) WITH ('connector' = 'filesystem', 'path' = '%s', 'format' = '%s'%s)",
            name, columns, directory.resolve(name), format, nullLiteral));
  }

  private List<Row> rows(String table) throws Exception {
    List<Row> rows = new ArrayList<>();
    try (CloseableIterator<Row> all = sql.executeSql("SELECT * FROM " + table).collect()) {
      all.forEachRemaining(rows::add);
    }
    return rows;
  }

  private static List<String> lines(Path directory) throws IOException {
    List<String> lines = new ArrayList<>();
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
        lines.addAll(Files.readAllLines(file));
      }
    }
    return lines;
  }
}
