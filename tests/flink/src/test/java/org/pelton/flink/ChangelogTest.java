package org.pelton.flink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.nio.file.Path;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.types.Row;
import org.apache.flink.types.RowKind;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Changelogs as input: a retraction is decided again, perhaps by another version, and then does not
 * take back what it should. Flink refuses such plans under the setting that {@code docs/flink.md}
 * names.
 */
class ChangelogTest {

  @TempDir Path metadata;

  private StreamTableEnvironment sql;

  static String[] queries() {
    return new String[] {
      "SELECT k, d.twice FROM changes, LATERAL TABLE(predict('URI', n)) AS d",
      "SELECT k, SUM(d.twice) FROM changes, LATERAL TABLE(predict('URI', n)) AS d GROUP BY k",
      "SELECT k, d.twice FROM (SELECT k, predict_row('URI', n) AS d FROM changes)",
      "SELECT k, SUM(d.twice) FROM (SELECT k, predict_row('URI', n) AS d FROM changes) GROUP BY k"
    };
  }

  @BeforeEach
  void openAChangelog() throws Exception {
    String manifest =
        PublishedFiles.manifest(
            "double",
            1,
            PublishedFiles.columns("n", "BIGINT"),
            PublishedFiles.columns("twice", "BIGINT"));
    new PublishedFiles(metadata)
        .manifest("double", 1, manifest)
        .activation("double", 1, "version = 1");
    StreamExecutionEnvironment jobs = StreamExecutionEnvironment.getExecutionEnvironment();
    sql = FlinkJobs.environment(jobs, EnvironmentSettings.inStreamingMode(), true, 1);
    sql.executeSql(
        "CREATE TEMPORARY TABLE sink (k STRING, twice BIGINT) WITH ('connector' = 'print')");
    sql.createTemporaryView(
        "changes",
        sql.fromChangelogStream(
            jobs.fromData(
                Types.ROW_NAMED(new String[] {"k", "n"}, Types.STRING, Types.LONG),
                Row.ofKind(RowKind.INSERT, "a", 1L),
                Row.ofKind(RowKind.UPDATE_BEFORE, "a", 1L),
                Row.ofKind(RowKind.UPDATE_AFTER, "a", 2L),
                Row.ofKind(RowKind.DELETE, "a", 2L))));
  }

  @ParameterizedTest
  @MethodSource("queries")
  void flinkRefusesThePlanUnderTryResolve(String query) {
    String uri = new PublishedFiles(metadata).uri("double");
    String call = "INSERT INTO sink " + query.replace("URI", uri);
    assertThat(sql.explainSql(call)).as("by default Flink plans it").contains("predict");
    sql.getConfig().set("table.optimizer.non-deterministic-update.strategy", "TRY_RESOLVE");
    Throwable refusal = catchThrowable(() -> sql.explainSql(call));
    assertThat(refusal)
        .hasStackTraceContaining("can not satisfy the determinism requirement")
        .hasStackTraceContaining("predict");
  }
}
