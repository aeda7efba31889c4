package org.pelton.flink;

import java.util.TreeSet;
import org.apache.flink.table.ml.ModelProvider;
import org.apache.flink.table.ml.PredictRuntimeProvider;

/**
 * A decision behind {@code ML_PREDICT}. Synchronous only: Flink would prefer an asynchronous
 * function, and there is nothing to wait for.
 */
final class DecisionModel implements PredictRuntimeProvider {

  /** Flink itself refuses {@code true}. */
  private static final String ASYNC = "async";

  private final PlannedDecision planned;

  DecisionModel(PlannedDecision planned) {
    this.planned = planned;
  }

  /** Flink lets any key of the config map through. Its own ones are about asynchronous calls. */
  @Override
  public org.apache.flink.table.functions.PredictFunction createPredictFunction(Context context) {
    return Planning.refusing(
        () -> {
          for (String key : new TreeSet<>(context.runtimeConfig().toMap().keySet())) {
            if (!key.equals(ASYNC)) {
              throw Planning.invalidOption(
                  "decision `" + planned.decision().name() + "`",
                  "ML_PREDICT has no option '"
                      + key
                      + "' here; options of the job are SET 'pelton.*'");
            }
          }
          return new DecisionModelFunction(planned);
        });
  }

  @Override
  public ModelProvider copy() {
    return this;
  }
}
