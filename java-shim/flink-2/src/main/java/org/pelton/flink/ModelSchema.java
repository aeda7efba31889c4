package org.pelton.flink;

import java.util.List;
import org.apache.flink.table.catalog.ResolvedCatalogModel;
import org.apache.flink.table.catalog.ResolvedSchema;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.table.types.logical.utils.LogicalTypeCasts;
import org.pelton.PeltonException;

/**
 * Compares the schema that a CREATE MODEL statement declares with a decision's: the same names,
 * types and order.
 *
 * <p>Flink converts nothing between the statement's types and the decision's, so they have to lie
 * in memory in the same way: CHAR and VARCHAR lengths may be wider where a value goes to. An input
 * may be declared NOT NULL or not, because the columns themselves are compared when they are known;
 * an output may not be declared NOT NULL, because every output of a decision may be NULL.
 */
final class ModelSchema {

  private final PublishedDecision decision;

  ModelSchema(PublishedDecision decision) {
    this.decision = decision;
  }

  /**
   * @throws PeltonException ARGUMENT_MISMATCH, with the schema that is expected
   */
  void check(ResolvedCatalogModel model) {
    RowType input = row(model.getResolvedInputSchema());
    RowType output = row(model.getResolvedOutputSchema());
    checkCount("INPUT", input, decision.input());
    checkCount("OUTPUT", output, decision.output());
    for (int i = 0; i < input.getFieldCount(); i++) {
      LogicalType declared = input.getTypeAt(i).copy(true);
      LogicalType wanted = decision.input().getTypeAt(i).copy(true);
      boolean fits = LogicalTypeCasts.supportsAvoidingCast(declared, wanted);
      checkColumn("INPUT", i, input, decision.input(), fits);
    }
    for (int i = 0; i < output.getFieldCount(); i++) {
      LogicalType given = decision.output().getTypeAt(i);
      boolean fits = LogicalTypeCasts.supportsAvoidingCast(given, output.getTypeAt(i));
      checkColumn("OUTPUT", i, output, decision.output(), fits);
    }
  }

  private void checkCount(String part, RowType declared, RowType expected) {
    if (declared.getFieldCount() != expected.getFieldCount()) {
      throw mismatch(
          part
              + " has "
              + declared.getFieldCount()
              + " columns, the decision "
              + expected.getFieldCount());
    }
  }

  private void checkColumn(String part, int i, RowType declared, RowType expected, boolean fits) {
    RowType.RowField theirs = declared.getFields().get(i);
    RowType.RowField ours = expected.getFields().get(i);
    if (!fits || !theirs.getName().equals(ours.getName())) {
      throw mismatch(
          String.format(
              "column %d of %s is %s %s, but of the decision %s %s",
              i + 1, part, theirs.getName(), theirs.getType(), ours.getName(), ours.getType()));
    }
  }

  private PeltonException mismatch(String what) {
    return new PeltonException(
        "ARGUMENT_MISMATCH",
        false,
        decision.label()
            + ": "
            + what
            + "; the model's schema has to be INPUT "
            + decision.inputColumns()
            + " OUTPUT "
            + decision.outputColumns());
  }

  private static RowType row(ResolvedSchema schema) {
    return (RowType) schema.toPhysicalRowDataType().getLogicalType();
  }

  /**
   * Refuses the columns of a query that the decision cannot read: Flink accepts what it could cast,
   * and then does not cast it.
   */
  void checkArguments(List<LogicalType> given) {
    for (int i = 0; i < given.size(); i++) {
      RowType.RowField column = decision.input().getFields().get(i);
      if (!LogicalTypeCasts.supportsAvoidingCast(given.get(i), column.getType())) {
        throw new PeltonException(
            "ARGUMENT_MISMATCH",
            false,
            String.format(
                "%s: column %d of the DESCRIPTOR is %s, but %s is %s, and ML_PREDICT casts nothing;"
                    + " CAST it in the input: TABLE a view that selects CAST(... AS %s)",
                decision.label(),
                i + 1,
                given.get(i),
                column.getName(),
                column.getType(),
                column.getType()));
      }
    }
  }
}
