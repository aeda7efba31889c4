package org.pelton;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.LongFunction;
import java.util.function.Supplier;

/**
 * Goes through every native method of evaluators and lookups once or more; run by {@link
 * NativeLibraryTest}, which checks that.
 */
final class JniExercise {

  static final String DONE = "exercised";

  /** Header and null bits, then two fields of 8 bytes. */
  private static final int FIXED_BYTES = 24;

  /** How many numbers a dimension's metrics are, with room for more. */
  private static final int FIGURES = 16;

  private static final String TEXT = "a text of more than seven bytes";
  private static final String LARGE = "é".repeat(100_000);

  private JniExercise() {}

  public static void main(String[] arguments) throws IOException {
    Path metadata = Path.of(arguments[0]);
    load(arguments.length > 1 ? arguments[1] : null);
    decide(metadata.resolve("decisions/copy").toString());
    lookUp(metadata, Files.readString(metadata.resolve("dimensions/texts.toml")));
    System.out.println(DONE);
  }

  private static void load(String nativeDirectory) {
    expect("NATIVE_LIBRARY", () -> NativeLibrary.load("/missing"));
    Thread.currentThread().interrupt(); // a job that is cancelled while its tasks open
    NativeLibrary.load(nativeDirectory);
    check(Thread.interrupted(), "the interrupt is gone");
    NativeLibrary.load(nativeDirectory); // of another job in the same process
    NativeLibrary.load("/missing"); // too late to matter
    check(NativeLibrary.describe().split(" ").length == 3, NativeLibrary.describe());
  }

  private static void decide(String uri) {
    expect(
        "DECISION_NOT_FOUND",
        () -> new Evaluator(uri + "x", 1, "fail", new String[0], null).close());
    expect("DECISION_NOT_FOUND", () -> new Evaluator(uri, 7, "fail", new String[0], null).close());

    Evaluator evaluator = new Evaluator(uri, 0, "fail", new String[0], null);
    check(evaluator.signature().contains("\"copy\""), evaluator.signature());
    check(evaluator.dimensions().isEmpty(), "dimensions: " + evaluator.dimensions());
    evaluator.publish(ByteBuffer.allocateDirect(0));
    for (int i = 1; i <= 1000; i++) {
      check(evaluator.evaluate(row(evaluator, i, TEXT)) > TEXT.length(), "short output");
      check(evaluator.output().getLong(8) == i, "another number");
    }
    expect("EVALUATION_FAILED", () -> evaluator.evaluate(row(evaluator, 0, TEXT)));
    expect("ARGUMENT_MISMATCH", () -> evaluator.evaluate(3));

    int length = evaluator.evaluate(row(evaluator, 5, LARGE));
    checkLarge(evaluator.output(), 0, 16, length);

    check(evaluator.evaluations() == 1003, "evaluations: " + evaluator.evaluations());
    check(evaluator.errors() == 2, "errors: " + evaluator.errors());
    evaluator.close();
    evaluator.close();
    expectClosed(() -> evaluator.evaluate(FIXED_BYTES));
  }

  private static void lookUp(Path metadata, String definition) {
    expect("DIMENSION_INVALID", () -> lookup(metadata, "key = 3", 0).close());
    DimensionLookup lookup = lookup(metadata, definition, 0);
    lookup.publish(ByteBuffer.allocateDirect(FIGURES * Long.BYTES));
    for (int i = 1; i <= 1000; i++) {
      int found = lookup.lookup(row(lookup, i, TEXT));
      check((found > 0) == (i <= 100), i + " is found, or not");
    }
    expect("ARGUMENT_MISMATCH", () -> lookup.lookup(3));
    int length = lookup.lookup(row(lookup, 5, LARGE));
    checkLarge(lookup.output(), DimensionLookup.HEADER_BYTES, 8, length);
    lookup.close();
    lookup.close();
    expectClosed(() -> lookup.lookup(FIXED_BYTES));

    DimensionLookup half = lookup(metadata, definition, 2);
    expect(
        "KEY_MISROUTED",
        () -> {
          for (int i = 1; i <= 100; i++) {
            half.lookup(row(half, i, TEXT));
          }
        });
    half.close();
  }

  /**
   * @param subtasks share the keys, and this is the first of them
   */
  private static DimensionLookup lookup(Path metadata, String definition, int subtasks) {
    return new DimensionLookup(
        "texts",
        "texts.toml",
        definition,
        metadata.toString(),
        "n BIGINT, s STRING",
        "s STRING",
        0,
        subtasks,
        new String[0],
        null);
  }

  /** The large text, where the field at a place of the row says that it lies. */
  private static void checkLarge(ByteBuffer output, int row, int field, int length) {
    byte[] copied = new byte[2 * LARGE.length()];
    check(length > copied.length, "short output");
    output.get(row + (int) (output.getLong(row + field) >>> 32), copied);
    check(new String(copied, StandardCharsets.UTF_8).equals(LARGE), "another text");
  }

  private static int row(Evaluator evaluator, long number, String text) {
    return row(evaluator::input, evaluator::growInput, number, text);
  }

  private static int row(DimensionLookup lookup, long number, String text) {
    return row(lookup::input, lookup::growInput, number, text);
  }

  /** Writes (number, text) into an input and returns the row's length. */
  private static int row(
      Supplier<ByteBuffer> input, LongFunction<ByteBuffer> grow, long number, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    int length = FIXED_BYTES + (bytes.length + 7) / 8 * 8;
    ByteBuffer row = input.get().capacity() < length ? grow.apply(length) : input.get();
    row.putLong(0, 0);
    row.putLong(8, number);
    row.putLong(16, (long) FIXED_BYTES << 32 | bytes.length);
    row.putLong(length - 8, 0);
    row.put(FIXED_BYTES, bytes);
    return length;
  }

  private static void expectClosed(Runnable call) {
    try {
      call.run();
    } catch (IllegalStateException closed) {
      return;
    }
    throw new AssertionError("what is closed works");
  }

  private static void expect(String code, Runnable call) {
    try {
      call.run();
    } catch (PeltonException e) {
      check(e.code().equals(code) && e.getMessage().startsWith(code + ": "), e.getMessage());
      return;
    }
    throw new AssertionError("no " + code);
  }

  private static void check(boolean holds, String message) {
    if (!holds) {
      throw new AssertionError(message);
    }
  }
}
