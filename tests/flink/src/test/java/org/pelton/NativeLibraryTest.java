package org.pelton;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.reflect.Modifier;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs {@link JniExercise} in JVMs of their own, which check every JNI call. */
class NativeLibraryTest {

  private static final String DONE = JniExercise.DONE + System.lineSeparator();

  /** Before a directory and a command: mounts a file system there that only the command sees. */
  private static final List<String> MOUNT_NOEXEC =
      List.of(
          "unshare",
          "--mount",
          "--map-root-user",
          "sh",
          "-c",
          "mount -t tmpfs -o noexec none \"$0\" && exec \"$@\"");

  @TempDir Path directory;

  private Path metadata;

  @BeforeEach
  void publish() throws Exception {
    metadata = directory.resolve("metadata");
    TestDecisions decisions = new TestDecisions(metadata);
    decisions.publish("copy", "n BIGINT, s STRING", "n, s, 100 / n AS share");
    TestDimensions dimensions = new TestDimensions(metadata);
    dimensions.define("texts", "n BIGINT, s STRING", "\"n\", \"s\"");
    List<String> texts = new ArrayList<>(List.of("5," + "é".repeat(100_000)));
    for (int n = 1; n <= 100; n++) {
      texts.add(n + ",a text of more than seven bytes");
    }
    dimensions.write("texts", "2013-01-01", "n BIGINT, s STRING", texts);
  }

  @Test
  void fromTheJarNothingIsWarnedAboutAndNothingLeftBehind() throws Exception {
    assertThat(exercise(directory, Map.of())).isEqualTo(DONE);
    assertThat(directory).isDirectoryNotContaining("glob:**libpelton*");
  }

  /** The JVM links a native method when it is called for the first time, and says so. */
  @Test
  void theExerciseCallsEveryNativeMethod() throws Exception {
    exercise(directory, Map.of());
    String log = Files.readString(directory.resolve("jni.log"));
    for (Class<?> type : List.of(NativeLibrary.class, Evaluator.class, DimensionLookup.class)) {
      assertThat(type.getDeclaredMethods())
          .filteredOn(method -> Modifier.isNative(method.getModifiers()))
          .isNotEmpty()
          .allSatisfy(
              method -> assertThat(log).contains(type.getName() + "." + method.getName() + " "));
    }
  }

  @Test
  void fromTheDirectoryThatTheVariableNames() throws Exception {
    Path noTemp = directory.resolve("missing");
    Map<String, String> variables = Map.of("PELTON_NATIVE_DIR", TestPaths.target().toString());
    assertThat(exercise(noTemp, variables)).isEqualTo(DONE);
  }

  @Test
  void fromTheDirectoryThatTheJobNames() throws Exception {
    String named = TestPaths.target().toString();
    assertThat(exercise(List.of(), directory.resolve("missing"), Map.of(), named)).isEqualTo(DONE);
  }

  @Test
  void aDirectoryWithoutTheLibraryIsNamed() throws Exception {
    assertThat(exercise(directory, Map.of("PELTON_NATIVE_DIR", "/nowhere")))
        .contains("PeltonException: NATIVE_LIBRARY: cannot load /nowhere/libpelton_jni.so")
        .contains("(from pelton.native-dir or PELTON_NATIVE_DIR)")
        .contains("Caused by: java.lang.UnsatisfiedLinkError");
  }

  @Test
  void aTempDirectoryThatCannotBeUsedIsNamedWithTheWayOut() throws Exception {
    assertThat(exercise(directory.resolve("missing"), Map.of()))
        .contains("PeltonException: NATIVE_LIBRARY: cannot load the jar's library")
        .contains("java.io.tmpdir is " + directory.resolve("missing"))
        .contains("set PELTON_NATIVE_DIR");
  }

  @Test
  void onANoexecTempDirectoryTheVariableIsTheWayOut() throws Exception {
    List<String> noexec = new ArrayList<>(MOUNT_NOEXEC);
    Path temp = Files.createDirectory(directory.resolve("temp"));
    noexec.add(temp.toString());
    List<String> attempt = new ArrayList<>(noexec);
    attempt.add("true");
    assumeTrue(new ProcessBuilder(attempt).start().waitFor() == 0, "no right to mount");

    assertThat(exercise(noexec, temp, Map.of()))
        .contains("PeltonException: NATIVE_LIBRARY: cannot load the jar's library")
        .contains("failed to map segment");
    Map<String, String> variables = Map.of("PELTON_NATIVE_DIR", TestPaths.target().toString());
    assertThat(exercise(noexec, temp, variables)).isEqualTo(DONE);
  }

  private String exercise(Path temp, Map<String, String> variables) throws Exception {
    return exercise(List.of(), temp, variables);
  }

  private String exercise(
      List<String> wrapper, Path temp, Map<String, String> variables, String... nativeDirectory)
      throws Exception {
    List<String> command = new ArrayList<>(wrapper);
    command.addAll(
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xcheck:jni",
            "-Xlog:jni+resolve=debug:file=" + directory.resolve("jni.log"),
            "-Xmx64m",
            "-XX:+UseSerialGC",
            "-Djava.io.tmpdir=" + temp,
            "-Dpelton.log=warn",
            "-cp",
            System.getProperty("java.class.path"),
            JniExercise.class.getName(),
            metadata.toString()));
    command.addAll(List.of(nativeDirectory));
    ProcessBuilder java = new ProcessBuilder(command);
    java.environment().putAll(variables);
    Process process = java.redirectErrorStream(true).start();
    return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
  }
}
