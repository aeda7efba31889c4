package org.pelton.flink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.table.api.ExplainDetail;
import org.apache.flink.table.api.Table;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.test.junit5.MiniClusterExtension;
import org.apache.flink.types.Row;
import org.apache.flink.util.CloseableIterator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.pelton.TestDecisions;

/** What fails in Flink fails in Pelton: see {@code tests/expressions/README.md}. */
class ExpressionErrorsTest {

  @RegisterExtension private static final MiniClusterExtension CLUSTER = FlinkJobs.cluster(1);

  @TempDir Path directory;

  private StreamTableEnvironment sql;
  private String columns;

  @BeforeEach
  void openTheTable() throws Exception {
    columns = ExpressionCorpus.columns();
    sql = ExpressionCorpus.open();
  }

  @Test
  void evaluationsThatFailInFlinkFailInPelton() throws Exception {
    TestDecisions decisions = new TestDecisions(directory.resolve("metadata"));
    List<String> survivors = new ArrayList<>();
    for (String expression : ExpressionCorpus.expressions(ExpressionCorpus.file("failing.txt"))) {
      String uri = decisions.publish("failing", columns, expression + " AS p0");
      String call = String.format("predict('%s', %s)", uri, ExpressionCorpus.arguments(columns));
      Throwable flink = catchThrowable(() -> collect("SELECT " + expression + " FROM t"));
      Throwable pelton =
          catchThrowable(() -> collect("SELECT p0 FROM t, LATERAL TABLE(" + call + ")"));
      if (flink == null || pelton == null) {
        survivors.add(expression + ": Flink " + flink + ", Pelton " + pelton);
      } else {
        assertThat(pelton).as(expression).hasStackTraceContaining("EVALUATION_FAILED");
      }
    }
    assertThat(survivors).isEmpty();
  }

  @Test
  void expressionsThatFlinkRefusesPeltonRefuses() throws Exception {
    List<String> accepted = new ArrayList<>();
    for (String expression : ExpressionCorpus.expressions(ExpressionCorpus.file("refused.txt"))) {
      Throwable flink = catchThrowable(() -> plan("SELECT " + expression + " AS p0 FROM t"));
      Throwable pelton = catchThrowable(() -> TestDecisions.pelton("check", draft(expression)));
      if (flink == null || pelton == null) {
        accepted.add(expression + ": Flink " + flink + ", Pelton " + pelton);
      } else {
        assertThat(pelton).as(expression).hasMessageContaining("decision.toml:");
      }
    }
    assertThat(accepted).isEmpty();
  }

  /** When it no longer does, the expressions belong to the other files. */
  @Test
  void functionsSinceFlink2AreRefusedByFlink1() throws Exception {
    assumeFalse(DifferentialTest.IS_2);
    List<String> accepted = new ArrayList<>();
    Path file = ExpressionCorpus.file("since" + DifferentialTest.SINCE_2);
    for (String expression : ExpressionCorpus.expressions(file)) {
      if (catchThrowable(() -> plan("SELECT " + expression + " FROM t")) == null) {
        accepted.add(expression);
      }
    }
    assertThat(accepted).isEmpty();
  }

  private void plan(String query) {
    Table table = sql.sqlQuery(query);
    table.explain(ExplainDetail.JSON_EXECUTION_PLAN);
  }

  private void collect(String query) throws Exception {
    try (CloseableIterator<Row> rows = sql.sqlQuery(query).execute().collect()) {
      rows.forEachRemaining(row -> {});
    }
  }

  /** A decision with one output, as a directory that is not published. */
  private String draft(String expression) throws Exception {
    Path draft = Files.createDirectories(directory.resolve("draft"));
    String toml =
        String.format(
            "name = \"draft\"\ninput = '''\n%s\n'''\noutput = '''\n%s AS p0\n'''\n",
            columns, expression.replace("'''", "'"));
    Files.writeString(draft.resolve("decision.toml"), toml);
    return draft.toString();
  }
}
