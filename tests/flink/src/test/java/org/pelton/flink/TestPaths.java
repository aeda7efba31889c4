package org.pelton.flink;

import java.nio.file.Path;

/** Where the tests find the repository and what `cargo build --release` made. */
final class TestPaths {

  private TestPaths() {}

  static Path root() {
    return Path.of(System.getProperty("pelton.root")).toAbsolutePath().normalize();
  }

  /** The directory that holds the {@code pelton} command and the native library. */
  static Path target() {
    return Path.of(System.getProperty("pelton.target")).toAbsolutePath().normalize();
  }
}
