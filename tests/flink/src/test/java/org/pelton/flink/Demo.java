package org.pelton.flink;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;
import org.apache.flink.table.api.TableResult;
import org.pelton.TestDecisions;

/**
 * The main job: publishes the flight-delay decision, decides a month of flights by the SQL script
 * {@code models/arrival_delay/demo.sql} on a local Flink, decides the same file again by {@code
 * pelton run}, and compares every value. Run from the repository's root.
 *
 * <p>The last line is for machines: {@code demo: records=N decided=N evaluations=N differences=0
 * rows_per_second=N}. Exits with 1 when the numbers do not agree.
 */
public final class Demo {

  private static final Path MODELS = Path.of("models");
  private static final Path WORK = Path.of("target/demo");
  private static final Path METADATA = WORK.resolve("metadata");
  private static final Path FLIGHTS = MODELS.resolve("flights/2013-12.csv");
  private static final Path OFFLINE = WORK.resolve("offline.csv");

  /** Where the decision's columns begin in a row of the result table. */
  private static final int FIRST_OUTPUT = 6;

  private static final List<Class<?>> OUTPUTS =
      List.of(Float.class, Float.class, String.class, String.class);

  private Demo() {}

  public static void main(String[] arguments) throws Exception {
    publish();

    say("Flink decides " + FLIGHTS + " by " + script());
    double seconds = runScript();
    List<String> decided = decided();
    excerpt(decided);

    say("The same decision over the same file by `pelton run`");
    long differences = compare(decided, offline());

    long records;
    try (Stream<String> lines = Files.lines(FLIGHTS)) {
      records = lines.count();
    }
    long evaluations = PeltonMetrics.sum("evaluations");
    System.out.printf("%n%,d records went in, %,d came out, ", records, decided.size());
    System.out.printf("Pelton counted %,d evaluations.%n", evaluations);
    System.out.printf("%,d values differ between Flink and `pelton run`, ", differences);
    System.out.printf("to the bit. The job took %.1f s at parallelism 1.%n%n", seconds);
    System.out.printf(
        "demo: records=%d decided=%d evaluations=%d differences=%d rows_per_second=%.0f%n",
        records, decided.size(), evaluations, differences, records / seconds);
    boolean agree = records == decided.size() && records == evaluations && differences == 0;
    System.exit(agree ? 0 : 1);
  }

  /** Starts from an empty metadata directory: the dimensions, then both versions. */
  private static void publish() throws Exception {
    delete(WORK);
    copy(MODELS.resolve("metadata"), METADATA);
    delete(METADATA.resolve("decisions"));
    for (String version : List.of("v1", "v2")) {
      String directory = MODELS.resolve("arrival_delay").resolve(version).toString();
      say("pelton publish " + directory + " --to " + METADATA);
      System.out.print(TestDecisions.pelton("publish", directory, "--to", METADATA.toString()));
    }
  }

  /** Runs the script's statements and returns how long its job ran, in seconds. */
  private static double runScript() throws Exception {
    Configuration configuration = PeltonMetrics.configure(new Configuration());
    TableEnvironment sql =
        TableEnvironment.create(
            EnvironmentSettings.newInstance().withConfiguration(configuration).build());
    long millis = 0;
    for (String statement : SqlScript.read(script())) {
      Optional<JobClient> job = SqlScript.run(sql, statement).flatMap(TableResult::getJobClient);
      if (job.isPresent()) {
        millis += job.get().getJobExecutionResult().get(10, TimeUnit.MINUTES).getNetRuntime();
      }
    }
    return millis / 1e3;
  }

  private static Path script() {
    return MODELS.resolve("arrival_delay/demo.sql");
  }

  /** The lines of the result table. */
  private static List<String> decided() throws IOException {
    List<String> lines = new ArrayList<>();
    try (Stream<Path> files = Files.list(WORK.resolve("decided"))) {
      for (Path file : files.sorted().toList()) {
        lines.addAll(Files.readAllLines(file));
      }
    }
    return lines;
  }

  /** The lines of the same decision by {@code pelton run}, without the header. */
  private static List<String> offline() throws Exception {
    String columns = Files.readString(MODELS.resolve("flights/flights.columns"));
    System.out.print(
        TestDecisions.pelton(
            "run",
            "--decision",
            METADATA.resolve("decisions/arrival_delay").toString(),
            "--columns",
            columns,
            "--input",
            FLIGHTS.toString(),
            "--output",
            OFFLINE.toString()));
    List<String> lines = Files.readAllLines(OFFLINE);
    return lines.subList(1, lines.size());
  }

  /** How many output values differ; a missing row differs in all of them. */
  private static long compare(List<String> decided, List<String> offline) {
    long missing = Math.abs(decided.size() - offline.size());
    long differences = missing * OUTPUTS.size();
    for (int row = 0; row < Math.min(decided.size(), offline.size()); row++) {
      String[] ours = decided.get(row).split(",", -1);
      String[] theirs = offline.get(row).split(",", -1);
      for (int column = 0; column < OUTPUTS.size(); column++) {
        Class<?> type = OUTPUTS.get(column);
        String our = ours[FIRST_OUTPUT + column];
        if (!Objects.equals(value(type, our), value(type, theirs[column]))) {
          differences++;
        }
      }
    }
    return differences;
  }

  /** Numbers are compared as numbers, by their bits; an empty field is NULL. */
  private static Object value(Class<?> type, String field) {
    if (field.isEmpty()) {
      return null;
    } else if (type == Float.class) {
      return Float.valueOf(field);
    } else if (type == Double.class) {
      return Double.valueOf(field);
    }
    return field;
  }

  /** Every so many rows one, so that the reader sees different days, actions and rules. */
  private static void excerpt(List<String> decided) {
    String format = "  %-8s %-11s %-19s %9s  %-11s %-8s %-12s%n";
    System.out.printf(
        format, "flight", "from, to", "departure, UTC", "delay min", "p_late", "action", "rule");
    int step = Math.max(1, decided.size() / 12);
    for (int row = step / 2; row < decided.size(); row += step) {
      String[] f = decided.get(row).split(",", -1);
      System.out.printf(
          format, f[0] + f[1], f[2] + ", " + f[3], f[4].replace("\"", ""), f[5], f[6], f[8], f[9]);
    }
  }

  private static void say(String text) {
    System.out.println("\n== " + text);
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.toList()) {
        Path target = to.resolve(from.relativize(file).toString());
        Files.createDirectories(Files.isDirectory(file) ? target : target.getParent());
        if (Files.isRegularFile(file)) {
          Files.copy(file, target);
        }
      }
    }
  }

  private static void delete(Path directory) throws IOException {
    if (Files.exists(directory)) {
      try (Stream<Path> files = Files.walk(directory)) {
        for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(file);
        }
      }
    }
  }
}
