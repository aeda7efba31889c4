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
 */
@FunctionalInterface
interface FieldWriter {

  long write(RowEncoder to, RowData row, int column);

  /** The writer for a type; empty when the type cannot be an argument. */
  static Optional<FieldWriter> of(LogicalType type) {
    switch (type.getTypeRoot()) {
      case BOOLEAN:
        return Optional.of((to, row, column) -> row.getBoolean(column) ? 1 : 0);
      case TINYINT:
        return Optional.of((to, row, column) -> row.getByte(column) & 0xFFL);
      case SMALLINT:
        return Optional.of((to, row, column) -> row.getShort(column) & 0xFFFFL);
      case INTEGER:
      case DATE:
      case TIME_WITHOUT_TIME_ZONE: // milliseconds of the day
        return Optional.of((to, row, column) -> row.getInt(column) & 0xFFFF_FFFFL);
      case BIGINT:
        return Optional.of((to, row, column) -> row.getLong(column));
      case FLOAT:
        return Optional.of(
            (to, row, column) -> Float.floatToRawIntBits(row.getFloat(column)) & 0xFFFF_FFFFL);
      case DOUBLE:
        return Optional.of((to, row, column) -> Double.doubleToRawLongBits(row.getDouble(column)));
      case TIMESTAMP_WITHOUT_TIME_ZONE:
        return timestamp(((TimestampType) type).getPrecision());
      case TIMESTAMP_WITH_LOCAL_TIME_ZONE:
        return timestamp(((LocalZonedTimestampType) type).getPrecision());
      case DECIMAL:
        return decimal((DecimalType) type);
      case CHAR:
      case VARCHAR:
        return Optional.of(
            (to, row, column) -> to.writeString((BinaryStringData) row.getString(column)));
      case BINARY:
      case VARBINARY:
        return Optional.of((to, row, column) -> to.writeBytes(row.getBinary(column)));
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

  private static Optional<FieldWriter> timestamp(int precision) {
    if (TimestampData.isCompact(precision)) {
      return Optional.of((to, row, column) -> row.getTimestamp(column, precision).getMillisecond());
    }
    return Optional.of(
        (to, row, column) -> to.writeWideTimestamp(row.getTimestamp(column, precision)));
  }

  private static Optional<FieldWriter> decimal(DecimalType type) {
    int precision = type.getPrecision();
    int scale = type.getScale();
    if (DecimalData.isCompact(precision)) {
      return Optional.of(
          (to, row, column) -> row.getDecimal(column, precision, scale).toUnscaledLong());
    }
    return Optional.of(
        (to, row, column) ->
            to.writeWideDecimal(row.getDecimal(column, precision, scale).toUnscaledBytes()));
  }

  // Flink's own serializers lay out nested values. They keep a buffer of the largest one that they
  // have seen, so they are dropped together with the encoder.

  private static Optional<FieldWriter> array(ArrayType type) {
    return of(type.getElementType())
        .map(
            supported -> {
              ArrayDataSerializer serializer = new ArrayDataSerializer(type.getElementType());
              return (to, row, column) ->
                  to.writeLong(serializer.toBinaryArray(row.getArray(column)));
            });
  }

  private static Optional<FieldWriter> map(MapType type) {
    return of(type.getKeyType())
        .flatMap(supported -> of(type.getValueType()))
        .map(
            supported -> {
              MapDataSerializer serializer =
                  new MapDataSerializer(type.getKeyType(), type.getValueType());
              return (to, row, column) -> to.writeLong(serializer.toBinaryMap(row.getMap(column)));
            });
  }

  private static Optional<FieldWriter> row(RowType type) {
    if (type.getChildren().stream().anyMatch(field -> of(field).isEmpty())) {
      return Optional.empty();
    }
    RowDataSerializer serializer = new RowDataSerializer(type);
    int fields = type.getFieldCount();
    return Optional.of(
        (to, row, column) -> to.writeLong(serializer.toBinaryRow(row.getRow(column, fields))));
  }
}
