package org.pelton;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * One decision at one version, opened for one thread.
 *
 * <p>A record goes in and out as a row in Flink's BinaryRow layout, through two direct buffers that
 * grow when a row does not fit. Everything is little-endian.
 *
 * <p>Lifecycle: construct, then any number of {@link #evaluate}, then {@link #close}. All calls
 * come from one thread; only {@link #evaluations} and {@link #errors} may be read from any thread,
 * also after close.
 */
public final class Evaluator implements AutoCloseable {

  private static final int INITIAL_BYTES = 4096;

  // Layout of the counters: two longs, written by the native side only.
  private static final int EVALUATIONS = 0;
  private static final int ERRORS = Long.BYTES;

  private final ByteBuffer counters = allocate(2 * Long.BYTES);
  private ByteBuffer input = allocate(INITIAL_BYTES);
  private ByteBuffer output = allocate(INITIAL_BYTES);

  /** Address of the native evaluator; 0 when closed. */
  private long handle;

  /**
   * Loads the decision with everything that it needs; may take long.
   *
   * @param decisionUri {@code METADATA/decisions/NAME}
   * @param version a published version; 0 for the active one
   * @param onError what becomes of a record that fails: {@code fail} throws, {@code null} makes its
   *     outputs NULL, {@code emit} does and tells why in the output's {@code pelton.error}
   * @param nativeDirectory see {@link NativeLibrary#load}
   */
  public Evaluator(String decisionUri, long version, String onError, String nativeDirectory) {
    NativeLibrary.load(nativeDirectory);
    handle = open(decisionUri, version, onError, counters);
    buffers(handle, input, output);
  }

  /** Where the next input row is written, from position 0 on. Replaced by {@link #growInput}. */
  public ByteBuffer input() {
    return input;
  }

  /** Where the last output row lies, from position 0 on. Replaced when a larger row comes. */
  public ByteBuffer output() {
    return output;
  }

  /** Replaces the input buffer by a larger one that begins with the same bytes. */
  public ByteBuffer growInput(int neededBytes) {
    ByteBuffer larger = allocate(grown(input.capacity(), neededBytes));
    larger.put(input.duplicate().clear()).clear();
    input = larger;
    buffers(open(), input, output);
    return input;
  }

  /**
   * Evaluates the row in the input buffer.
   *
   * @return the length of the output row in bytes
   * @throws PeltonException when this record cannot be evaluated; the evaluator stays usable
   */
  public int evaluate(int inputLength) {
    long length = evaluate(open(), inputLength);
    if (length < 0) {
      fail(handle);
      throw new IllegalStateException("a failed evaluation has no reason");
    }
    if (length > output.capacity()) {
      output = allocate(grown(output.capacity(), length));
      buffers(handle, input, output);
      output(handle);
    }
    return (int) length;
  }

  /** The decision's manifest, as JSON. */
  public String signature() {
    return signature(open());
  }

  /** Records evaluated since the decision was opened, failed ones included. */
  public long evaluations() {
    return counters.getLong(EVALUATIONS);
  }

  /** Records that could not be evaluated. */
  public long errors() {
    return counters.getLong(ERRORS);
  }

  @Override
  public void close() {
    long closing = handle;
    handle = 0;
    if (closing != 0) {
      close(closing);
    }
  }

  private long open() {
    if (handle == 0) {
      throw new IllegalStateException("the evaluator is closed");
    }
    return handle;
  }

  private static ByteBuffer allocate(int bytes) {
    return ByteBuffer.allocateDirect(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static int grown(int capacity, long neededBytes) {
    if (neededBytes > Integer.MAX_VALUE) {
      throw new PeltonException(
          "ROW_TOO_LARGE", false, "a row of " + neededBytes + " bytes; the limit is 2 GiB");
    }
    return (int) Math.max(neededBytes, Math.min(2L * capacity, Integer.MAX_VALUE));
  }

  // The natives, implemented by rust/jni/src/evaluator.rs.

  private static native long open(
      String decisionUri, long version, String onError, ByteBuffer counters);

  private static native void close(long handle);

  /** Tells the addresses and sizes of both buffers; called after every change of one of them. */
  private static native void buffers(long handle, ByteBuffer input, ByteBuffer output);

  /** The length of the output row, which is written if it fits; or -1, then ask {@link #fail}. */
  private static native long evaluate(long handle, int inputLength);

  /** Writes the last output row, for the case that it did not fit before. */
  private static native void output(long handle);

  /** Throws the reason of the last failed {@link #evaluate(long, int)}. */
  private static native void fail(long handle);

  private static native String signature(long handle);
}
