package org.pelton;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.stream.Collectors;

/**
 * One decision at one version, opened for one thread.
 *
 * <p>A record goes in and out as a row in Flink's BinaryRow layout, through two direct buffers that
 * follow the size of the rows. Everything is little-endian.
 *
 * <p>Lifecycle: construct, then any number of {@link #evaluate}, then {@link #close}. All calls
 * come from one thread; only {@link #evaluations} and {@link #errors} may be read from any thread,
 * also after close.
 */
public final class Evaluator implements AutoCloseable {

  // Layout of the counters: two longs, written by the native side only.
  private static final int EVALUATIONS = 0;
  private static final int ERRORS = Long.BYTES;

  private final ByteBuffer counters =
      ByteBuffer.allocateDirect(2 * Long.BYTES).order(ByteOrder.nativeOrder());

  private final String name;
  private final RowBuffer input;
  private final RowBuffer output;

  /** Of the last output row, in bytes. */
  private int outputLength;

  /** Address of the native evaluator; 0 before it is opened, and when closed. */
  private long handle;

  /** Written to until this is closed. */
  private ByteBuffer published;

  private boolean closed;

  /**
   * Loads the decision, and waits until everything that it needs is loaded, which may take long; an
   * interrupt ends the wait.
   *
   * @param decisionUri {@code METADATA/decisions/NAME}
   * @param version a published version; 0 for the active one
   * @param onError what becomes of a record that fails: {@code fail} throws, {@code null} makes its
   *     outputs NULL, {@code emit} does and tells why in the output's {@code pelton.error}
   * @param storage names and values in turn: Flink's options of the stores that dimensions lie in
   * @param nativeDirectory see {@link NativeLibrary#load}
   */
  public Evaluator(
      String decisionUri, long version, String onError, String[] storage, String nativeDirectory) {
    NativeLibrary.load(nativeDirectory);
    name = decisionUri.substring(decisionUri.lastIndexOf('/') + 1);
    input = new RowBuffer("`" + name + "`: the input");
    output = new RowBuffer("`" + name + "`: the output");
    Background.acquire();
    try {
      handle = open(decisionUri, version, onError, storage, counters);
      Background.awaitReady(label(), () -> ready(handle));
      tellBuffers();
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  private String label() {
    return "`" + name + "`";
  }

  /**
   * Where the next input row is written, from position 0 on. Replaced by {@link #growInput}, and
   * after an evaluation.
   */
  public ByteBuffer input() {
    return input.bytes();
  }

  /** Where the last output row lies, from position 0 on. Replaced by an evaluation. */
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
   * Evaluates the row in the input buffer.
   *
   * <p>Waits for a Hive partition that is not there yet, where a dimension says {@code late =
   * "wait"}; an interrupt ends the wait.
   *
   * @return the length of the output row in bytes
   * @throws PeltonException when this record cannot be evaluated; the evaluator stays usable
   */
  public int evaluate(int inputLength) {
    if (output.used(outputLength)) {
      tellBuffers();
    }
    long length = evaluate(open(), inputLength);
    while (length == Background.NOT_YET) {
      Background.awaitHivePartition(label());
      length = evaluate(handle, inputLength);
    }
    if (length < 0) {
      fail(handle);
      throw new IllegalStateException("a failed evaluation has no reason");
    }
    if (length > output.bytes().capacity()) {
      output.grow(length);
      tellBuffers();
      output(handle);
    }
    outputLength = (int) length;
    if (input.used(inputLength)) {
      tellBuffers();
    }
    return outputLength;
  }

  /** The decision's manifest, as JSON. */
  public String signature() {
    return signature(open());
  }

  /** The names of the dimensions that have metrics. */
  public List<String> dimensions() {
    return dimensions(open()).lines().collect(Collectors.toList());
  }

  /**
   * Keeps the metrics of the dimensions current in a direct buffer until this is closed: for each
   * of {@link #dimensions} a block of longs in native order.
   */
  public void publish(ByteBuffer numbers) {
    publish(open(), numbers);
    published = numbers;
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
      throw new IllegalStateException("the evaluator is closed");
    }
    return handle;
  }

  private void tellBuffers() {
    buffers(open(), input.bytes(), output.bytes());
  }

  // The natives, implemented by rust/jni/src/evaluator.rs.

  private static native long open(
      String decisionUri, long version, String onError, String[] storage, ByteBuffer counters);

  private static native void close(long handle);

  /** Whether all is loaded; throws the reason where it cannot be. */
  private static native boolean ready(long handle);

  /** One a line. */
  private static native String dimensions(long handle);

  private static native void publish(long handle, ByteBuffer numbers);

  /** Tells the addresses and sizes of both buffers; called after every change of one of them. */
  private static native void buffers(long handle, ByteBuffer input, ByteBuffer output);

  /**
   * The length of the output row, which is written if it fits; or -1, then ask {@link #fail}; or
   * -2, then the record is to be evaluated again.
   */
  private static native long evaluate(long handle, int inputLength);

  /** Writes the last output row, for the case that it did not fit before. */
  private static native void output(long handle);

  /** Throws the reason of the last failed {@link #evaluate(long, int)}. */
  private static native void fail(long handle);

  private static native String signature(long handle);
}
