package org.pelton.flink;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.toml.TomlMapper;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.core.fs.FSDataInputStream;
import org.apache.flink.core.fs.Path;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.api.config.OptimizerConfigOptions;
import org.apache.flink.table.api.config.OptimizerConfigOptions.NonDeterministicUpdateStrategy;
import org.apache.flink.table.catalog.ResolvedCatalogTable;
import org.apache.flink.table.catalog.UniqueConstraint;
import org.apache.flink.table.factories.DynamicTableFactory;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.table.types.logical.utils.LogicalTypeParser;
import org.pelton.PeltonException;

/**
 * What a table of the connector takes along from the planner to its tasks: the text of the
 * dimension's definition, and the options.
 *
 * <p>The native side alone understands a definition. Here only its {@code key} is read, because
 * planning compares it with the join's condition, and the partitioner hashes it.
 */
final class PlannedDimension implements Serializable {

  private static final long serialVersionUID = 1L;

  private static final String DIRECTORY = "dimensions";
  private static final String SUFFIX = ".toml";
  private static final TomlMapper TOML = new TomlMapper();

  private final String table;
  private final String source;
  private final String text;
  private final String root;
  private final ArrayList<String> key;
  private final boolean sharded;
  private final boolean rowsAreKept;
  private final String nativeDirectory;

  private PlannedDimension(
      DynamicTableFactory.Context context,
      ReadableConfig options,
      String source,
      String text,
      String root) {
    this.table = label(context);
    this.source = source;
    this.text = text;
    this.root = root;
    this.key = readKey();
    this.sharded = options.get(DimensionOptions.SHARDED);
    // The strategy under which a lookup join may keep rows in its state, where it never copies.
    this.rowsAreKept =
        context
                .getConfiguration()
                .get(OptimizerConfigOptions.TABLE_OPTIMIZER_NONDETERMINISTIC_UPDATE_STRATEGY)
            == NonDeterministicUpdateStrategy.TRY_RESOLVE;
    this.nativeDirectory = JobOptions.nativeDirectory(context.getConfiguration(), table);
  }

  /**
   * @throws PeltonException DIMENSION_INVALID, ARGUMENT_MISMATCH or IO
   */
  static PlannedDimension of(DynamicTableFactory.Context context, ReadableConfig options) {
    PlannedDimension planned =
        options.getOptional(DimensionOptions.DIMENSION).isPresent()
            ? ofFile(context, options)
            : ofOptions(context, options);
    planned.checkTable(context.getCatalogTable());
    return planned;
  }

  private static PlannedDimension ofFile(
      DynamicTableFactory.Context context, ReadableConfig options) {
    String label = label(context);
    List<ConfigOption<?>> inline = DimensionOptions.inline(options);
    if (!inline.isEmpty()) {
      throw Planning.invalidOption(
          label,
          "'dimension' and '"
              + inline.get(0).key()
              + "' are both set; what a dimension is stands in its file, or in the table's options");
    }
    String uri = options.get(DimensionOptions.DIMENSION);
    Path path = Locations.path(uri);
    Path directory = path.getParent();
    if (!uri.endsWith(SUFFIX)
        || directory == null
        || !directory.getName().equals(DIRECTORY)
        || directory.getParent() == null) {
      throw Planning.invalidOption(
          label, "'dimension' = '" + uri + "', expected METADATA/dimensions/NAME" + SUFFIX);
    }
    return new PlannedDimension(
        context, options, show(path), read(label, path), show(directory.getParent()));
  }

  /** A place as the native side takes it: a local one as a path. */
  private static String show(Path place) {
    return "file".equals(place.toUri().getScheme()) ? place.getPath() : place.toString();
  }

  private static PlannedDimension ofOptions(
      DynamicTableFactory.Context context, ReadableConfig options) {
    String label = label(context);
    for (String option : List.of("path", "format", DimensionOptions.KEY.key())) {
      if (!context.getCatalogTable().getOptions().containsKey(option)) {
        throw Planning.invalidOption(
            label,
            "'"
                + option
                + "' is missing; expected 'dimension' = 'METADATA/dimensions/NAME.toml', or 'path',"
                + " 'format' and 'key', and whatever else a definition has");
      }
    }
    Set<String> levels = levels(label, options);
    RowType row = (RowType) context.getPhysicalRowDataType().getLogicalType();
    List<RowType.RowField> columns =
        row.getFields().stream()
            .filter(field -> !levels.contains(field.getName()))
            .collect(Collectors.toList());
    String name = context.getObjectIdentifier().getObjectName();
    String text = DimensionOptions.toml(options, columns(columns));
    return new PlannedDimension(context, options, name, text, "");
  }

