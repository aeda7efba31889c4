package org.pelton;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Tables of a metadata directory, each as a dimension of Parquet files and as CSV files for Flink's
 * own source.
 */
public final class TestDimensions {

  private final Path metadata;
  private final TestDecisions decisions;

  public TestDimensions(Path metadata) {
    this.metadata = metadata;
    this.decisions = new TestDecisions(metadata);
  }

  /** A dimension's file, {@code METADATA/dimensions/NAME.toml}. */
  public Path definition(String name) {
    return metadata.resolve("dimensions").resolve(name + ".toml");
  }

  /** The directory of a dimension's Hive partitions. */
  public Path directory(String name) {
    return metadata.resolve(name);
  }

  /** The directory of the same rows as CSV. */
  public Path csv(String name) {
    return metadata.resolveSibling("csv").resolve(name);
  }

  /**
   * Defines a dimension of one level {@code dt DATE}.
   *
   * @param key as TOML has it: {@code "a", "b"}
   * @param more lines of the definition
   * @return the URI of its definition
   */
  public String define(String name, String columns, String key, String... more) throws Exception {
    Files.createDirectories(metadata.resolve("dimensions"));
    String toml =
        String.format(
            "path = \"%s\"\nformat = \"parquet\"\npartition = \"dt DATE\"\ncolumns = \"%s\"\n"
                + "key = [%s]\n%s\n",
            name, columns, key, String.join("\n", more));
    Files.writeString(definition(name), toml);
    return definition(name).toString();
  }

  /**
   * Writes a Hive partition.
   *
   * @param lines of CSV; an empty field is NULL
   */
  public void write(String name, String date, String columns, List<String> lines) throws Exception {
    Path csv = Files.createDirectories(csv(name)).resolve(date + ".csv");
    Files.write(csv, lines);
    String names = columns.replaceAll("(\\w+) [^,(]+(\\([^)]*\\))?", "$1");
    String copy = decisions.publish("copy_" + name, columns, names);
    Path partition = Files.createDirectories(directory(name).resolve("dt=" + date));
    TestDecisions.pelton(
        "run",
        "--decision",
        copy,
        "--columns",
        columns,
        "--input",
        csv.toString(),
        "--output",
        partition.resolve("part-0.parquet").toString());
    Files.createFile(partition.resolve("_SUCCESS"));
  }
}
