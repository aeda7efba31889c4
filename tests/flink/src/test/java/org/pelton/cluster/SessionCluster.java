package org.pelton.cluster;

import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.flink.table.functions.UserDefinedFunction;
import org.pelton.flink.PredictFunction;

/**
 * A session cluster in processes of its own, as Flink's scripts start it: a JobManager, one
 * TaskManager, an SQL gateway. Their class path is Flink's artifacts alone, with or without the jar
 * of Pelton.
 */
final class SessionCluster implements AutoCloseable {

  /** What the tests need and a distribution of Flink does not have. */
  private static final Pattern NOT_FLINK =
      Pattern.compile(
          ".*(pelton|test|junit|assertj|opentest4j|apiguardian|kerby|minikdc|hadoop|flink-sql-(parquet|orc)|zstd).*");

  private final Path home;
  private final List<Path> classPath;
  private final int gatewayPort = freePort();
  private final int restPort = freePort();
  private final Rest jobManager;
  private final Rest gateway;
  private final JavaProcess jobManagerProcess;
  private final JavaProcess gatewayProcess;
  private JavaProcess taskManager;

  /**
   * Starts the processes.
   *
   * @param home logs, configuration and temporary files
   * @param peltonInLib whether the jar lies in {@code lib/}; the configuration then is the one that
   *     docs/deployment.md names
   */
  SessionCluster(Path home, boolean peltonInLib) throws IOException, InterruptedException {
    this(home, peltonInLib, Map.of());
  }

  /**
   * Starts the processes.
   *
   * @param more of the configuration
   */
  SessionCluster(Path home, boolean peltonInLib, Map<String, String> more)
      throws IOException, InterruptedException {
    this.home = Files.createDirectories(home);
    Files.createDirectories(temp());
    classPath = classPath(peltonInLib);
    configure(peltonInLib, more);
    jobManager = new Rest(restPort);
    gateway = new Rest(gatewayPort);
    jobManagerProcess =
        start(
            "jobmanager",
            List.of(),
            "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint",
            "--configDir",
            home.toString());
    startTaskManager(temp());
    gatewayProcess = start("gateway", List.of(), "org.apache.flink.table.gateway.SqlGateway");
    Waiting.until("the gateway listens", () -> gateway.get("v2/info"), info -> true, this::logs);
    awaitTaskManagers(1);
  }

  /** The jar that these tests are run against. */
  static Path peltonJar() {
    return jarOf(PredictFunction.class);
  }

  SqlSession session() throws IOException, InterruptedException {
    return new SqlSession(gateway, this::logs);
  }

  /** Where the JobManager takes jobs. */
  int restPort() {
    return restPort;
  }

  Jobs jobs() {
    return new Jobs(jobManager, home.resolve("savepoints"), this::logs);
  }

  JavaProcess taskManager() {
    return taskManager;
  }

  /** The JVM's {@code java.io.tmpdir} of the TaskManager that the cluster starts with. */
  Path temp() {
    return home.resolve("temp");
  }

  /** Kills the TaskManager and waits until the JobManager has missed it. */
  void killTaskManager() throws InterruptedException {
    taskManager.kill();
    awaitTaskManagers(0);
  }

  /** Starts a TaskManager and waits until it offers its slots. */
  void replaceTaskManager(Path temp, String... environment)
      throws IOException, InterruptedException {
    startTaskManager(temp, environment);
    awaitTaskManagers(1);
  }

  /** The logs of all processes. */
  List<Path> logFiles() {
    return Stream.of("jobmanager", "taskmanager", "gateway")
        .map(this::logFile)
        .filter(Files::exists)
        .toList();
  }

  /** Their ends. */
  String logs() {
    return logFiles().stream()
        .map(file -> "---- " + file + "\n" + tail(file))
        .collect(Collectors.joining("\n"));
  }

  @Override
  public void close() throws InterruptedException {
    for (JavaProcess process : List.of(gatewayProcess, taskManager, jobManagerProcess)) {
      process.stop();
    }
  }

  private void startTaskManager(Path temp, String... environment) throws IOException {
    Map<String, String> variables = new TreeMap<>();
    for (int i = 0; i < environment.length; i += 2) {
      variables.put(environment[i], environment[i + 1]);
    }
    // Metaspace and direct memory as Flink's script limits them, from the sizes in `configure`.
    List<String> options =
        List.of(
            "-Xmx256m",
            "-XX:MaxMetaspaceSize=256m",
            "-XX:MaxDirectMemorySize=128m",
            // Flink keeps generated classes, and with them a job's class loader, in a cache of soft
            // references: a collection then leaves only what is really referred to.
            "-XX:SoftRefLRUPolicyMSPerMB=0",
            "-Djava.io.tmpdir=" + temp);
    taskManager =
        start(
            "taskmanager",
            options,
            variables,
            "org.apache.flink.runtime.taskexecutor.TaskManagerRunner",
            "--configDir",
            home.toString());
  }

