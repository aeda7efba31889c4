package org.pelton.flink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.pelton.flink.PublishedFiles.columns;
import static org.pelton.flink.PublishedFiles.manifest;

import java.nio.file.Path;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.types.Row;
import org.apache.flink.types.RowKind;
import org.assertj.core.util.Throwables;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the planner refuses of a model and of {@code ML_PREDICT}: no native code, no job. */
class ModelPlanningTest {

  private static final String INPUT = "n BIGINT, s STRING, d DOUBLE";
  private static final String OUTPUT = "p FLOAT, label STRING";
  private static final String EXPECTED =
      "; the model's schema has to be INPUT (n BIGINT, s STRING, d DOUBLE)"
          + " OUTPUT (p FLOAT, label STRING)";

  @TempDir Path metadata;

  private PublishedFiles files;
  private StreamExecutionEnvironment jobs;
  private StreamTableEnvironment sql;

  @BeforeEach
  void publish() throws Exception {
    String input = columns("n", "BIGINT", "s", "STRING", "d", "DOUBLE");
    String output = columns("p", "FLOAT", "label", "STRING");
    files =
        new PublishedFiles(metadata)
            .manifest("score", 1, manifest("score", 1, input, columns("old", "INT")))
            .manifest("score", 2, manifest("score", 2, input, output))
            .activation("score", 1, "version = 2");
    jobs = StreamExecutionEnvironment.getExecutionEnvironment();
    sql = StreamTableEnvironment.create(jobs);
    sql.executeSql(
        "CREATE TEMPORARY VIEW t AS SELECT CAST(n AS BIGINT) AS n, s, CAST(d AS DOUBLE) AS d, n AS i"
            + " FROM (VALUES (1, 'a', 2.5)) AS v(n, s, d)");
  }

  @Test
  void theSchemaOfTheDecisionIsAccepted() {
    create(INPUT, OUTPUT, "");
    plan("DESCRIPTOR(n, s, d)");
  }

  @ParameterizedTest(name = "{2}")
  @CsvSource(
      delimiter = ';',
      value = {
        "n BIGINT, t STRING, d DOUBLE; p FLOAT, label STRING; column 2 of INPUT is t",
        "n BIGINT, d STRING, s DOUBLE; p FLOAT, label STRING; column 2 of INPUT is d STRING",
        "n FLOAT, s STRING, d DOUBLE; p FLOAT, label STRING; column 1 of INPUT is n FLOAT, but of the decision n BIGINT",
        "n BIGINT, s STRING, d DOUBLE, e DOUBLE; p FLOAT, label STRING; INPUT has 4 columns, the decision 3",
        "n BIGINT, s STRING, d DOUBLE; p DOUBLE, label STRING; column 1 of OUTPUT is p DOUBLE",
        "n BIGINT, s STRING, d DOUBLE; p FLOAT NOT NULL, label STRING; column 1 of OUTPUT is p FLOAT NOT NULL",
        "n BIGINT, s STRING, d DOUBLE; p FLOAT, label VARCHAR(5); column 2 of OUTPUT is label VARCHAR(5)",
        "n BIGINT, s STRING, d DOUBLE; p FLOAT; OUTPUT has 1 columns, the decision 2"
      })
  void anotherSchemaIsRefusedWithTheWholeExpectedOne(String input, String output, String reason) {
    create(input, output, "");
    String columns = input.startsWith("n BIGINT, s STRING, d DOUBLE, e") ? "n, s, d, d" : "n, s, d";
    assertThat(reason("DESCRIPTOR(" + columns + ")"))
        .startsWith("ARGUMENT_MISMATCH: decision `score` version 2: ")
        .contains(reason)
        .endsWith(EXPECTED);
  }

  @Test
  void narrowerAndNotNullInputsAreAccepted() {
    create("n BIGINT NOT NULL, s VARCHAR(10), d DOUBLE", OUTPUT, "");
    plan("DESCRIPTOR(n, s, d)");
  }

  /** Flink accepts what it could cast, and hands it over uncast. */
  @Test
  void columnsOfTheQueryAreNotCast() {
    create(INPUT, OUTPUT, "");
    assertThat(reason("DESCRIPTOR(i, s, d)"))
        .startsWith(
            "ARGUMENT_MISMATCH: decision `score` version 2: column 1 of the DESCRIPTOR is INT")
        .contains("but n is BIGINT")
        .endsWith("CAST it in the input: TABLE a view that selects CAST(... AS BIGINT)");
  }

