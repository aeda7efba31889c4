package org.pelton.cluster;

import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.api.Schema;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.types.Row;
import org.pelton.flink.KeyGroupPartitioner;

/** On Flink 1.20 the job itself sends the keys, by {@link KeyGroupPartitioner}. */
class PartitionCustomClusterTest extends ShardedClusterTests {

  @Override
  String startSquares(String name, int parallelism, String savepoint) throws Exception {
    Configuration configuration = new Configuration();
    if (savepoint != null) {
      configuration.setString("execution.savepoint.path", savepoint);
    }
    StreamExecutionEnvironment jobs =
        StreamExecutionEnvironment.createRemoteEnvironment(
            "localhost", cluster.restPort(), configuration, jar().toString());
    jobs.setParallelism(parallelism);
    jobs.enableCheckpointing(200);
    StreamTableEnvironment sql = StreamTableEnvironment.create(jobs);
    for (String statement : workload.numberTables(name, COLUMNS)) {
      sql.executeSql(statement);
    }
    sql.executeSql(squares());
    DataStream<Row> sent =
        sql.toDataStream(sql.sqlQuery("SELECT n FROM `" + name + " input`"))
            .partitionCustom(new KeyGroupPartitioner(DataTypes.BIGINT()), new NumberOf());
    sql.createTemporaryView(
        "sent", sent, Schema.newBuilder().columnByExpression("arrived", "PROCTIME()").build());
    return sql.executeSql(insert(name, "", "sent"))
        .getJobClient()
        .orElseThrow()
        .getJobID()
        .toString();
  }

  /** The job's own classes. */
  private static Path jar() throws Exception {
    Path jar = Files.createTempFile(cluster.temp(), "job", ".jar");
    String file = NumberOf.class.getName().replace('.', '/') + ".class";
    try (JarOutputStream entries = new JarOutputStream(Files.newOutputStream(jar));
        InputStream bytes = NumberOf.class.getClassLoader().getResourceAsStream(file)) {
      entries.putNextEntry(new JarEntry(file));
      bytes.transferTo(entries);
    }
    return jar;
  }
}
