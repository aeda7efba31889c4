package org.pelton.flink;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.toml.TomlMapper;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.flink.core.fs.FSDataInputStream;
import org.apache.flink.core.fs.FileStatus;
import org.apache.flink.core.fs.FileSystem;
import org.apache.flink.core.fs.Path;
import org.pelton.PeltonException;

/**
 * The directory {@code METADATA/decisions/NAME}, read through Flink's file systems while a job is
 * planned: only the newest activation and the manifest of the version that it names.
 */
final class DecisionDirectory {

  private static final Pattern ACTIVATION = Pattern.compile("\\d{6,18}\\.toml");
  private static final TomlMapper TOML = new TomlMapper();

  private final String uri;
  private final Path path;
  private final String name;

  /**
   * @param uri {@code METADATA/decisions/NAME}; without a scheme it is a local path
   */
  DecisionDirectory(String uri) {
    this.uri = Locations.absolute(uri);
    this.path = Locations.path(uri);
    this.name = path.getName();
    if (path.getParent() == null || !path.getParent().getName().equals("decisions")) {
      throw new PeltonException(
          "DECISION_NOT_FOUND",
          false,
          "`" + uri + "` does not name a decision: expected METADATA/decisions/NAME");
    }
  }

  String name() {
    return name;
  }

  /** What is active now. */
  PublishedDecision readActive() {
    try {
      FileSystem files = path.getFileSystem();
      Path activation = newestActivation(files).orElseThrow(() -> notActive(files));
      return readManifest(files, activeVersion(files, activation));
    } catch (IOException e) {
      throw unreadable(e);
    }
  }

  /** A version, active or not. */
  PublishedDecision readVersion(long version) {
    try {
      FileSystem files = path.getFileSystem();
      if (!files.exists(new Path(path, "versions/" + version))) {
        throw new PeltonException(
            "DECISION_NOT_FOUND",
            false,
            prefix() + "there is no version " + version + names(files, new Path(path, "versions")));
      }
      return readManifest(files, version);
    } catch (IOException e) {
      throw unreadable(e);
    }
  }

  private PublishedDecision readManifest(FileSystem files, long version) throws IOException {
    Path manifest = new Path(path, "versions/" + version + "/MANIFEST.json");
    byte[] json = read(files, manifest, "MANIFEST_INVALID");
    return new Manifest(name, version, manifest.toString()).parse(uri, json);
  }

  private Optional<Path> newestActivation(FileSystem files) throws IOException {
    return list(files, new Path(path, "activations")).stream()
        .filter(file -> ACTIVATION.matcher(file.getName()).matches())
        .max(Comparator.comparing(file -> Long.parseLong(file.getName().replace(".toml", ""))));
  }

  private long activeVersion(FileSystem files, Path activation) throws IOException {
    byte[] toml = read(files, activation, "DECISION_INVALID");
    JsonNode version;
    try {
      version = TOML.readTree(toml).path("version");
    } catch (IOException e) {
      throw new PeltonException(
          "DECISION_INVALID", false, prefix() + activation + ": " + e.getMessage(), e);
    }
    if (!version.isIntegralNumber() || version.asLong() < 1) {
      String found = version.isMissingNode() ? "no version" : "version = " + version;
      throw new PeltonException(
          "DECISION_INVALID",
          false,
          prefix() + activation + " has " + found + ", expected a whole number from 1 on");
    }
    return version.asLong();
  }

  private PeltonException notActive(FileSystem files) {
    try {
      if (files.exists(path)) {
        return new PeltonException(
            "DECISION_NOT_FOUND",
            false,
            prefix() + "no version is active: " + path + "/activations is empty");
      }
      return new PeltonException(
          "DECISION_NOT_FOUND", false, prefix() + "not there" + names(files, path.getParent()));
    } catch (IOException e) {
      return unreadable(e);
    }
  }

  /** What there is instead. */
  private static String names(FileSystem files, Path directory) throws IOException {
    String names =
        list(files, directory).stream()
            .map(Path::getName)
            .sorted()
            .collect(Collectors.joining(", "));
    return "; " + directory + " has " + (names.isEmpty() ? "nothing" : names);
  }

  private byte[] read(FileSystem files, Path file, String missing) throws IOException {
    try (FSDataInputStream stream = files.open(file)) {
      return stream.readAllBytes();
    } catch (FileNotFoundException e) { // also of a directory, or without the right to read
      throw new PeltonException(
          missing, false, prefix() + file + " cannot be read: " + e.getMessage(), e);
    }
  }

  /** Empty for a missing directory: file systems differ in how they say so. */
  private static List<Path> list(FileSystem files, Path directory) throws IOException {
    try {
      FileStatus[] found = files.listStatus(directory);
      return found == null
          ? List.of()
          : Stream.of(found).map(FileStatus::getPath).collect(Collectors.toList());
    } catch (FileNotFoundException e) {
      return List.of();
    }
  }

  private PeltonException unreadable(IOException e) {
    return new PeltonException("IO", true, prefix() + uri + " cannot be read: " + e, e);
  }

  private String prefix() {
    return "decision `" + name + "`: ";
  }
}
