package org.pelton.bench;

import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Other programs, and the processors that they run on. */
final class Processes {

  private Processes() {}

  /** Runs a command to its end. */
  static void run(String... command) throws IOException, InterruptedException {
    outputOf(new ProcessBuilder(command).redirectErrorStream(true));
  }

  /** What a command writes until its end, which must be a good one. */
  static String outputOf(ProcessBuilder command) throws IOException, InterruptedException {
    Process process = command.start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() != 0) {
      throw new IllegalStateException(String.join(" ", command.command()) + "\n" + output);
    }
    return output;
  }

  /** A JVM of its own, with the options of this one and those given behind them. */
  static ProcessBuilder java(
      List<String> before, List<String> options, Class<?> main, List<String> arguments) {
    List<String> command = new ArrayList<>(before);
    command.add(ProcessHandle.current().info().command().orElse("java"));
    command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
    command.addAll(options);
    command.add(main.getName());
    command.addAll(arguments);
    ProcessBuilder java = new ProcessBuilder(command).redirectError(Redirect.INHERIT);
    // Not as an option: ONNX Runtime 1.29 parses the command line, and dies of a long one.
    java.environment().put("CLASSPATH", System.getProperty("java.class.path"));
    return java;
  }

  /** What comes before a command so that it runs on the last {@code count} processors alone. */
  static List<String> pinned(int count) throws IOException {
    List<Integer> allowed = allowed();
    if (allowed.size() < count || !installed("taskset")) {
      return List.of();
    }
    List<String> last =
        allowed.subList(allowed.size() - count, allowed.size()).stream()
            .map(String::valueOf)
            .toList();
    return List.of("taskset", "--cpu-list", String.join(",", last));
  }

  /** The processors that this process may use, as Linux lists them: {@code 0-3,8}. */
  private static List<Integer> allowed() throws IOException {
    Path status = Path.of("/proc/self/status");
    List<Integer> processors = new ArrayList<>();
    if (Files.exists(status)) {
      Files.readAllLines(status).stream()
          .filter(line -> line.startsWith("Cpus_allowed_list:"))
          .flatMap(line -> Stream.of(line.split("\\s+")[1].split(",")))
          .map(range -> range.split("-"))
          .flatMapToInt(
              ends ->
                  IntStream.rangeClosed(
                      Integer.parseInt(ends[0]), Integer.parseInt(ends[ends.length - 1])))
          .forEach(processors::add);
    }
    return processors;
  }

  private static boolean installed(String program) {
    return Stream.of(System.getenv("PATH").split(":"))
        .anyMatch(directory -> Files.isExecutable(Path.of(directory, program)));
  }
}
