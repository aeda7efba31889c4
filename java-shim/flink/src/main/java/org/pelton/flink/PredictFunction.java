package org.pelton.flink;

import org.apache.flink.table.catalog.DataTypeFactory;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.functions.FunctionContext;
import org.apache.flink.table.functions.SpecializedFunction;
import org.apache.flink.table.functions.TableFunction;
import org.apache.flink.table.functions.UserDefinedFunction;
import org.apache.flink.table.types.inference.TypeInference;

/**
 * {@code SELECT ... FROM t, LATERAL TABLE(predict('METADATA/decisions/NAME', t.a, t.b, ...))}: one
 * output row for every record.
 *
 * <p>Arguments and outputs are typed by the decision's manifest while the job is planned; the
 * active version at that time is the one that the tasks open.
 */
public final class PredictFunction extends TableFunction<RowData> implements SpecializedFunction {

  private static final long serialVersionUID = 1L;

  /** Null until Flink has planned a call. */
  private final PlannedDecision planned;

  private transient Predictor predictor;

  /** As {@code CREATE FUNCTION} makes it. */
  public PredictFunction() {
    this(null);
  }

  private PredictFunction(PlannedDecision planned) {
    this.planned = planned;
  }

  @Override
  public TypeInference getTypeInference(DataTypeFactory typeFactory) {
    return PredictSignature.inference(planned);
  }

  @Override
  public UserDefinedFunction specialize(SpecializedContext context) {
    return new PredictFunction(PredictSignature.plan(context));
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
  public void eval(StringData decisionUri, Object... values) {
    collect(predictor.predict(values));
  }

  @Override
  public void close() {
    if (predictor != null) {
      predictor.close();
    }
  }
}
