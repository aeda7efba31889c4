package org.pelton;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A metadata directory whose decisions are published by the {@code pelton} command, as users do.
 */
public final class TestDecisions {

  private final Path metadata;

  public TestDecisions(Path metadata) {
    this.metadata = metadata;
  }

  public String uri(String decision) {
    return directory(decision).toString();
  }

  public Path directory(String decision) {
    return metadata.resolve("decisions").resolve(decision);
  }

  /** Publishes the next version of a decision that needs no other files, and returns its URI. */
  public String publish(String name, String input, String output) throws Exception {
    String toml =
        String.format(
            "name = \"%s\"\ninput = '''\n%s\n'''\noutput = '''\n%s\n'''\n", name, input, output);
    Path draft = Files.createDirectories(metadata.resolveSibling("drafts").resolve(name));
    Files.writeString(draft.resolve("decision.toml"), toml);
    pelton("publish", draft.toString(), "--to", metadata.toString());
    return uri(name);
  }

  /** Runs the {@code pelton} command; its output is the message when it fails. */
  public static String pelton(String... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(arguments));
    command.add(0, TestPaths.target().resolve("pelton").toString());
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() != 0) {
      throw new AssertionError(String.join(" ", command) + "\n" + output);
    }
    return output;
  }
}
