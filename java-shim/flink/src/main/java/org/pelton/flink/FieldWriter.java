package org.pelton.flink;

import java.util.Optional;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.data.binary.BinaryStringData;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.TimestampType;

/** Writes one column of a row, which is not NULL, at its offset of the row's fixed part. */
@FunctionalInterface
interface FieldWriter {

  void write(RowEncoder to, RowData row, int column, int offset);

  /** The writer for a type; empty when the type cannot be an argument. */
  static Optional<FieldWriter> of(LogicalType type) {
    switch (type.getTypeRoot()) {
      case BOOLEAN:
        return fixed((row, column) -> row.getBoolean(column) ? 1 : 0);
      case TINYINT:
        return fixed((row, column) -> row.getByte(column) & 0xFFL);
      case SMALLINT:
        return fixed((row, column) -> row.getShort(column) & 0xFFFFL);
      case INTEGER:
      case DATE:
        return fixed((row, column) -> row.getInt(column) & 0xFFFF_FFFFL);
      case BIGINT:
        return fixed(RowData::getLong);
      case FLOAT:
        return fixed((row, column) -> Float.floatToRawIntBits(row.getFloat(column)) & 0xFFFF_FFFFL);
      case DOUBLE:
        return fixed((row, column) -> Double.doubleToRawLongBits(row.getDouble(column)));
      case CHAR:
      case VARCHAR:
        return Optional.of(
            (to, row, column, offset) ->
                to.writeString(offset, (BinaryStringData) row.getString(column)));
      case TIMESTAMP_WITHOUT_TIME_ZONE:
        int precision = ((TimestampType) type).getPrecision();
        if (TimestampData.isCompact(precision)) {
          return fixed((row, column) -> row.getTimestamp(column, precision).getMillisecond());
        }
        return Optional.of(
            (to, row, column, offset) ->
                to.writeWideTimestamp(offset, row.getTimestamp(column, precision)));
      default:
        return Optional.empty();
    }
  }

  /** A value that fits into 8 bytes, as those bytes. */
  @FunctionalInterface
  interface Word {
    long of(RowData row, int column);
  }

  private static Optional<FieldWriter> fixed(Word word) {
    return Optional.of((to, row, column, offset) -> to.writeWord(offset, word.of(row, column)));
  }
}
