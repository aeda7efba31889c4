package org.pelton.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.pelton.TestDimensions;

/**
 * A sharded dimension in real processes: whatever becomes of tasks and processes, each key gets its
 * row, or NULL where it has none. Each line of Flink sends the keys in a way of its own.
 */
abstract class ShardedClusterTests extends SessionClusterTests {

  static final String COLUMNS = "n BIGINT, square BIGINT";

  /** More than the jobs here ever reach. */
  private static final int KEYS = 50_000;

  private static Path definition;

  @BeforeAll
  static void start() throws Exception {
    Path directory = startCluster("sharded-lookup", true);
    TestDimensions dimensions = new TestDimensions(directory.resolve("metadata"));
    dimensions.define("squares", COLUMNS, "\"n\"");
    List<String> even =
        IntStream.range(0, KEYS / 2).mapToObj(i -> 2L * i + "," + 4L * i * i).toList();
    dimensions.write("squares", "2013-01-01", COLUMNS, even);
    definition = dimensions.definition("squares");
  }

  @Test
  void aJobThatGoesOnWithMoreAndFewerSubtasksFindsEveryKey() throws Exception {
    String savepoint = null;
    // Not 1: Flink chains other operators then, and does not find their state again.
    for (int parallelism : new int[] {2, 4, 3}) {
      int before = savepoint == null ? 0 : workload.lines("rescaled").size();
      String job = startSquares("rescaled", parallelism, savepoint);
      cluster.jobs().awaitResults(job);
      savepoint = cluster.jobs().stop(job);
      checkSquares("rescaled");
      assertThat(workload.lines("rescaled")).hasSizeGreaterThan(before);
    }
  }

  @Test
  void aKilledTaskManagerLosesNoKey() throws Exception {
    killTaskManagerOf(startSquares("failover", 3, null), "failover");
    checkSquares("failover");
  }

  /**
   * Looks up 1, 2, 3, ..., from one source, so that the numbers come without gaps.
   *
   * @param savepoint to go on from; null to begin
   * @return the job's id
   */
  abstract String startSquares(String name, int parallelism, String savepoint) throws Exception;

  /** The statement of the sharded table. */
  static String squares() {
    return "CREATE TABLE squares ("
        + COLUMNS
        + ") WITH ('connector' = 'pelton', 'sharded' = 'true', 'dimension' = '"
        + definition
        + "')";
  }

  /** The statement of the job. */
  static String insert(String name, String hint, String input) {
    return String.format(
        "INSERT INTO `%s` SELECT %s i.n, s.square FROM `%s` AS i LEFT JOIN squares"
            + " FOR SYSTEM_TIME AS OF i.arrived AS s ON s.n = i.n",
        name, hint, input);
  }

  /** Every number once: the even ones with their squares, the others with NULL. */
  private static void checkSquares(String name) throws Exception {
    workload.checkEach(name, n -> n % 2 == 0 ? String.valueOf(n * n) : "");
  }
}
