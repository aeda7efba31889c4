package org.pelton.cluster;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Supplier;

/** The jobs of a cluster, as its JobManager tells of them. */
final class Jobs {

  private final Rest jobManager;
  private final Path savepoints;
  private final Supplier<String> log;

  Jobs(Rest jobManager, Path savepoints, Supplier<String> log) {
    this.jobManager = jobManager;
    this.savepoints = savepoints;
    this.log = log;
  }

  /** Waits until the job has come to its end, which must be a good one. */
  void finish(String job) throws InterruptedException {
    String state =
        Waiting.until(
            "job " + job + " ends",
            () -> state(job),
            s -> s.equals("FINISHED") || s.equals("FAILED") || s.equals("CANCELED"),
            log);
    if (!state.equals("FINISHED")) {
      throw new AssertionError("job " + job + " is " + state + "\n" + log.get());
    }
  }

  /** Takes a savepoint and ends the job with it, so that all its results are committed. */
  String stop(String job) throws IOException, InterruptedException {
    String trigger =
        jobManager
            .post("jobs/" + job + "/stop", Map.of("targetDirectory", savepoints.toString()))
            .path("request-id")
            .asText();
    finish(job);
    return jobManager
        .get("jobs/" + job + "/savepoints/" + trigger)
        .at("/operation/location")
        .asText();
  }

  void cancel(String job) throws IOException, InterruptedException {
    jobManager.patch("jobs/" + job + "?mode=cancel");
  }

  /** Waits until the running attempt of the job has written records and committed them. */
  void awaitResults(String job) throws InterruptedException {
    // The first of the two may have begun before any record came.
    int before = checkpoints(job);
    Waiting.until(
        "job " + job + " has two more checkpoints",
        () -> checkpoints(job),
        completed -> completed >= before + 2,
        log);
  }

  /** Waits until the job has failed once for a reason with this text, and returns the reason. */
  String awaitFailure(String job, String text) throws InterruptedException {
    return Waiting.until(
        "job " + job + " fails by " + text,
        () -> failures(job),
        reasons -> reasons.contains(text),
        log);
  }

  /** Everything that made the job start again, newest first. */
  String failures(String job) throws Exception {
    return jobManager.get("jobs/" + job + "/exceptions").toPrettyString();
  }

  /** The job as the JobManager shows it. */
  String plan(String job) throws Exception {
    return jobManager.get("jobs/" + job + "/plan").toPrettyString()
        + jobManager.get("jobs/" + job + "/config").toPrettyString();
  }

  private int checkpoints(String job) {
    try {
      return jobManager.get("jobs/" + job + "/checkpoints").at("/counts/completed").asInt();
    } catch (IOException | InterruptedException notYet) {
      return 0;
    }
  }

  private String state(String job) throws Exception {
    return jobManager.get("jobs/" + job).path("state").asText();
  }
}
