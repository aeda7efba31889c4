package org.pelton.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.Arrays;
import java.util.stream.Stream;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.data.binary.BinaryStringData;

/** Real flights, or the models' inputs that were computed from them, as rows in memory. */
final class Flights {

  /** A power of two. */
  static final int COUNT = 4096;

  static final Path CSV = Path.of("models/flights/2013-12.csv");

  private Flights() {}

  /** The rows of {@link #CSV}, or of a file of {@link ModelInputs}. */
  static RowData[] rows(Path file) throws IOException {
    return file.equals(CSV) ? flights() : vectors(file);
  }

  /** The arguments of the decision, as a format of a connector makes them. */
  private static RowData[] flights() throws IOException {
    try (Stream<String> lines = Files.lines(CSV)) {
      return lines.limit(COUNT).map(Flights::flight).toArray(RowData[]::new);
    }
  }

  /** The file has the flight's number as its second column and the truth as its last. */
  private static RowData flight(String line) {
    String[] fields = line.split(",", -1);
    return GenericRowData.of(
        text(fields[0]),
        text(fields[2]),
        text(fields[3]),
        text(fields[4]),
        TimestampData.fromLocalDateTime(LocalDateTime.parse(fields[5].replace(' ', 'T'))),
        fields[6].isEmpty() ? null : Integer.valueOf(fields[6]),
        fields[7].isEmpty() ? null : Double.valueOf(fields[7]),
        fields[8].isEmpty() ? null : Integer.valueOf(fields[8]));
  }

  /** Encoded once: a text that is not would be encoded by the first case that reads it. */
  private static StringData text(String field) {
    if (field.isEmpty()) {
      return null;
    }
    BinaryStringData text = BinaryStringData.fromString(field);
    text.ensureMaterialized();
    return text;
  }

  /** One column: the model's input, float by float, in the byte order of the machine. */
  private static RowData[] vectors(Path file) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    int size = bytes.length / COUNT;
    RowData[] rows = new RowData[COUNT];
    for (int i = 0; i < COUNT; i++) {
      rows[i] = GenericRowData.of((Object) Arrays.copyOfRange(bytes, i * size, (i + 1) * size));
    }
    return rows;
  }
}
