package org.pelton.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.pelton.TestDecisions;
import org.pelton.TestPaths;

/** A dimension in a bucket that only Flink's configuration leads to. */
class S3DimensionTest {

  private static final String ACCESS_KEY = "AKIAPELTONOFTHETESTS";
  private static final String SECRET_KEY = "a-secret-that-stands-nowhere-else";

  private static final Path MODELS = TestPaths.root().resolve("models");

  @Test
  void joinsAndDecisionsReachItAndTellNobodyHow() throws Exception {
    Path directory = ClusterFiles.fresh("s3");
    try (S3Server s3 = new S3Server()) {
      s3.upload(MODELS.resolve("metadata/planes"), "warehouse/planes");
      Path metadata = define(directory, s3.uri("warehouse/planes"));
      try (SessionCluster cluster =
          new SessionCluster(
              directory.resolve("flink"), true, s3.options(ACCESS_KEY, SECRET_KEY))) {
        SqlSession sql = cluster.session();
        prepare(sql, directory, metadata);
        String joined =
            sql.run(
                "INSERT INTO joined SELECT a.tailnum, p.seats FROM asked AS a"
                    + " JOIN planes FOR SYSTEM_TIME AS OF a.arrived AS p ON p.tailnum = a.tailnum");
        String decided =
            sql.run(
                "INSERT INTO decided SELECT d.tailnum, d.seats FROM asked AS a,"
                    + " LATERAL TABLE(predict('"
                    + metadata.resolve("decisions/seats")
                    + "', a.tailnum)) AS d (tailnum, seats)");
        for (String job : List.of(joined, decided)) {
          cluster.jobs().finish(job);
          assertThat(cluster.jobs().plan(job)).doesNotContain(ACCESS_KEY, SECRET_KEY);
        }
        for (String table : List.of("joined", "decided")) {
          assertThat(lines(directory.resolve(table)))
              .containsExactlyInAnyOrder("N10156,55", "N102UW,182");
        }
        for (Path log : cluster.logFiles()) {
          // Flink itself lists its configuration, where it hides what it knows to be secret.
          assertThat(Files.readString(log)).doesNotContain(SECRET_KEY);
        }
      }
    }
  }

  /** The planes as a dimension in the bucket, and a decision that looks them up. */
  private static Path define(Path directory, String uri) throws Exception {
    Path metadata = directory.resolve("metadata");
    Files.createDirectories(metadata.resolve("dimensions"));
    String planes = Files.readString(MODELS.resolve("metadata/dimensions/planes.toml"));
    Files.writeString(
        metadata.resolve("dimensions/planes.toml"),
        planes.replaceFirst("\"planes\"", "\"" + uri + "\"") + "initial = \"fail\"\n");
    Path draft = Files.createDirectories(directory.resolve("draft"));
    Files.writeString(
        draft.resolve("decision.toml"),
        "name = \"seats\"\n"
            + "input = \"tailnum STRING\"\n"
            + "output = \"tailnum AS number, plane.seats AS seats\"\n"
            + "[lookups.plane]\ndimension = \"planes\"\nkey = [\"tailnum\"]\n");
    TestDecisions.pelton("publish", draft.toString(), "--to", metadata.toString());
    return metadata;
  }

  private static void prepare(SqlSession sql, Path directory, Path metadata) throws Exception {
    sql.run("SET 'parallelism.default' = '1'");
    sql.run("CREATE FUNCTION predict AS 'org.pelton.flink.PredictFunction'");
    sql.run(
        "CREATE VIEW asked AS SELECT tailnum, PROCTIME() AS arrived"
            + " FROM (VALUES CAST('N10156' AS STRING), CAST('N102UW' AS STRING)) AS t (tailnum)");
    sql.run(
        "CREATE TABLE planes (tailnum STRING, seats INT) WITH ('connector' = 'pelton',"
            + " 'dimension' = '"
            + metadata.resolve("dimensions/planes.toml")
            + "')");
    for (String table : List.of("joined", "decided")) {
      sql.run(
          String.format(
              "CREATE TABLE %s (tailnum STRING, seats INT) WITH ('connector' = 'filesystem',"
                  + " 'path' = '%s', 'format' = 'csv')",
              table, directory.resolve(table)));
    }
  }

  private static List<String> lines(Path directory) throws Exception {
    List<String> lines = new ArrayList<>();
    try (Stream<Path> files = Files.list(directory)) {
      for (Path file : files.filter(f -> !f.getFileName().toString().startsWith(".")).toList()) {
        lines.addAll(Files.readAllLines(file));
      }
    }
    return lines;
  }
}
