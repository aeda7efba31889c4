package org.pelton.cluster;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.pelton.TestPaths;

/** An S3-compatible store in a process of its own: moto, with one bucket. */
final class S3Server implements AutoCloseable {

  private static final Pattern ENDPOINT = Pattern.compile("Running on (http://\\S+)");
  private static final String BUCKET = "features";

  /** Moto looks for the service in it, and checks nothing. */
  private static final String AUTHORIZATION =
      "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request";

  private final HttpClient client = HttpClient.newHttpClient();
  private final Process process;
  private final String endpoint;

  S3Server() throws IOException, InterruptedException {
    Path program = TestPaths.root().resolve("tests/.venv/bin/moto_server");
    process =
        new ProcessBuilder(program.toString(), "-H", "127.0.0.1", "-p", "0")
            .redirectErrorStream(true)
            .start();
    Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
    BufferedReader log = process.inputReader();
    endpoint =
        log.lines()
            .map(ENDPOINT::matcher)
            .filter(Matcher::find)
            .map(found -> found.group(1))
            .findFirst()
            .orElseThrow();
    // What it says later is read, so that it never waits for a reader.
    Thread reader = new Thread(() -> log.lines().forEach(line -> {}));
    reader.setDaemon(true);
    reader.start();
    put("", HttpRequest.BodyPublishers.noBody());
  }

  /** The URI of a directory of the bucket. */
  String uri(String directory) {
    return "s3://" + BUCKET + "/" + directory;
  }

  /** What Flink's configuration says of the store. */
  Map<String, String> options(String accessKey, String secretKey) {
    return Map.of(
        "s3.endpoint", endpoint,
        "s3.access-key", accessKey,
        "s3.secret-key", secretKey,
        "s3.path.style.access", "true",
        "s3.region", "eu-central-1");
  }

  /** Copies a directory with all that is in it. */
  void upload(Path directory, String to) throws IOException, InterruptedException {
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        put("/" + to + "/" + directory.relativize(file), HttpRequest.BodyPublishers.ofFile(file));
      }
    }
  }

  private void put(String key, HttpRequest.BodyPublisher body)
      throws IOException, InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(endpoint + "/" + BUCKET + key.replace("=", "%3D")))
            .header("Authorization", AUTHORIZATION)
            .PUT(body)
            .build();
    HttpResponse<String> answer = client.send(request, HttpResponse.BodyHandlers.ofString());
    if (answer.statusCode() != 200) {
      throw new IOException(request + ": " + answer.statusCode() + " " + answer.body());
    }
  }

  @Override
  public void close() throws InterruptedException {
    process.destroyForcibly().waitFor();
  }
}
