package org.pelton.bench;

import java.io.IOException;
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
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() != 0) {
      throw new IllegalStateException(String.join(" ", command) + "\n" + output);
    }
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
