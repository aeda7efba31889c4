package org.pelton.flink;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
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
import org.apache.flink.table.types.logical.DecimalType;
import org.apache.flink.table.types.logical.LocalZonedTimestampType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.table.types.logical.TimestampType;
import org.apache.flink.table.types.logical.VarCharType;
import org.apache.flink.table.types.logical.utils.LogicalTypeParser;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The rows in {@code tests/golden/binary_row} are written by Flink's own serializer; the Rust
 * reader and writer are tested against them.
 *
 * <p>This test fails when a Flink line writes other bytes than the committed ones. After a change
 * to the rows below, run it with {@code -Dpelton.golden.write=true} to write the files again.
 */
class GoldenBinaryRowTest {

  private static final Path DIRECTORY = TestPaths.root().resolve("tests/golden/binary_row");

  /** One file of rows. */
  record Schema(String file, String columns, int randomRows) {
    RowType rowType() {
      return (RowType)
          LogicalTypeParser.parse(
              "ROW<" + columns + ">", GoldenBinaryRowTest.class.getClassLoader());
    }

    @Override
    public String toString() {
      return file;
    }
  }

  static Stream<Schema> schemas() {
    StringBuilder wide = new StringBuilder("c0 INT");
    String[] types = {"INT", "STRING", "DOUBLE", "BOOLEAN", "TIMESTAMP(6)", "BIGINT", "DATE"};
    for (int i = 1; i < 75; i++) {
      wide.append(", c").append(i).append(' ').append(types[i % types.length]);
    }
    return Stream.of(
        new Schema(
            "fixed_width",
            "a BOOLEAN, b TINYINT, c SMALLINT, d INT, e BIGINT, f FLOAT, g DOUBLE, h DATE",
            24),
        new Schema("strings", "a STRING, b CHAR(3), c VARCHAR(300), d STRING", 24),
        new Schema(
            "timestamps",
            "a TIMESTAMP(0), b TIMESTAMP(1), c TIMESTAMP(2), d TIMESTAMP(3), e TIMESTAMP(4),"
                + " f TIMESTAMP(5), g TIMESTAMP(6), h TIMESTAMP(7), i TIMESTAMP(8), j TIMESTAMP(9)",
            24),
        new Schema("not_null", "a INT NOT NULL, b STRING NOT NULL, c TIMESTAMP(6) NOT NULL", 12),
        new Schema(
            "mixed",
            "s STRING, a BOOLEAN, t6 TIMESTAMP(6), b TINYINT, u VARCHAR(9), c SMALLINT, d INT,"
                + " t3 TIMESTAMP(3), e BIGINT, f FLOAT, v CHAR(3), g DOUBLE, h DATE, t9 TIMESTAMP(9)",
            200),
        new Schema("wide_75_columns", wide.toString(), 24),
        new Schema(
            "later_decimals",
            "a DECIMAL(5, 2), b DECIMAL(18, 0), c DECIMAL(19, 4), d DECIMAL(38, 18), e DECIMAL(38, 0)",
            24),
        new Schema(
            "later_bytes_and_times",
            "a BYTES, b BINARY(3), c VARBINARY(20), d TIME(0), e TIME(3),"
                + " f TIMESTAMP_LTZ(3), g TIMESTAMP_LTZ(6)",
            24),
        new Schema(
            "later_nested",
            "a ARRAY<INT>, b ARRAY<STRING>, c MAP<STRING, DOUBLE>, d ROW<x INT, y STRING>,"
                + " e ARRAY<ROW<x BIGINT, y ARRAY<DOUBLE>>>, f ARRAY<FLOAT NOT NULL>,"
                + " g ARRAY<BOOLEAN>, h MAP<INT, ROW<x TIMESTAMP(6)>>",
            24));
  }

