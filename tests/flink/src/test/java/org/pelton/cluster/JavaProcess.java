package org.pelton.cluster;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** One JVM of a cluster, with its log. */
final class JavaProcess {

  private static final Path JAVA_HOME = Path.of(System.getProperty("java.home"));

  private static final String LOG_CONFIGURATION = "/log4j2-cluster.properties";

  /** Device, inode and path of a mapping in {@code /proc/PID/maps}. */
  private static final Pattern LIBRARY =
      Pattern.compile("(\\S+ \\d+) +(/.*libpelton_jni\\.so(?: \\(deleted\\))?)");

  private final Process process;
  private final Path log;

  private JavaProcess(Process process, Path log) {
    this.process = process;
    this.log = log;
  }

  /** Starts {@code command} (options, main class, its arguments) behind a small JVM's options. */
  static JavaProcess start(
      List<Path> classPath, Path log, Map<String, String> environment, List<String> command)
      throws IOException {
    List<String> line = new ArrayList<>();
    line.add(JAVA_HOME.resolve("bin/java").toString());
    line.addAll(List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
    line.add("-Dlog4j.configurationFile=" + JavaProcess.class.getResource(LOG_CONFIGURATION));
    // What Flink's own launcher opens: the tests' JVM has the same.
    ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(option -> option.startsWith("--add-opens"))
        .forEach(line::add);
    line.add("-cp");
    line.add(classPath.stream().map(Path::toString).collect(Collectors.joining(":")));
    line.addAll(command);
    ProcessBuilder builder = new ProcessBuilder(line).redirectErrorStream(true);
    builder.environment().putAll(environment);
    Process process =
        builder.redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile())).start();
    Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
    return new JavaProcess(process, log);
  }

  String log() {
    try {
      return Files.readString(log);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  boolean isAlive() {
    return process.isAlive();
  }

  /** The files of all native libraries of Pelton that this process has mapped now. */
  List<String> nativeLibraries() throws IOException {
    TreeSet<String> distinct = new TreeSet<>();
    List<String> paths = new ArrayList<>();
    try (Stream<String> maps = Files.lines(Path.of("/proc/" + process.pid() + "/maps"))) {
      for (String mapping : (Iterable<String>) maps::iterator) {
        Matcher library = LIBRARY.matcher(mapping);
        if (library.find() && distinct.add(library.group(1))) {
          paths.add(library.group(2));
        }
      }
    }
    return paths;
  }

  /** A full collection, which also unloads the classes that nothing refers to. */
  void collectGarbage() throws IOException, InterruptedException {
    String jcmd = JAVA_HOME.resolve("bin/jcmd").toString();
    Process command =
        new ProcessBuilder(jcmd, Long.toString(process.pid()), "GC.run")
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    command.waitFor();
  }

  /** SIGKILL: nothing is tidied up. */
  void kill() throws InterruptedException {
    process.destroyForcibly().waitFor();
  }

  /** SIGTERM, then SIGKILL for what does not end. */
  void stop() throws InterruptedException {
    process.destroy();
    if (!process.waitFor(10, TimeUnit.SECONDS)) {
      kill();
    }
  }
}
