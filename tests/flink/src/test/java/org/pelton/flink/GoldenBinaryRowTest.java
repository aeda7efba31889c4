package org.pelton.flink;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.apache.flink.table.data.DecimalData;
import org.apache.flink.table.data.GenericArrayData;
import org.apache.flink.table.data.GenericMapData;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.data.binary.BinaryRowData;
import org.apache.flink.table.data.writer.BinaryRowWriter;
import org.apache.flink.table.runtime.typeutils.RowDataSerializer;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.RowType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.pelton.TestPaths;

/**
 * The rows in {@code tests/golden/binary_row} are written by Flink's own serializer; the Rust
 * reader and writer are tested against them.
 *
 * <p>This test fails when a Flink line writes other bytes than the committed ones. After a change
 * to the rows below, run it with {@code -Dpelton.golden.write=true} to write the files again.
 */
class GoldenBinaryRowTest {

  private static final Path DIRECTORY = TestPaths.root().resolve("tests/golden/binary_row");

  @ParameterizedTest
  @MethodSource("org.pelton.flink.GoldenRows#schemas")
  void committedRowsAreWhatFlinkWrites(GoldenRows.Schema schema) throws Exception {
    RowType rowType = schema.rowType();
    RowDataSerializer serializer = new RowDataSerializer(rowType);
    List<String> lines = new ArrayList<>();
    for (GenericRowData row : GoldenRows.rows(rowType, schema.randomRows())) {
      lines.add(line(row, rowType, serializer.toBinaryRow(row)));
    }
    check(schema.file(), schema.columns(), lines);
  }

  /**
   * Flink's generated code writes a NULL of a wide TIMESTAMP another way than its serializer: it
   * reserves the 8 bytes in the variable part. A reader sees both.
   */
  @ParameterizedTest
  @MethodSource("reserved")
  void committedRowsWithReservedNullsAreWhatFlinkWrites(GoldenRows.Schema schema) throws Exception {
    RowType rowType = schema.rowType();
    List<String> lines = new ArrayList<>();
    StringData text = StringData.fromString("longer than seven bytes");
    TimestampData time = TimestampData.fromEpochMillis(-1, 999_999);
    for (GenericRowData row :
        List.of(
            GenericRowData.of(null, text, null),
            GenericRowData.of(null, null, time),
            GenericRowData.of(time, text, null),
            GenericRowData.of(null, null, null))) {
      BinaryRowData binary = new BinaryRowData(3);
      BinaryRowWriter writer = new BinaryRowWriter(binary);
      writer.writeTimestamp(0, (TimestampData) row.getField(0), 6);
      if (row.isNullAt(1)) {
        writer.setNullAt(1);
      } else {
        writer.writeString(1, text);
      }
      writer.writeTimestamp(2, (TimestampData) row.getField(2), 9);
      writer.complete();
      lines.add(line(row, rowType, binary));
    }
    check(schema.file(), schema.columns(), lines);
  }

  /** As with a TIMESTAMP: a DECIMAL of more than 18 digits keeps its 16 bytes. */
  @Test
  void committedDecimalsWithReservedNullsAreWhatFlinkWrites() throws Exception {
    GoldenRows.Schema schema =
        new GoldenRows.Schema(
            "decimals_reserved_null", "a DECIMAL(19, 2), b STRING, c DECIMAL(38, 10)", 0);
    StringData text = StringData.fromString("longer than seven bytes");
    DecimalData price = DecimalData.fromBigDecimal(new BigDecimal("-12.34"), 19, 2);
    DecimalData rate = DecimalData.fromBigDecimal(new BigDecimal("0.0000000001"), 38, 10);
    List<String> lines = new ArrayList<>();
    for (GenericRowData row :
        List.of(
            GenericRowData.of(null, text, null),
            GenericRowData.of(null, text, rate),
            GenericRowData.of(price, text, null),
            GenericRowData.of(price, text, rate))) {
      BinaryRowData binary = new BinaryRowData(3);
      BinaryRowWriter writer = new BinaryRowWriter(binary);
      writer.writeDecimal(0, (DecimalData) row.getField(0), 19);
      writer.writeString(1, text);
      writer.writeDecimal(2, (DecimalData) row.getField(2), 38);
      writer.complete();
      lines.add(line(row, schema.rowType(), binary));
    }
    check(schema.file(), schema.columns(), lines);
  }

  static Stream<GoldenRows.Schema> reserved() {
    return Stream.of(
        new GoldenRows.Schema(
            "timestamps_reserved_null", "a TIMESTAMP(6), b STRING, c TIMESTAMP(9)", 0));
  }

  private static void check(String file, String columns, List<String> lines) throws Exception {
    String text =
        "{\n  \"columns\": \""
            + columns
            + "\",\n  \"rows\": [\n"
            + String.join(",\n", lines)
            + "\n  ]\n}\n";
    Path path = DIRECTORY.resolve(file + ".json");
    if (Boolean.getBoolean("pelton.golden.write")) {
      Files.writeString(path, text);
    }
    assertThat(path).as("rows of %s", file).hasContent(text);
  }

  private static String line(GenericRowData row, RowType type, BinaryRowData binary) {
    byte[] bytes = new byte[binary.getSizeInBytes()];
    binary.getSegments()[0].get(binary.getOffset(), bytes);
    return "    {\"values\": "
        + json(row, type)
        + ", \"hex\": \""
        + HexFormat.of().formatHex(bytes)
        + "\"}";
  }

  /**
   * Integers, BOOLEAN and DATE (days) are JSON numbers; FLOAT, DOUBLE and DECIMAL are strings (JSON
   * knows no NaN); a TIMESTAMP is [milliseconds, nanoseconds of the millisecond]; BYTES are hex;
   * ARRAY and ROW are lists, MAP is a list of pairs.
   */
  private static String json(Object value, LogicalType type) {
    if (value == null) {
      return "null";
    } else if (value instanceof StringData) {
      return quote(value.toString());
    } else if (value instanceof Float || value instanceof Double || value instanceof DecimalData) {
      return quote(value.toString());
    } else if (value instanceof byte[] bytes) {
      return quote(HexFormat.of().formatHex(bytes));
    } else if (value instanceof TimestampData time) {
      return "[" + time.getMillisecond() + ", " + time.getNanoOfMillisecond() + "]";
    } else if (value instanceof GenericRowData row) {
      List<String> fields = new ArrayList<>();
      for (int i = 0; i < row.getArity(); i++) {
        fields.add(json(row.getField(i), type.getChildren().get(i)));
      }
      return fields.toString();
    } else if (value instanceof GenericArrayData array) {
      return Stream.of(array.toObjectArray())
          .map(element -> json(element, type.getChildren().get(0)))
          .toList()
          .toString();
    } else if (value instanceof GenericMapData map) {
      List<String> entries = new ArrayList<>();
      Object[] keys = ((GenericArrayData) map.keyArray()).toObjectArray();
      for (Object key : keys) {
        String target = json(map.get(key), type.getChildren().get(1));
        entries.add("[" + json(key, type.getChildren().get(0)) + ", " + target + "]");
      }
      return entries.toString();
    }
    return value.toString();
  }

  private static String quote(String text) {
    StringBuilder json = new StringBuilder("\"");
    for (char c : text.toCharArray()) {
      if (c == '"' || c == '\\') {
        json.append('\\').append(c);
      } else if (c < ' ') {
        json.append(String.format("\\u%04x", (int) c));
      } else {
        json.append(c);
      }
    }
    return json.append('"').toString();
  }
}
