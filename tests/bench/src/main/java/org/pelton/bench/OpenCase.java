package org.pelton.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A case whose {@link Worker} runs: it takes its turns, and keeps their times. */
final class OpenCase implements AutoCloseable {

  private static final long SECOND = 1_000_000_000L;

  /** Processor time of a case before it counts: the JIT compiler is done long before. */
  private static final long WARM_UP = 5 * SECOND;

  private static final long TURN = SECOND / 2;

  final Case job;

  private final Process process;
  private final PrintStream orders;
  private final BufferedReader times;

  /** Records of a turn in each subtask, for about {@link #TURN} nanoseconds. */
  private long records = 10_000;

  private final List<Double> nanos = new ArrayList<>();
  private final List<Double> cpu = new ArrayList<>();

  /** Starts its worker, with options for its JVM. */
  OpenCase(Case job, String... options) throws IOException {
    this.job = job;
    process =
        Processes.java(
                Processes.pinned(job.parallelism()),
                List.of(options),
                Worker.class,
                List.of(job.name().split(" ")))
            .start();
    orders = new PrintStream(process.getOutputStream(), true);
    times = process.inputReader();
  }

  void warmUp() throws IOException {
    long worked = 0;
    while (worked < WARM_UP) {
      long cpu = turn()[1];
      worked += cpu;
      records = Math.max(1000, records * TURN * job.parallelism() / cpu);
    }
  }

  void measure() throws IOException {
    long[] times = turn();
    nanos.add((double) times[0] / (records * job.parallelism()));
    cpu.add((double) times[1] / (records * job.parallelism()));
  }

  /** Nanoseconds, and nanoseconds of a processor. */
  private long[] turn() throws IOException {
    orders.println(records);
    String line = times.readLine();
    if (line == null) {
      throw new IllegalStateException(
          job.title() + ": ended with exit code " + process.onExit().join().exitValue());
    }
    return Arrays.stream(line.split(" ")).mapToLong(Long::parseLong).toArray();
  }

  /** Nanoseconds a record, in the median of the turns; of all subtasks together. */
  double nanos() {
    return median(nanos);
  }

  double fastest() {
    return nanos.stream().min(Double::compare).orElseThrow();
  }

  double slowest() {
    return nanos.stream().max(Double::compare).orElseThrow();
  }

  /** Nanoseconds of a processor for a record: less than {@link #nanos} on a busy machine. */
  double cpu() {
    return median(cpu);
  }

  @Override
  public void close() {
    orders.close();
    process.destroy();
  }

  private static double median(List<Double> values) {
    List<Double> sorted = values.stream().sorted().toList();
    int middle = sorted.size() / 2;
    return sorted.size() % 2 == 1
        ? sorted.get(middle)
        : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
  }
}
