package org.pelton.cluster;

/** On Flink 2.x the planner sends the keys. */
class ShardedLookupClusterTest extends ShardedClusterTests {

  @Override
  String startSquares(String name, int parallelism, String savepoint) throws Exception {
    SqlSession sql = cluster.session();
    workload.prepare(sql);
    sql.run("SET 'parallelism.default' = '" + parallelism + "'");
    if (savepoint != null) {
      sql.run("SET 'execution.state-recovery.path' = '" + savepoint + "'");
    }
    for (String statement : workload.numberTables(name, COLUMNS)) {
      sql.run(statement);
    }
    sql.run(squares());
    return sql.run(insert(name, "/*+ LOOKUP('table'='s', 'shuffle'='true') */", name + " input"));
  }
}
