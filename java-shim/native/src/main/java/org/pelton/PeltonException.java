package org.pelton;

/**
 * The one exception of Pelton.
 *
 * <p>The message begins with the code and names the decision; the code is stable and meant for
 * programs.
 */
public final class PeltonException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  private final String code;
  private final boolean retryable;

  /** Called from the native library as well: keep its signature. */
  public PeltonException(String code, boolean retryable, String message) {
    this(code, retryable, message, null);
  }

  public PeltonException(String code, boolean retryable, String message, Throwable cause) {
    super(message.startsWith(code) ? message : code + ": " + message, cause);
    this.code = code;
    this.retryable = retryable;
  }

  /** What went wrong, as a stable name such as {@code DECISION_NOT_FOUND}. */
  public String code() {
    return code;
  }

  /** Whether the same call may succeed later without a change to the decision or the job. */
  public boolean retryable() {
    return retryable;
  }
}
