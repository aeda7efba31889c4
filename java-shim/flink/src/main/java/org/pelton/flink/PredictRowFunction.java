package org.pelton.flink;

import org.apache.flink.table.catalog.DataTypeFactory;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.functions.FunctionContext;
import org.apache.flink.table.functions.ScalarFunction;
import org.apache.flink.table.functions.SpecializedFunction;
import org.apache.flink.table.functions.UserDefinedFunction;
import org.apache.flink.table.types.inference.TypeInference;

/**
 * {@code SELECT d.action FROM (SELECT predict_row('METADATA/decisions/NAME', a, b, ...) AS d FROM
 * t)}: the decision's output as one ROW.
 *
 * <p>As {@link PredictFunction}, but it can stand wherever an expression can; and a view of it is
 * evaluated once for each record, however many sinks read the view.
 *
 * <p>Every row is a copy: calls of one decision in one SELECT share one object of this class, and
 * all of their results are read after the last of them.
 */
public final class PredictRowFunction extends ScalarFunction implements SpecializedFunction {

  private static final long serialVersionUID = 1L;

  /** Null until Flink has planned a call. */
  private final PlannedDecision planned;

  private transient Predictor predictor;

  /** As {@code CREATE FUNCTION} makes it. */
  public PredictRowFunction() {
    this(null);
  }

  private PredictRowFunction(PlannedDecision planned) {
    this.planned = planned;
  }

  @Override
  public TypeInference getTypeInference(DataTypeFactory typeFactory) {
    return PredictSignature.inference(planned);
  }

  @Override
  public UserDefinedFunction specialize(SpecializedContext context) {
    return new PredictRowFunction(PredictSignature.plan(context));
  }

  /** A new version between an insert and its retraction would otherwise corrupt an aggregate. */
  @Override
  public boolean isDeterministic() {
    return false;
  }

  @Override
  public void open(FunctionContext context) {
    predictor = new Predictor(planned, context);
  }

  /** One record: the decision's URI, which planning has dealt with, then the arguments. */
  public RowData eval(StringData decisionUri, Object... values) {
    return predictor.predict(values).copy();
  }

  @Override
  public void close() {
    if (predictor != null) {
      predictor.close();
    }
  }
}
