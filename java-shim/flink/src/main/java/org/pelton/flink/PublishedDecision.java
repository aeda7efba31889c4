package org.pelton.flink;

import java.io.Serializable;
import java.util.stream.Collectors;
import org.apache.flink.table.types.logical.RowType;

/**
 * One version of a published decision as Flink's planner needs it: which columns go in and out.
 *
 * <p>Plain and serialisable: it travels from the planner to the tasks.
 */
final class PublishedDecision implements Serializable {

  private static final long serialVersionUID = 1L;

  private final String uri;
  private final String name;
  private final long version;
  private final RowType input;
  private final RowType output;
  private final boolean errorColumn;

  PublishedDecision(
      String uri, String name, long version, RowType input, RowType output, boolean errorColumn) {
    this.uri = uri;
    this.name = name;
    this.version = version;
    this.input = input;
    this.output = output;
    this.errorColumn = errorColumn;
  }

  /** {@code METADATA/decisions/NAME}, absolute: it means the same in every directory. */
  String uri() {
    return uri;
  }

  long version() {
    return version;
  }

  String name() {
    return name;
  }

  /** The arguments, in order. */
  RowType input() {
    return input;
  }

  RowType output() {
    return output;
  }

  /** Whether the output says of a failed record why it failed ({@code pelton.error}). */
  boolean hasErrorColumn() {
    return errorColumn;
  }

  /** As in a column list of SQL. */
  String inputColumns() {
    return columns(input);
  }

  /** As in a column list of SQL. */
  String outputColumns() {
    return columns(output);
  }

  /** How messages name it. */
  String label() {
    return "decision `" + name + "` version " + version;
  }

  /** Whether a manifest that was read elsewhere has the columns that the job was planned with. */
  boolean matches(byte[] manifestJson) {
    PublishedDecision other =
        new Manifest(name, version, "the task's manifest").parse(uri, manifestJson);
    return input.equals(other.input) && output.equals(other.output);
  }

  private static String columns(RowType type) {
    return type.getFields().stream()
        .map(field -> field.getName() + " " + field.getType())
        .collect(Collectors.joining(", ", "(", ")"));
  }
}
