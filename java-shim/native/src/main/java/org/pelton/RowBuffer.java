package org.pelton;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A direct buffer that follows the size of the rows that pass through it.
 *
 * <p>It grows, at least to its double, when a row does not fit. It shrinks when it has been at
 * least 4 times too large for {@value #WINDOW} rows in a row, to the double of the largest of them:
 * one row of 100 MB does not hold 100 MB for the rest of a job, and sizes that alternate do not
 * make it swing. Up to {@value #SMALL} bytes nothing is worth to be given back. The JVM frees the
 * old buffer when it collects garbage, which allocating direct memory makes it do when it runs
 * short.
 */
final class RowBuffer {

  private static final int INITIAL = 4 * 1024;
  private static final int SMALL = 64 * 1024;
  private static final int WINDOW = 1024;

  private final String what;
  private ByteBuffer bytes;
  private int rows;
  private int largest;

  /**
   * @param what is in it, for messages
   */
  RowBuffer(String what) {
    this.what = what;
    this.bytes = allocate(INITIAL);
  }

  /** Little-endian. Another one after {@link #grow}, and after {@link #used} has said so. */
  ByteBuffer bytes() {
    return bytes;
  }

  /** Makes it hold so many bytes, of which the first ones are those that it holds now. */
  void grow(long needed) {
    if (needed > Integer.MAX_VALUE) {
      throw new PeltonException(
          "ROW_TOO_LARGE", false, what + " is a row of " + needed + " bytes; the limit is 2 GiB");
    }
    ByteBuffer larger =
        allocate(Math.max(needed, Math.min(2L * bytes.capacity(), Integer.MAX_VALUE)));
    larger.put(bytes.duplicate().clear()).clear();
    bytes = larger;
  }

  /**
   * Notes the length of a row whose bytes nobody reads any more.
   *
   * @return whether the buffer was replaced by a smaller one
   */
  boolean used(int length) {
    largest = Math.max(largest, length);
    if (++rows < WINDOW) {
      return false;
    }
    long enough = Math.max(2L * largest, SMALL);
    boolean shrinks = bytes.capacity() > SMALL && largest < bytes.capacity() / 4;
    rows = 0;
    largest = 0;
    return shrinks && shrink(enough);
  }

  /** Where there is no memory for a smaller buffer beside it, the large one serves on. */
  private boolean shrink(long size) {
    try {
      bytes = allocate(size);
      return true;
    } catch (PeltonException outOfMemory) {
      return false;
    }
  }

  private ByteBuffer allocate(long size) {
    try {
      return ByteBuffer.allocateDirect((int) size).order(ByteOrder.LITTLE_ENDIAN);
    } catch (OutOfMemoryError e) {
      throw new PeltonException(
          "OUT_OF_MEMORY",
          true,
          what
              + " needs a direct buffer of "
              + size
              + " bytes; raise taskmanager.memory.task.off-heap.size",
          e);
    }
  }
}
