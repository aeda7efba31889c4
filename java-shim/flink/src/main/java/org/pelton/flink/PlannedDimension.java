package org.pelton.flink;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.flink.api.common.RuntimeExecutionMode;
import org.apache.flink.configuration.BatchExecutionOptions;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ExecutionOptions;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.core.fs.Path;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.catalog.UniqueConstraint;
import org.apache.flink.table.factories.DynamicTableFactory;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.LogicalTypeRoot;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.table.types.logical.utils.LogicalTypeParser;
import org.pelton.PeltonException;

/**
 * What a table of the connector takes along from the planner to its tasks: the definition of the
 * dimension, and the options.
 */
final class PlannedDimension implements Serializable {

  private static final long serialVersionUID = 1L;

  private static final String DIRECTORY = "dimensions";
  private static final String SUFFIX = ".toml";

  /** The column of the record's time, where a dimension's rows are chosen by it. */
  private static final String AS_OF = "as_of";

  private final String table;
  private final DimensionText definition;
  private final boolean sharded;
  private final String nativeDirectory;

  private PlannedDimension(
      String table,
      DimensionText definition,
      DynamicTableFactory.Context context,
      ReadableConfig options) {
    this.table = table;
    this.definition = definition;
    this.sharded = options.get(DimensionOptions.SHARDED);
    this.nativeDirectory = JobOptions.nativeDirectory(context.getConfiguration(), table);
  }

  /**
   * @throws PeltonException DIMENSION_INVALID, IO, or ARGUMENT_MISMATCH with all that is wrong
   */
  static PlannedDimension of(DynamicTableFactory.Context context, ReadableConfig options) {
    String table = "table " + context.getObjectIdentifier().asSerializableString();
    Refusals refusals = new Refusals(table);
    if (!context.getCatalogTable().getPartitionKeys().isEmpty()) {
      refusals.add(
          "PARTITIONED BY is not used; the directory levels are 'partition' = 'dt DATE', or stand in"
              + " the dimension's file");
    }
    DimensionOptions.check(context.getCatalogTable().getOptions(), options, refusals);
    checkSharded(context.getConfiguration(), options, refusals);
    DimensionText definition =
        context.getCatalogTable().getOptions().containsKey(DimensionOptions.DIMENSION.key())
            ? ofFile(table, options, refusals)
            : ofOptions(table, context, options, refusals);
    checkColumns(context, definition, refusals);
    refusals.throwIfAny();
    return new PlannedDimension(table, definition, context, options);
  }

  /**
   * In batch mode Flink deals keys out to as many subtasks as there may be, and then runs fewer of
   * them where there is little data, each with the keys of several.
   */
  private static void checkSharded(ReadableConfig job, ReadableConfig options, Refusals refusals) {
    ConfigOption<Boolean> automatic = BatchExecutionOptions.ADAPTIVE_AUTO_PARALLELISM_ENABLED;
    if (options.get(DimensionOptions.SHARDED)
        && job.get(ExecutionOptions.RUNTIME_MODE) == RuntimeExecutionMode.BATCH
        && job.get(automatic)) {
      refusals.add(
          "'sharded' = 'true' in batch mode needs a fixed parallelism, but Flink chooses it by the"
              + " amount of data; SET '"
              + automatic.key()
              + "' = 'false', or leave out 'sharded'");
    }
  }

  private static DimensionText ofFile(String table, ReadableConfig options, Refusals refusals) {
    List<ConfigOption<?>> inline = DimensionOptions.inline(options);
    if (!inline.isEmpty()) {
      refusals.add(
          "'dimension' and "
              + inline.stream()
                  .map(option -> "'" + option.key() + "'")
                  .collect(Collectors.joining(", "))
              + " are both set; what a dimension is stands in its file, or in the table's options");
    }
    String uri = options.get(DimensionOptions.DIMENSION);
    Path path = Locations.path(uri);
    Path directory = path.getParent();
    if (!uri.endsWith(SUFFIX)
        || directory == null
        || !directory.getName().equals(DIRECTORY)
        || directory.getParent() == null) {
      refusals.add("'dimension' = '" + uri + "', expected METADATA/dimensions/NAME" + SUFFIX);
    }
    refusals.throwIfAny();
    return DimensionText.read(table, path);
  }

  private static DimensionText ofOptions(
      String table,
      DynamicTableFactory.Context context,
      ReadableConfig options,
      Refusals refusals) {
    List<String> missing =
        DimensionOptions.REQUIRED_INLINE.stream()
            .filter(option -> !context.getCatalogTable().getOptions().containsKey(option))
            .map(option -> "'" + option + "'")
            .collect(Collectors.toList());
    if (!missing.isEmpty()) {
      refusals.add(
          String.join(", ", missing)
              + (missing.size() == 1 ? " is" : " are")
              + " missing; expected 'dimension' = 'METADATA/dimensions/NAME.toml', or 'path',"
              + " 'format' and 'key', and whatever else a definition has");
    }
    Set<String> others = levels(options, refusals);
    refusals.throwIfAny();
    if (AS_OF.equals(options.get(DimensionOptions.CHOICE))) {
      others.add(AS_OF);
    }
    RowType row = (RowType) context.getPhysicalRowDataType().getLogicalType();
    List<RowType.RowField> columns =
        row.getFields().stream()
            .filter(field -> !others.contains(field.getName()))
            .collect(Collectors.toList());
    String name = context.getObjectIdentifier().getObjectName();
    return new DimensionText(table, name, DimensionOptions.toml(options, columns(columns)), "");
  }

