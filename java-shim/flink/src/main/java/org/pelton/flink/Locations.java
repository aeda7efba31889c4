package org.pelton.flink;

import java.util.regex.Pattern;
import org.apache.flink.core.fs.Path;

/** Files and directories as users name them: URIs, and paths without a scheme, which are local. */
final class Locations {

  private static final Pattern SCHEME = Pattern.compile("[A-Za-z][A-Za-z0-9+.-]+:.*");

  private Locations() {}

  /** The same place, whatever the working directory is. */
  static String absolute(String uri) {
    return isLocal(uri) ? java.nio.file.Path.of(uri).toAbsolutePath().normalize().toString() : uri;
  }

  /** The same place for Flink's file systems, which have a default scheme of their own. */
  static Path path(String uri) {
    return new Path(isLocal(uri) ? "file://" + absolute(uri) : uri);
  }

  private static boolean isLocal(String uri) {
    return !SCHEME.matcher(uri).matches();
  }
}
