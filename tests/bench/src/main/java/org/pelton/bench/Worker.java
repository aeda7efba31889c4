package org.pelton.bench;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.file.Path;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.pelton.metrics.PeltonMetrics;

/**
 * One case in a JVM of its own, so that no case's types are in the way of another's compiled code:
 * {@code Worker WORK reuse|copies PARALLELISM}.
 *
 * <p>Reads numbers of records, one a line; lets each subtask of the running job process so many,
 * and writes the nanoseconds that it took and the nanoseconds that the tasks had a processor.
 */
public final class Worker {

  private static final String ARGUMENTS =
      "carrier, tailnum, origin, dest, sched_dep, local_hour, dep_delay, distance";
  private static final String FLIGHT =
      "carrier STRING, tailnum STRING, origin STRING, dest STRING, sched_dep TIMESTAMP(3),"
          + " local_hour INT, dep_delay DOUBLE, distance INT";
  private static final String DECIDED =
      "p_late FLOAT, risk FLOAT, action STRING, fired_rule STRING";
  private static final String DECISION = "models/metadata/decisions/arrival_delay";
  private static final String OUTPUTS = "p_late, risk, action, fired_rule";

  /** Of the columns of {@code rust/dimension/benches/tables}, those that are read. */
  private static final String HELD = "product STRING, balance DOUBLE, visits INT";

  private Worker() {}

  public static void main(String[] arguments) throws Exception {
    Case job = Case.parse(arguments[0], arguments[1], arguments[2]);
    start(job);
    BufferedReader orders = new BufferedReader(new InputStreamReader(System.in));
    for (String line = orders.readLine(); line != null; line = orders.readLine()) {
      Gate.Turn turn = turn(job.parallelism(), Long.parseLong(line));
      System.out.println(turn.end() - turn.start() + " " + turn.cpu());
    }
    Runtime.getRuntime().halt(0);
  }

  /** One turn of all subtasks together: from the first start to the last end. */
  private static Gate.Turn turn(int subtasks, long records) throws InterruptedException {
    for (int i = 0; i < subtasks; i++) {
      GatedSource.GATES[i].grant(records);
    }
    Gate.Turn whole = GatedSource.GATES[0].taken();
    for (int i = 1; i < subtasks; i++) {
      Gate.Turn turn = GatedSource.GATES[i].taken();
      whole =
          new Gate.Turn(
              Math.min(whole.start(), turn.start()),
              Math.max(whole.end(), turn.end()),
              whole.cpu() + turn.cpu());
    }
    return whole;
  }

  /** Starts the job of a case; its gates hold it. */
  static void start(Case job) throws Exception {
    Configuration configuration = PeltonMetrics.configure(new Configuration());
    configuration.setString("parallelism.default", Integer.toString(job.parallelism()));
    configuration.setString("pipeline.object-reuse", Boolean.toString(job.reuse()));
    configuration.setString("taskmanager.memory.managed.size", "16m");
    StreamExecutionEnvironment environment =
        StreamExecutionEnvironment.getExecutionEnvironment(configuration);
    StreamTableEnvironment sql = StreamTableEnvironment.create(environment);
    JobClient client =
        switch (job.work()) {
          case ECHO -> {
            sql.createTemporarySystemFunction("echo", EchoFunction.class);
            yield decide(sql, "echo(" + ARGUMENTS + ")");
          }
          case PELTON_1 -> predict(sql, 1);
          case PELTON_2 -> predict(sql, 2);
          case ONNX_1 -> score(sql, 1);
          case ONNX_2 -> score(sql, 2);
          case ML_PREDICT_2 -> mlPredict(sql, 2);
          case LOOKUP_PELTON -> lookUp(sql, dimension("by_id"));
          case LOOKUP_REFRESHED -> lookUp(sql, dimension("refreshed"));
          case LOOKUP_HASH_MAP ->
              lookUp(
                  sql,
                  "'connector' = 'hash-map', 'file' = '"
                      + DimensionBenchmark.generated().resolve("rows/by_id")
                      + "'");
        };
    endWith(client);
  }

