package org.pelton.cluster;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;

/** JSON over HTTP with one of the cluster's processes. */
final class Rest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Duration TIMEOUT = Duration.ofSeconds(60);

  private final HttpClient http = HttpClient.newHttpClient();
  private final URI root;

  Rest(int port) {
    root = URI.create("http://localhost:" + port + "/");
  }

  JsonNode get(String path) throws IOException, InterruptedException {
    return send(path, HttpRequest.newBuilder().GET());
  }

  JsonNode post(String path, Object body) throws IOException, InterruptedException {
    return send(
        path,
        HttpRequest.newBuilder().POST(BodyPublishers.ofString(JSON.writeValueAsString(body))));
  }

  JsonNode patch(String path) throws IOException, InterruptedException {
    return send(path, HttpRequest.newBuilder().method("PATCH", BodyPublishers.noBody()));
  }

  /** The answer; an {@link IOException} with the server's reasons when it is not a success. */
  private JsonNode send(String path, HttpRequest.Builder request)
      throws IOException, InterruptedException {
    HttpResponse<String> response =
        http.send(
            request
                .uri(root.resolve(path))
                .header("Content-Type", "application/json")
                .timeout(TIMEOUT)
                .build(),
            BodyHandlers.ofString());
    JsonNode answer = JSON.readTree(response.body());
    if (response.statusCode() / 100 != 2) {
      StringBuilder reasons = new StringBuilder(request.build().method() + " " + path);
      answer.path("errors").forEach(error -> reasons.append('\n').append(error.asText()));
      throw new IOException(reasons.toString());
    }
    return answer;
  }
}
