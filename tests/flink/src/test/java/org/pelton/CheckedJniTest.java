package org.pelton;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs {@link JniExercise} in a JVM of its own that checks every JNI call. */
class CheckedJniTest {

  @TempDir Path directory;

  @Test
  void theJvmFindsNothingToWarnAbout() throws Exception {
    TestDecisions decisions = new TestDecisions(directory.resolve("metadata"));
    String copy = decisions.publish("copy", "n BIGINT, s STRING", "n, s, 100 / n AS share");
    Process java =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xcheck:jni",
                "-Xmx64m",
                "-Djava.io.tmpdir=" + directory,
                "-cp",
                System.getProperty("java.class.path"),
                JniExercise.class.getName(),
                copy)
            .redirectErrorStream(true)
            .start();
    String output = new String(java.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(output).isEqualTo(JniExercise.DONE + System.lineSeparator());
    assertThat(java.waitFor()).isZero();
    assertThat(directory)
        .as("the library's temporary copy")
        .isDirectoryNotContaining("glob:**pelton-*");
  }
}
