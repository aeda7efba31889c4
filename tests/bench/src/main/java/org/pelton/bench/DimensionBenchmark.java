package org.pelton.bench;

import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.pelton.bench.Case.Work;
import org.pelton.bench.MemoryPeer.Holder;
import org.pelton.bench.MemoryPeer.Measured;

/**
 * {@code make bench-dimension}: dimensions beside what else holds a table for lookups. Prints a
 * table and writes {@code target/bench/dimension.json}.
 */
public final class DimensionBenchmark {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Path WRITTEN = Path.of("target/bench/dimension.json");

  private static final String COMMAND = "make bench-dimension";

  /** Index included. */
  private static final double WANTED_OF_VALUE_BYTES = 0.70;

  /** Of a record while a dimension is renewed. */
  private static final double WANTED_MICROS = 1000;

  /** For a million rows of three columns as objects. */
  private static final String HEAP = "-Xmx4g";

  private final List<Comparison> comparisons = new ArrayList<>();

  private DimensionBenchmark() {}

  public static void main(String[] arguments) throws Exception {
    DimensionBenchmark benchmark = new DimensionBenchmark();
    benchmark.memory();
    benchmark.lookupJoin();
    benchmark.refresh();
    benchmark.inRust();
    Comparison.print(benchmark.comparisons);
    Comparison.write(benchmark.comparisons, WRITTEN);
  }

  /** What {@code rust/dimension/benches/table.rs} has written: tables, and rows for peers. */
  static Path generated() {
    return Path.of("target/bench/tables", System.getProperty("rows"));
  }

  /** Bytes a row on the heap, of the smallest table: they hardly depend on the number of rows. */
  private void memory() throws Exception {
    Path flights = Path.of("models/metadata");
    memory("BIGINT key", generated(), "by_id");
    memory("16-character key", generated(), "by_code");
    memory("the flights' planes", flights, "planes");
    memory("the flights' weather", flights, "weather");
  }

  private void memory(String table, Path metadata, String dimension) throws Exception {
    System.out.println("memory: " + table);
    JsonNode stats = stats(metadata.resolve("dimensions/" + dimension + ".toml"));
    double ours = stats.get("bytes").asDouble() / stats.get("rows").asDouble();
    Path rows = generated().resolve("rows").resolve(dimension);
    for (Holder holder : Holder.values()) {
      Measured peer = MemoryPeer.measure(holder, rows);
      String name = "memory, " + table + " / " + holder.title;
      comparisons.add(
          Comparison.lessIsBetter(
              name, peer.rows(), ours, peer.bytesPerRow(), "bytes a row", COMMAND));
      if (holder == Holder.HASH_MAP) {
        double wanted = WANTED_OF_VALUE_BYTES * peer.valueBytesPerRow();
        comparisons.add(
            Comparison.lessIsBetter(
                "memory, " + table + " / wanted: 0.70 times the bytes of the values",
                peer.rows(),
                ours,
                wanted,
                "bytes a row",
                COMMAND));
      }
    }
  }

  /** Records a second of a job with a lookup join, by turns with the same job over its peer. */
  private void lookupJoin() throws Exception {
    for (boolean reuse : new boolean[] {true, false}) {
      try (OpenCase ours = new OpenCase(new Case(Work.LOOKUP_PELTON, reuse, 1), HEAP);
          OpenCase peer = new OpenCase(new Case(Work.LOOKUP_HASH_MAP, reuse, 1), HEAP)) {
        for (OpenCase open : List.of(ours, peer)) {
          System.out.println("warming up: " + open.job.title());
          open.warmUp();
        }
        for (int round = 0; round < Integer.getInteger("rounds"); round++) {
          ours.measure();
          peer.measure();
        }
        String objects = ", object reuse " + (reuse ? "on" : "off");
        comparisons.add(
            Comparison.moreIsBetter(
                "lookup, in a Flink lookup join / HashMap lookup function" + objects,
                Long.getLong("rows"),
                1e9 / ours.nanos(),
                1e9 / peer.nanos(),
                "records/s",
                COMMAND));
      }
    }
  }

  /** A job whose dimension is renewed while records flow, at the largest number of rows. */
  private void refresh() throws Exception {
    String most = System.getProperty("most");
    System.out.println("refresh in a Flink lookup join: " + most + " rows");
    RefreshJob.Measured measured = RefreshJob.measure(most);
    long rows = Long.parseLong(most);
    comparisons.add(
        Comparison.lessIsBetter(
            "refresh, in a Flink lookup join, p99 of a record / wanted",
            rows,
            measured.micros(),
            WANTED_MICROS,
            "us",
            COMMAND));
    comparisons.add(
        Comparison.moreIsBetter(
            "refresh, in a Flink lookup join, records during it / before, less one core",
            rows,
            measured.during(),
            measured.wanted(),
            "records/s",
            COMMAND));
  }

  /** What the benchmarks of {@code rust/dimension} have measured before. */
  private void inRust() throws IOException {
    try (Stream<Path> files = Files.list(Path.of("target/bench/dimension"))) {
      for (Path file : files.sorted().toList()) {
        for (JsonNode figure : JSON.readTree(file.toFile())) {
          comparisons.add(Comparison.of(figure));
        }
      }
    }
  }

  private static JsonNode stats(Path definition) throws Exception {
    String pelton = Path.of(System.getProperty("pelton.target"), "pelton").toString();
    String[] command = {pelton, "dimension", "stats", definition.toString(), "--json"};
    ProcessBuilder process = new ProcessBuilder(command).redirectError(Redirect.INHERIT);
    return JSON.readTree(Processes.outputOf(process));
  }
}
