package org.pelton.cluster;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/** Directories that stay after the tests: the logs of the processes are in them. */
final class ClusterFiles {

  private ClusterFiles() {}

  /** An empty directory {@code target/cluster/NAME} of this test module. */
  static Path fresh(String name) throws IOException {
    Path directory = Path.of(System.getProperty("java.io.tmpdir"), "cluster", name);
    if (Files.exists(directory)) {
      try (Stream<Path> files = Files.walk(directory)) {
        for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(file);
        }
      }
    }
    return Files.createDirectories(directory).toAbsolutePath();
  }
}
