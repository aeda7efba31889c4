package org.pelton.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongFunction;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.pelton.TestDecisions;
import org.pelton.TestDimensions;
import org.pelton.TestPaths;

/** SQL jobs, and what must come out of them. */
final class Workload {

  private static final int FLIGHTS = 1000;

  /** More than any test waits for. */
  private static final int NEVER_REACHED = 100_000;

  private final Path directory;
  private final Path flights;

  /** The columns of the arrival delay that CSV files hold. */
  private static final String OUTPUT = "p_late, risk, action, fired_rule";

  private final String columns;
  private final String score;
  private final String share;
  private final List<String> decidedFlights;

  /** Publishes the small decisions and decides some flights by {@code pelton run}. */
  Workload(Path directory) throws Exception {
    this.directory = Files.createDirectories(directory);
    TestDecisions decisions = new TestDecisions(directory.resolve("metadata"));
    score = decisions.publish("score", "n BIGINT, s STRING", "n * n AS square, s || 'x' AS text");
    share = decisions.publish("share", "n BIGINT", "100 / n AS share");
    flights = directory.resolve("flights.csv");
    try (Stream<String> all = Files.lines(models().resolve("flights/2013-12.csv"))) {
      Files.write(flights, all.limit(FLIGHTS).toList());
    }
    columns = Files.readString(models().resolve("flights/flights.columns"));
    decidedFlights = offline();
  }

  /** What every session needs before the first job. */
  void prepare(SqlSession sql) throws IOException, InterruptedException {
    sql.run("SET 'parallelism.default' = '1'");
    sql.run("SET 'execution.checkpointing.interval' = '200 ms'");
    sql.run("CREATE FUNCTION predict AS 'org.pelton.flink.PredictFunction'");
  }

  /** Starts the decision of models/arrival_delay over some flights. */
  String startFlights(SqlSession sql, String name) throws IOException, InterruptedException {
    sql.run(csv(input(name), columns, flights));
    sql.run(csv(name, "p_late FLOAT, risk FLOAT, action STRING, fired_rule STRING", results(name)));
    return sql.run(
        decide(
            name,
            OUTPUT,
            arrivalDelay(),
            "carrier, tailnum, origin, dest, sched_dep, local_hour, dep_delay, distance"));
  }

  void checkFlights(String name) throws IOException {
    assertThat(lines(name).stream().map(Workload::sameNumbers))
        .containsExactlyInAnyOrderElementsOf(decidedFlights);
  }

  /**
   * The tables of a job over 1, 2, 3, ..., 100 a second, in their order and without gaps: {@code
   * NAME input} with a processing time, and NAME for what becomes of them.
   */
  List<String> numberTables(String name, String columns) {
    return List.of(
        String.format(
            "CREATE TABLE `%s` (n BIGINT, arrived AS PROCTIME()) WITH ('connector' = 'datagen',"
                + " 'scan.parallelism' = '1', 'rows-per-second' = '100', 'fields.n.kind' ="
                + " 'sequence', 'fields.n.start' = '1', 'fields.n.end' = '%d')",
            input(name), NEVER_REACHED),
        csv(name, columns, results(name)));
  }

  /** Starts a job that decides 1, 2, 3, ..., 100 a second, until it is stopped. */
  String startNumbers(SqlSession sql, String name) throws IOException, InterruptedException {
    for (String statement : numberTables(name, "n BIGINT, square BIGINT, text STRING")) {
      sql.run(statement);
    }
    return sql.run(decide(name, "n, square, text", score, "n, CAST(n AS STRING)"));
  }

  /** Starts a job that decides 3 and 4 by a model, which Flink 2.1 and later have. */
  String startModel(SqlSession sql, String name) throws IOException, InterruptedException {
    sql.run(
        "CREATE MODEL score INPUT (n BIGINT, s STRING) OUTPUT (square BIGINT, text STRING)"
            + " WITH ('provider' = 'pelton', 'decision' = '"
            + score
            + "')");
    sql.run(
        "CREATE VIEW few AS SELECT n, CAST(n AS STRING) AS s"
            + " FROM (VALUES CAST(3 AS BIGINT), CAST(4 AS BIGINT)) AS t (n)");
    sql.run(csv(name, "n BIGINT, square BIGINT, text STRING", results(name)));
    return sql.run(
        "INSERT INTO "
            + name
            + " SELECT n, square, text FROM ML_PREDICT(TABLE few, MODEL score, DESCRIPTOR(n, s))");
  }

