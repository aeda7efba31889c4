package org.pelton.flink;

import static org.assertj.core.api.Assertions.assertThat;

import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.table.types.logical.VarCharType;
import org.apache.flink.types.Row;
import org.apache.flink.types.RowKind;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class KeyGroupPartitionerTest {

  private static final int SUBTASKS = 128;

  /** {@code Row.project(change, ...)} has the kind of the change. */
  @ParameterizedTest
  @EnumSource(RowKind.class)
  void aKeyGoesToItsSubtaskWhateverTheKindOfItsRow(RowKind kind) {
    KeyGroupPartitioner ofRows = new KeyGroupPartitioner(DataTypes.STRING());
    RowType type = RowType.of(new VarCharType(VarCharType.MAX_LENGTH));
    KeyGroupPartitioner ofInternalRows = new KeyGroupPartitioner(type, new int[] {0});
    for (int n = 0; n < 100; n++) {
      int subtask = ofRows.partition(Row.of("N" + n), SUBTASKS);
      assertThat(ofRows.partition(Row.ofKind(kind, "N" + n), SUBTASKS)).isEqualTo(subtask);
      RowData internal = GenericRowData.ofKind(kind, StringData.fromString("N" + n));
      assertThat(ofInternalRows.partition(internal, SUBTASKS)).isEqualTo(subtask);
    }
  }
}
