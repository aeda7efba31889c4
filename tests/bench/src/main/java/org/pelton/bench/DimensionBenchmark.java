package org.pelton.bench;

import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.pelton.bench.MemoryPeer.Holder;
import org.pelton.bench.MemoryPeer.Measured;

/**
 * {@code make bench-dimension}: dimensions beside what else holds a table for lookups. Prints a
 * table and writes {@code target/bench/dimension.json}.
 */
public final class DimensionBenchmark {

  private static final Path JSON = Path.of("target/bench/dimension.json");

  private static final String COMMAND = "make bench-dimension";

  /** Index included. */
  private static final double WANTED_OF_VALUE_BYTES = 0.70;

  private final List<Comparison> comparisons = new ArrayList<>();

  /** What {@code rust/dimension/benches/table.rs} has written: tables, and rows for peers. */
  private final Path generated = Path.of("target/bench/tables", System.getProperty("rows"));

  private DimensionBenchmark() {}

  public static void main(String[] arguments) throws Exception {
    DimensionBenchmark benchmark = new DimensionBenchmark();
    benchmark.memory();
    Comparison.print(benchmark.comparisons);
    Comparison.write(benchmark.comparisons, JSON);
  }

  /** Bytes a row on the heap, of the smallest table: they hardly depend on the number of rows. */
  private void memory() throws Exception {
    Path flights = Path.of("models/metadata");
    memory("BIGINT key", generated, "by_id");
    memory("16-character key", generated, "by_code");
    memory("the flights' planes", flights, "planes");
    memory("the flights' weather", flights, "weather");
  }

  private void memory(String table, Path metadata, String dimension) throws Exception {
    System.out.println("memory: " + table);
    JsonNode stats = stats(metadata.resolve("dimensions/" + dimension + ".toml"));
    double ours = stats.get("bytes").asDouble() / stats.get("rows").asDouble();
    Path rows = generated.resolve("rows").resolve(dimension);
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

  private static JsonNode stats(Path definition) throws Exception {
    String pelton = Path.of(System.getProperty("pelton.target"), "pelton").toString();
    String[] command = {pelton, "dimension", "stats", definition.toString(), "--json"};
    ProcessBuilder process = new ProcessBuilder(command).redirectError(Redirect.INHERIT);
    return new ObjectMapper().readTree(Processes.outputOf(process));
  }
}
