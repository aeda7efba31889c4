package org.pelton.flink;

import java.nio.ByteBuffer;
import java.util.function.LongFunction;
import org.apache.flink.core.memory.MemorySegment;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.data.binary.BinaryFormat;
import org.apache.flink.table.data.binary.BinarySegmentUtils;
import org.apache.flink.table.data.binary.BinaryStringData;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.RowType;

/**
 * Writes rows in Flink's BinaryRow layout into a direct buffer that is used again for every row; no
 * allocation once the buffer is large enough.
 *
 * <pre>
 * | header 1 byte | null bits, up to a multiple of 8 bytes with the header | field 0 | field 1 | ... | variable part |
 *                                                                          8 bytes each
 *
 * field:  a value of up to 8 bytes, little-endian
 *      or a text or bytes of up to 7 bytes: the bytes, then 0x80 + length in the last byte
 *      or offset (high 4 bytes) and length (low 4 bytes) of longer ones in the variable part
 *      or the same of an ARRAY, MAP or ROW, which lies there as Flink lays it out
 *      or offset (high) and length (low) of a DECIMAL above precision 18: its unscaled value,
 *         big-endian and as short as can be, in 16 bytes
 *      or offset (high) and nanoseconds of the millisecond (low) of a timestamp above precision 3,
 *         whose milliseconds stand in the variable part
 * </pre>
 *
 * Everything in the variable part begins at a multiple of 8 bytes.
 */
final class RowEncoder {

  private static final int WORD = Long.BYTES;
  private static final int LONGEST_INLINE = 7;
  private static final int DECIMAL_BYTES = 16;

  private final LongFunction<ByteBuffer> grow;
  private final FieldWriter[] writers;
  private final int fieldsOffset;
  private final int fixedBytes;

  private ByteBuffer buffer;

  /** Where the variable part ends so far. */
  private int end;

  /**
   * @param type the columns; each with a {@link FieldWriter}
   * @param buffer direct, little-endian
   * @param grow called with the number of bytes needed; returns a larger buffer that begins with
   *     the same bytes
   */
  RowEncoder(RowType type, ByteBuffer buffer, LongFunction<ByteBuffer> grow) {
    int columns = type.getFieldCount();
    this.grow = grow;
    this.fieldsOffset = (8 + columns + 63) / 64 * WORD;
    this.fixedBytes = fieldsOffset + columns * WORD;
    this.writers = new FieldWriter[columns];
    for (int column = 0; column < columns; column++) {
      LogicalType columnType = type.getTypeAt(column);
      writers[column] =
          FieldWriter.of(columnType)
              .orElseThrow(() -> new IllegalArgumentException("no writer for " + columnType));
    }
    this.buffer = buffer;
    reserve(fixedBytes);
  }

  /** The buffer that holds the last row. */
  ByteBuffer buffer() {
    return buffer;
  }

  /** Writes the row from position 0 on and returns its length in bytes. */
  int encode(RowData row) {
    for (int word = 0; word < fieldsOffset; word += WORD) {
      buffer.putLong(word, 0);
    }
    end = fixedBytes;
    for (int column = 0; column < writers.length; column++) {
      int offset = fieldsOffset + column * WORD;
      if (row.isNullAt(column)) {
        int bit = 8 + column; // the header's 8 bits come first
        buffer.put(bit / 8, (byte) (buffer.get(bit / 8) | 1 << bit % 8));
        buffer.putLong(offset, 0);
      } else {
        writers[column].write(this, row, column, offset);
      }
    }
    return end;
  }

  void writeWord(int offset, long value) {
    buffer.putLong(offset, value);
  }

  void writeString(int offset, BinaryStringData text) {
    text.ensureMaterialized();
    int length = text.getSizeInBytes();
    if (length > LONGEST_INLINE) {
      writeLong(offset, text);
      return;
    }
    long word = 0;
    for (int i = 0; i < length; i++) {
      word |= (text.byteAt(i) & 0xFFL) << 8 * i;
    }
    writeInline(offset, word, length);
  }

  void writeBytes(int offset, byte[] bytes) {
    int length = bytes.length;
    if (length > LONGEST_INLINE) {
      int start = extend(offset, length, length);
      buffer.position(start);
      buffer.put(bytes);
      return;
    }
    long word = 0;
    for (int i = 0; i < length; i++) {
      word |= (bytes[i] & 0xFFL) << 8 * i;
    }
    writeInline(offset, word, length);
  }

  /** A value that lies in memory as it does in a row: a long text, an ARRAY, a MAP, a ROW. */
  void writeLong(int offset, BinaryFormat value) {
    int length = value.getSizeInBytes();
    int start = extend(offset, length, length);
    buffer.position(start);
    MemorySegment[] segments = value.getSegments();
    if (segments.length == 1) {
      segments[0].get(value.getOffset(), buffer, length);
    } else {
      buffer.put(BinarySegmentUtils.copyToBytes(segments, value.getOffset(), length));
    }
  }

  void writeWideDecimal(int offset, byte[] unscaled) {
    int start = extend(offset, unscaled.length, DECIMAL_BYTES);
    buffer.putLong(start, 0);
    buffer.putLong(start + WORD, 0);
    buffer.position(start);
    buffer.put(unscaled);
  }

  void writeWideTimestamp(int offset, TimestampData time) {
    int start = extend(offset, time.getNanoOfMillisecond(), WORD);
    buffer.putLong(start, time.getMillisecond());
  }

  private void writeInline(int offset, long word, int length) {
    buffer.putLong(offset, word | (0x80L | length) << 56);
  }

  /**
   * Makes room in the variable part, padded with zeros, and points the field at it.
   *
   * @param low the field's low 4 bytes
   * @return where the room begins
   */
  private int extend(int offset, int low, int bytes) {
    int start = end;
    long padded = (bytes + WORD - 1L) / WORD * WORD;
    reserve(start + padded);
    end = (int) (start + padded);
    if (padded > 0) {
      buffer.putLong(end - WORD, 0); // the value overwrites all but the padding
    }
    buffer.putLong(offset, (long) start << 32 | low);
    return start;
  }

  private void reserve(long bytes) {
    if (bytes > buffer.capacity()) {
      buffer = grow.apply(bytes);
    }
  }
}
