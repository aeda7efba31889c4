package org.pelton.flink;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.flink.runtime.state.KeyGroupRangeAssignment;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.binary.BinaryRowData;
import org.apache.flink.table.runtime.typeutils.RowDataSerializer;
import org.apache.flink.table.types.logical.RowType;
import org.junit.jupiter.api.Test;
import org.pelton.TestPaths;

/**
 * {@code tests/golden/key_groups.json} holds where Flink sends keys of every type; the Rust side is
 * tested against it.
 *
 * <p>This test fails when a Flink line sends them elsewhere. With {@code
 * -Dpelton.golden.write=true} it writes the file again.
 */
class KeyGroupGoldenTest {

  private static final Path FILE = TestPaths.root().resolve("tests/golden/key_groups.json");
  private static final int[] PARALLELISMS = {1, 3, 4, 128};

  private static final String[] KEYS = {
    "a BOOLEAN",
    "a TINYINT",
    "a SMALLINT",
    "a INT",
    "a BIGINT",
    "a DATE",
    "a TIME(0)",
    "a TIME(3)",
    "a CHAR(3)",
    "a VARCHAR(9)",
    "a STRING",
    "a BINARY(3)",
    "a BYTES",
    "a TIMESTAMP(0)",
    "a TIMESTAMP(3)",
    "a TIMESTAMP(6)",
    "a TIMESTAMP(9)",
    "a TIMESTAMP_LTZ(3)",
    "a TIMESTAMP_LTZ(6)",
    "a DECIMAL(5, 2)",
    "a DECIMAL(18, 0)",
    "a DECIMAL(19, 4)",
    "a DECIMAL(38, 18)",
    "a BIGINT NOT NULL, b STRING NOT NULL",
    "a STRING, b TIMESTAMP(3)",
    "a STRING, b TIMESTAMP(6), c INT",
    "a DECIMAL(20, 2), b STRING, c BIGINT, d DATE, e BOOLEAN",
    "a STRING, b STRING, c STRING",
  };

  @Test
  void committedKeysBelongToTheSubtasksThatFlinkSendsThemTo() throws Exception {
    List<String> operators = IntStream.of(PARALLELISMS).mapToObj(this::operator).toList();
    List<String> schemas = new ArrayList<>();
    for (String columns : KEYS) {
      schemas.add(schema(columns));
    }
    String text =
        "{\n  \"operators\": [\n"
            + String.join(",\n", operators)
            + "\n  ],\n  \"schemas\": [\n"
            + String.join(",\n", schemas)
            + "\n  ]\n}\n";
    if (Boolean.getBoolean("pelton.golden.write")) {
      Files.writeString(FILE, text);
    }
    assertThat(FILE).hasContent(text);
  }

  private String operator(int parallelism) {
    int most = KeyGroupRangeAssignment.computeDefaultMaxParallelism(parallelism);
    List<Integer> firstGroups =
        IntStream.range(0, parallelism)
            .mapToObj(
                subtask ->
                    KeyGroupRangeAssignment.computeKeyGroupRangeForOperatorIndex(
                            most, parallelism, subtask)
                        .getStartKeyGroup())
            .toList();
    return String.format(
        "    {\"parallelism\": %d, \"max_parallelism\": %d, \"first_groups\": %s}",
        parallelism, most, firstGroups);
  }

  private String schema(String columns) {
    RowType type = new GoldenRows.Schema("key_groups", columns, 8).rowType();
    RowDataSerializer serializer = new RowDataSerializer(type);
    List<String> keys = new ArrayList<>();
    for (GenericRowData key : GoldenRows.rows(type, 8)) {
      keys.add(key(serializer.toBinaryRow(key)));
    }
    return String.format(
        "    {\"columns\": \"%s\", \"keys\": [\n%s\n    ]}", columns, String.join(",\n", keys));
  }

  private String key(BinaryRowData key) {
    byte[] bytes = new byte[key.getSizeInBytes()];
    key.getSegments()[0].get(key.getOffset(), bytes);
    List<Integer> subtasks =
        IntStream.of(PARALLELISMS)
            .mapToObj(
                parallelism ->
                    KeyGroupRangeAssignment.assignKeyToParallelOperator(
                        key,
                        KeyGroupRangeAssignment.computeDefaultMaxParallelism(parallelism),
                        parallelism))
            .toList();
    return String.format(
        "      {\"hex\": \"%s\", \"hash\": %d, \"subtasks\": %s}",
        HexFormat.of().formatHex(bytes), key.hashCode(), subtasks);
  }
}
