package org.pelton.bench;

import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * {@code make bench-flink}: what a record costs in a real Flink job, by Pelton and by its peers.
 *
 * <p>Every case is a job in a JVM of its own, on one processor, over the same 4,096 real flights
 * that a number sequence repeats; it ends in the black hole. All jobs stay open and take turns,
 * round by round, so that what else the machine does hits all of them alike. Prints a table and
 * writes {@code target/bench/flink.json}.
 */
public final class FlinkBenchmark {

  private FlinkBenchmark() {}

  public static void main(String[] arguments) throws Exception {
    int rounds = Integer.getInteger("rounds");
    Path pelton = Path.of(System.getProperty("pelton.target"), "pelton");
    Files.createDirectories(Report.JSON.getParent());
    for (int version : new int[] {1, 2}) {
      ModelInputs.prepare(version, pelton);
    }
    List<OpenCase> cases = new ArrayList<>();
    try {
      for (Case job : Case.decisions()) {
        if (job.name().contains(System.getProperty("only"))) {
          System.out.println("warming up: " + job.title());
          OpenCase open = new OpenCase(job);
          cases.add(open);
          open.warmUp();
        }
      }
      double load = load();
      for (int round = 0; round < rounds; round++) {
        for (OpenCase open : cases) {
          open.measure();
        }
      }
      new Report(cases, rounds, load).print();
    } finally {
      cases.forEach(OpenCase::close);
    }
  }

  private static double load() {
    return ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
  }
}
