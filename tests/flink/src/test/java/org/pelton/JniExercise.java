package org.pelton;

import java.nio.charset.StandardCharsets;

/** Goes through every native method once or more; run by {@link NativeLibraryTest}. */
final class JniExercise {

  static final String DONE = "exercised";

  /** Header and null bits, then two fields of 8 bytes. */
  private static final int FIXED_BYTES = 24;

  private JniExercise() {}

  public static void main(String[] arguments) {
    String uri = arguments[0];
    String nativeDirectory = arguments.length > 1 ? arguments[1] : null;
    expect("NATIVE_LIBRARY", () -> NativeLibrary.load("/missing"));
    Thread.currentThread().interrupt(); // a job that is cancelled while its tasks open
    NativeLibrary.load(nativeDirectory);
    check(Thread.interrupted(), "the interrupt is gone");
    NativeLibrary.load(nativeDirectory); // of another job in the same process
    NativeLibrary.load("/missing"); // too late to matter
    check(NativeLibrary.describe().split(" ").length == 3, NativeLibrary.describe());
    expect(
        "DECISION_NOT_FOUND",
        () -> new Evaluator(uri + "x", 1, "fail", new String[0], null).close());
    expect("DECISION_NOT_FOUND", () -> new Evaluator(uri, 7, "fail", new String[0], null).close());

    Evaluator evaluator = new Evaluator(uri, 0, "fail", new String[0], null);
    check(evaluator.signature().contains("\"copy\""), evaluator.signature());
    String text = "a text of more than seven bytes";
    for (int i = 1; i <= 1000; i++) {
      check(evaluator.evaluate(row(evaluator, i, text)) > text.length(), "short output");
      check(evaluator.output().getLong(8) == i, "another number");
    }
    expect("EVALUATION_FAILED", () -> evaluator.evaluate(row(evaluator, 0, text)));
    expect("ARGUMENT_MISMATCH", () -> evaluator.evaluate(3));

    String large = "é".repeat(100_000);
    int length = evaluator.evaluate(row(evaluator, 5, large));
    byte[] copied = new byte[2 * large.length()];
    evaluator.output().get((int) (evaluator.output().getLong(16) >>> 32), copied);
    check(length > copied.length, "short output");
    check(new String(copied, StandardCharsets.UTF_8).equals(large), "another text");

    check(evaluator.evaluations() == 1003, "evaluations: " + evaluator.evaluations());
    check(evaluator.errors() == 2, "errors: " + evaluator.errors());
    evaluator.close();
    evaluator.close();
    try {
      evaluator.evaluate(FIXED_BYTES);
      throw new AssertionError("a closed evaluator evaluates");
    } catch (IllegalStateException closed) {
      System.out.println(DONE);
    }
  }

  /** Writes (number, text) into the evaluator's input and returns the row's length. */
  private static int row(Evaluator evaluator, long number, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    int length = FIXED_BYTES + (bytes.length + 7) / 8 * 8;
    if (evaluator.input().capacity() < length) {
      evaluator.growInput(length);
    }
    evaluator.input().putLong(0, 0);
    evaluator.input().putLong(8, number);
    evaluator.input().putLong(16, (long) FIXED_BYTES << 32 | bytes.length);
    evaluator.input().putLong(length - 8, 0);
    evaluator.input().put(FIXED_BYTES, bytes);
    return length;
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
