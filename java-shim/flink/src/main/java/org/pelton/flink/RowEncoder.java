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
  private static final int HEADER_BITS = 8;
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
    this.fieldsOffset = (HEADER_BITS + columns + 63) / 64 * WORD;
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
    end = fixedBytes;
    int headerOffset = 0;
    long header = 0;
    for (int column = 0; column < writers.length; column++) {
      int bit = HEADER_BITS + column;
      if (bit % Long.SIZE == 0) {
        buffer.putLong(headerOffset, header);
        headerOffset += WORD;
        header = 0;
      }
      long word = 0;
      if (row.isNullAt(column)) {
        header |= 1L << bit; // of the bit's number the lowest 6 bits count
      } else {
        word = writers[column].write(this, row, column); // may replace the buffer
      }
      buffer.putLong(fieldsOffset + column * WORD, word);
    }
    buffer.putLong(headerOffset, header);
    return end;
  }

  // What a FieldWriter calls: each returns the field's 8 bytes.

  long writeString(BinaryStringData text) {
    text.ensureMaterialized();
    int length = text.getSizeInBytes();
    if (length > LONGEST_INLINE) {
      return writeLong(text);
    }
    MemorySegment[] segments = text.getSegments();
    if (segments.length > 1) {
      return writeBytes(text.toBytes());
    }
    return inline(read(segments[0], text.getOffset(), length), length);
  }

  long writeBytes(byte[] bytes) {
    int length = bytes.length;
    if (length > LONGEST_INLINE) {
      int start = extend(length);
      buffer.position(start);
      buffer.put(bytes);
      return variable(start, length);
    }
    long word = 0;
    for (int i = 0; i < length; i++) {
      word |= (bytes[i] & 0xFFL) << 8 * i;
    }
    return inline(word, length);
  }

  /** A value that lies in memory as it does in a row: a long text, an ARRAY, a MAP, a ROW. */
  long writeLong(BinaryFormat value) {
    int length = value.getSizeInBytes();
    int start = extend(length);
    buffer.position(start);
    MemorySegment[] segments = value.getSegments();
    if (segments.length == 1) {
      segments[0].get(value.getOffset(), buffer, length);
    } else {
      buffer.put(BinarySegmentUtils.copyToBytes(segments, value.getOffset(), length));
    }
    return variable(start, length);
  }

  long writeWideDecimal(byte[] unscaled) {
    int start = extend(DECIMAL_BYTES);
    buffer.putLong(start, 0);
    buffer.putLong(start + WORD, 0);
    buffer.position(start);
    buffer.put(unscaled);
    return variable(start, unscaled.length);
  }

  long writeWideTimestamp(TimestampData time) {
    int start = extend(WORD);
    buffer.putLong(start, time.getMillisecond());
    return variable(start, time.getNanoOfMillisecond());
  }

  private static long inline(long bytes, int length) {
    return bytes | (0x80L | length) << 56;
  }

  private static long variable(int start, int low) {
    return (long) start << 32 | low;
  }

  /** Up to 7 bytes as the low bytes of a word, by two reads that may overlap. */
  private static long read(MemorySegment from, int offset, int length) {
    if (length >= Integer.BYTES) {
      long first = from.getIntLittleEndian(offset) & 0xFFFF_FFFFL;
      int rest = length - Integer.BYTES;
      return first | (from.getIntLittleEndian(offset + rest) & 0xFFFF_FFFFL) << 8 * rest;
    }
    if (length >= Short.BYTES) {
      long first = from.getShortLittleEndian(offset) & 0xFFFFL;
      int rest = length - Byte.BYTES;
      return first | (from.get(offset + rest) & 0xFFL) << 8 * rest;
    }
    return length == 0 ? 0 : from.get(offset) & 0xFFL;
  }

  /**
   * Makes room in the variable part, padded with zeros.
   *
   * @return where the room begins
   */
  private int extend(int bytes) {
    int start = end;
    long padded = (bytes + WORD - 1L) / WORD * WORD;
    reserve(start + padded);
    end = (int) (start + padded);
    if (padded > 0) {
      buffer.putLong(end - WORD, 0); // the value overwrites all but the padding
    }
    return start;
  }

  private void reserve(long bytes) {
    if (bytes > buffer.capacity()) {
      buffer = grow.apply(bytes);
    }
  }
}
