package org.pelton.bench;

import java.nio.file.Path;
import java.util.Set;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.functions.RichMapFunction;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.table.connector.ChangelogMode;
import org.apache.flink.table.connector.ProviderContext;
import org.apache.flink.table.connector.source.DataStreamScanProvider;
import org.apache.flink.table.connector.source.DynamicTableSource;
import org.apache.flink.table.connector.source.ScanTableSource;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.factories.DynamicTableSourceFactory;
import org.apache.flink.table.factories.FactoryUtil;
import org.apache.flink.table.runtime.typeutils.InternalTypeInfo;
import org.apache.flink.table.types.logical.RowType;

/**
 * {@code 'connector' = 'flights', 'file' = '...'}: an endless table over the rows of {@link
 * Flights}, which lie ready in memory. A number sequence says which row comes next, and {@link
 * #GATES} when.
 */
public final class FlightSourceFactory implements DynamicTableSourceFactory {

  /** One for each subtask of the JVM's only job. */
  static final Gate[] GATES = {new Gate(), new Gate()};

  private static final ConfigOption<String> FILE =
      ConfigOptions.key("file").stringType().noDefaultValue();

  @Override
  public String factoryIdentifier() {
    return "flights";
  }

  @Override
  public Set<ConfigOption<?>> requiredOptions() {
    return Set.of(FILE);
  }

  @Override
  public Set<ConfigOption<?>> optionalOptions() {
    return Set.of();
  }

  @Override
  public DynamicTableSource createDynamicTableSource(Context context) {
    FactoryUtil.TableFactoryHelper helper = FactoryUtil.createTableFactoryHelper(this, context);
    helper.validate();
    RowType type = (RowType) context.getPhysicalRowDataType().getLogicalType();
    return new FlightSource(helper.getOptions().get(FILE), type);
  }

  private record FlightSource(String file, RowType type) implements ScanTableSource {

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
              .map(new NextFlight(file))
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
      return "flights";
    }
  }

  private static final class NextFlight extends RichMapFunction<Long, RowData> {

    private static final long serialVersionUID = 1L;

    private final String file;
    private transient RowData[] rows;
    private transient Gate gate;

    NextFlight(String file) {
      this.file = file;
    }

    @Override
    public void open(OpenContext context) throws Exception {
      rows = Flights.rows(Path.of(file));
      gate = GATES[getRuntimeContext().getTaskInfo().getIndexOfThisSubtask()];
    }

    @Override
    public RowData map(Long number) throws InterruptedException {
      gate.pass();
      return rows[(int) (number & (Flights.COUNT - 1))];
    }
  }
}