  @Test
  void unknownOptionsOfTheModelNameTheNearest() {
    create(INPUT, OUTPUT, ", 'decison' = 'x'");
    assertThat(reason("DESCRIPTOR(n, s, d)"))
        .isEqualTo(
            "ARGUMENT_MISMATCH: model `m`: there is no option 'decison'; did you mean 'decision'?");
  }

  @Test
  void aModelWithoutDecision() {
    sql.executeSql("CREATE MODEL m INPUT (n BIGINT) OUTPUT (p FLOAT) WITH ('provider' = 'pelton')");
    assertThat(reason("DESCRIPTOR(n)"))
        .isEqualTo(
            "ARGUMENT_MISMATCH: model `m`: 'decision' is missing;"
                + " expected 'decision' = 'METADATA/decisions/NAME'");
  }

  @Test
  void aDecisionThatDoesNotExist() {
    sql.executeSql(
        "CREATE MODEL m INPUT (n BIGINT) OUTPUT (p FLOAT)"
            + " WITH ('provider' = 'pelton', 'decision' = '"
            + files.uri("scor")
            + "')");
    assertThat(reason("DESCRIPTOR(n)"))
        .startsWith("DECISION_NOT_FOUND: decision `scor`: not there")
        .endsWith("has score");
  }

  @Test
  void unknownKeysOfTheConfigMap() {
    create(INPUT, OUTPUT, "");
    assertThat(reason("DESCRIPTOR(n, s, d), MAP['on-error', 'emit']"))
        .startsWith(
            "ARGUMENT_MISMATCH: decision `score`: ML_PREDICT has no option 'on-error' here");
    plan("DESCRIPTOR(n, s, d), MAP['async', 'false']");
    assertThat(reason("DESCRIPTOR(n, s, d), MAP['async', 'true']")).contains("async");
  }

  @Test
  void optionsOfTheJobAreCheckedAndUsed() {
    create(INPUT, OUTPUT, "");
    sql.getConfig().set("pelton.pin-versoin", "1");
    assertThat(reason("DESCRIPTOR(n, s, d)"))
        .isEqualTo(
            "ARGUMENT_MISMATCH: decision `score`: there is no option 'pelton.pin-versoin';"
                + " did you mean 'pelton.pin-version'?");
    sql.getConfig().getConfiguration().removeKey("pelton.pin-versoin");
    sql.getConfig().set("pelton.pin-version", "1");
    assertThat(reason("DESCRIPTOR(n, s, d)"))
        .startsWith("ARGUMENT_MISMATCH: decision `score` version 1: OUTPUT has 2 columns");
  }

  @Test
  void flinkRefusesAChangelogByItself() {
    create(INPUT, OUTPUT, "");
    sql.createTemporaryView(
        "changes",
        sql.fromChangelogStream(
            jobs.fromData(
                Types.ROW_NAMED(
                    new String[] {"n", "s", "d"}, Types.LONG, Types.STRING, Types.DOUBLE),
                Row.ofKind(RowKind.INSERT, 1L, "a", 2.5),
                Row.ofKind(RowKind.DELETE, 1L, "a", 2.5))));
    Throwable refusal =
        catchThrowable(
            () ->
                sql.explainSql(
                    "SELECT * FROM ML_PREDICT(TABLE changes, MODEL m, DESCRIPTOR(n, s, d))"));
    assertThat(refusal)
        .hasMessageContaining("MLPredictTableFunction")
        .hasMessageContaining("doesn't support consuming");
  }

  private void create(String input, String output, String options) {
    sql.executeSql(
        String.format(
            "CREATE MODEL m INPUT (%s) OUTPUT (%s)"
                + " WITH ('provider' = 'pelton', 'decision' = '%s'%s)",
            input, output, files.uri("score"), options));
  }

  private void plan(String arguments) {
    sql.toDataStream(sql.sqlQuery("SELECT * FROM ML_PREDICT(TABLE t, MODEL m, " + arguments + ")"));
  }

  private String reason(String arguments) {
    Throwable error = catchThrowable(() -> plan(arguments));
    Throwable cause = Throwables.getRootCause(error);
    return cause == null ? error.getMessage() : cause.getMessage();
  }
}
