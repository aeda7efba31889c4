package org.pelton.flink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.pelton.flink.PublishedFiles.columns;
import static org.pelton.flink.PublishedFiles.manifest;

import java.nio.file.Path;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.assertj.core.util.Throwables;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code SET 'pelton.*'}: what is taken and what is refused, while a job is planned. */
class JobOptionsTest {

  @TempDir Path metadata;

  private StreamTableEnvironment sql;
  private String uri;

  /** Version 2 is active; version 1 has the same columns, version 3 other ones. */
  @BeforeEach
  void publish() throws Exception {
    String input = columns("n", "BIGINT");
    String output = columns("p", "FLOAT");
    PublishedFiles files =
        new PublishedFiles(metadata)
            .manifest("score", 1, manifest("score", 1, input, output))
            .manifest("score", 2, manifest("score", 2, input, output))
            .manifest("score", 3, manifest("score", 3, input, columns("p", "DOUBLE")))
            .activation("score", 1, "version = 2");
    uri = files.uri("score");
    sql = StreamTableEnvironment.create(StreamExecutionEnvironment.getExecutionEnvironment());
    FlinkJobs.createFunctions(sql);
    sql.executeSql("CREATE TEMPORARY VIEW t AS SELECT CAST(1 AS BIGINT) AS n");
  }

  @ParameterizedTest
  @CsvSource({
    "pelton.on-error, null",
    "pelton.on-error, fail",
    "pelton.score.on-error, null",
    "pelton.pin-version, 1",
    "pelton.score.pin-version, 1",
    "pelton.other.pin-version, 77",
    "pelton.native-dir, /opt/pelton"
  })
  void aGoodOptionIsTaken(String key, String value) {
    sql.getConfig().set(key, value);
    plan();
  }

  @ParameterizedTest
  @CsvSource({
    "pelton.on-eror, pelton.on-error",
    "pelton.score.pin_version, pelton.score.pin-version",
    "pelton.other.onerror, pelton.other.on-error",
    "pelton.nativedir, pelton.native-dir",
    "pelton.score.native-dir, pelton.native-dir",
    "pelton.pin-versions, pelton.pin-version"
  })
  void anUnknownKeyNamesTheNearest(String key, String nearest) {
    sql.getConfig().set(key, "1");
    assertThat(reason())
        .isEqualTo(
            "ARGUMENT_MISMATCH: decision `score`: there is no option '%s'; did you mean '%s'?",
            key, nearest);
  }

  @ParameterizedTest
  @CsvSource({
    "pelton.on-error, ignore, 'fail, null or emit'",
    "pelton.other.on-error, NULL, 'fail, null or emit'",
    "pelton.pin-version, 0, 'the number of a version, from 1 on'",
    "pelton.pin-version, latest, 'the number of a version, from 1 on'",
    "pelton.native-dir, lib, the absolute path of a directory"
  })
  void aBadValueNamesTheAllowedOnes(String key, String value, String allowed) {
    sql.getConfig().set(key, value);
    assertThat(reason())
        .isEqualTo(
            "ARGUMENT_MISMATCH: decision `score`: '%s' = '%s', expected %s", key, value, allowed);
  }

  @Test
  void theOptionOfTheDecisionComesFirst() {
    sql.getConfig().set("pelton.pin-version", "7");
    assertThat(reason())
        .startsWith("DECISION_NOT_FOUND: decision `score`: there is no version 7;")
        .endsWith("versions has 1, 2, 3");
    sql.getConfig().set("pelton.score.pin-version", "1");
    plan();
  }

  @Test
  void aPinnedVersionWithOtherColumnsIsRefused() {
    sql.getConfig().set("pelton.pin-version", "3");
    assertThat(reason())
        .startsWith(
            "ARGUMENT_MISMATCH: decision `score` version 3 takes (n BIGINT) and gives (p DOUBLE),"
                + " but Flink plans the call with [BIGINT NOT NULL] and ROW<`p` FLOAT> NOT NULL")
        .contains("a pinned version must have the columns of the active one");
  }

  @Test
  void emitNeedsAColumnForTheReason() {
    sql.getConfig().set("pelton.on-error", "emit");
    assertThat(reason())
        .isEqualTo(
            "ARGUMENT_MISMATCH: decision `score`: on-error = emit needs a column for the reason;"
                + " add `pelton.error` to the output of version 2, which is (p FLOAT)");
  }

  private void plan() {
    sql.toDataStream(sql.sqlQuery("SELECT p FROM t, LATERAL TABLE(predict('" + uri + "', n))"));
    sql.toDataStream(sql.sqlQuery("SELECT predict_row('" + uri + "', n) FROM t"));
  }

  private String reason() {
    Throwable error = catchThrowable(this::plan);
    Throwable cause = Throwables.getRootCause(error);
    return cause == null ? error.getMessage() : cause.getMessage();
  }
}
