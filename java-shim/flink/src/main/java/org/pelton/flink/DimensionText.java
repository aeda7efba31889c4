package org.pelton.flink;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.toml.TomlMapper;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.core.fs.FSDataInputStream;
import org.apache.flink.core.fs.Path;
import org.pelton.PeltonException;

/**
 * The text of a dimension's definition, as it goes to the tasks.
 *
 * <p>The native side alone understands it. Here only that is read which planning compares with the
 * statement: the key, which the partitioner hashes, and what a key finds.
 */
final class DimensionText implements Serializable {

  private static final long serialVersionUID = 1L;

  private static final TomlMapper TOML = new TomlMapper();

  private final String source;
  private final String text;
  private final String root;
  private final ArrayList<String> key = new ArrayList<>();
  private final boolean asOf;
  private final boolean severalRows;

  /**
   * @param table whose definition it is, for messages
   * @param source where it comes from
   * @param root what its relative path begins at; empty where there is nothing
   * @throws PeltonException DIMENSION_INVALID
   */
  DimensionText(String table, String source, String text, String root) {
    this.source = source;
    this.text = text;
    this.root = root;
    JsonNode toml = parse(table, source, text);
    toml.path("key").forEach(name -> key.add(name.asText()));
    if (key.isEmpty()) {
      throw invalid(
          table
              + ": "
              + source
              + " has no `key`, expected the names of its columns, as in key = [\"tailnum\"]",
          null);
    }
    asOf = toml.path("choice").asText().equals("as_of");
    severalRows = toml.path("duplicates").asText().equals("all");
  }

  /**
   * Reads {@code METADATA/dimensions/NAME.toml}, through Flink's file systems.
   *
   * @throws PeltonException DIMENSION_INVALID or IO
   */
  static DimensionText read(String table, Path file) {
    String root = show(file.getParent().getParent());
    try (FSDataInputStream stream = file.getFileSystem().open(file)) {
      String text = new String(stream.readAllBytes(), StandardCharsets.UTF_8);
      return new DimensionText(table, show(file), text, root);
    } catch (FileNotFoundException e) { // also of a directory, or without the right to read
      throw invalid(unreadable(table, file, e.getMessage()), e);
    } catch (IOException e) {
      throw new PeltonException("IO", true, unreadable(table, file, e.toString()), e);
    }
  }

  private static String unreadable(String table, Path file, String cause) {
    return table + ": 'dimension' names " + file + ", which cannot be read: " + cause;
  }

  /** A place as the native side takes it: a local one as a path. */
  private static String show(Path place) {
    return "file".equals(place.toUri().getScheme()) ? place.getPath() : place.toString();
  }

  private static JsonNode parse(String table, String source, String text) {
    try {
      return TOML.readTree(text);
    } catch (IOException e) {
      throw invalid(table + ": " + source + ": " + e.getMessage(), e);
    }
  }

  private static PeltonException invalid(String message, Exception cause) {
    return new PeltonException("DIMENSION_INVALID", false, message, cause);
  }

  /** Where the definition comes from. */
  String source() {
    return source;
  }

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

  /** Whether a record sees the Hive partition of its own time. */
  boolean asOf() {
    return asOf;
  }

  /** Whether a key may have several rows. */
  boolean severalRows() {
    return severalRows;
  }
}
