package org.pelton.flink;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonFactory;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonParser;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonToken;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;
import org.apache.flink.table.api.TableResult;
import org.pelton.TestDecisions;
import org.pelton.metrics.PeltonMetrics;

/**
 * The main job: publishes the flight-delay decision, decides a file of flights (the argument) by
 * the SQL script {@code models/arrival_delay/demo.sql} on a local Flink, decides the same file
 * again by {@code pelton run}, and compares every value. At the end every row of the result is
 * decided once more, by the version and the Hive partitions that it names. Run from the
 * repository's root.
 *
 * <p>The last line is for machines: {@code demo: records=N decided=N evaluations=N differences=0
 * rows_per_second=N replayed=N replay_differences=0}. Exits with 1 when the numbers do not agree.
 */
public final class Demo {

  private static final Path MODELS = Path.of("models");
  private static final Path WORK = Path.of("target/demo");
  private static final Path METADATA = WORK.resolve("metadata");
  private static final String DECISION = METADATA.resolve("decisions/arrival_delay").toString();

  /** The flights that the script names. */
  private static final String DECEMBER = "models/flights/2013-12.csv";

  /** The result table as one file of JSON lines, and what {@code pelton run} makes of the input. */
  private static final Path DECIDED = WORK.resolve("decided.jsonl");

  private static final Path OFFLINE = WORK.resolve("offline.jsonl");

  private static final Pattern REPLAYED =
      Pattern.compile("replayed: rows=(\\d+) differences=(\\d+)");
  private static final Pattern NUMBER = Pattern.compile("-?\\d+(\\.\\d+)?([eE][+-]?\\d+)?");
  private static final JsonFactory JSON = new JsonFactory();

  private Demo() {}

