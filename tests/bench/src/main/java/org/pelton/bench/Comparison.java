package org.pelton.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;

/**
 * One figure of ours beside its peer, or beside what is wanted.
 *
 * @param name what is compared, "ours / peer"
 * @param n rows: of a call, or of the table where that is what counts
 * @param ratio above 1: ours is better
 */
record Comparison(
    String name, long n, double ours, double peer, String unit, double ratio, String command) {

  /** Of what there should be much. */
  static Comparison moreIsBetter(
      String name, long n, double ours, double peer, String unit, String command) {
    return new Comparison(name, n, ours, peer, unit, ours / peer, command);
  }

  /** Of what there should be little. */
  static Comparison lessIsBetter(
      String name, long n, double ours, double peer, String unit, String command) {
    return new Comparison(name, n, ours, peer, unit, peer / ours, command);
  }

  /** What another benchmark has written. */
  static Comparison of(JsonNode json) {
    return new Comparison(
        json.get("case").asText(),
        json.get("n").asLong(),
        json.get("ours").asDouble(),
        json.get("peer").asDouble(),
        json.get("unit").asText(),
        json.get("ratio").asDouble(),
        json.get("command").asText());
  }

  /** For people. */
  static void print(List<Comparison> comparisons) {
    System.out.printf("%n%-72s%12s%12s%12s%9s%n", "", "n", "ours", "peer", "ratio");
    for (Comparison c : comparisons) {
      System.out.printf(
          "%-72s%12d%12.1f%12.1f%9.2f  %s%n", c.name, c.n, c.ours, c.peer, c.ratio, c.unit);
    }
  }

  /** For machines. */
  static void write(List<Comparison> comparisons, Path file) throws IOException {
    List<String> rows = comparisons.stream().map(Comparison::json).toList();
    Files.writeString(file, "[\n" + String.join(",\n", rows) + "\n]\n");
    System.out.println("written to " + file);
  }

  private String json() {
    return String.format(
        Locale.ROOT,
        "  {\"case\": \"%s\", \"n\": %d, \"ours\": %.1f, \"peer\": %.1f, \"unit\": \"%s\","
            + " \"ratio\": %.3f, \"command\": \"%s\"}",
        name,
        n,
        ours,
        peer,
        unit,
        ratio,
        command);
  }
}
