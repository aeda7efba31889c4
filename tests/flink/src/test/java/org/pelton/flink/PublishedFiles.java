package org.pelton.flink;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Metadata directories with only what the planner reads: activations and manifests. */
final class PublishedFiles {

  private final Path metadata;

  PublishedFiles(Path metadata) {
    this.metadata = metadata;
  }

  String uri(String decision) {
    return metadata.resolve("decisions").resolve(decision).toString();
  }

  PublishedFiles manifest(String decision, long version, String json) throws IOException {
    Path directory = metadata.resolve("decisions/" + decision + "/versions/" + version);
    Files.createDirectories(directory);
    Files.writeString(directory.resolve("MANIFEST.json"), json);
    return this;
  }

  PublishedFiles activation(String decision, int number, String toml) throws IOException {
    Path directory = metadata.resolve("decisions/" + decision + "/activations");
    Files.createDirectories(directory);
    Files.writeString(directory.resolve(String.format("%06d.toml", number)), toml);
    return this;
  }

  /** Columns are written as {@code "name": "type"} pairs: {@code columns("a", "INT")}. */
  static String manifest(String decision, long version, String input, String output) {
    return String.format(
        "{\"format\": 1, \"decision\": \"%s\", \"version\": %d, \"pelton\": \"0.1.0\","
            + " \"input\": [%s], \"output\": [%s], \"dimensions\": {}, \"files\": {}}",
        decision, version, input, output);
  }

  static String columns(String... namesAndTypes) {
    StringBuilder json = new StringBuilder();
    for (int i = 0; i < namesAndTypes.length; i += 2) {
      json.append(i == 0 ? "" : ", ")
          .append(
              String.format(
                  "{\"name\": \"%s\", \"type\": \"%s\"}", namesAndTypes[i], namesAndTypes[i + 1]));
    }
    return json.toString();
  }
}
