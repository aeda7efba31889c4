package org.pelton.flink;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.table.factories.FactoryUtil;
import org.pelton.PeltonException;

/** What may stand in the {@code WITH (...)} of a table of the connector. */
final class DimensionOptions {

  static final ConfigOption<String> DIMENSION =
      text("dimension", "The definition: METADATA/dimensions/NAME.toml.");

  static final ConfigOption<Boolean> SHARDED =
      ConfigOptions.key("sharded")
          .booleanType()
          .defaultValue(false)
          .withDescription("Each subtask holds only the keys that are sent to it.");

  static final ConfigOption<String> PARTITION =
      text("partition", "The directory levels with their types.");

  static final ConfigOption<String> CHOICE =
      text("choice", "Which Hive partitions are looked up: latest, all, as_of or a pinned one.");

  /** What a table without a definition's file cannot do without. */
  static final List<String> REQUIRED_INLINE = List.of("path", "format", "key");

  /** Of Flink itself, in every table. */
  private static final List<String> FLINKS =
      List.of(FactoryUtil.CONNECTOR.key(), FactoryUtil.PROPERTY_VERSION.key());

  /** The keys of a definition, with '-' for '_'; {@code columns} come from the table itself. */
  private static final List<ConfigOption<?>> INLINE =
      List.of(
          text("path", "The directory of the Hive partitions."),
          text("format", "parquet or orc."),
          PARTITION,
          list("key", "The columns of the key, in order."),
          CHOICE,
          text("period", "The time that one Hive partition covers, for as_of."),
          text("available-after", "The time after its period from which one is valid, for as_of."),
          integer("keep", "How many Hive partitions are held, for as_of."),
          text(
              "late",
              "What a record gets whose Hive partition is missing: wait, previous or fail."),
          text("time-zone", "The zone of times of day in files that hold points in time."),
          list("fsst", "Columns whose strings are compressed."),
          text("duplicates", "What several rows of one key are: error, first, last or all."),
          text("ready", "How a complete Hive partition is known: its marker file, or metastore."),
          text("metastore", "The Hive metastore: thrift://HOST:PORT."),
          text("table", "Its table: database.table."),
          text("transport", "How its messages are packed: buffered or framed."),
          list("locations", "Where Hive partitions may lie besides path."),
          text("refresh", "How often newer Hive partitions are looked for."),
          text("initial", "What happens where none is ready at the start: wait TIME, or fail."),
          text("budget", "The most bytes that the rows may take."),
          text("max-staleness", "The age at which lookups fail."),
          integer("min-rows", "Hive partitions with fewer rows are refused."),
          text("max-shrink", "The share of rows that a refresh may lose."));

  private DimensionOptions() {}

  static Set<ConfigOption<?>> all() {
    Set<ConfigOption<?>> all = new LinkedHashSet<>(INLINE);
    all.add(DIMENSION);
    all.add(SHARDED);
    return all;
  }

  /**
   * Refuses options that there are not, and values of other types.
   *
   * @throws PeltonException where values cannot be read, with all that was refused so far
   */
  static void check(Map<String, String> given, ReadableConfig options, Refusals refusals) {
    List<String> known = all().stream().map(ConfigOption::key).collect(Collectors.toList());
    new TreeSet<>(given.keySet())
        .stream()
            .filter(key -> !known.contains(key) && !FLINKS.contains(key))
            .map(key -> "there is no option '" + key + "'" + Planning.didYouMean(key, known))
            .forEach(refusals::add);
    boolean readable = true;
    for (ConfigOption<?> option : all()) {
      try {
        options.getOptional(option);
      } catch (IllegalArgumentException e) {
        refusals.add(e.getMessage());
        readable = false;
      }
    }
    if (!readable) {
      refusals.throwIfAny();
    }
  }

  /** The options that stand in for a definition, as far as they are set. */
  static List<ConfigOption<?>> inline(ReadableConfig options) {
    return INLINE.stream()
        .filter(option -> options.getOptional(option).isPresent())
        .collect(Collectors.toList());
  }

  /** The definition that the options stand in for, as it would be written in a file. */
  static String toml(ReadableConfig options, String columns) {
    StringBuilder toml = new StringBuilder("columns = " + quote(columns) + "\n");
    for (ConfigOption<?> option : inline(options)) {
      toml.append(option.key().replace('-', '_'))
          .append(" = ")
          .append(value(options.get(option)))
          .append('\n');
    }
    return toml.toString();
  }

  private static String value(Object value) {
    if (value instanceof List) {
      return ((List<?>) value)
          .stream().map(DimensionOptions::value).collect(Collectors.joining(", ", "[", "]"));
    }
    return value instanceof String ? quote((String) value) : value.toString();
  }

  /** A basic string of TOML. */
  private static String quote(String text) {
    StringBuilder toml = new StringBuilder("\"");
    for (char c : text.toCharArray()) {
      if (c == '"' || c == '\\') {
        toml.append('\\').append(c);
      } else if (c < ' ' || c == 0x7F) {
        toml.append(String.format("\\u%04x", (int) c));
      } else {
        toml.append(c);
      }
    }
    return toml.append('"').toString();
  }

  private static ConfigOption<String> text(String key, String description) {
    return ConfigOptions.key(key).stringType().noDefaultValue().withDescription(description);
  }

  private static ConfigOption<Long> integer(String key, String description) {
    return ConfigOptions.key(key).longType().noDefaultValue().withDescription(description);
  }

  private static ConfigOption<List<String>> list(String key, String description) {
    return ConfigOptions.key(key)
        .stringType()
        .asList()
        .noDefaultValue()
        .withDescription(description + " Names are separated by ';'.");
  }
}