  private static JobClient predict(StreamTableEnvironment sql, int version) {
    sql.executeSql("CREATE FUNCTION predict AS 'org.pelton.flink.PredictFunction'");
    sql.getConfig().set("pelton.pin-version", Integer.toString(version));
    return decide(sql, "predict('" + DECISION + "', " + ARGUMENTS + ")");
  }

  private static JobClient decide(StreamTableEnvironment sql, String function) {
    createTables(sql);
    return run(
        sql,
        "INSERT INTO decided SELECT " + OUTPUTS + " FROM flights, LATERAL TABLE(" + function + ")");
  }

  private static JobClient mlPredict(StreamTableEnvironment sql, int version) {
    createTables(sql);
    sql.getConfig().set("pelton.pin-version", Integer.toString(version));
    sql.executeSql(
        "CREATE MODEL delay INPUT ("
            + FLIGHT
            + ") OUTPUT ("
            + DECIDED
            + ", model_version BIGINT, partitions MAP<STRING, STRING>)"
            + " WITH ('provider' = 'pelton', 'decision' = '"
            + DECISION
            + "')");
    return run(
        sql,
        "INSERT INTO decided SELECT "
            + OUTPUTS
            + " FROM ML_PREDICT(TABLE flights, MODEL delay, DESCRIPTOR("
            + ARGUMENTS
            + "))");
  }

  private static void createTables(StreamTableEnvironment sql) {
    sql.executeSql("CREATE TABLE flights (" + FLIGHT + ")" + from(Flights.CSV.toString()));
    sql.executeSql("CREATE TABLE decided (" + DECIDED + ") WITH ('connector' = 'blackhole')");
  }

  private static JobClient score(StreamTableEnvironment sql, int version) throws Exception {
    ModelInputs.check(version);
    String model = ModelInputs.model(version).toString();
    sql.createTemporarySystemFunction("score", new OnnxFunction(model));
    sql.executeSql("CREATE TABLE inputs (x BYTES)" + from(ModelInputs.file(version).toString()));
    sql.executeSql("CREATE TABLE scored (p_late FLOAT) WITH ('connector' = 'blackhole')");
    return run(
        sql,
        "INSERT INTO scored SELECT d.p_late FROM inputs, LATERAL TABLE(score(x)) AS d(p_late)");
  }

  private static String dimension(String name) {
    Path file = DimensionBenchmark.generated().resolve("dimensions/" + name + ".toml");
    return "'connector' = 'pelton', 'dimension' = '" + file + "'";
  }

  /** Looks random keys up, each of which is there, and reads three columns. */
  private static JobClient lookUp(StreamTableEnvironment sql, String with) {
    String rows = System.getProperty("rows");
    sql.executeSql(
        "CREATE TABLE records (id BIGINT, arrived AS PROCTIME())"
            + " WITH ('connector' = 'keys', 'rows' = '"
            + rows
            + "')");
    sql.executeSql("CREATE TABLE held (id BIGINT, " + HELD + ") WITH (" + with + ")");
    sql.executeSql(
        "CREATE TABLE found (id BIGINT, product STRING, balance DOUBLE, visits INT)"
            + " WITH ('connector' = 'blackhole')");
    return run(
        sql,
        "INSERT INTO found SELECT records.id, product, balance, visits FROM records"
            + " JOIN held FOR SYSTEM_TIME AS OF records.arrived ON records.id = held.id");
  }

  private static String from(String file) {
    return " WITH ('connector' = 'flights', 'file' = '" + file + "')";
  }

  private static JobClient run(StreamTableEnvironment sql, String insert) {
    return sql.executeSql(insert).getJobClient().orElseThrow();
  }

  /** A job that fails would never take its turn. */
  private static void endWith(JobClient client) {
    client
        .getJobExecutionResult()
        .whenComplete(
            (result, failure) -> {
              if (failure != null) {
                failure.printStackTrace();
              }
              Runtime.getRuntime().halt(1);
            });
  }
}
