package org.pelton.flink;

import java.util.Optional;
import org.apache.flink.table.connector.source.DynamicTableSource;
import org.apache.flink.table.connector.source.abilities.SupportsLookupCustomShuffle;
import org.apache.flink.table.connector.source.lookup.LookupFunctionProvider;
import org.apache.flink.table.types.logical.RowType;

/** A dimension whose planner sends each key to the subtask that has it, where a query asks so. */
final class ShuffledDimensionTable extends DimensionTable implements SupportsLookupCustomShuffle {

  /** What the join compares; known once Flink has asked for the runtime provider. */
  private RowType arriving;

  ShuffledDimensionTable(PlannedDimension planned, RowType columns) {
    super(planned, columns);
  }

  @Override
  public LookupRuntimeProvider getLookupRuntimeProvider(LookupContext context) {
    arriving = key(context);
    LookupRuntimeProvider provider = super.getLookupRuntimeProvider(context);
    if (!planned().sharded() || context.preferCustomShuffle()) {
      return provider;
    }
    // Flink also asks for a provider to see its class only; the function is made for the plan.
    return (LookupFunctionProvider)
        () -> {
          throw Planning.refusal(
              Planning.invalidOption(
                  planned().table(),
                  "'sharded' = 'true' needs Pelton's partitioner before the join, which this plan"
                      + " does not have; write SELECT /*+ LOOKUP('table'='NAME', 'shuffle'='true')"
                      + " */, with the table's name or alias, or 'sharded' = 'false'; under"
                      + " TRY_RESOLVE, with updates as input, Flink leaves it out in any case"));
        };
  }

  @Override
  public Optional<InputDataPartitioner> getPartitioner() {
    return Optional.of(new KeyGroupShuffle(arriving, keyPositions(arriving)));
  }

  @Override
  public DynamicTableSource copy() {
    ShuffledDimensionTable copy = new ShuffledDimensionTable(planned(), columns());
    copy.arriving = arriving;
    return copy;
  }

  /** The same partitioner, as the planner takes it. */
  private static final class KeyGroupShuffle extends KeyGroupPartitioner
      implements InputDataPartitioner {

    private static final long serialVersionUID = 1L;

    private KeyGroupShuffle(RowType arriving, int[] positions) {
      super(arriving, positions);
    }
  }
}
