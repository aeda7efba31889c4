package org.pelton;

import java.nio.ByteBuffer;

/**
 * One dimension, or a subtask's share of it, opened for one thread that looks keys up.
 *
 * <p>A key goes in as a row in Flink's BinaryRow layout. Its rows come out one behind the other,
 * each after a word of 8 bytes that holds its length:
 *
 * <pre>
 * | length, 8 bytes | row | length, 8 bytes | row | ...
 * </pre>
 *
 * Everything is little-endian. All calls come from one thread.
 */
public final class DimensionLookup implements AutoCloseable {

  /** What stands before each row of the output, in bytes. */
  public static final int HEADER_BYTES = Long.BYTES;

  private final String table;
  private final RowBuffer input;
  private final RowBuffer output;

  /** Of what the last lookup has found, in bytes. */
  private int outputLength;

  /** Address of the native lookup; 0 before it is opened, and when closed. */
  private long handle;

  /** Written to until this is closed. */
  private ByteBuffer published;

  private boolean closed;

  /**
   * Claims the dimension, and waits until it is loaded, which may take long; an interrupt ends the
   * wait.
   *
   * @param table the name of the table, for messages
   * @param source the name of the definition, for messages: a file's path, or the table's
   * @param definition the text of the definition, as in {@code dimensions/NAME.toml}
   * @param root what the definition's relative path begins at; empty where there is nothing
   * @param key the columns of a key, as in a CREATE TABLE, in the order of the rows that go in
   * @param columns the columns of the rows that come out, in their order
   * @param subtask which of the {@code subtasks} looks up, from 0 on
   * @param subtasks how many subtasks share the keys; 0 where every one has them all
   * @param storage names and values in turn: Flink's options of the store that it lies in
   * @param nativeDirectory see {@link NativeLibrary#load}
   */
  public DimensionLookup(
      String table,
      String source,
      String definition,
      String root,
      String key,
      String columns,
      int subtask,
      int subtasks,
      String[] storage,
      String nativeDirectory) {
    NativeLibrary.load(nativeDirectory);
    this.table = table;
    input = new RowBuffer(table + ": the key");
    output = new RowBuffer(table + ": the output");
    Background.acquire();
    try {
      handle = open(table, source, definition, root, key, columns, subtask, subtasks, storage);
      Background.awaitReady(table, () -> ready(handle));
      tellBuffers();
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  /** Where the next key is written, from position 0 on. Replaced by growing, and after a lookup. */
  public ByteBuffer input() {
    return input.bytes();
  }

  /** Where the last rows lie, from position 0 on. Replaced by a lookup. */
  public ByteBuffer output() {
    return output.bytes();
  }

  /** Replaces the input buffer by a larger one that begins with the same bytes. */
  public ByteBuffer growInput(long neededBytes) {
    input.grow(neededBytes);
    tellBuffers();
    return input.bytes();
  }

  /**
   * Looks up the key in the input buffer.
   *
   * <p>Waits for a Hive partition that is not there yet, where the dimension says {@code late =
   * "wait"}; an interrupt ends the wait.
   *
   * @return the bytes of all its rows with their lengths; 0 where there is none
   * @throws PeltonException when it cannot be looked up; the next one can
   */
  public int lookup(int keyLength) {
    if (output.used(outputLength)) {
      tellBuffers();
    }
    long length = lookup(open(), keyLength);
    while (length == Background.NOT_YET) {
      Background.awaitHivePartition(table);
      length = lookup(handle, keyLength);
    }
    if (length < 0) {
      fail(handle);
      throw new IllegalStateException("a failed lookup has no reason");
    }
    if (length > output.bytes().capacity()) {
      output.grow(length);
      tellBuffers();
      output(handle);
    }
    outputLength = (int) length;
    if (input.used(keyLength)) {
      tellBuffers();
    }
    return outputLength;
  }

  /**
   * Keeps the dimension's metrics current in a direct buffer, until this is closed.
   *
   * @param numbers longs, in the order of {@code Figures::NAMES} in rust/dimension
   */
  public void publish(ByteBuffer numbers) {
    publish(open(), numbers);
    published = numbers;
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    long closing = handle;
    handle = 0;
    try {
      if (closing != 0) {
        close(closing);
      }
    } finally {
      Background.release();
    }
  }

  private long open() {
    if (handle == 0) {
      throw new IllegalStateException("the lookup is closed");
    }
    return handle;
  }

  private void tellBuffers() {
    buffers(open(), input.bytes(), output.bytes());
  }

  // The natives, implemented by rust/jni/src/dimension_lookup.rs.

  private static native long open(
      String table,
      String source,
      String definition,
      String root,
      String key,
      String columns,
      int subtask,
      int subtasks,
      String[] storage);

  private static native void close(long handle);

  /** Whether lookups can begin; an error where there will be nothing to look up. */
  private static native boolean ready(long handle);

  private static native void publish(long handle, ByteBuffer numbers);

  /** Tells the addresses and sizes of both buffers; called after every change of one of them. */
  private static native void buffers(long handle, ByteBuffer input, ByteBuffer output);

  /**
   * The bytes of the rows, which are written if they fit; or -1, then ask {@link #fail}; or -2,
   * then the key is to be looked up again.
   */
  private static native long lookup(long handle, int keyLength);

  /** Writes the last rows, for the case that they did not fit before. */
  private static native void output(long handle);

  /** Throws the reason of the last failed {@link #lookup(long, int)}. */
  private static native void fail(long handle);
}
