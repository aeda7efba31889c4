package org.pelton.flink;

import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.flink.table.connector.source.DynamicTableSource;
import org.apache.flink.table.connector.source.LookupTableSource;
import org.apache.flink.table.connector.source.abilities.SupportsProjectionPushDown;
import org.apache.flink.table.connector.source.lookup.LookupFunctionProvider;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.logical.RowType;

/**
 * A dimension behind {@code JOIN planes FOR SYSTEM_TIME AS OF o.proc_time}.
 *
 * <p>Flink asks for the runtime provider up to ten times a query, so nothing is read here.
 */
class DimensionTable implements LookupTableSource, SupportsProjectionPushDown {

  private final PlannedDimension planned;

  /** The columns that the query uses. */
  private RowType columns;

  DimensionTable(PlannedDimension planned, RowType columns) {
    this.planned = planned;
    this.columns = columns;
  }

  @Override
  public LookupRuntimeProvider getLookupRuntimeProvider(LookupContext context) {
    RowType key = key(context);
    return Planning.refusing(
        () -> {
          planned.checkCompared(key.getFieldNames());
          DimensionLookupFunction function = new DimensionLookupFunction(planned, key, columns);
          return LookupFunctionProvider.of(function);
        });
  }

  /** The columns that the condition compares, in the order in which their values arrive. */
  protected final RowType key(LookupContext context) {
    List<RowType.RowField> fields =
        Stream.of(context.getKeys())
            .map(path -> columns.getFields().get(path[0]))
            .collect(Collectors.toList());
    return new RowType(false, fields);
  }

  protected final PlannedDimension planned() {
    return planned;
  }

  protected final RowType columns() {
    return columns;
  }

  @Override
  public boolean supportsNestedProjection() {
    return false;
  }

  @Override
  public void applyProjection(int[][] projectedFields, DataType producedDataType) {
    columns = (RowType) producedDataType.getLogicalType();
  }

  @Override
  public DynamicTableSource copy() {
    return new DimensionTable(planned, columns);
  }

  @Override
  public String asSummaryString() {
    return "Pelton dimension of " + planned.table();
  }

  /** Where the dimension's key columns stand in what arrives. */
  protected final int[] keyPositions(RowType arriving) {
    return planned.key().stream().mapToInt(arriving.getFieldNames()::indexOf).toArray();
  }
}
