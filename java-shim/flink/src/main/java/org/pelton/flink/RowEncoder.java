package org.pelton.flink;

import java.nio.ByteBuffer;
import java.util.function.IntFunction;
import org.apache.flink.core.memory.MemorySegment;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.TimestampData;
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
 *      or a string of up to 7 bytes: the bytes, then 0x80 + length in the last byte
 *      or offset (high 4 bytes) and length (low 4 bytes) of a longer string in the variable part
 *      or offset (high) and nanoseconds of the millisecond (low) of a TIMESTAMP above precision 3,
 *         whose milliseconds stand in the variable part
 * </pre>
 *
 * Everything in the variable part begins at a multiple of 8 bytes.
 */
final class RowEncoder {

  private static final int WORD = Long.BYTES;
  private static final int LONGEST_INLINE = 7;

  private final IntFunction<ByteBuffer> grow;
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
  RowEncoder(RowType type, ByteBuffer buffer, IntFunction<ByteBuffer> grow) {
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
    if (length <= LONGEST_INLINE) {
      long word = (0x80L | length) << 56;
      for (int i = 0; i < length; i++) {
        word |= (text.byteAt(i) & 0xFFL) << 8 * i;
      }
      buffer.putLong(offset, word);
      return;
    }
    int padded = (length + WORD - 1) / WORD * WORD;
    reserve(end + padded);
    buffer.putLong(end + padded - WORD, 0); // the padding; the text overwrites the rest
    buffer.position(end);
    MemorySegment[] segments = text.getSegments();
    if (segments.length == 1) {
      segments[0].get(text.getOffset(), buffer, length);
    } else {
      buffer.put(text.toBytes());
    }
    buffer.putLong(offset, (long) end << 32 | length);
    end += padded;
  }

  void writeWideTimestamp(int offset, TimestampData time) {
    reserve(end + WORD);
    buffer.putLong(end, time.getMillisecond());
    buffer.putLong(offset, (long) end << 32 | time.getNanoOfMillisecond());
    end += WORD;
  }

  private void reserve(int bytes) {
    if (bytes > buffer.capacity()) {
      buffer = grow.apply(bytes);
    }
  }
}
