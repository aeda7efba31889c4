package org.pelton.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.pelton.bench.Case.Work;

/** The table for people, and {@code target/bench/flink.json} for machines. */
final class Report {

  static final Path JSON = Path.of("target/bench/flink.json");

  /** Written by {@code rust/decision/benches/decide.rs}. */
  private static final Path STEPS = Path.of("target/bench/decide.json");

  private static final String COMMAND = "make bench-flink";
  private static final double WANTED_OWN_COST = 500;

  /** A case that has its processor for less of the time shared it with something else. */
  private static final double QUIET = 0.97;

  private final List<OpenCase> cases;
  private final int rounds;
  private final double load;
  private final List<Comparison> rows = new ArrayList<>();

  Report(List<OpenCase> cases, int rounds, double load) {
    this.cases = cases;
    this.rounds = rounds;
    this.load = load;
  }

  void print() throws IOException {
    printTimes();
    for (boolean reuse : new boolean[] {true, false}) {
      for (int version : new int[] {1, 2}) {
        compare(version, reuse);
        ownCost(version, reuse);
      }
    }
    mlPredict();
    parallel();
    Comparison.print(rows);
    Comparison.write(rows, JSON);
  }

  private void printTimes() {
    System.out.printf("%nFlink 2.3, one processor, ns a record, %d rounds%n", rounds);
    System.out.printf(
        "%-72s%10s%10s%10s%14s%n", "", "median", "fastest", "slowest", "of processor");
    for (OpenCase open : cases) {
      System.out.printf(
          "%-72s%10.1f%10.1f%10.1f%14.1f%n",
          open.job.title(), open.nanos(), open.fastest(), open.slowest(), open.cpu());
    }
    System.out.printf("load average at the start of the first round: %.2f%n", load);
    if (cases.stream()
        .anyMatch(open -> open.cpu() < QUIET * open.nanos() * open.job.parallelism())) {
      System.out.println(
          "WARNING: the machine was busy with something else, so cases waited for a processor;"
              + " measure again");
    }
  }

  private void compare(int version, boolean reuse) {
    Work peer = version == 1 ? Work.ONNX_1 : Work.ONNX_2;
    throughput(
        "version " + version + " / ONNX Runtime in a UDTF" + objects(reuse),
        find(pelton(version), reuse, 1),
        find(peer, reuse, 1));
  }

  private void mlPredict() {
    for (boolean reuse : new boolean[] {true, false}) {
      throughput(
          "version 2 through ML_PREDICT / ONNX Runtime in a UDTF" + objects(reuse),
          find(Work.ML_PREDICT_2, reuse, 1),
          find(Work.ONNX_2, reuse, 1));
    }
  }

  private void parallel() {
    throughput(
        "version 2, parallelism 2 / parallelism 1" + objects(true),
        find(Work.PELTON_2, true, 2),
        find(Work.PELTON_2, true, 1));
  }

  private void throughput(String name, Optional<OpenCase> ours, Optional<OpenCase> peer) {
    if (ours.isPresent() && peer.isPresent()) {
      double a = 1e9 / ours.get().nanos();
      double b = 1e9 / peer.get().nanos();
      rows.add(Comparison.moreIsBetter(name, 1, a, b, "records/s", COMMAND));
    }
  }

  /** What Pelton costs beside Flink and the model: the wanted figure stands in place of a peer. */
  private void ownCost(int version, boolean reuse) throws IOException {
    Optional<OpenCase> ours = find(pelton(version), reuse, 1);
    Optional<OpenCase> echo = find(Work.ECHO, reuse, 1);
    if (ours.isPresent() && echo.isPresent()) {
      double own = ours.get().nanos() - echo.get().nanos() - modelNanos(version);
      rows.add(
          Comparison.lessIsBetter(
              "version " + version + ", own cost / wanted" + objects(reuse),
              1,
              own,
              WANTED_OWN_COST,
              "ns a record",
              COMMAND));
    }
  }

  private static double modelNanos(int version) throws IOException {
    Pattern entry = Pattern.compile("\"v" + version + " model `delay`\": (-?[0-9.]+)");
    Matcher found = entry.matcher(Files.readString(STEPS));
    if (!found.find()) {
      throw new IllegalStateException(STEPS + " has no model of version " + version);
    }
    return Double.parseDouble(found.group(1));
  }

  private Optional<OpenCase> find(Work work, boolean reuse, int parallelism) {
    Case job = new Case(work, reuse, parallelism);
    return cases.stream().filter(open -> open.job.equals(job)).findFirst();
  }

  private static Work pelton(int version) {
    return version == 1 ? Work.PELTON_1 : Work.PELTON_2;
  }

  private static String objects(boolean reuse) {
    return ", object reuse " + (reuse ? "on" : "off");
  }
}
