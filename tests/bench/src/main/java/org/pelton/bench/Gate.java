package org.pelton.bench;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.concurrent.SynchronousQueue;

/**
 * Holds the source of a running job, and lets it send a number of records when it is told to.
 *
 * <p>All operators of the jobs here are chained: the source's thread does all the work on a record
 * before it takes the next one, so the time between two records of the source is what a record
 * costs. A job that is held costs nothing, so all cases can stay open, warm, and take turns.
 */
final class Gate {

  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

  private final SynchronousQueue<Long> granted = new SynchronousQueue<>();
  private final SynchronousQueue<Turn> taken = new SynchronousQueue<>();

  // Of the task's thread.
  private long remaining;
  private boolean started;
  private Flow flow;
  private long start;
  private long startCpu;

  /** When a turn began and ended, and how long the thread had a processor; nanoseconds. */
  record Turn(long start, long end, long cpu) {}

  /** Lets so many records go. */
  void grant(long records) throws InterruptedException {
    granted.put(records);
  }

  /** Waits for the end of the turn. */
  Turn taken() throws InterruptedException {
    return taken.take();
  }

  /** Watches the records that pass; told before the job starts. */
  void watchedBy(Flow watching) {
    flow = watching;
  }

  /** Called by the task's thread before each record. */
  void pass() throws InterruptedException {
    if (flow != null) {
      flow.pass();
    }
    if (remaining-- == 0) {
      waitForTurn();
    }
  }

  private void waitForTurn() throws InterruptedException {
    if (started) {
      taken.put(new Turn(start, System.nanoTime(), THREADS.getCurrentThreadCpuTime() - startCpu));
    }
    started = true;
    remaining = granted.take() - 1;
    startCpu = THREADS.getCurrentThreadCpuTime();
    start = System.nanoTime();
  }
}
