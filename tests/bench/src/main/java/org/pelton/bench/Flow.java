package org.pelton.bench;

import java.util.Arrays;
import java.util.concurrent.CountDownLatch;

/** What the records of one subtask do, phase by phase: how many they are, and what one costs. */
final class Flow {

  /** One record in so many is timed. */
  private static final int TIMED = 1000;

  /** More than a subtask can time in a phase. */
  private static final int MOST = 1 << 20;

  /** What goes on while records flow. */
  enum Phase {
    WARM_UP,
    BEFORE,
    DURING,
    OVER
  }

  private static volatile Phase phase = Phase.WARM_UP;

  private final CountDownLatch over = new CountDownLatch(1);

  // Of the task's thread, until it has seen that all is over.
  private final long[] records = new long[Phase.values().length];
  private final long[] nanos = new long[MOST];
  private int timed;
  private long start;

  /** For all subtasks of the JVM's only job. */
  static void enter(Phase next) {
    phase = next;
  }

  /** Called by the task's thread before each record. */
  void pass() {
    Phase now = phase;
    if (start != 0) {
      if (now == Phase.DURING && timed < MOST) {
        nanos[timed++] = System.nanoTime() - start;
      }
      start = 0;
    }
    if (records[now.ordinal()]++ % TIMED == 0) {
      if (now == Phase.OVER) {
        over.countDown();
      }
      start = System.nanoTime();
    }
  }

  /** Waits until the subtask has seen that all is over. */
  void awaitOver() throws InterruptedException {
    over.await();
  }

  /** The records of a phase. */
  long records(Phase of) {
    return records[of.ordinal()];
  }

  /** The times of those that were timed, during what is measured. */
  long[] nanos() {
    return Arrays.copyOf(nanos, timed);
  }
}
