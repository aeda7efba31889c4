package org.pelton.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.pelton.TestPaths;

/** The documented installation on a session cluster: the jar in {@code lib/}, parent first. */
class JarInLibTest extends InstallationTests {

  @BeforeAll
  static void start() throws Exception {
    startCluster("jar-in-lib", true);
  }

  @AfterEach
  void allJobsHaveSharedOneNativeLibrary() throws Exception {
    assertThat(cluster.taskManager().nativeLibraries()).hasSize(1);
  }

  @Test
  void jobsSideBySideShareTheLibraryEvenIfOneBringsTheJar() throws Exception {
    SqlSession bringsTheJar = session();
    bringsTheJar.addJar(SessionCluster.peltonJar());
    assertThat(runSideBySide(session(), bringsTheJar)).hasSize(1);
  }

  @Test
  void aKilledTaskManagerLosesNoRecordAndDecidesNoneTwice() throws Exception {
    killTaskManagerOf(workload.startNumbers(session(), "failover"), "failover");
    workload.checkNumbers("failover");
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

  @Override
  SqlSession session() throws Exception {
    SqlSession sql = cluster.session();
    workload.prepare(sql);
    return sql;
  }
}
