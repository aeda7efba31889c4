package org.pelton.flink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.pelton.flink.PublishedFiles.columns;
import static org.pelton.flink.PublishedFiles.manifest;

import java.nio.file.Path;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.table.api.Table;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.assertj.core.util.Throwables;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the planner accepts, infers and refuses: no native code, no job. */
class PlanningTest {

  private static final String INPUT = columns("n", "BIGINT", "s", "STRING", "d", "DOUBLE");
  private static final String OUTPUT = columns("p", "FLOAT", "label", "STRING");

  private static final String TYPES = "(\n  `p` FLOAT,\n  `label` STRING\n)";

  @TempDir Path metadata;

  private PublishedFiles files;
  private StreamTableEnvironment sql;

  @BeforeEach
  void publish() throws Exception {
    files =
        new PublishedFiles(metadata)
            .manifest("score", 1, manifest("score", 1, INPUT, columns("old", "INT")))
            .manifest("score", 2, manifest("score", 2, INPUT, OUTPUT))
            .activation("score", 1, "version = 1")
            .activation("score", 2, "version = 2 # newest\nnote = \"better\"");
    sql = StreamTableEnvironment.create(StreamExecutionEnvironment.getExecutionEnvironment());
    FlinkJobs.createFunctions(sql);
    sql.executeSql(
        "CREATE TEMPORARY VIEW t AS SELECT * FROM (VALUES (1, 'a', CAST(2.5 AS FLOAT), DATE '2020-01-01'))"
            + " AS v(i, s, f, b)");
  }

  @Test
  void outputColumnsComeFromTheNewestActivation() {
    assertThat(types("predict('%s', CAST(i AS BIGINT), s, CAST(f AS DOUBLE))")).isEqualTo(TYPES);
  }

  @Test
  void theScalarFunctionReturnsTheSameColumnsAsARow() {
    String call = "predict_row('%s', i, s, f)".replace("%s", files.uri("score"));
    Table table = sql.sqlQuery("SELECT " + call + " AS d FROM t");
    sql.toDataStream(table);
    assertThat(table.getResolvedSchema().toString())
        .isEqualTo("(\n  `d` ROW<`p` FLOAT, `label` STRING> NOT NULL\n)");
    Table fields = sql.sqlQuery("SELECT d.p, d.label FROM (SELECT " + call + " AS d FROM t)");
    assertThat(fields.getResolvedSchema().toString()).isEqualTo(TYPES);
  }

  @Test
  void theScalarFunctionRefusesTheSame() {
    Throwable error = catchThrowable(() -> sql.sqlQuery("SELECT predict_row(s, i, s, f) FROM t"));
    assertThat(Throwables.getRootCause(error))
        .hasMessageMatching("ARGUMENT_MISMATCH: the first argument of .*predict_row must be .*");
  }

  @Test
  void argumentsFollowFlinksImplicitCasts() {
    assertThat(types("predict('%s', i, 'literal', 0.5)")).isEqualTo(TYPES);
    assertThat(types("predict('%s', NULL, NULL, NULL)")).isEqualTo(TYPES);
  }

  @Test
  void tooFewArguments() {
    assertThat(reason("predict('%s', i, s)"))
        .startsWith("ARGUMENT_MISMATCH: decision `score` version 2: takes 3 arguments")
        .contains("(n BIGINT, s STRING, d DOUBLE), but 2 are given");
  }

  @Test
  void wrongArgumentTypeNamesPositionAndColumn() {
    assertThat(reason("predict('%s', i, s, b)"))
        .startsWith(
            "ARGUMENT_MISMATCH: decision `score` version 2: argument 4 (d) must be DOUBLE, but DATE");
  }

  @Test
  void decisionMustBeALiteral() {
    assertThat(reason("predict('%s' || s, i, s, f)"))
        .startsWith("ARGUMENT_MISMATCH: the first argument of")
        .contains("must be the decision as a string literal");
    assertThat(reason("predict(s, i, s, f)")).startsWith("ARGUMENT_MISMATCH: the first argument");
    assertThat(reason("predict(CAST(NULL AS STRING), i, s, f)"))
        .startsWith("ARGUMENT_MISMATCH: the first argument");
    assertThat(reason("predict()")).startsWith("ARGUMENT_MISMATCH: the first argument");
  }