  /** Starts a job that looks 3 and 5 up among squares of which only that of 3 is known. */
  String startLookup(SqlSession sql, String name) throws Exception {
    TestDimensions dimensions = new TestDimensions(directory.resolve("metadata"));
    dimensions.define("squares", "n BIGINT, square BIGINT", "\"n\"");
    dimensions.write("squares", "2013-01-01", "n BIGINT, square BIGINT", List.of("3,9", "4,16"));
    sql.run(
        "CREATE TABLE squares (n BIGINT, square BIGINT) WITH ('connector' = 'pelton', 'dimension' ="
            + " '"
            + dimensions.definition("squares")
            + "')");
    sql.run(
        "CREATE VIEW asked AS SELECT n, PROCTIME() AS arrived"
            + " FROM (VALUES CAST(3 AS BIGINT), CAST(5 AS BIGINT)) AS t (n)");
    sql.run(csv(name, "n BIGINT, square BIGINT", results(name)));
    return sql.run(
        "INSERT INTO "
            + name
            + " SELECT a.n, s.square FROM asked AS a LEFT JOIN squares FOR SYSTEM_TIME AS OF"
            + " a.arrived AS s ON s.n = a.n");
  }

  /** What {@link #startNumbers} has written. */
  void checkNumbers(String name) throws IOException {
    checkEach(name, n -> n * n + "," + n + "x");
  }

  /** Every number of {@link #numberTables} once, with what belongs to it, and none left out. */
  void checkEach(String name, LongFunction<String> columns) throws IOException {
    List<String> lines = lines(name);
    assertThat(lines).isNotEmpty();
    assertThat(lines)
        .containsExactlyInAnyOrderElementsOf(
            LongStream.rangeClosed(1, lines.size())
                .mapToObj(n -> n + "," + columns.apply(n))
                .toList());
  }

  /** Starts a job over a file with one number a line, whose decision fails on a 0. */
  String startShares(SqlSession sql, String name, Path numbers)
      throws IOException, InterruptedException {
    sql.run(csv(input(name), "n BIGINT", numbers));
    sql.run(csv(name, "n BIGINT, share BIGINT", results(name)));
    return sql.run(decide(name, "n, share", share, "n"));
  }

  /** A file for a job to read. */
  Path write(String file, String... lines) throws IOException {
    return Files.write(directory.resolve(file), List.of(lines));
  }

  /** The lines of a job's result. */
  List<String> lines(String name) throws IOException {
    List<String> lines = new ArrayList<>();
    try (Stream<Path> files = Files.list(results(name))) {
      // The file sink hides what is not committed.
      for (Path file : files.filter(f -> !f.getFileName().toString().startsWith(".")).toList()) {
        lines.addAll(Files.readAllLines(file));
      }
    }
    return lines;
  }

  private List<String> offline() throws Exception {
    Path decided = directory.resolve("offline.jsonl");
    TestDecisions.pelton(
        "run",
        "--decision",
        arrivalDelay(),
        "--columns",
        columns,
        "--input",
        flights.toString(),
        "--output",
        decided.toString());
    List<String> lines = new ArrayList<>();
    for (String line : Files.readAllLines(decided)) {
      JsonNode row = new ObjectMapper().readTree(line);
      lines.add(
          Stream.of(OUTPUT.split(", "))
              .map(column -> row.path(column).asText(""))
              .map(text -> text.equals("null") ? "" : text)
              .collect(Collectors.joining(",")));
    }
    return lines.stream().map(Workload::sameNumbers).toList();
  }

  /** Two programs write one number in two ways; the first two columns are FLOAT. */
  private static String sameNumbers(String line) {
    String[] fields = line.split(",", -1);
    for (int column = 0; column < 2; column++) {
      fields[column] = fields[column].isEmpty() ? "" : Float.valueOf(fields[column]).toString();
    }
    return String.join(",", fields);
  }

  private Path results(String name) {
    return directory.resolve("results").resolve(name);
  }

  private static String input(String name) {
    return name + " input";
  }

  private static String decide(String name, String columns, String decision, String arguments) {
    return String.format(
        "INSERT INTO `%s` SELECT %s FROM `%s`, LATERAL TABLE(predict('%s', %s))",
        name, columns, input(name), decision, arguments);
  }

  private static String csv(String table, String columns, Path path) {
    return String.format(
        "CREATE TABLE `%s` (%s) WITH ('connector' = 'filesystem', 'path' = '%s', 'format' = 'csv',"
            + " 'csv.null-literal' = '')",
        table, columns, path);
  }

  private static String arrivalDelay() {
    return models().resolve("metadata/decisions/arrival_delay").toString();
  }

  private static Path models() {
    return TestPaths.root().resolve("models");
  }
}
