package org.pelton.flink;

import org.apache.flink.table.connector.source.DynamicTableSource;
import org.apache.flink.table.types.logical.RowType;

/** The connector of Flink 2.x, whose planner knows partitioners of connectors. */
public final class ShuffledDimensionTableFactory extends DimensionTableFactory {

  @Override
  protected DynamicTableSource table(PlannedDimension planned, RowType columns) {
    return new ShuffledDimensionTable(planned, columns);
  }
}
