package org.pelton.flink;

import java.util.Collection;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.functions.FunctionContext;
import org.apache.flink.table.functions.PredictFunction;
import org.apache.flink.table.functions.SpecializedFunction;
import org.apache.flink.table.functions.UserDefinedFunction;
import org.apache.flink.table.types.DataType;

/**
 * {@code ML_PREDICT(TABLE t, MODEL m, DESCRIPTOR(...))} at work: one output row a record. Public,
 * because generated code names it.
 */
public final class DecisionModelFunction extends PredictFunction implements SpecializedFunction {

  private static final long serialVersionUID = 1L;

  private final PlannedDecision planned;

  private transient Predictor predictor;

  DecisionModelFunction(PlannedDecision planned) {
    this.planned = planned;
  }

  /** The one moment when the types of the query's columns are known. */
  @Override
  public UserDefinedFunction specialize(SpecializedContext context) {
    return Planning.refusing(
        () -> {
          new ModelSchema(planned.decision())
              .checkArguments(
                  context.getCallContext().getArgumentDataTypes().stream()
                      .map(DataType::getLogicalType)
                      .collect(Collectors.toList()));
          return this;
        });
  }

  @Override
  public boolean isDeterministic() {
    return false;
  }

  @Override
  public void open(FunctionContext context) {
    predictor = new Predictor(planned, context);
  }

  @Override
  public Collection<RowData> predict(RowData record) {
    return List.of(predictor.predict(record));
  }

  @Override
  public void close() {
    if (predictor != null) {
      predictor.close();
    }
  }
}
