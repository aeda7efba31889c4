package org.pelton.bench;

import java.nio.file.Path;
import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.annotation.FunctionHint;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.functions.FunctionContext;
import org.apache.flink.table.functions.TableFunction;

/**
 * The peer: the same model through ONNX Runtime, as one would write it by hand. It gets the model's
 * input ready made and returns only the prediction: no lookup, no feature, no rule.
 */
@FunctionHint(output = @DataTypeHint(value = "ROW<p_late FLOAT>", bridgedTo = RowData.class))
public final class OnnxFunction extends TableFunction<RowData> {

  private static final long serialVersionUID = 1L;

  private final String model;

  private transient OnnxModel session;
  private transient GenericRowData output;

  OnnxFunction(String model) {
    this.model = model;
  }

  @Override
  public void open(FunctionContext context) throws Exception {
    session = new OnnxModel(Path.of(model));
    output = new GenericRowData(1);
  }

  public void eval(byte[] x) throws Exception {
    output.setField(0, session.run(x));
    collect(output);
  }

  @Override
  public boolean isDeterministic() {
    return false;
  }

  @Override
  public void close() throws Exception {
    if (session != null) {
      session.close();
    }
  }
}
