package org.pelton.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What jobs do alike, wherever their cluster has the jar from. */
abstract class InstallationTests extends SessionClusterTests {

  /** A session that knows the function. */
  abstract SqlSession session() throws Exception;

  @AfterEach
  void nothingIsLeftBehind() throws Exception {
    assertThat(cluster.temp()).isDirectoryNotContaining("glob:**pelton*");
    assertThat(cluster.taskManager().log()).doesNotContain(" ERROR ").doesNotContain("leak");
  }

  @Test
  void jobsFollowEachOther() throws Exception {
    SqlSession sql = session();
    for (String name : List.of("first", "second")) {
      cluster.jobs().finish(workload.startFlights(sql, name));
      workload.checkFlights(name);
    }
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

  /**
   * Runs two jobs at once.
   *
   * @return the native libraries of the TaskManager meanwhile
   */
  static List<String> runSideBySide(SqlSession one, SqlSession other) throws Exception {
    String left = workload.startNumbers(one, "left");
    String right = workload.startNumbers(other, "right");
    cluster.jobs().awaitResults(left);
    cluster.jobs().awaitResults(right);
    List<String> libraries = cluster.taskManager().nativeLibraries();
    cluster.jobs().stop(left);
    cluster.jobs().stop(right);
    workload.checkNumbers("left");
    workload.checkNumbers("right");
    return libraries;
  }
}
