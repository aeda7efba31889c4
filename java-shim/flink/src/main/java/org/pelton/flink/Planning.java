package org.pelton.flink;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;
import java.util.function.Supplier;
import org.apache.flink.table.api.ValidationException;
import org.pelton.PeltonException;

/** How the planner's side refuses: every front door in the same way. */
final class Planning {

  private Planning() {}

  /** Runs a step of planning; its refusal becomes Flink's, whose message is all that users see. */
  static <T> T refusing(Supplier<T> step) {
    try {
      return step.get();
    } catch (PeltonException e) {
      throw refusal(e);
    }
  }

  static ValidationException refusal(PeltonException reason) {
    ValidationException refusal = new ValidationException(reason.getMessage());
    refusal.addSuppressed(reason); // not as its cause: SQL clients show the innermost message only
    return refusal;
  }

  /**
   * @param what has the option: a decision, a table
   */
  static PeltonException invalidOption(String what, String message) {
    return new PeltonException("ARGUMENT_MISMATCH", false, what + ": " + message);
  }

  /** The sentence that names the known word nearest to an unknown one. */
  static String didYouMean(String unknown, Collection<String> known) {
    return known.stream()
        .min(Comparator.comparingInt(candidate -> distance(unknown, candidate)))
        .map(nearest -> "; did you mean '" + nearest + "'?")
        .orElse("");
  }

  /** Levenshtein's: single characters inserted, removed or replaced. */
  private static int distance(String a, String b) {
    String left = a.toLowerCase(Locale.ROOT);
    String right = b.toLowerCase(Locale.ROOT);
    int[] row = new int[right.length() + 1];
    for (int j = 0; j < row.length; j++) {
      row[j] = j;
    }
    for (int i = 1; i <= left.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j < row.length; j++) {
        int replaced = diagonal + (left.charAt(i - 1) == right.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(replaced, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[right.length()];
  }
}
