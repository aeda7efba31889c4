package org.pelton.flink;

import java.util.Optional;
import org.apache.flink.table.data.DecimalData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.data.binary.BinaryStringData;
import org.apache.flink.table.runtime.typeutils.ArrayDataSerializer;
import org.apache.flink.table.runtime.typeutils.MapDataSerializer;
import org.apache.flink.table.runtime.typeutils.RowDataSerializer;
import org.apache.flink.table.types.logical.ArrayType;
import org.apache.flink.table.types.logical.DecimalType;
import org.apache.flink.table.types.logical.LocalZonedTimestampType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.MapType;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.table.types.logical.TimestampType;

/**
 * Writes one column of a row, which is not NULL: returns the 8 bytes of its field, after what does
 * not fit in there has been written to the variable part.
 *
 * <p>The common types are told apart by a switch: a row has columns of several types, and a virtual
 * call of many targets would cost more than most of the work.
 */
final class FieldWriter {

  /** How a type that is not common is written. */
  @FunctionalInterface
  private interface Rare {
    long write(RowEncoder to, RowData row, int column);
  }

  private enum Kind {
    BOOLEAN,
    BYTE,
    SHORT,
    INT,
    LONG,
    FLOAT,
    DOUBLE,
    MILLISECONDS,
    STRING,
    BYTES,
    RARE
  }

  private final Kind kind;

  /** Of a timestamp, in digits of a second. */
  private final int precision;

  private final Rare rare;

  private FieldWriter(Kind kind, int precision, Rare rare) {
    this.kind = kind;
    this.precision = precision;
    this.rare = rare;
  }

  long write(RowEncoder to, RowData row, int column) {
    switch (kind) {
      case BOOLEAN:
        return row.getBoolean(column) ? 1 : 0;
      case BYTE:
        return row.getByte(column) & 0xFFL;
      case SHORT:
        return row.getShort(column) & 0xFFFFL;
      case INT:
        return row.getInt(column) & 0xFFFF_FFFFL;
      case LONG:
        return row.getLong(column);
      case FLOAT:
        return Float.floatToRawIntBits(row.getFloat(column)) & 0xFFFF_FFFFL;
      case DOUBLE:
        return Double.doubleToRawLongBits(row.getDouble(column));
      case MILLISECONDS:
        return row.getTimestamp(column, precision).getMillisecond();
      case STRING:
        return to.writeString((BinaryStringData) row.getString(column));
      case BYTES:
        return to.writeBytes(row.getBinary(column));
      default:
        return rare.write(to, row, column);
    }
  }

  /** The writer for a type; empty when the type cannot be an argument. */
  static Optional<FieldWriter> of(LogicalType type) {
    switch (type.getTypeRoot()) {
      case BOOLEAN:
        return common(Kind.BOOLEAN);
      case TINYINT:
        return common(Kind.BYTE);
      case SMALLINT:
        return common(Kind.SHORT);
      case INTEGER:
      case DATE:
      case TIME_WITHOUT_TIME_ZONE: // milliseconds of the day
        return common(Kind.INT);
      case BIGINT:
        return common(Kind.LONG);
      case FLOAT:
        return common(Kind.FLOAT);
      case DOUBLE:
        return common(Kind.DOUBLE);
      case TIMESTAMP_WITHOUT_TIME_ZONE:
        return timestamp(((TimestampType) type).getPrecision());
      case TIMESTAMP_WITH_LOCAL_TIME_ZONE:
        return timestamp(((LocalZonedTimestampType) type).getPrecision());
      case DECIMAL:
        return decimal((DecimalType) type);
      case CHAR:
      case VARCHAR:
        return common(Kind.STRING);
      case BINARY:
      case VARBINARY:
        return common(Kind.BYTES);
      case ARRAY:
        return array((ArrayType) type);
      case MAP:
        return map((MapType) type);
      case ROW:
        return row((RowType) type);
      default:
        return Optional.empty();
    }
  }

  private static Optional<FieldWriter> common(Kind kind) {
    return Optional.of(new FieldWriter(kind, 0, null));
  }

  private static Optional<FieldWriter> rare(Rare rare) {
    return Optional.of(new FieldWriter(Kind.RARE, 0, rare));
  }

  private static Optional<FieldWriter> timestamp(int precision) {
    if (TimestampData.isCompact(precision)) {
      return Optional.of(new FieldWriter(Kind.MILLISECONDS, precision, null));
    }
    return rare((to, row, column) -> to.writeWideTimestamp(row.getTimestamp(column, precision)));
  }

  private static Optional<FieldWriter> decimal(DecimalType type) {
    int precision = type.getPrecision();
    int scale = type.getScale();
    if (DecimalData.isCompact(precision)) {
      return rare((to, row, column) -> row.getDecimal(column, precision, scale).toUnscaledLong());
    }
    return rare(
        (to, row, column) ->
            to.writeWideDecimal(row.getDecimal(column, precision, scale).toUnscaledBytes()));
  }

  // Flink's own serializers lay out nested values. They keep a buffer of the largest one that they
  // have seen, so they are dropped together with the encoder.

  private static Optional<FieldWriter> array(ArrayType type) {
    return of(type.getElementType())
        .flatMap(
            supported -> {
              ArrayDataSerializer serializer = new ArrayDataSerializer(type.getElementType());
              return rare(
                  (to, row, column) ->
                      to.writeLong(serializer.toBinaryArray(row.getArray(column))));
            });
  }

  private static Optional<FieldWriter> map(MapType type) {
    return of(type.getKeyType())
        .flatMap(supported -> of(type.getValueType()))
        .flatMap(
            supported -> {
              MapDataSerializer serializer =
                  new MapDataSerializer(type.getKeyType(), type.getValueType());
              return rare(
                  (to, row, column) -> to.writeLong(serializer.toBinaryMap(row.getMap(column))));
            });
  }

  private static Optional<FieldWriter> row(RowType type) {
    if (type.getChildren().stream().anyMatch(field -> of(field).isEmpty())) {
      return Optional.empty();
    }
    RowDataSerializer serializer = new RowDataSerializer(type);
    int fields = type.getFieldCount();
    return rare(
        (to, row, column) -> to.writeLong(serializer.toBinaryRow(row.getRow(column, fields))));
  }
}
