package org.pelton.flink;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.flink.table.api.TableEnvironment;
import org.apache.flink.table.api.TableResult;

/** SQL files as Flink's SQL client reads them: statements that end with a semicolon, and SET. */
final class SqlScript {

  private static final Pattern COMMENT = Pattern.compile("(?m)--.*$");
  private static final Pattern END = Pattern.compile(";\\s*(\\R|$)");
  private static final Pattern SET = Pattern.compile("SET\\s+'(.*)'\\s*=\\s*'(.*)'");

  private SqlScript() {}

  static List<String> read(Path file) throws IOException {
    return statements(Files.readString(file));
  }

  /** The statements of a script. A statement set is one, with all that it inserts. */
  static List<String> statements(String script) {
    List<String> statements = new ArrayList<>();
    boolean inSet = false;
    for (String part : END.split(COMMENT.matcher(script).replaceAll(""))) {
      String statement = part.strip();
      if (inSet) {
        int last = statements.size() - 1;
        statements.set(last, statements.get(last) + ";\n" + statement);
      } else if (!statement.isEmpty()) {
        statements.add(statement);
      }
      inSet = (inSet || statement.startsWith("EXECUTE STATEMENT SET")) && !statement.equals("END");
    }
    return statements;
  }

  /** Runs one statement; SET, which the Table API has no statement for, has no result. */
  static Optional<TableResult> run(TableEnvironment sql, String statement) {
    Matcher set = SET.matcher(statement);
    if (set.matches()) {
      sql.getConfig().set(set.group(1), set.group(2));
      return Optional.empty();
    }
    return Optional.of(sql.executeSql(statement));
  }
}
