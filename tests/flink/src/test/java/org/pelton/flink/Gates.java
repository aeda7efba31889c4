package org.pelton.flink;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.pelton.TestDimensions;

/**
 * Fees of gates, keyed by gate and airport, and as of a time; and records that ask for them. Each
 * line of Flink sends them to shards in a way of its own.
 */
final class Gates {

  static final int RECORDS = 2000;

  /** Behind JOIN. */
  static final String GATES =
      " gates FOR SYSTEM_TIME AS OF o.pt AS d ON d.airport = o.airport AND d.gate = o.gate";

  static final String AS_OF_GATES =
      " as_of_gates FOR SYSTEM_TIME AS OF o.pt AS d ON d.airport = o.airport AND d.as_of = o.ts"
          + " AND d.gate = o.gate";

  private static final String COLUMNS = "airport STRING, gate INT, fee DOUBLE";
  private static final String AS_OF =
      "choice = \"as_of\"\nperiod = \"1 d\"\nlate = \"previous\"\nkeep = 2";

  private final TestDimensions dimensions;

  Gates(Path directory) throws Exception {
    dimensions = new TestDimensions(directory.resolve("metadata"));
    dimensions.define("gates", COLUMNS, "\"gate\", \"airport\"");
    List<String> gates = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      gates.add(String.format("%s,%d,%d.5", "ABC".charAt(i % 3), i / 3, i));
    }
    dimensions.write("gates", "2013-01-01", COLUMNS, gates);
    dimensions.define("as_of_gates", COLUMNS, "\"gate\", \"airport\"", AS_OF);
    for (int day = 1; day <= 3; day++) {
      String fee = "," + day; // instead of each gate's
      List<String> ofDay = gates.stream().map(gate -> gate.replaceAll(",[^,]*$", fee)).toList();
      dimensions.write("as_of_gates", "2013-01-0" + day, COLUMNS, ofDay);
    }
  }

  /** The tables, and the records as {@code numbered}. */
  void create(StreamTableEnvironment sql, boolean sharded) {
    FlinkJobs.numbers(sql, RECORDS);
    sql.executeSql(
        "CREATE TEMPORARY VIEW numbered AS SELECT n,"
            + " CASE WHEN MOD(n, 13) <> 0 THEN SUBSTRING('ABCD', CAST(MOD(n, 4) AS INT) + 1, 1)"
            + " END AS airport, CAST(MOD(n, 120) AS INT) AS gate, CAST(TIMESTAMPADD(MINUTE,"
            + " CAST(n AS INT) * 5, TIMESTAMP '2013-01-01 00:00:00') AS TIMESTAMP(3)) AS ts"
            + " FROM numbers");
    createTable(sql, "gates", COLUMNS, sharded);
    createTable(sql, "as_of_gates", COLUMNS + ", as_of TIMESTAMP(3)", sharded);
  }

  private void createTable(
      StreamTableEnvironment sql, String name, String columns, boolean sharded) {
    sql.executeSql(
        String.format(
            "CREATE TEMPORARY TABLE %s (%s) WITH ('connector' = 'pelton', 'dimension' = '%s',"
                + " 'sharded' = '%s')",
            name, columns, dimensions.definition(name), sharded));
  }
}
