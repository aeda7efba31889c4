package org.pelton.bench;

import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.annotation.FunctionHint;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.functions.FunctionContext;
import org.apache.flink.table.functions.TableFunction;

/**
 * What any table function of the decision's shape costs in Flink: it takes the decision's arguments
 * and returns four of them as the decision's outputs.
 */
@FunctionHint(
    output =
        @DataTypeHint(
            value = "ROW<p_late FLOAT, risk FLOAT, action STRING, fired_rule STRING>",
            bridgedTo = RowData.class))
public final class EchoFunction extends TableFunction<RowData> {

  private static final long serialVersionUID = 1L;

  private transient GenericRowData output;

  @Override
  public void open(FunctionContext context) {
    output = new GenericRowData(4);
  }

  public void eval(
      @DataTypeHint(value = "STRING", bridgedTo = StringData.class) StringData carrier,
      @DataTypeHint(value = "STRING", bridgedTo = StringData.class) StringData tailnum,
      @DataTypeHint(value = "STRING", bridgedTo = StringData.class) StringData origin,
      @DataTypeHint(value = "STRING", bridgedTo = StringData.class) StringData dest,
      @DataTypeHint(value = "TIMESTAMP(3)", bridgedTo = TimestampData.class) TimestampData schedDep,
      Integer localHour,
      Double depDelay,
      Integer distance) {
    output.setField(0, depDelay == null ? null : depDelay.floatValue());
    output.setField(1, distance == null ? null : distance.floatValue());
    output.setField(2, carrier);
    output.setField(3, tailnum);
    collect(output);
  }

  @Override
  public boolean isDeterministic() {
    return false;
  }
}
