package org.pelton.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.apache.flink.runtime.util.EnvironmentInformation;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.pelton.TestPaths;

/** {@code ADD JAR} on a session cluster that knows nothing of Pelton: each job brings its own. */
class AddJarTest {

  private static Workload workload;
  private static SessionCluster cluster;

  @BeforeAll
  static void start() throws Exception {
    Path directory = ClusterFiles.fresh("add-jar");
    workload = new Workload(directory);
    cluster = new SessionCluster(directory.resolve("flink"), false);
  }

  @AfterAll
  static void stop() throws Exception {
    cluster.close();
  }

  @AfterEach
  void nothingIsLeftBehind() throws Exception {
    assertThat(cluster.temp()).isDirectoryNotContaining("glob:**pelton*");
    assertThat(cluster.taskManager().log()).doesNotContain(" ERROR ").doesNotContain("leak");
    awaitUnloading();
  }

  @Test
  void jobsAfterEachOtherLeaveNoLibraryBehind() throws Exception {
    SqlSession sql = session();
    for (String name : List.of("first", "second")) {
      cluster.jobs().finish(workload.startFlights(sql, name));
      workload.checkFlights(name);
    }
  }

  @Test
  void jobsSideBySideHaveLibrariesOfTheirOwn() throws Exception {
    awaitUnloading();
    String left = workload.startNumbers(session(), "left");
    String right = workload.startNumbers(session(), "right");
    cluster.jobs().awaitResults(left);
    cluster.jobs().awaitResults(right);
    assertThat(cluster.taskManager().nativeLibraries())
        .hasSize(2)
        .allMatch(file -> file.startsWith(cluster.temp() + "/pelton-"))
        .allMatch(file -> file.endsWith(" (deleted)"));
    cluster.jobs().stop(left);
    cluster.jobs().stop(right);
    workload.checkNumbers("left");
    workload.checkNumbers("right");
  }

  @Test
  void aJobThatFailedGoesOnWhenItsRecordIsMended() throws Exception {
    Path numbers = workload.write("numbers.csv", "50", "0", "20");
    String job = workload.startShares(session(), "mended", numbers);
    assertThat(cluster.jobs().awaitFailure(job, "EVALUATION_FAILED")).contains("`share`");
    workload.write("numbers.csv", "50", "4", "20");
    cluster.jobs().finish(job);
    assertThat(workload.lines("mended")).containsExactlyInAnyOrder("50,2", "4,25", "20,5");
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

  private static SqlSession unpacked(String natives) throws Exception {
    SqlSession sql = session();
    sql.run("SET 'pelton.native-dir' = '" + natives + "'");
    return sql;
  }

  /** The class loaders of jobs that have ended are collected, and their libraries with them. */
  private static void awaitUnloading() throws InterruptedException {
    Waiting.until(
        "the libraries of ended jobs are unloaded",
        () -> {
          cluster.taskManager().collectGarbage();
          return cluster.taskManager().nativeLibraries();
        },
        List::isEmpty,
        cluster::logs);
  }

  private static SqlSession session() throws Exception {
    SqlSession sql = cluster.session();
    sql.addJar(SessionCluster.peltonJar());
    workload.prepare(sql);
    return sql;
  }
}
