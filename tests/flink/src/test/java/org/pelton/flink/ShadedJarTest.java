package org.pelton.flink;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.pelton.TestPaths;

/** The jar that users get, which these tests run against. */
class ShadedJarTest {

  private static final int JAVA_8 = 52;
  private static final int JAVA_11 = 55;

  /** Offset of the major version in a class file, a big-endian short. */
  private static final int MAJOR_VERSION = 6;

  private JarFile jar;

  @BeforeEach
  void open() throws Exception {
    jar =
        new JarFile(
            Path.of(
                    PredictFunction.class
                        .getProtectionDomain()
                        .getCodeSource()
                        .getLocation()
                        .toURI())
                .toFile());
  }

  @AfterEach
  void close() throws Exception {
    jar.close();
  }

  @Test
  void holdsNothingButOurClassesAndResources() {
    assertThat(names())
        .contains("org/pelton/flink/PredictFunction.class")
        .allMatch(name -> name.startsWith("org/pelton/") || name.startsWith("META-INF/"))
        .noneMatch(name -> name.startsWith("META-INF/versions/"))
        .noneMatch(name -> name.endsWith("module-info.class"));
  }

  @Test
  void ourClassesAreBytecodeOfJava11AndOthersNotNewer() throws Exception {
    for (String name : classes()) {
      int version = ByteBuffer.wrap(bytes(name)).getShort(MAJOR_VERSION);
      if (name.startsWith("org/pelton/shaded/")) {
        assertThat(version).as(name).isBetween(JAVA_8, JAVA_11);
      } else {
        assertThat(version).as(name).isEqualTo(JAVA_11);
      }
    }
  }

  @Test
  void modelsAreInTheJarForFlink2Alone() {
    boolean forFlink2 = jar.getName().contains("pelton-flink-2.x");
    assertThat(names().contains("org/pelton/flink/DecisionModelFactory.class"))
        .isEqualTo(forFlink2);
  }

  /** Two of them would be two connectors of one name. */
  @Test
  void onlyOneFactoryOfTablesIsInTheJar() throws Exception {
    String services =
        new String(
            bytes("META-INF/services/org.apache.flink.table.factories.Factory"),
            StandardCharsets.UTF_8);
    assertThat(services.lines().filter(name -> name.endsWith("DimensionTableFactory"))).hasSize(1);
  }

  /** Flink and users' jobs bring Jackson too, in other versions. */
  @Test
  void noClassRefersToJacksonByItsOwnName() throws Exception {
    for (String name : classes()) {
      assertThat(new String(bytes(name), StandardCharsets.ISO_8859_1))
          .as(name)
          .doesNotContain("com/fasterxml")
          .doesNotContain("com.fasterxml.jackson.core.JsonFactory");
    }
  }

  @Test
  void servicesNameClassesThatAreInTheJar() throws Exception {
    List<String> services =
        names().stream().filter(name -> name.matches("META-INF/services/.+")).toList();
    for (String service : services) {
      assertThat(text(service).lines())
          .as(service)
          .isNotEmpty()
          .allMatch(implementation -> names().contains(file(implementation)));
    }
  }

  @Test
  void holdsTheNativeLibraryThatWasBuilt() throws Exception {
    assertThat(bytes("org/pelton/native/linux-x86_64/libpelton_jni.so"))
        .isEqualTo(Files.readAllBytes(TestPaths.target().resolve("libpelton_jni.so")));
  }

  @Test
  void holdsTheLicencesAndNoticesOfWhatIsInIt() throws Exception {
    assertThat(text("META-INF/LICENSE"))
        .contains("Apache License", "Copyright (c) Tom Preston-Werner");
    assertThat(text("META-INF/NOTICE")).startsWith("Pelton").contains("# Jackson JSON processor");
    assertThat(names()).contains("META-INF/FastDoubleParser-LICENSE", "META-INF/Schubfach-LICENSE");
    assertThat(text("META-INF/THIRD-PARTY"))
        .isEqualTo(Files.readString(TestPaths.root().resolve("THIRD-PARTY")))
        .contains("\njni 0.", "\nparquet ", "zstd (C)", "Apache Arrow");
  }

  private List<String> classes() {
    return names().stream().filter(name -> name.endsWith(".class")).toList();
  }

  private List<String> names() {
    return jar.stream().filter(e -> !e.isDirectory()).map(JarEntry::getName).toList();
  }

  private static String file(String className) {
    return className.replace('.', '/') + ".class";
  }

  private String text(String name) throws IOException {
    return new String(bytes(name), StandardCharsets.UTF_8);
  }

  private byte[] bytes(String name) throws IOException {
    return jar.getInputStream(jar.getJarEntry(name)).readAllBytes();
  }
}