  /** The names of the directory levels. */
  private static Set<String> levels(ReadableConfig options, Refusals refusals) {
    Set<String> names = new HashSet<>();
    String levels = options.getOptional(DimensionOptions.PARTITION).orElse("");
    if (!levels.isBlank()) {
      try {
        ClassLoader loader = PlannedDimension.class.getClassLoader();
        RowType row = (RowType) LogicalTypeParser.parse("ROW<" + levels + ">", loader);
        names.addAll(row.getFieldNames());
      } catch (ValidationException e) {
        refusals.add(
            "'partition' = '"
                + levels
                + "', expected the directory levels with their types, as in 'dt DATE'");
      }
    }
    return names;
  }

  /** The columns of the statement must not say something else. */
  private static void checkColumns(
      DynamicTableFactory.Context context, DimensionText definition, Refusals refusals) {
    if (definition.asOf()) {
      RowType row = (RowType) context.getPhysicalRowDataType().getLogicalType();
      int place = row.getFieldIndex(AS_OF);
      if (place < 0 || !isTime(row.getTypeAt(place))) {
        refusals.add(
            "`choice = \"as_of\"` needs a column `as_of` TIMESTAMP(3) or TIMESTAMP_LTZ(3) beside the"
                + " dimension's own: the record's time, which a join compares, as in AND d.as_of ="
                + " o.event_time"
                + (place < 0 ? "" : "; it is " + row.getTypeAt(place).asSerializableString()));
      }
    }
    context
        .getCatalogTable()
        .getResolvedSchema()
        .getPrimaryKey()
        .map(UniqueConstraint::getColumns)
        .ifPresent(columns -> checkPrimaryKey(columns, definition, refusals));
  }

  private static boolean isTime(LogicalType type) {
    return type.is(LogicalTypeRoot.TIMESTAMP_WITHOUT_TIME_ZONE)
        || type.is(LogicalTypeRoot.TIMESTAMP_WITH_LOCAL_TIME_ZONE);
  }

  private static void checkPrimaryKey(
      List<String> primary, DimensionText definition, Refusals refusals) {
    if (definition.severalRows()) {
      refusals.add(
          "PRIMARY KEY is declared, but with `duplicates = \"all\"` a key has several rows");
    } else if (!Set.copyOf(primary).equals(Set.copyOf(toCompare(definition)))) {
      refusals.add(
          "PRIMARY KEY is " + primary + ", but rows are told apart by " + toCompare(definition));
    }
  }

  /** What a join has to compare, and what tells rows apart. */
  private static List<String> toCompare(DimensionText definition) {
    List<String> names = new ArrayList<>(definition.key());
    if (definition.asOf()) {
      names.add(AS_OF);
    }
    return names;
  }

  /**
   * The columns that a condition compares have to hold the key, and the record's time where rows
   * are chosen by it.
   *
   * @param compared the names of the columns that are compared with {@code =}
   */
  void checkCompared(List<String> compared) {
    List<String> needed = toCompare(definition);
    if (!compared.containsAll(needed)) {
      throw Planning.invalidOption(
          table,
          "the join compares "
              + compared
              + " with `=`, but rows are found by the whole key"
              + (definition.asOf() ? " as of the record's time" : "")
              + ", "
              + needed
              + "; compare each of these columns with a column or a constant of the same type");
    }
  }

  /** Columns as in a CREATE TABLE. */
  static String columns(List<RowType.RowField> columns) {
    return columns.stream()
        .map(
            field ->
                "`"
                    + field.getName().replace("`", "``")
                    + "` "
                    + field.getType().asSerializableString())
        .collect(Collectors.joining(", "));
  }

  /** The table, for messages. */
  String table() {
    return table;
  }

  /** The dimension, for metrics. */
  String name() {
    String source = definition.source();
    String file = source.substring(source.lastIndexOf('/') + 1);
    return file.endsWith(SUFFIX) ? file.substring(0, file.length() - SUFFIX.length()) : file;
  }

  DimensionText definition() {
    return definition;
  }

  /** The columns of the key, in the order in which they are hashed. */
  List<String> key() {
    return definition.key();
  }

  /** Whether each subtask holds only its share of the keys. */
  boolean sharded() {
    return sharded;
  }

  /** Where the native library lies; null for the usual places. */
  String nativeDirectory() {
    return nativeDirectory;
  }
}
