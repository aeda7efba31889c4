package org.pelton.flink;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.LogicalTypeRoot;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.table.types.logical.utils.LogicalTypeParser;
import org.pelton.PeltonException;

/**
 * MANIFEST.json of one version: the part that planning needs, which is the signature. Checksums are
 * the native side's business.
 */
final class Manifest {

  private static final int FORMAT = 1;
  private static final ObjectMapper JSON =
      JsonMapper.builder().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();

  private final String name;
  private final long version;
  private final String file;

  /**
   * @param name the decision whose manifest it should be
   * @param version the version whose manifest it should be
   * @param file where it was read, for messages
   */
  Manifest(String name, long version, String file) {
    this.name = name;
    this.version = version;
    this.file = file;
  }

  PublishedDecision parse(String uri, byte[] json) {
    JsonNode manifest;
    try {
      manifest = JSON.readTree(json);
    } catch (IOException e) {
      throw invalid("is not whole: " + e.getMessage(), e);
    }
    if (manifest.path("format").asInt() != FORMAT) {
      throw invalid("has format " + manifest.path("format") + ", expected " + FORMAT, null);
    }
    if (!manifest.path("decision").asText().equals(name)
        || manifest.path("version").asLong() != version) {
      throw new PeltonException(
          "MANIFEST_MISMATCH",
          false,
          prefix()
              + "is the manifest of decision "
              + manifest.path("decision")
              + " version "
              + manifest.path("version"));
    }
    boolean errorColumn = manifest.path("reserved").has("error");
    return new PublishedDecision(
        uri, name, version, columns(manifest, "input"), columns(manifest, "output"), errorColumn);
  }

  private RowType columns(JsonNode manifest, String key) {
    List<RowType.RowField> fields = new ArrayList<>();
    for (JsonNode column : manifest.path(key)) {
      String columnName = column.path("name").asText();
      fields.add(new RowType.RowField(columnName, type(column.path("type").asText(), columnName)));
    }
    if (fields.isEmpty()) {
      throw invalid("has no columns in \"" + key + "\"", null);
    }
    return new RowType(false, fields);
  }

  private LogicalType type(String type, String column) {
    try {
      LogicalType parsed = LogicalTypeParser.parse(type, Manifest.class.getClassLoader());
      if (parsed.is(LogicalTypeRoot.UNRESOLVED)) {
        throw new ValidationException("no type of Flink has this name");
      }
      return parsed;
    } catch (ValidationException e) {
      throw invalid("has type `" + type + "` for column " + column + ": " + e.getMessage(), e);
    }
  }

  private PeltonException invalid(String what, Throwable cause) {
    return new PeltonException("MANIFEST_INVALID", false, prefix() + what, cause);
  }

  private String prefix() {
    return "decision `" + name + "` version " + version + ": " + file + " ";
  }
}