  @Test
  void unknownDecisionListsTheOnesThatExist() {
    refusedUri(files.uri("scor"), "DECISION_NOT_FOUND: decision `scor`: not there", "has score");
    refusedUri("/nowhere", "DECISION_NOT_FOUND: `/nowhere` does not name a decision", "");
  }

  @Test
  void decisionWithoutActivation() throws Exception {
    files.manifest("new", 1, manifest("new", 1, INPUT, OUTPUT));
    refusedUri(files.uri("new"), "DECISION_NOT_FOUND: decision `new`: no version is active", "");
  }

  @Test
  void tornManifest() throws Exception {
    String whole = manifest("score", 3, INPUT, OUTPUT);
    files.manifest("score", 3, whole.substring(0, whole.length() / 2));
    files.activation("score", 3, "version = 3");
    refusedUri(
        files.uri("score"),
        "MANIFEST_INVALID: decision `score` version 3",
        "MANIFEST.json is not whole");
  }

  @Test
  void missingManifest() throws Exception {
    files.activation("score", 3, "version = 3");
    String manifest = files.uri("score") + "/versions/3/MANIFEST.json";
    refusedUri(
        files.uri("score"),
        "MANIFEST_INVALID: decision `score`: file:" + manifest + " cannot be read: ",
        manifest + " (No such file or directory)");
  }

  @Test
  void aStoreThatFlinkDoesNotKnowIsSaidWithTheDecisionsUri() {
    refusedUri(
        "s3://bucket/decisions/score",
        "IO: decision `score`: s3://bucket/decisions/score cannot be read: ",
        "Could not find a file system implementation for scheme 's3'");
  }

  @Test
  void manifestOfAnotherVersion() throws Exception {
    files.manifest("score", 3, manifest("score", 2, INPUT, OUTPUT));
    files.activation("score", 3, "version = 3");
    refusedUri(
        files.uri("score"),
        "MANIFEST_MISMATCH: decision `score` version 3",
        "is the manifest of decision \"score\" version 2");
  }

  @Test
  void manifestWithAnUnknownType() throws Exception {
    files.manifest("score", 3, manifest("score", 3, columns("n", "BIGINTEGER"), OUTPUT));
    files.activation("score", 3, "version = 3");
    refusedUri(files.uri("score"), "MANIFEST_INVALID", "has type `BIGINTEGER` for column n");
  }

  @Test
  void brokenActivation() throws Exception {
    files.activation("score", 3, "version = ");
    refusedUri(files.uri("score"), "DECISION_INVALID: decision `score`", "000003.toml");
    files.activation("score", 4, "version = \"two\"");
    refusedUri(files.uri("score"), "DECISION_INVALID", "expected a whole number from 1 on");
  }

  @Test
  void typesThatCannotBeArgumentsAreRefusedByName() throws Exception {
    String type = "ARRAY<INTERVAL DAY TO SECOND>";
    files.manifest("wait", 1, manifest("wait", 1, columns("span", type), OUTPUT));
    files.activation("wait", 1, "version = 1");
    refusedUri(
        files.uri("wait"), "NOT_SUPPORTED: decision `wait` version 1: span ARRAY<INTERVAL", "");
  }

  /** Plans the call down to generated code and returns the types of its columns. */
  private String types(String call) {
    Table table = sql.sqlQuery("SELECT p, label FROM t, " + lateral(call));
    sql.toDataStream(table);
    return table.getResolvedSchema().toString();
  }

  private void refusedUri(String uri, String start, String also) {
    assertThat(reason("predict('" + uri + "', i, s, f)")).startsWith(start).contains(also);
  }

  /** What the user reads of the innermost error; Flink wraps its own around it. */
  private String reason(String call) {
    Throwable error = catchThrowable(() -> sql.sqlQuery("SELECT * FROM t, " + lateral(call)));
    assertThat(error).hasStackTraceContaining("SQL validation failed");
    return Throwables.getRootCause(error).getMessage();
  }

  private String lateral(String call) {
    return "LATERAL TABLE(" + call.replace("%s", files.uri("score")) + ")";
  }
}
