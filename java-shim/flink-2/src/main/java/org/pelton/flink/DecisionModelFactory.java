package org.pelton.flink;

import java.util.Set;
import java.util.TreeSet;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.table.catalog.ResolvedCatalogModel;
import org.apache.flink.table.factories.FactoryUtil;
import org.apache.flink.table.factories.ModelProviderFactory;
import org.apache.flink.table.ml.ModelProvider;
import org.pelton.PeltonException;

/**
 * {@code CREATE MODEL m INPUT (...) OUTPUT (...) WITH ('provider' = 'pelton', 'decision' =
 * 'METADATA/decisions/NAME')}: a decision as a model of {@code ML_PREDICT}.
 *
 * <p>Flink takes the schema from the statement and makes the provider when a query uses the model;
 * that is when the schema is compared with the active version, or the pinned one.
 */
public final class DecisionModelFactory implements ModelProviderFactory {

  static final ConfigOption<String> DECISION =
      ConfigOptions.key("decision")
          .stringType()
          .noDefaultValue()
          .withDescription("The decision: METADATA/decisions/NAME.");

  @Override
  public String factoryIdentifier() {
    return "pelton";
  }

  @Override
  public Set<ConfigOption<?>> requiredOptions() {
    return Set.of(DECISION);
  }

  @Override
  public Set<ConfigOption<?>> optionalOptions() {
    return Set.of();
  }

  @Override
  public ModelProvider createModelProvider(Context context) {
    return Planning.refusing(
        () -> {
          ResolvedCatalogModel model = context.getCatalogModel();
          String uri = decision(model, context.getObjectIdentifier().getObjectName());
          PlannedDecision planned = PlannedDecision.of(uri, context.getConfiguration());
          new ModelSchema(planned.decision()).check(model);
          return new DecisionModel(planned);
        });
  }

  private static String decision(ResolvedCatalogModel model, String name) {
    Set<String> known = Set.of(FactoryUtil.PROVIDER.key(), DECISION.key());
    for (String key : new TreeSet<>(model.getOptions().keySet())) {
      if (!known.contains(key)) {
        throw invalid(name, "there is no option '" + key + "'" + Planning.didYouMean(key, known));
      }
    }
    String uri = model.getOptions().get(DECISION.key());
    if (uri == null) {
      throw invalid(name, "'decision' is missing; expected 'decision' = 'METADATA/decisions/NAME'");
    }
    return uri;
  }

  private static PeltonException invalid(String model, String message) {
    return new PeltonException("ARGUMENT_MISMATCH", false, "model `" + model + "`: " + message);
  }
}