  @ParameterizedTest
  @MethodSource("schemas")
  void committedRowsAreWhatFlinkWrites(Schema schema) throws Exception {
    RowType rowType = schema.rowType();
    RowDataSerializer serializer = new RowDataSerializer(rowType);
    List<String> lines = new ArrayList<>();
    for (GenericRowData row : rows(rowType, schema.randomRows())) {
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
  void committedRowsWithReservedNullsAreWhatFlinkWrites(Schema schema) throws Exception {
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

  static Stream<Schema> reserved() {
    return Stream.of(
        new Schema("timestamps_reserved_null", "a TIMESTAMP(6), b STRING, c TIMESTAMP(9)", 0));
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

  /** Every value of every column at least once, then rows at random, then a row of NULLs. */
  private static List<GenericRowData> rows(RowType type, int randomRows) {
    List<List<Object>> values = new ArrayList<>();
    int longest = 0;
    for (LogicalType child : type.getChildren()) {
      values.add(values(child));
      longest = Math.max(longest, values.get(values.size() - 1).size());
    }
    Random random = new Random(42);
    List<GenericRowData> rows = new ArrayList<>();
    for (int i = 0; i < longest + randomRows + 1; i++) {
      GenericRowData row = new GenericRowData(values.size());
      for (int column = 0; column < values.size(); column++) {
        List<Object> all = values.get(column);
        int pick = i < longest ? i % all.size() : random.nextInt(all.size());
        boolean last = i == longest + randomRows;
        row.setField(column, last && all.contains(null) ? null : all.get(pick));
      }
      rows.add(row);
    }
    return rows;
  }

  /** Ordinary and extreme values in Flink's internal form, and NULL where the type allows it. */
  private static List<Object> values(LogicalType type) {
    List<Object> values = new ArrayList<>();
    switch (type.getTypeRoot()) {
      case BOOLEAN -> values.addAll(List.of(true, false));
      case TINYINT -> values.addAll(List.of((byte) 0, (byte) -1, Byte.MIN_VALUE, Byte.MAX_VALUE));
      case SMALLINT ->
          values.addAll(List.of((short) 0, (short) -1, Short.MIN_VALUE, Short.MAX_VALUE));
      case INTEGER -> values.addAll(List.of(0, -1, 1234567, Integer.MIN_VALUE, Integer.MAX_VALUE));
      // 0001-01-01, 1969-12-31, 2000-02-29, 9999-12-31 as days since 1970
      case DATE -> values.addAll(List.of(-719162, -1, 0, 11016, 2932896));
      case TIME_WITHOUT_TIME_ZONE -> values.addAll(List.of(0, 1000, 86_399_000));
      case BIGINT -> values.addAll(List.of(0L, -1L, 1L << 40, Long.MIN_VALUE, Long.MAX_VALUE));
      case FLOAT ->
          values.addAll(
              List.of(
                  0f,
                  -0f,
                  1.1f,
                  Float.MIN_VALUE,
                  Float.MIN_NORMAL,
                  -Float.MAX_VALUE,
                  Float.NaN,
                  Float.POSITIVE_INFINITY,
                  Float.NEGATIVE_INFINITY));
      case DOUBLE ->
          values.addAll(
              List.of(
                  0d,
                  -0d,
                  1.1d,
                  Double.MIN_VALUE,
                  Double.MIN_NORMAL,
                  -Double.MAX_VALUE,
                  Double.NaN,
                  Double.POSITIVE_INFINITY,
                  Double.NEGATIVE_INFINITY));
      case CHAR -> Stream.of("abc", "äöü", "日本語").map(StringData::fromString).forEach(values::add);
      case VARCHAR ->
          varchars(((VarCharType) type).getLength())
              .map(StringData::fromString)
              .forEach(values::add);
      case BINARY -> values.addAll(List.of(new byte[] {0, 1, -1}, new byte[3]));
      case VARBINARY ->
          values.addAll(
              List.of(new byte[0], new byte[] {-128}, new byte[7], new byte[8], new byte[20]));
      case TIMESTAMP_WITHOUT_TIME_ZONE ->
          timestamps(((TimestampType) type).getPrecision()).forEach(values::add);
      case TIMESTAMP_WITH_LOCAL_TIME_ZONE ->
          timestamps(((LocalZonedTimestampType) type).getPrecision()).forEach(values::add);
      case DECIMAL -> decimals((DecimalType) type).forEach(values::add);
      case ARRAY -> {
        List<Object> elements = values(type.getChildren().get(0));
        values.add(new GenericArrayData(new Object[0]));
        values.add(new GenericArrayData(elements.subList(0, 1).toArray()));
        values.add(new GenericArrayData(elements.toArray()));
      }
      case MAP -> {
        List<Object> keys = values(type.getChildren().get(0));
        List<Object> targets = values(type.getChildren().get(1));
        Map<Object, Object> map = new LinkedHashMap<>();
        map.put(keys.get(0), targets.get(targets.size() - 1));
        values.add(new GenericMapData(Map.of()));
        values.add(new GenericMapData(Map.of(keys.get(1), targets.get(0))));
        values.add(new GenericMapData(map));
      }
      case ROW -> rows((RowType) type, 3).forEach(values::add);
      default -> throw new IllegalArgumentException("no values for " + type);
    }
    if (type.isNullable()) {
      values.add(null);
    }
    return values;
  }

  /** Up to 7 bytes a string lies in the row's fixed part, from 8 on in its variable part. */
  private static Stream<String> varchars(int length) {
    return Stream.of(
            "",
            "a",
            "1234567",
            "12345678",
            "123456789",
            "äöü",
            "äöüß",
            "日本語",
            "🛩",
            "🛩🛩",
            "tab\t, quote \" and \\",
            "\u0000",
            "x".repeat(300))
        .filter(text -> text.length() <= length);
  }

  private static Stream<TimestampData> timestamps(int precision) {
    int unit = (int) Math.pow(10, 9 - precision); // nanoseconds
    return Stream.of(
            TimestampData.fromEpochMillis(0),
            TimestampData.fromEpochMillis(-1, 999_999),
            TimestampData.fromEpochMillis(1_356_998_400_123L, 456_789),
            TimestampData.fromEpochMillis(-62_135_596_800_000L), // 0001-01-01 00:00:00
            TimestampData.fromEpochMillis(253_402_300_799_999L, 999_999), // the end of 9999
            TimestampData.fromEpochMillis(-86_400_000L, 1))
        .map(
            time -> {
              long ofSecond =
                  Math.floorMod(time.getMillisecond(), 1000L) * 1_000_000L
                      + time.getNanoOfMillisecond();
              long cut = ofSecond / unit * unit;
              return TimestampData.fromEpochMillis(
                  Math.floorDiv(time.getMillisecond(), 1000L) * 1000L + cut / 1_000_000,
                  (int) (cut % 1_000_000));
            });
  }

  private static Stream<DecimalData> decimals(DecimalType type) {
    BigDecimal unit = BigDecimal.ONE.movePointLeft(type.getScale());
    BigDecimal largest = BigDecimal.TEN.pow(type.getPrecision()).subtract(BigDecimal.ONE);
    largest = largest.movePointLeft(type.getScale());
    return Stream.of(BigDecimal.ZERO, unit, unit.negate(), largest, largest.negate())
        .map(value -> DecimalData.fromBigDecimal(value, type.getPrecision(), type.getScale()));
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
