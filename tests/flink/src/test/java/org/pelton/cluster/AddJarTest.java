package org.pelton.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.apache.flink.runtime.util.EnvironmentInformation;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.pelton.TestPaths;

/** {@code ADD JAR} on a session cluster that knows nothing of Pelton: each job brings its own. */
class AddJarTest extends InstallationTests {

  @BeforeAll
  static void start() throws Exception {
    startCluster("add-jar", false);
  }

  /** The class loaders of jobs that have ended are collected, and their libraries with them. */
  @AfterEach
  void theLibrariesOfEndedJobsAreUnloaded() throws Exception {
    Waiting.until(
        "the libraries of ended jobs are unloaded",
        () -> {
          cluster.taskManager().collectGarbage();
          return cluster.taskManager().nativeLibraries();
        },
        List::isEmpty,
        cluster::logs);
  }

  @Test
  void jobsSideBySideHaveLibrariesOfTheirOwn() throws Exception {
    assertThat(runSideBySide(session(), session()))
        .hasSize(2)
        .allMatch(file -> file.startsWith(cluster.temp() + "/pelton-"))
        .allMatch(file -> file.endsWith(" (deleted)"));
  }

  @Test
  void anUnpackedLibraryServesOneJobOfATaskManagerAtATime() throws Exception {
    String natives = TestPaths.target().toString();
    String first = workload.startNumbers(unpacked(natives), "unpacked");
    cluster.jobs().awaitResults(first);
    assertThat(cluster.taskManager().nativeLibraries())
        .containsExactly(natives + "/libpelton_jni.so");

    String second = workload.startNumbers(unpacked(natives), "refused");
    assertThat(cluster.jobs().awaitFailure(second, "NATIVE_LIBRARY"))
        .contains("already loaded in another classloader");
    cluster.jobs().cancel(second);
    cluster.jobs().stop(first);
    workload.checkNumbers("unpacked");
  }

  @Test
  void dimensionsAreFoundByTheJarOfTheSession() throws Exception {
    SqlSession sql = session();
    cluster.jobs().finish(workload.startLookup(sql, "joined"));
    assertThat(workload.lines("joined")).containsExactlyInAnyOrder("3,9", "5,");
  }

  @Test
  @EnabledIf("hasModels")
  void modelsAreFoundInTheJarOfTheSession() throws Exception {
    SqlSession sql = session();
    cluster.jobs().finish(workload.startModel(sql, "modelled"));
    assertThat(workload.lines("modelled")).containsExactlyInAnyOrder("3,9,3x", "4,16,4x");
  }

  /** CREATE MODEL came with Flink 2.1. */
  static boolean hasModels() {
    return !EnvironmentInformation.getVersion().startsWith("1.");
  }

  private SqlSession unpacked(String natives) throws Exception {
    SqlSession sql = session();
    sql.run("SET 'pelton.native-dir' = '" + natives + "'");
    return sql;
  }

  @Override
  SqlSession session() throws Exception {
    SqlSession sql = cluster.session();
    sql.addJar(SessionCluster.peltonJar());
    workload.prepare(sql);
    return sql;
  }
}
