package org.pelton.bench;

import java.nio.file.Path;
import java.util.Set;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.table.connector.source.DynamicTableSource;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.factories.DynamicTableSourceFactory;
import org.apache.flink.table.factories.FactoryUtil;

/**
 * {@code 'connector' = 'flights', 'file' = '...'}: an endless table over the rows of {@link
 * Flights}, which lie ready in memory.
 */
public final class FlightSourceFactory implements DynamicTableSourceFactory {

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
    return GatedSource.of(context, new NextFlight(helper.getOptions().get(FILE)));
  }

  private static final class NextFlight extends GatedSource.Next {

    private static final long serialVersionUID = 1L;

    private final String file;
    private transient RowData[] rows;

    NextFlight(String file) {
      this.file = file;
    }

    @Override
    public void open(OpenContext context) throws Exception {
      super.open(context);
      rows = Flights.rows(Path.of(file));
    }

    @Override
    RowData row(long number) {
      return rows[(int) (number & (Flights.COUNT - 1))];
    }
  }
}