  /** The names of the directory levels. */
  private static Set<String> levels(String label, ReadableConfig options) {
    Set<String> names = new HashSet<>();
    options
        .getOptional(DimensionOptions.PARTITION)
        .filter(levels -> !levels.isBlank())
        .ifPresent(
            levels -> {
              try {
                ClassLoader loader = PlannedDimension.class.getClassLoader();
                RowType row = (RowType) LogicalTypeParser.parse("ROW<" + levels + ">", loader);
                names.addAll(row.getFieldNames());
              } catch (ValidationException e) {
                throw Planning.invalidOption(
                    label,
                    "'partition' = '"
                        + levels
                        + "', expected the directory levels with their types, as in 'dt DATE'");
              }
            });
    return names;
  }

  private static String read(String label, Path file) {
    try (FSDataInputStream stream = file.getFileSystem().open(file)) {
      return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    } catch (FileNotFoundException e) {
      throw new PeltonException(
          "DIMENSION_INVALID",
          false,
          label + ": 'dimension' names " + file + ", which does not exist",
          e);
    } catch (IOException e) {
      throw new PeltonException("IO", true, label + ": " + e, e);
    }
  }

  private ArrayList<String> readKey() {
    JsonNode names;
    try {
      names = TOML.readTree(text).path("key");
    } catch (IOException e) {
      throw new PeltonException(
          "DIMENSION_INVALID", false, table + ": " + source + ": " + e.getMessage(), e);
    }
    ArrayList<String> key = new ArrayList<>();
    names.forEach(name -> key.add(name.asText()));
    if (key.isEmpty()) {
      throw new PeltonException(
          "DIMENSION_INVALID",
          false,
          table
              + ": "
              + source
              + " has no `key`, expected the names of its columns, as in key = [\"tailnum\"]");
    }
    return key;
  }

  /** What else stands in the statement must not say something else. */
  private void checkTable(ResolvedCatalogTable catalogTable) {
    if (!catalogTable.getPartitionKeys().isEmpty()) {
      throw Planning.invalidOption(
          table,
          "PARTITIONED BY is not used; the directory levels are 'partition' = 'dt DATE', or stand in"
              + " the dimension's file");
    }
    List<String> primary =
        catalogTable
            .getResolvedSchema()
            .getPrimaryKey()
            .map(UniqueConstraint::getColumns)
            .orElse(key);
    if (!Set.copyOf(primary).equals(Set.copyOf(key))) {
      throw Planning.invalidOption(
          table, "PRIMARY KEY is " + primary + ", but the key of the dimension is " + key);
    }
  }

  /**
   * The columns that a condition compares have to hold the key.
   *
   * @param compared the names of the columns that are compared with {@code =}
   */
  void checkCompared(List<String> compared) {
    if (!compared.containsAll(key)) {
      throw new PeltonException(
          "ARGUMENT_MISMATCH",
          false,
          table
              + ": the join compares "
              + compared
              + " with `=`, but rows are found by the whole key, "
              + key
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

  private static String label(DynamicTableFactory.Context context) {
    return "table " + context.getObjectIdentifier().asSerializableString();
  }

  /** The table, for messages. */
  String table() {
    return table;
  }

  /** The dimension, for metrics. */
  String name() {
    String file = source.substring(source.lastIndexOf('/') + 1);
    return file.endsWith(SUFFIX) ? file.substring(0, file.length() - SUFFIX.length()) : file;
  }

  /** Where the definition comes from. */
  String source() {
    return source;
  }

  /** The definition. */
  String text() {
    return text;
  }

  /** What its relative path begins at; empty where there is nothing. */
  String root() {
    return root;
  }

  /** The columns of the key, in the order in which they are hashed. */
  List<String> key() {
    return key;
  }

  /** Whether each subtask holds only its share of the keys. */
  boolean sharded() {
    return sharded;
  }

  /** Whether Flink may keep a row that was found, without copying it. */
  boolean rowsAreKept() {
    return rowsAreKept;
  }

  /** Where the native library lies; null for the usual places. */
  String nativeDirectory() {
    return nativeDirectory;
  }
}
