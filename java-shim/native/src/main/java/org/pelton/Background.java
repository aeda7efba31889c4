package org.pelton;

import java.security.AccessController;
import java.security.PrivilegedAction;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The thread that Pelton's native library works on beside the records: it loads and renews
 * dimensions, frees what is out of use, and keeps metrics current. What it says goes to the log.
 *
 * <p>There is one for each loaded library. It starts with the first handle and ends after the last
 * one is closed: at once where the library ends with the job's class loader ({@code ADD JAR}), else
 * when the dimensions that linger for a restart have been given back, a minute later.
 */
public final class Background {

  private static final Logger LOG = LoggerFactory.getLogger(Background.class);

  /** Whether this class stays when a job has ended, so that lingering is of use. */
  private static final boolean OUTLIVES_JOBS =
      Background.class.getClassLoader() == ClassLoader.getSystemClassLoader();

  /** After a fault of the library itself, so that it cannot spin. */
  private static final long PAUSE_AFTER_FAULT_MS = 1000;

  /** A small part of what the smallest load takes. */
  private static final long READY_POLL_MS = 5;

  /** What comes with a refresh is seen soon after it. */
  private static final long LATE_POLL_MS = 50;

  /** What a native call returns for a record that waits for its Hive partition. */
  static final long NOT_YET = -2;

  private static int handles;
  private static Thread thread;

  private Background() {}

  /** Called when a handle is opened, before it needs anything to be loaded. */
  public static synchronized void acquire() {
    handles++;
    if (thread == null) {
      thread = start();
    }
  }

  /** Called when a handle was closed. */
  public static synchronized void release() {
    handles--;
    wake();
  }

  /**
   * Waits until this thread has loaded what a handle needs; an interrupt, say by the cancellation
   * of the job, ends the wait.
   *
   * @param what waits, for messages
   */
  static void awaitReady(String what, BooleanSupplier ready) {
    while (!ready.getAsBoolean()) {
      pause(READY_POLL_MS, what, "its dimensions are loaded");
    }
  }

  /** Before a record is tried again whose Hive partition is not there yet. */
  static void awaitHivePartition(String what) {
    pause(LATE_POLL_MS, what, "a record waits for its Hive partition");
  }

  /** A pause of a task, which the cancellation of its job ends with an exception. */
  private static void pause(long milliseconds, String what, String why) {
    try {
      Thread.sleep(milliseconds);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new PeltonException(
          "DIMENSION_UNAVAILABLE", true, what + ": interrupted while " + why, e);
    }
  }

  /**
   * A thread that keeps nothing of the task that happens to start it: neither its class loader, nor
   * its inheritable thread locals, nor the protection domains of its stack.
   */
  @SuppressWarnings("removal")
  private static Thread start() {
    return AccessController.doPrivileged(
        (PrivilegedAction<Thread>)
            () -> {
              Thread started = new Thread(null, Background::run, "pelton-background", 0, false);
              started.setDaemon(true);
              started.setContextClassLoader(Background.class.getClassLoader());
              started.start();
              return started;
            });
  }

  private static void run() {
    do {
      try {
        for (String line : work()) {
          log(line);
        }
      } catch (RuntimeException | Error fault) { // else tasks would wait for ever
        LOG.error("the background work failed", fault);
        pause();
      }
    } while (!ended());
  }

  private static synchronized boolean ended() {
    if (handles > 0) {
      return false;
    }
    if (!OUTLIVES_JOBS) {
      clear();
    }
    if (!idle()) {
      return false;
    }
    thread = null;
    return true;
  }

  private static void log(String line) {
    String text = line.substring(1);
    switch (line.charAt(0)) {
      case 'E':
        LOG.error(text);
        break;
      case 'W':
        LOG.warn(text);
        break;
      default:
        LOG.info(text);
    }
  }

  private static void pause() {
    try {
      Thread.sleep(PAUSE_AFTER_FAULT_MS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // of no meaning here: nobody ends this thread
    }
  }

  // The natives, implemented by rust/jni/src/background.rs.

  /** Does what is due or waits for it, a second at most; lines with a letter for their level. */
  private static native String[] work();

  /** Ends a wait. */
  private static native void wake();

  /** Gives back what no handle uses. */
  private static native void clear();

  /** Whether nothing is held. */
  private static native boolean idle();
}
