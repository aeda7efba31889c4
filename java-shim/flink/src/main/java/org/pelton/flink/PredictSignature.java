package org.pelton.flink;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.functions.FunctionDefinition;
import org.apache.flink.table.functions.SpecializedFunction.SpecializedContext;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.inference.ArgumentCount;
import org.apache.flink.table.types.inference.CallContext;
import org.apache.flink.table.types.inference.ConstantArgumentCount;
import org.apache.flink.table.types.inference.InputTypeStrategy;
import org.apache.flink.table.types.inference.Signature;
import org.apache.flink.table.types.inference.TypeInference;
import org.apache.flink.table.types.inference.TypeStrategy;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.table.types.logical.utils.LogicalTypeCasts;
import org.apache.flink.table.types.utils.DataTypeUtils;
import org.pelton.PeltonException;

/**
 * What {@code predict('URI', ...)} and {@code predict_row} take and return, according to the
 * decision that the literal names.
 *
 * <p>Flink asks several times while it plans one call. It shows the message of a {@link
 * ValidationException} third in a chain of causes, so a message has to stand alone: it begins with
 * its code and names the decision.
 */
final class PredictSignature implements InputTypeStrategy, TypeStrategy {

  /** The call's decision once it is planned; null before. */
  private final PublishedDecision planned;

  private PredictSignature(PublishedDecision planned) {
    this.planned = planned;
  }

  /**
   * @param planned the call's decision once it is planned; null before
   */
  static TypeInference inference(PlannedDecision planned) {
    PredictSignature signature = new PredictSignature(planned == null ? null : planned.decision());
    return TypeInference.newBuilder()
        .inputTypeStrategy(signature)
        .outputTypeStrategy(signature)
        .build();
  }

  /**
   * The decision of a call whose types are inferred, with the session's options, which type
   * inference does not see.
   */
  static PlannedDecision plan(SpecializedContext context) {
    CallContext call = context.getCallContext();
    return Planning.refusing(
        () -> {
          PlannedDecision planned = PlannedDecision.of(uri(call), context.getConfiguration());
          refuseOtherColumns(planned.decision(), call);
          return planned;
        });
  }

  /** The decision that a call names, as it is active now. */
  private static PublishedDecision active(CallContext call) {
    return Planning.refusing(
        () -> {
          PublishedDecision decision = new DecisionDirectory(uri(call)).readActive();
          refuseUnsupported(decision);
          return decision;
        });
  }

  @Override
  public ArgumentCount getArgumentCount() {
    return ConstantArgumentCount.any();
  }

  @Override
  public Optional<List<DataType>> inferInputTypes(CallContext call, boolean throwOnFailure) {
    PublishedDecision decision = planned == null ? active(call) : planned;
    List<LogicalType> given =
        call.getArgumentDataTypes().stream()
            .skip(1)
            .map(DataType::getLogicalType)
            .collect(Collectors.toList());
    Optional<String> mismatch = mismatch(decision, given);
    if (mismatch.isPresent()) {
      return call.fail(
          throwOnFailure, "ARGUMENT_MISMATCH: %s: %s", decision.label(), mismatch.get());
    }
    List<DataType> expected = new ArrayList<>();
    expected.add(DataTypes.STRING().notNull().bridgedTo(StringData.class));
    for (LogicalType type : decision.input().getChildren()) {
      expected.add(DataTypeUtils.toInternalDataType(type));
    }
    return Optional.of(expected);
  }

  @Override
  public Optional<DataType> inferType(CallContext call) {
    PublishedDecision decision = planned == null ? active(call) : planned;
    return Optional.of(DataTypeUtils.toInternalDataType(decision.output()));
  }

  @Override
  public List<Signature> getExpectedSignatures(FunctionDefinition definition) {
    return List.of(
        Signature.of(
            Signature.Argument.of("decision", "STRING literal"),
            Signature.Argument.ofVarying("arguments", "as the decision's input")));
  }

  private static String uri(CallContext call) {
    boolean literal =
        !call.getArgumentDataTypes().isEmpty()
            && call.isArgumentLiteral(0)
            && !call.isArgumentNull(0);
    return Optional.of(literal)
        .filter(Boolean::booleanValue)
        .flatMap(yes -> call.getArgumentValue(0, String.class))
        .orElseThrow(
            () ->
                new PeltonException(
                    "ARGUMENT_MISMATCH",
                    false,
                    "the first argument of "
                        + call.getName()
                        + " must be the decision as a string literal,"
                        + " for instance 'METADATA/decisions/NAME'; an expression is not known"
                        + " when the job is planned"));
  }

  /** Flink has typed the call by the version that was active then, and as far as it knows types. */
  private static void refuseOtherColumns(PublishedDecision decision, CallContext call) {
    List<LogicalType> arguments =
        call.getArgumentDataTypes().stream()
            .skip(1)
            .map(DataType::getLogicalType)
            .collect(Collectors.toList());
    List<LogicalType> input = decision.input().getChildren();
    boolean sameInput =
        arguments.size() == input.size() && LogicalTypeCasts.supportsAvoidingCast(arguments, input);
    Optional<LogicalType> output =
        call.getOutputDataType().map(type -> type.getLogicalType().copy(false));
    if (!sameInput || !output.equals(Optional.of(decision.output()))) {
      throw new PeltonException(
          "ARGUMENT_MISMATCH",
          false,
          decision.label()
              + " takes "
              + decision.inputColumns()
              + " and gives "
              + decision.outputColumns()
              + ", but Flink plans the call with "
              + arguments
              + " and "
              + output.map(LogicalType::toString).orElse("no type")
              + "; a pinned version must have the columns of the active one, and Flink 1.20 knows"
              + " no TIME but TIME(0)");
    }
  }

  private static void refuseUnsupported(PublishedDecision decision) {
    for (RowType.RowField field : decision.input().getFields()) {
      if (FieldWriter.of(field.getType()).isEmpty()) {
        throw new PeltonException(
            "NOT_SUPPORTED",
            false,
            decision.label()
                + ": "
                + field.getName()
                + " "
                + field.getType()
                + " cannot be an argument; all types of Flink SQL can but INTERVAL, MULTISET,"
                + " RAW and those of users");
      }
    }
  }

  /** What is wrong with the arguments, if anything. Positions count from 1, the URI included. */
  private static Optional<String> mismatch(PublishedDecision decision, List<LogicalType> given) {
    String columns = decision.inputColumns();
    RowType expected = decision.input();
    if (given.size() != expected.getFieldCount()) {
      return Optional.of(
          "takes "
              + expected.getFieldCount()
              + " arguments after the URI "
              + columns
              + ", but "
              + given.size()
              + " are given");
    }
    for (int i = 0; i < given.size(); i++) {
      RowType.RowField field = expected.getFields().get(i);
      String argument = "argument " + (i + 2) + " (" + field.getName() + ")";
      if (!LogicalTypeCasts.supportsImplicitCast(given.get(i), field.getType())) {
        return Optional.of(
            argument
                + " must be "
                + field.getType()
                + ", but "
                + given.get(i)
                + " is given; CAST it, or change the order (the arguments are "
                + columns
                + ")");
      }
    }
    return Optional.empty();
  }
}