  private void awaitTaskManagers(int number) throws InterruptedException {
    Waiting.until(
        number + " TaskManagers are registered",
        () -> {
          if (number > 0 && !taskManager.isAlive()) {
            throw new AssertionError("the TaskManager has ended\n" + logs());
          }
          return jobManager.get("taskmanagers").get("taskmanagers");
        },
        taskManagers -> taskManagers.size() == number,
        this::logs);
  }

  private JavaProcess start(String name, List<String> options, String... command)
      throws IOException {
    return start(name, options, Map.of(), command);
  }

  private JavaProcess start(
      String name, List<String> options, Map<String, String> environment, String... command)
      throws IOException {
    Map<String, String> variables = new TreeMap<>(environment);
    variables.put("FLINK_CONF_DIR", home.toString());
    List<String> line = new ArrayList<>(options);
    line.addAll(List.of(command));
    return JavaProcess.start(classPath, logFile(name), variables, line);
  }

  private Path logFile(String process) {
    return home.resolve(process + ".log");
  }

  private static String tail(Path log) {
    try {
      List<String> lines = Files.readAllLines(log);
      return String.join("\n", lines.subList(Math.max(0, lines.size() - 60), lines.size()));
    } catch (IOException e) {
      return e.toString();
    }
  }

  private void configure(boolean peltonInLib, Map<String, String> more) throws IOException {
    Map<String, Object> configuration = new TreeMap<>(more);
    configuration.put("jobmanager.rpc.address", "localhost");
    configuration.put("jobmanager.rpc.port", freePort());
    configuration.put("rest.address", "localhost");
    configuration.put("rest.port", restPort);
    configuration.put("execution.target", "remote");
    configuration.put("sql-gateway.endpoint.rest.address", "localhost");
    configuration.put("sql-gateway.endpoint.rest.port", gatewayPort);
    configuration.put("taskmanager.host", "localhost");
    configuration.put("taskmanager.numberOfTaskSlots", 4);
    configuration.put("io.tmp.dirs", home.resolve("io"));
    // What Flink's script computes from the size of the process.
    configuration.put("taskmanager.cpu.cores", 1.0);
    configuration.put("taskmanager.memory.task.heap.size", "128m");
    configuration.put("taskmanager.memory.framework.heap.size", "128m");
    configuration.put("taskmanager.memory.task.off-heap.size", "32m");
    configuration.put("taskmanager.memory.framework.off-heap.size", "64m");
    configuration.put("taskmanager.memory.network.min", "32m");
    configuration.put("taskmanager.memory.network.max", "32m");
    configuration.put("taskmanager.memory.managed.size", "32m");
    configuration.put("taskmanager.memory.jvm-metaspace.size", "256m");
    configuration.put("taskmanager.memory.jvm-overhead.min", "192m");
    configuration.put("taskmanager.memory.jvm-overhead.max", "192m");
    // A killed TaskManager is missed soon, and a failed job comes back soon.
    configuration.put("heartbeat.interval", 500);
    configuration.put("heartbeat.timeout", 10_000);
    configuration.put("restart-strategy.type", "fixed-delay");
    configuration.put("restart-strategy.fixed-delay.attempts", 1000);
    configuration.put("restart-strategy.fixed-delay.delay", "200 ms");
    configuration.put("execution.checkpointing.dir", home.resolve("checkpoints").toUri());
    if (peltonInLib) {
      configuration.put("classloader.parent-first-patterns.additional", "org.pelton.");
    }
    Files.write(
        home.resolve("config.yaml"),
        configuration.entrySet().stream().map(e -> e.getKey() + ": " + e.getValue()).toList());
  }

  private static List<Path> classPath(boolean peltonInLib) {
    List<Path> jars =
        Stream.of(System.getProperty("java.class.path").split(":"))
            .map(Path::of)
            .filter(jar -> jar.toString().endsWith(".jar"))
            .filter(jar -> !NOT_FLINK.matcher(jar.getFileName().toString()).matches())
            .collect(Collectors.toCollection(ArrayList::new));
    if (!jars.contains(jarOf(UserDefinedFunction.class))) {
      throw new AssertionError("the class path has no jars of Flink: " + jars);
    }
    if (peltonInLib) {
      jars.add(peltonJar());
    }
    return jars;
  }

  private static Path jarOf(Class<?> type) {
    return Path.of(type.getProtectionDomain().getCodeSource().getLocation().getPath());
  }

  private static int freePort() {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new AssertionError("no free port", e);
    }
  }
}
