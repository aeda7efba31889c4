package org.pelton.flink;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.DataInputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The jar that users get, which these tests run against. */
class ShadedJarTest {

  private static final int JAVA_11 = 55;

  @Test
  void holdsOurClassesAlone() throws Exception {
    try (JarFile jar = jar()) {
      List<String> classes = names(jar).filter(name -> name.endsWith(".class")).toList();
      assertThat(classes)
          .contains("org/pelton/flink/PredictFunction.class")
          .allMatch(name -> name.startsWith("org/pelton/"));
    }
  }

  @Test
  void runsOnJava11() throws Exception {
    try (JarFile jar = jar()) {
      for (JarEntry entry : jar.stream().filter(e -> e.getName().endsWith(".class")).toList()) {
        try (DataInputStream bytes = new DataInputStream(jar.getInputStream(entry))) {
          bytes.readInt(); // 0xCAFEBABE
          bytes.readUnsignedShort(); // minor version
          assertThat(bytes.readUnsignedShort()).as(entry.getName()).isLessThanOrEqualTo(JAVA_11);
        }
      }
    }
  }

  @Test
  void holdsTheNativeLibraryAndTheLicence() throws Exception {
    try (JarFile jar = jar()) {
      assertThat(names(jar))
          .contains("org/pelton/native/linux-x86_64/libpelton_jni.so", "META-INF/LICENSE");
    }
  }

  private static JarFile jar() throws Exception {
    return new JarFile(
        Path.of(PredictFunction.class.getProtectionDomain().getCodeSource().getLocation().toURI())
            .toFile());
  }

  private static Stream<String> names(JarFile jar) {
    return jar.stream().map(JarEntry::getName);
  }
}
