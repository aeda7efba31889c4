package org.pelton.flink;

import java.util.Set;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.table.connector.source.DynamicTableSource;
import org.apache.flink.table.factories.DynamicTableSourceFactory;
import org.apache.flink.table.factories.FactoryUtil;
import org.apache.flink.table.types.logical.RowType;

/**
 * {@code CREATE TABLE planes (...) WITH ('connector' = 'pelton', 'dimension' =
 * 'METADATA/dimensions/planes.toml')}: a dimension as a table of lookup joins.
 *
 * <p>The definition is read when a query that uses the table is planned; the tasks get its text.
 */
public class DimensionTableFactory implements DynamicTableSourceFactory {

  @Override
  public String factoryIdentifier() {
    return "pelton";
  }

  @Override
  public Set<ConfigOption<?>> requiredOptions() {
    return Set.of();
  }

  @Override
  public Set<ConfigOption<?>> optionalOptions() {
    return DimensionOptions.all();
  }

  @Override
  public DynamicTableSource createDynamicTableSource(Context context) {
    FactoryUtil.TableFactoryHelper helper = FactoryUtil.createTableFactoryHelper(this, context);
    return Planning.refusing(
        () -> {
          PlannedDimension planned = PlannedDimension.of(context, helper.getOptions());
          helper.validate();
          return table(
              planned, (RowType) context.getPhysicalRowDataType().getLogicalType().copy(false));
        });
  }

  /** The table that this line of Flink offers. */
  protected DynamicTableSource table(PlannedDimension planned, RowType columns) {
    return new DimensionTable(planned, columns);
  }
}