  public static void main(String[] arguments) throws Exception {
    String flights = arguments[0];
    publish();

    say("Flink decides " + flights + " by " + script());
    double seconds = runScript(flights);
    List<String> decided = decided();
    excerpt(decided);

    say("The same decision over the same file by `pelton run`");
    long differences = compare(decided, offline(flights));

    say("Every decided row again, by the version and the Hive partitions that it names");
    Matcher replayed = replay();

    long records;
    try (Stream<String> lines = Files.lines(Path.of(flights))) {
      records = lines.count();
    }
    long evaluations = PeltonMetrics.sum("evaluations");
    System.out.printf("%n%,d records went in, %,d came out, ", records, decided.size());
    System.out.printf("Pelton counted %,d evaluations.%n", evaluations);
    System.out.printf("%,d values differ between Flink and `pelton run`, ", differences);
    System.out.printf("to the bit. The job took %.1f s at parallelism 1.%n%n", seconds);
    System.out.printf(
        "demo: records=%d decided=%d evaluations=%d differences=%d rows_per_second=%.0f"
            + " replayed=%s replay_differences=%s%n",
        records,
        decided.size(),
        evaluations,
        differences,
        records / seconds,
        replayed.group(1),
        replayed.group(2));
    boolean agree = records == decided.size() && records == evaluations && differences == 0;
    boolean again = replayed.group().equals("replayed: rows=" + records + " differences=0");
    System.exit(agree && again ? 0 : 1);
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

  /** Runs the script's statements over a file and returns how long its job ran, in seconds. */
  private static double runScript(String flights) throws Exception {
    Configuration configuration = PeltonMetrics.configure(new Configuration());
    TableEnvironment sql =
        TableEnvironment.create(
            EnvironmentSettings.newInstance().withConfiguration(configuration).build());
    long millis = 0;
    for (String statement : SqlScript.read(script())) {
      String ofFile = statement.replace(DECEMBER, flights);
      Optional<JobClient> job = SqlScript.run(sql, ofFile).flatMap(TableResult::getJobClient);
      if (job.isPresent()) {
        millis += job.get().getJobExecutionResult().get(30, TimeUnit.MINUTES).getNetRuntime();
      }
    }
    return millis / 1e3;
  }

  private static Path script() {
    return MODELS.resolve("arrival_delay/demo.sql");
  }

  /** The lines of the result table, in one file, too. */
  private static List<String> decided() throws IOException {
    List<String> lines = new ArrayList<>();
    try (Stream<Path> files = Files.list(WORK.resolve("decided"))) {
      for (Path file : files.sorted().toList()) {
        lines.addAll(Files.readAllLines(file));
      }
    }
    Files.write(DECIDED, lines);
    return lines;
  }

  /** The lines of the same decision by {@code pelton run}. */
  private static List<String> offline(String flights) throws Exception {
    String columns = Files.readString(MODELS.resolve("flights/flights.columns"));
    System.out.print(
        TestDecisions.pelton(
            "run",
            "--decision",
            DECISION,
            "--columns",
            columns,
            "--input",
            flights,
            "--output",
            OFFLINE.toString()));
    return Files.readAllLines(OFFLINE);
  }

  /** How many rows were decided again, and how many of their values are different. */
  private static Matcher replay() throws Exception {
    String printed =
        TestDecisions.pelton("run", "--decision", DECISION, "--pin", DECIDED.toString());
    System.out.print(printed);
    Matcher replayed = REPLAYED.matcher(printed);
    if (!replayed.find()) {
      throw new IllegalStateException("`pelton run --pin` does not say how it went");
    }
    return replayed;
  }

  /** How many output values differ; a missing row differs in all of them. */
  private static long compare(List<String> decided, List<String> offline) throws IOException {
    long differences = 0;
    for (int row = 0; row < Math.max(decided.size(), offline.size()); row++) {
      boolean both = row < decided.size() && row < offline.size();
      Map<String, String> ours = both ? values(decided.get(row)) : Map.of();
      Map<String, String> theirs = values((row < offline.size() ? offline : decided).get(row));
      for (String name : theirs.keySet()) {
        if (!both || !Objects.equals(bits(ours.get(name)), bits(theirs.get(name)))) {
          differences++;
        }
      }
    }
    return differences;
  }

  /** Every value of a JSON object as its text, by its path; NULL is null. */
  private static Map<String, String> values(String line) throws IOException {
    Map<String, String> values = new LinkedHashMap<>();
    try (JsonParser parser = JSON.createParser(line)) {
      for (JsonToken token = parser.nextToken(); token != null; token = parser.nextToken()) {
        if (token.isScalarValue()) {
          String path = parser.getParsingContext().pathAsPointer().toString();
          values.put(path, token == JsonToken.VALUE_NULL ? null : parser.getText());
        }
      }
    }
    return values;
  }

  /** Java and Rust write the same number in two ways: it is compared by its bits. */
  private static Object bits(String value) {
    boolean isNumber = value != null && NUMBER.matcher(value).matches();
    return isNumber ? (Object) Float.floatToRawIntBits(Float.parseFloat(value)) : value;
  }

  /** Every so many rows one, so that the reader sees different days, actions and rules. */
  private static void excerpt(List<String> decided) throws IOException {
    String format = "  %-8s %-11s %-19s %9s  %-11s %-8s %-12s %s%n";
    System.out.printf(
        format,
        "flight",
        "from, to",
        "departure, UTC",
        "delay min",
        "p_late",
        "action",
        "rule",
        "version");
    int step = Math.max(1, decided.size() / 12);
    for (int row = step / 2; row < decided.size(); row += step) {
      Map<String, String> flight = values(decided.get(row));
      System.out.printf(
          format,
          flight.get("/carrier") + flight.get("/flight"),
          flight.get("/origin") + ", " + flight.get("/dest"),
          flight.get("/sched_dep"),
          flight.get("/dep_delay"),
          flight.get("/p_late"),
          flight.get("/action"),
          flight.get("/fired_rule"),
          flight.get("/model_version"));
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
