package org.pelton.flink;

import java.io.Serializable;
import org.apache.flink.configuration.ReadableConfig;

/**
 * What a front door takes along from the planner to its tasks: the version of a decision, which is
 * fixed when the job is planned, and the job's options for it.
 */
final class PlannedDecision implements Serializable {

  private static final long serialVersionUID = 1L;

  private final PublishedDecision decision;
  private final JobOptions options;

  private PlannedDecision(PublishedDecision decision, JobOptions options) {
    this.decision = decision;
    this.options = options;
  }

  /**
   * @param uri {@code METADATA/decisions/NAME}
   * @param configuration of the session, with its {@code pelton.*}
   */
  static PlannedDecision of(String uri, ReadableConfig configuration) {
    DecisionDirectory directory = new DecisionDirectory(uri);
    JobOptions options = JobOptions.of(configuration, directory.name());
    PublishedDecision decision =
        options.pinVersion() == 0
            ? directory.readActive()
            : directory.readVersion(options.pinVersion());
    if (options.emitsErrors() && !decision.hasErrorColumn()) {
      throw Planning.invalidOption(
          "decision `" + directory.name() + "`",
          "on-error = emit needs a column for the reason; add `pelton.error` to the output of"
              + " version "
              + decision.version()
              + ", which is "
              + decision.outputColumns());
    }
    return new PlannedDecision(decision, options);
  }

  PublishedDecision decision() {
    return decision;
  }

  JobOptions options() {
    return options;
  }
}
