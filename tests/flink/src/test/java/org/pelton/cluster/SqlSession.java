package org.pelton.cluster;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Supplier;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;

/** A session of Flink's SQL gateway, as {@code sql-client.sh gateway} has it. */
final class SqlSession {

  private final Rest gateway;
  private final String path;
  private final Supplier<String> log;

  SqlSession(Rest gateway, Supplier<String> log) throws IOException, InterruptedException {
    this.gateway = gateway;
    this.log = log;
    String session = gateway.post("v2/sessions", Map.of()).get("sessionHandle").asText();
    path = "v2/sessions/" + session;
  }

  void addJar(Path jar) throws IOException, InterruptedException {
    run("ADD JAR '" + jar + "'");
  }

  /** Runs one statement and returns the job's id, or {@code ""} when it started none. */
  String run(String statement) throws IOException, InterruptedException {
    String operation =
        gateway
            .post(path + "/statements", Map.of("statement", statement))
            .get("operationHandle")
            .asText();
    String result = path + "/operations/" + operation + "/result/0?rowFormat=JSON";
    // The gateway answers with an error when the statement fails: that is an answer as well.
    Object answer =
        Waiting.until(
            statement + " is done",
            () -> {
              try {
                return gateway.get(result);
              } catch (IOException failed) {
                return failed;
              }
            },
            r -> r instanceof IOException || !"NOT_READY".equals(type(r)),
            log);
    if (answer instanceof IOException) {
      throw new IOException(statement, (IOException) answer);
    }
    return ((JsonNode) answer).path("jobID").asText();
  }

  private static String type(Object answer) {
    return ((JsonNode) answer).path("resultType").asText();
  }
}
