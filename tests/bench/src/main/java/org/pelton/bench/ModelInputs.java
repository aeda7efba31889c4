package org.pelton.bench;

import ai.onnxruntime.OrtException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The inputs of a version's model for the flights of {@link Flights}, computed by {@code pelton
 * run} of the same decision with another output list, and what ONNX Runtime must make of them.
 */
final class ModelInputs {

  private static final Pattern COLUMNS = Pattern.compile("columns = \\[([^\\]]*)\\]");
  private static final Pattern OUTPUT =
      Pattern.compile("^output = (\"\"\".*?\"\"\"|\".*?\")", Pattern.MULTILINE | Pattern.DOTALL);
  private static final double TOLERANCE = 1e-5;

  private ModelInputs() {}

  /** Where the inputs of a version stand: {@link Flights#COUNT} rows of floats. */
  static Path file(int version) {
    return Path.of("target/bench/v" + version + ".f32");
  }

  static Path model(int version) {
    return Path.of("models/arrival_delay/v" + version + "/delay.onnx");
  }

  /** Writes the file of a version. */
  static void prepare(int version, Path pelton) throws Exception {
    List<String> lines = decide(version, pelton);
    int columns = lines.get(0).split(",", -1).length - 1;
    ByteBuffer inputs =
        ByteBuffer.allocate(Flights.COUNT * columns * Float.BYTES).order(ByteOrder.nativeOrder());
    ByteBuffer expected = ByteBuffer.allocate(Flights.COUNT * Float.BYTES);
    for (int i = 0; i < Flights.COUNT; i++) {
      String[] fields = lines.get(i + 1).split(",", -1);
      expected.putFloat(number(fields[0]));
      Arrays.stream(fields).skip(1).forEach(field -> inputs.putFloat(number(field)));
    }
    Files.write(file(version), inputs.array());
    Files.write(expected(version), expected.array());
  }

  /** The lines of a CSV file with a header: p_late, then the columns of the model's input. */
  private static List<String> decide(int version, Path pelton) throws Exception {
    Path work = Files.createDirectories(Path.of("target/bench/inputs-v" + version));
    String toml = Files.readString(model(version).resolveSibling("decision.toml"));
    Matcher columns = COLUMNS.matcher(toml);
    if (!columns.find()) {
      throw new IllegalStateException("decision.toml lists no columns");
    }
    String[] names = columns.group(1).replace("\"", "").split(", ");
    String output =
        IntStream.range(0, names.length)
            .mapToObj(i -> ", " + names[i] + " AS x" + i)
            .reduce("output = \"p_late", String::concat);
    toml = OUTPUT.matcher(toml).replaceFirst(Matcher.quoteReplacement(output + "\""));
    Files.writeString(work.resolve("decision.toml"), toml);
    Files.write(work.resolve("delay.onnx"), Files.readAllBytes(model(version)));
    try (Stream<String> flights = Files.lines(Flights.CSV)) {
      Files.write(work.resolve("in.csv"), flights.limit(Flights.COUNT).toList());
    }
    Processes.run(
        pelton.toString(),
        "run",
        "--decision",
        work.toString(),
        "--metadata",
        "models/metadata",
        "--columns",
        Files.readString(Path.of("models/flights/flights.columns")),
        "--input",
        work.resolve("in.csv").toString(),
        "--output",
        work.resolve("out.csv").toString());
    return Files.readAllLines(work.resolve("out.csv"));
  }

  /** As Pelton fills a float tensor: NULL is NaN, a BOOLEAN 0 or 1, a DOUBLE narrows. */
  private static float number(String field) {
    return switch (field) {
      case "" -> Float.NaN;
      case "true" -> 1;
      case "false" -> 0;
      default -> (float) Double.parseDouble(field);
    };
  }

  /** That ONNX Runtime and Pelton agree on all rows, so that both do the same work. */
  static void check(int version) throws OrtException, IOException {
    byte[] inputs = Files.readAllBytes(file(version));
    ByteBuffer expected = ByteBuffer.wrap(Files.readAllBytes(expected(version)));
    int size = inputs.length / Flights.COUNT;
    try (OnnxModel model = new OnnxModel(model(version))) {
      for (int i = 0; i < Flights.COUNT; i++) {
        float found = model.run(Arrays.copyOfRange(inputs, i * size, (i + 1) * size));
        float ours = expected.getFloat();
        if (Math.abs(found - ours) > TOLERANCE) {
          throw new IllegalStateException(
              String.format(
                  "version %d, flight %d: ONNX Runtime says %s, Pelton %s",
                  version, i, found, ours));
        }
      }
    }
  }

  private static Path expected(int version) {
    return Path.of("target/bench/v" + version + ".p_late");
  }
}
