package org.pelton.flink;

import static org.assertj.core.api.Assertions.assertThat;

import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.table.functions.AggregateFunction;
import org.apache.flink.table.functions.FunctionContext;
import org.apache.flink.table.functions.ScalarFunction;
import org.apache.flink.test.junit5.MiniClusterExtension;
import org.apache.flink.types.Row;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class TasksTest {

  @RegisterExtension private static final MiniClusterExtension CLUSTER = FlinkJobs.cluster(1);

  /** Where there is none, a lookup makes no row anew. */
  @Test
  void stateByKeysIsKnownFromNone() throws Exception {
    StreamTableEnvironment sql = FlinkJobs.streaming(true, 1);
    FlinkJobs.numbers(sql, 3);
    sql.createTemporarySystemFunction("of_rows", OfRows.class);
    sql.createTemporarySystemFunction("of_groups", OfGroups.class);
    assertThat(FlinkJobs.finalRows(sql, "SELECT of_rows(n) FROM numbers"))
        .containsExactly(Row.of(false), Row.of(false), Row.of(false));
    assertThat(FlinkJobs.finalRows(sql, "SELECT of_groups(n) FROM numbers GROUP BY MOD(n, 1)"))
        .containsExactly(Row.of(true));
  }

  /** In an operator without state. */
  public static final class OfRows extends ScalarFunction {

    private transient boolean keyed;

    @Override
    public void open(FunctionContext context) {
      keyed = Tasks.hasKeyedState(context);
    }

    public Boolean eval(Long n) {
      return keyed;
    }
  }

  /** In an operator with a state of each group. */
  public static final class OfGroups extends AggregateFunction<Boolean, Long> {

    private transient boolean keyed;

    @Override
    public void open(FunctionContext context) {
      keyed = Tasks.hasKeyedState(context);
    }

    @Override
    public Long createAccumulator() {
      return 0L;
    }

    public void accumulate(Long counted, Long n) {}

    @Override
    public Boolean getValue(Long counted) {
      return keyed;
    }
  }
}
