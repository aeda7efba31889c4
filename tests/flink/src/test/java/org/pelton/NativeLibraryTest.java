package org.pelton;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs {@link JniExercise} in JVMs of their own, which check every JNI call. */
class NativeLibraryTest {

  private static final String DONE = JniExercise.DONE + System.lineSeparator();

  @TempDir Path directory;

  private String copy;

  @BeforeEach
  void publish() throws Exception {
    TestDecisions decisions = new TestDecisions(directory.resolve("metadata"));
    copy = decisions.publish("copy", "n BIGINT, s STRING", "n, s, 100 / n AS share");
  }

  @Test
  void fromTheJarNothingIsWarnedAboutAndNothingLeftBehind() throws Exception {
    assertThat(exercise(directory, Map.of())).isEqualTo(DONE);
    assertThat(directory).isDirectoryNotContaining("glob:**libpelton*");
  }

  @Test
  void fromTheDirectoryThatTheVariableNames() throws Exception {
    Path noTemp = directory.resolve("missing");
    Map<String, String> variables = Map.of("PELTON_NATIVE_DIR", TestPaths.target().toString());
    assertThat(exercise(noTemp, variables)).isEqualTo(DONE);
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

  private String exercise(Path temp, Map<String, String> variables) throws Exception {
    ProcessBuilder java =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xcheck:jni",
            "-Xmx64m",
            "-XX:+UseSerialGC",
            "-Djava.io.tmpdir=" + temp,
            "-cp",
            System.getProperty("java.class.path"),
            JniExercise.class.getName(),
            copy);
    java.environment().putAll(variables);
    Process process = java.redirectErrorStream(true).start();
    return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
  }
}
