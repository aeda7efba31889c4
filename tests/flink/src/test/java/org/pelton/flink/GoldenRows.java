package org.pelton.flink;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Arrays;
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
import org.apache.flink.table.types.logical.DecimalType;
import org.apache.flink.table.types.logical.LocalZonedTimestampType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.table.types.logical.TimestampType;
import org.apache.flink.table.types.logical.VarCharType;
import org.apache.flink.table.types.logical.utils.LogicalTypeParser;

/** Ordinary and ugly rows of every type, always the same ones. */
final class GoldenRows {

  private GoldenRows() {}

  /** One file of rows. */
  record Schema(String file, String columns, int randomRows) {
    RowType rowType() {
      return (RowType)
          LogicalTypeParser.parse("ROW<" + columns + ">", GoldenRows.class.getClassLoader());
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
            "decimals",
            "a DECIMAL(5, 2), b DECIMAL(18, 0), c DECIMAL(19, 4), d DECIMAL(38, 18), e DECIMAL(38, 0)",
            24),
        new Schema(
            "bytes_and_times",
            "a BYTES, b BINARY(3), c VARBINARY(20), d TIME(0), e TIME(3),"
                + " f TIMESTAMP_LTZ(3), g TIMESTAMP_LTZ(6)",
            24),
        new Schema(
            "nested",
            "a ARRAY<INT>, b ARRAY<STRING>, c MAP<STRING, DOUBLE>, d ROW<x INT, y STRING>,"
                + " e ARRAY<ROW<x BIGINT, y ARRAY<DOUBLE>>>, f ARRAY<FLOAT NOT NULL>,"
                + " g ARRAY<BOOLEAN>, h MAP<INT, ROW<x TIMESTAMP(6)>>",
            24),
        new Schema(
            "nested_of_all_types",
            "a ARRAY<DECIMAL(5, 2)>, b ARRAY<DECIMAL(38, 10)>, c ARRAY<ARRAY<STRING>>,"
                + " d ROW<x ROW<y STRING, z DECIMAL(20, 2)>, w TIMESTAMP(6)>,"
                + " e MAP<STRING, ARRAY<INT>>, f ARRAY<TIME(3)>, g ARRAY<TIMESTAMP_LTZ(9)>,"
                + " h ARRAY<BYTES>, i ARRAY<MAP<STRING, STRING>>, j ARRAY<SMALLINT>,"
                + " k ARRAY<TINYINT NOT NULL>, l ARRAY<BIGINT>, m ARRAY<DATE>,"
                + " n MAP<BIGINT, DECIMAL(19, 4)>, o ARRAY<CHAR(3)>, p ROW<x BINARY(3), y BOOLEAN>",
            12));
  }

  /** Every value of every column at least once, then rows at random, then a row of NULLs. */
  static List<GenericRowData> rows(RowType type, int randomRows) {
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
        if (elements.get(0) instanceof Integer || elements.get(0) instanceof Boolean) {
          // The null bits take three words of 32.
          Object[] many = new Object[70];
          Arrays.setAll(many, i -> elements.get(i % elements.size()));
          values.add(new GenericArrayData(many));
        }
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
}
