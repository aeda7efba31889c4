package org.pelton;

import java.nio.file.Path;

/** Where the tests find the repository and what `cargo build --release` made. */
public final class TestPaths {

  private TestPaths() {}

  public static Path root() {
    return Path.of(System.getProperty("pelton.root")).toAbsolutePath().normalize();
  }

  /** The directory that holds the {@code pelton} command and the native library. */
  public static Path target() {
    return Path.of(System.getProperty("pelton.target")).toAbsolutePath().normalize();
  }
}
