package org.pelton.bench;

import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.functions.RichMapFunction;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.table.connector.ChangelogMode;
import org.apache.flink.table.connector.ProviderContext;
import org.apache.flink.table.connector.source.DataStreamScanProvider;
import org.apache.flink.table.connector.source.DynamicTableSource;
import org.apache.flink.table.connector.source.ScanTableSource;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.factories.DynamicTableFactory;
import org.apache.flink.table.runtime.typeutils.InternalTypeInfo;
import org.apache.flink.table.types.logical.RowType;

/**
 * An endless table: a number sequence says which row comes next, and {@link #GATES} when.
 *
 * @param next the rows by their numbers
 */
record GatedSource(RowType type, Next next) implements ScanTableSource {

  /** One for each subtask of the JVM's only job. */
  static final Gate[] GATES = {new Gate(), new Gate()};

  static GatedSource of(DynamicTableFactory.Context context, Next next) {
    return new GatedSource((RowType) context.getPhysicalRowDataType().getLogicalType(), next);
  }

  /** Gives the row of a number. */
  abstract static class Next extends RichMapFunction<Long, RowData> {

    private static final long serialVersionUID = 1L;

    private transient Gate gate;

    abstract RowData row(long number);

    @Override
    public void open(OpenContext context) throws Exception {
      gate = GATES[getRuntimeContext().getTaskInfo().getIndexOfThisSubtask()];
    }

    @Override
    public final RowData map(Long number) throws InterruptedException {
      gate.pass();
      return row(number);
    }
  }

  @Override
  public ChangelogMode getChangelogMode() {
    return ChangelogMode.insertOnly();
  }

  @Override
  public ScanRuntimeProvider getScanRuntimeProvider(ScanContext context) {
    return new DataStreamScanProvider() {
      @Override
      public DataStream<RowData> produceDataStream(
          ProviderContext provider, StreamExecutionEnvironment environment) {
        return environment
            .fromSequence(0, Long.MAX_VALUE - 1)
            .map(next)
            .returns(InternalTypeInfo.of(type));
      }

      @Override
      public boolean isBounded() {
        return false;
      }
    };
  }

  @Override
  public DynamicTableSource copy() {
    return this;
  }

  @Override
  public String asSummaryString() {
    return "gated";
  }
}
