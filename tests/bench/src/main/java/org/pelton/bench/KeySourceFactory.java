package org.pelton.bench;

import java.util.Set;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.table.connector.source.DynamicTableSource;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.factories.DynamicTableSourceFactory;
import org.apache.flink.table.factories.FactoryUtil;

/**
 * {@code 'connector' = 'keys', 'rows' = '...'}: an endless table of the keys {@code id} of the
 * table that {@code rust/dimension/benches/tables} makes, evenly drawn.
 */
public final class KeySourceFactory implements DynamicTableSourceFactory {

  private static final ConfigOption<Long> ROWS =
      ConfigOptions.key("rows").longType().noDefaultValue();

  @Override
  public String factoryIdentifier() {
    return "keys";
  }

  @Override
  public Set<ConfigOption<?>> requiredOptions() {
    return Set.of(ROWS);
  }

  @Override
  public Set<ConfigOption<?>> optionalOptions() {
    return Set.of();
  }

  @Override
  public DynamicTableSource createDynamicTableSource(Context context) {
    FactoryUtil.TableFactoryHelper helper = FactoryUtil.createTableFactoryHelper(this, context);
    helper.validate();
    return GatedSource.of(context, new NextKey(helper.getOptions().get(ROWS)));
  }

  private static final class NextKey extends GatedSource.Next {

    private static final long serialVersionUID = 1L;

    private final long rows;

    NextKey(long rows) {
      this.rows = rows;
    }

    @Override
    RowData row(long number) {
      return GenericRowData.of(mix(Long.remainderUnsigned(mix(~number), rows)));
    }

    /** SplitMix64, as {@code tables/mod.rs} has it: the key of a row is the mix of its number. */
    private static long mix(long value) {
      long mixed = value + 0x9E3779B97F4A7C15L;
      mixed = (mixed ^ (mixed >>> 30)) * 0xBF58476D1CE4E5B9L;
      mixed = (mixed ^ (mixed >>> 27)) * 0x94D049BB133111EBL;
      return mixed ^ (mixed >>> 31);
    }
  }
}
