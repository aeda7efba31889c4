package org.pelton.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.pelton.bench.Case.Work;
import org.pelton.bench.Flow.Phase;
import org.pelton.metrics.PeltonMetrics;

/**
 * A job with a lookup join, in a JVM of its own, on all processors: while its records flow, a newer
 * Hive partition of the dimension comes, is loaded and swapped in. Writes the records a second
 * before and meanwhile, and of the records that were timed meanwhile the 99th percentile in
 * microseconds.
 */
final class RefreshJob {

  private static final int SUBTASKS =
      Math.min(GatedSource.GATES.length, Runtime.getRuntime().availableProcessors());
  private static final long WARM_UP_MS = 10_000;
  private static final long BEFORE_MS = 5_000;

  /** Behind the swap, until the old rows are freed. */
  private static final long RETIRE_MS = 1_000;

  private static final long POLL_MS = 10;
  private static final double PERCENTILE = 0.99;

  /** What the job has written. */
  record Measured(double before, double during, double micros) {

    /** What is left of {@link #before} when one processor does nothing but load. */
    double wanted() {
      return before * (SUBTASKS - 1) / SUBTASKS;
    }
  }

  private RefreshJob() {}

  /** Runs the job in a JVM of its own, over the table with so many rows. */
  static Measured measure(String rows) throws IOException, InterruptedException {
    String written =
        Processes.outputOf(
            Processes.java(
                List.of(), List.of("-Drows=" + rows, "-Xmx1g"), RefreshJob.class, List.of()));
    String last = written.lines().reduce((first, second) -> second).orElseThrow();
    double[] numbers = Stream.of(last.split(" ")).mapToDouble(Double::parseDouble).toArray();
    return new Measured(numbers[0], numbers[1], numbers[2]);
  }

  public static void main(String[] arguments) throws Exception {
    Path metadata = DimensionBenchmark.generated();
    Path dimensions = metadata.resolve("dimensions");
    Files.writeString(
        dimensions.resolve("refreshed.toml"),
        Files.readString(dimensions.resolve("by_id.toml")) + "refresh = \"100 ms\"\n");
    Flow[] flows = Stream.generate(Flow::new).limit(SUBTASKS).toArray(Flow[]::new);
    for (int i = 0; i < SUBTASKS; i++) {
      GatedSource.GATES[i].watchedBy(flows[i]);
    }
    Worker.start(new Case(Work.LOOKUP_REFRESHED, true, SUBTASKS));
    for (int i = 0; i < SUBTASKS; i++) {
      GatedSource.GATES[i].grant(Long.MAX_VALUE);
    }
    Thread.sleep(WARM_UP_MS);
    Flow.enter(Phase.BEFORE);
    Thread.sleep(BEFORE_MS);
    double seconds = renew(metadata.resolve("measured"));
    for (Flow flow : flows) {
      flow.awaitOver();
    }
    double before = records(flows, Phase.BEFORE) * 1000.0 / BEFORE_MS;
    double during = records(flows, Phase.DURING) / seconds;
    long[] nanos = Arrays.stream(flows).flatMapToLong(RefreshJob::nanos).sorted().toArray();
    double micros = nanos[(int) (nanos.length * PERCENTILE)] / 1000.0;
    System.out.println(before + " " + during + " " + micros);
    Runtime.getRuntime().halt(0);
  }

  /** Shows the newer Hive partition until it is swapped in; the seconds that it took. */
  private static double renew(Path measured) throws IOException, InterruptedException {
    Path hidden = measured.resolve(".dt=2013-01-02");
    Path shown = measured.resolve("dt=2013-01-02");
    long known = refreshes();
    Flow.enter(Phase.DURING);
    long start = System.nanoTime();
    Files.move(hidden, shown);
    try {
      while (refreshes() == known) {
        Thread.sleep(POLL_MS);
      }
      Thread.sleep(RETIRE_MS);
      long end = System.nanoTime();
      Flow.enter(Phase.OVER);
      return (end - start) / 1e9;
    } finally {
      Files.move(shown, hidden);
    }
  }

  /** How often the dimension was loaded. */
  private static long refreshes() {
    return PeltonMetrics.sum("dimension.refreshed.refreshes");
  }

  private static long records(Flow[] flows, Phase phase) {
    return Arrays.stream(flows).mapToLong(flow -> flow.records(phase)).sum();
  }

  private static LongStream nanos(Flow flow) {
    return Arrays.stream(flow.nanos());
  }
}
