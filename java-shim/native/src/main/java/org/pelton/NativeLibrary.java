package org.pelton;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Objects;
import java.util.Properties;

/**
 * Loads {@code libpelton_jni} once per class loader and checks that it belongs to this jar.
 *
 * <p>Looked for in this order: the directory that the job names, or the environment variable {@code
 * PELTON_NATIVE_DIR} (nothing else, when one of them is set), the JVM's {@code java.library.path},
 * the jar itself. From the jar it is copied to a file of its own in the temp directory, because a
 * JVM refuses to load one path from two class loaders; the file is removed once it is loaded.
 */
public final class NativeLibrary {

  private static final String NAME = "pelton_jni";
  private static final String DIRECTORY_VARIABLE = "PELTON_NATIVE_DIR";

  private static boolean loaded;
  private static PeltonException failure;

  /** Where the library was looked for when it failed. */
  private static String failedDirectory;

  private NativeLibrary() {}

  /**
   * Loads the library, unless it is loaded already. A failure is remembered, with its cause, for
   * every later call with the same directory: a job that restarts does not unpack it again.
   *
   * @param directory where the library lies; null for the usual places
   */
  public static synchronized void load(String directory) {
    if (loaded) {
      return;
    }
    if (failure != null && Objects.equals(directory, failedDirectory)) {
      throw failure;
    }
    try {
      link(directory == null ? System.getenv(DIRECTORY_VARIABLE) : directory);
      checkVersion();
      loaded = true;
    } catch (PeltonException e) {
      failure = e;
      failedDirectory = directory;
      throw e;
    }
  }

  /** Version, git hash and build profile of the loaded library, separated by spaces. */
  public static native String describe();

  private static void link(String directory) {
    String file = System.mapLibraryName(NAME);
    if (directory != null) {
      linkPath(Path.of(directory, file).toAbsolutePath());
      return;
    }
    try {
      System.loadLibrary(NAME);
    } catch (UnsatisfiedLinkError notInstalled) {
      linkResource("/org/pelton/native/" + platform() + "/" + file);
    }
  }

  private static void linkPath(Path path) {
    try {
      System.load(path.toString());
    } catch (UnsatisfiedLinkError e) {
      throw failed(
          "cannot load " + path + " (from pelton.native-dir or " + DIRECTORY_VARIABLE + "): ", e);
    }
  }

  private static void linkResource(String resource) {
    try (InputStream library = NativeLibrary.class.getResourceAsStream(resource)) {
      if (library == null) {
        throw failed(
            "this jar has no native library for "
                + platform()
                + ", and neither java.library.path nor "
                + DIRECTORY_VARIABLE
                + " leads to "
                + System.mapLibraryName(NAME),
            null);
      }
      Path copy = Files.createTempFile("pelton-", "-" + System.mapLibraryName(NAME));
      try {
        // Into the file that is there: only its owner may touch it.
        try (OutputStream file = Files.newOutputStream(copy)) {
          library.transferTo(file);
        }
        System.load(copy.toString());
      } finally {
        Files.delete(copy);
      }
    } catch (IOException | UnsatisfiedLinkError e) {
      throw failed(
          "cannot load the jar's library from a temporary file (java.io.tmpdir is "
              + System.getProperty("java.io.tmpdir")
              + "; if that directory is noexec or read-only, unpack the library elsewhere and set "
              + DIRECTORY_VARIABLE
              + "): ",
          e);
    }
  }

  /** For instance {@code linux-x86_64}. */
  private static String platform() {
    String system = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    String machine = System.getProperty("os.arch").toLowerCase(Locale.ROOT);
    return system.replace(' ', '_') + "-" + (machine.equals("amd64") ? "x86_64" : machine);
  }

  private static void checkVersion() {
    String ours = version();
    String theirs = describe();
    if (!theirs.startsWith(ours + " ")) {
      throw failed("the jar is version " + ours + ", the native library is " + theirs, null);
    }
  }

  private static String version() {
    Properties properties = new Properties();
    try (InputStream file = NativeLibrary.class.getResourceAsStream("version.properties")) {
      properties.load(file);
    } catch (IOException e) {
      throw failed("the jar's version.properties: ", e);
    }
    return properties.getProperty("version");
  }

  private static PeltonException failed(String message, Throwable cause) {
    String reason = cause == null ? message : message + cause.getMessage();
    return new PeltonException("NATIVE_LIBRARY", false, reason, cause);
  }
}
