package org.pelton.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.pelton.TestPaths;

/** The documented installation on a session cluster: the jar in {@code lib/}, parent first. */
class JarInLibTest {

  private static Workload workload;
  private static SessionCluster cluster;

  @BeforeAll
  static void start() throws Exception {
    Path directory = ClusterFiles.fresh("jar-in-lib");
    workload = new Workload(directory);
    cluster = new SessionCluster(directory.resolve("flink"), true);
  }

  @AfterAll
  static void stop() throws Exception {
    cluster.close();
  }

  @AfterEach
  void nothingIsLeftBehind() throws Exception {
    assertThat(cluster.temp()).isDirectoryNotContaining("glob:**pelton*");
    assertThat(cluster.taskManager().log()).doesNotContain(" ERROR ").doesNotContain("leak");
  }

  @Test
  void jobsAfterEachOtherAndSideBySideShareOneNativeLibrary() throws Exception {
    SqlSession sql = session();
    for (String name : List.of("first", "second")) {
      cluster.jobs().finish(workload.startFlights(sql, name));
      workload.checkFlights(name);
    }
    assertThat(cluster.taskManager().nativeLibraries()).hasSize(1);

    String left = workload.startNumbers(sql, "left");
    SqlSession bringsTheJar = session();
    bringsTheJar.addJar(SessionCluster.peltonJar());
    String right = workload.startNumbers(bringsTheJar, "right");
    cluster.jobs().awaitResults(left);
    cluster.jobs().awaitResults(right);
    assertThat(cluster.taskManager().nativeLibraries()).hasSize(1);
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
    assertThat(cluster.taskManager().nativeLibraries()).hasSize(1);
  }

  @Test
  void aKilledTaskManagerLosesNoRecordAndDecidesNoneTwice() throws Exception {
    String job = workload.startNumbers(session(), "failover");
    cluster.jobs().awaitResults(job);
    cluster.killTaskManager();
    int before = workload.lines("failover").size();
    cluster.replaceTaskManager(cluster.temp());
    cluster.jobs().awaitFailure(job, "TaskManager");
    cluster.jobs().awaitResults(job);
    cluster.jobs().stop(job);
    workload.checkNumbers("failover");
    assertThat(workload.lines("failover")).hasSizeGreaterThan(before);
  }

  @Test
  void withoutAUsableTempDirectoryTheLibraryIsTakenFromPeltonNativeDir() throws Exception {
    cluster.killTaskManager();
    Path missing = cluster.temp().resolve("missing");
    String natives = TestPaths.target().toString();
    cluster.replaceTaskManager(missing, "PELTON_NATIVE_DIR", natives);
    cluster.jobs().finish(workload.startFlights(session(), "installed"));
    workload.checkFlights("installed");
    assertThat(cluster.taskManager().nativeLibraries())
        .containsExactly(natives + "/libpelton_jni.so");
  }

  private static SqlSession session() throws Exception {
    SqlSession sql = cluster.session();
    workload.prepare(sql);
    return sql;
  }
}
