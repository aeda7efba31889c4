package org.pelton.cluster;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.function.Predicate;
import java.util.function.Supplier;

/** Asks again and again, since other processes do not call back. */
final class Waiting {

  private static final Duration LIMIT = Duration.ofMinutes(5);
  private static final long PAUSE_MILLIS = 50;

  private Waiting() {}

  /** Returns the first answer that is good enough; {@code log} explains why there was none. */
  static <T> T until(
      String what, Callable<T> question, Predicate<T> goodEnough, Supplier<String> log)
      throws InterruptedException {
    long deadline = System.nanoTime() + LIMIT.toNanos();
    Object last;
    do {
      try {
        T answer = question.call();
        if (goodEnough.test(answer)) {
          return answer;
        }
        last = answer;
      } catch (Exception e) {
        last = e;
      }
      Thread.sleep(PAUSE_MILLIS);
    } while (System.nanoTime() < deadline);
    throw new AssertionError("waited in vain until " + what + "; last: " + last + "\n" + log.get());
  }
}
