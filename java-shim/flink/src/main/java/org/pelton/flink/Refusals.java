package org.pelton.flink;

import java.util.ArrayList;
import java.util.List;
import org.pelton.PeltonException;

/** What is wrong with a statement: collected, so that all of it is said at once. */
final class Refusals {

  private final String what;
  private final List<String> messages = new ArrayList<>();

  /**
   * @param what is refused: a table
   */
  Refusals(String what) {
    this.what = what;
  }

  void add(String message) {
    messages.add(message);
  }

  /**
   * @throws PeltonException ARGUMENT_MISMATCH where there is anything to refuse
   */
  void throwIfAny() {
    if (messages.size() == 1) {
      throw Planning.invalidOption(what, messages.get(0));
    }
    if (!messages.isEmpty()) {
      throw Planning.invalidOption(
          what, messages.size() + " errors\n  " + String.join("\n  ", messages));
    }
  }
}
