package org.pelton.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * {@code models/metadata}, once for each version of the decision, in which that version is active.
 */
final class Versions {

  private static final Path METADATA = Path.of("models/metadata");

  private Versions() {}

  static Path metadata(int version) {
    return Path.of("target/bench/metadata-v" + version);
  }

  /** Copies everything but the activations of later versions. */
  static void prepare(int version) throws IOException {
    try (Stream<Path> files = Files.walk(METADATA)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        String name = file.getFileName().toString();
        if (name.matches("0+\\d+\\.toml") && Integer.parseInt(name.substring(0, 6)) > version) {
          continue;
        }
        Path target = metadata(version).resolve(METADATA.relativize(file));
        Files.createDirectories(target.getParent());
        Files.write(target, Files.readAllBytes(file));
      }
    }
  }
}
