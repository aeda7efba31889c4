package org.pelton.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;

/** Tests on a session cluster of their own. */
abstract class SessionClusterTests {

  static Workload workload;
  static SessionCluster cluster;

  /**
   * Starts the cluster, before all tests.
   *
   * @return the directory for files of the tests
   */
  static Path startCluster(String name, boolean peltonInLib) throws Exception {
    Path directory = ClusterFiles.fresh(name);
    workload = new Workload(directory);
    cluster = new SessionCluster(directory.resolve("flink"), peltonInLib);
    return directory;
  }

  @AfterAll
  static void stopCluster() throws Exception {
    cluster.close();
  }

  /** Kills the TaskManager of a job, which goes on with another one, and stops the job. */
  static void killTaskManagerOf(String job, String name) throws Exception {
    cluster.jobs().awaitResults(job);
    cluster.killTaskManager();
    int before = workload.lines(name).size();
    cluster.replaceTaskManager(cluster.temp());
    cluster.jobs().awaitFailure(job, "TaskManager");
    cluster.jobs().awaitResults(job);
    cluster.jobs().stop(job);
    assertThat(workload.lines(name)).hasSizeGreaterThan(before);
  }
}
