package org.pelton.flink;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.apache.flink.configuration.ReadableConfig;
import org.pelton.PeltonException;

/**
 * What {@code SET 'pelton.*'} says about one decision; {@code 'pelton.NAME.*'} is for the decision
 * NAME alone and comes first.
 *
 * <p>All keys and values that begin with {@code pelton.} are checked, those of other decisions too:
 * a misspelt option must not be a silent default.
 */
final class JobOptions implements Serializable {

  private static final long serialVersionUID = 1L;

  private static final String PREFIX = "pelton.";

  private enum Option {
    ON_ERROR("on-error", true, "fail|null|emit", "fail, null or emit"),
    PIN_VERSION("pin-version", true, "[1-9]\\d{0,17}", "the number of a version, from 1 on"),
    /** Of the process: a library is loaded once for all decisions. */
    NATIVE_DIR("native-dir", false, "/.*", "the absolute path of a directory");

    private final String key;
    private final boolean perDecision;
    private final Pattern pattern;
    private final String allowed;

    Option(String key, boolean perDecision, String pattern, String allowed) {
      this.key = key;
      this.perDecision = perDecision;
      this.pattern = Pattern.compile(pattern);
      this.allowed = allowed;
    }
  }

  private final String onError;
  private final String pinVersion;
  private final String nativeDirectory;

  private JobOptions(String onError, String pinVersion, String nativeDirectory) {
    this.onError = onError;
    this.pinVersion = pinVersion;
    this.nativeDirectory = nativeDirectory;
  }

  /**
   * @param configuration of the session
   * @param decision the name of the decision that a call names
   * @throws PeltonException ARGUMENT_MISMATCH for an unknown key or a bad value
   */
  static JobOptions of(ReadableConfig configuration, String decision) {
    Map<String, String> options = read(configuration, "decision `" + decision + "`");
    return new JobOptions(
        find(options, decision, Option.ON_ERROR, "fail"),
        find(options, decision, Option.PIN_VERSION, "0"),
        find(options, decision, Option.NATIVE_DIR, null));
  }

  /**
   * Where the native library lies, for what is no decision; null for the usual places.
   *
   * @param what of the job asks, for messages
   */
  static String nativeDirectory(ReadableConfig configuration, String what) {
    return find(read(configuration, what), "", Option.NATIVE_DIR, null);
  }

  private static Map<String, String> read(ReadableConfig configuration, String what) {
    Map<String, String> options = new TreeMap<>();
    configuration
        .toMap()
        .forEach(
            (key, value) -> {
              if (key.startsWith(PREFIX)) {
                check(key, value, what);
                options.put(key, value);
              }
            });
    return options;
  }

  /** What becomes of a record that fails: {@code fail}, {@code null} or {@code emit}. */
  String onError() {
    return onError;
  }

  /** Whether failed records come out with a reason, which needs a column for it. */
  boolean emitsErrors() {
    return onError.equals("emit");
  }

  /** The version to use; 0 for the one that is active. */
  long pinVersion() {
    return Long.parseLong(pinVersion);
  }

  /** Where the native library lies; null for the usual places. */
  String nativeDirectory() {
    return nativeDirectory;
  }

  private static String find(
      Map<String, String> options, String decision, Option option, String otherwise) {
    String general = options.getOrDefault(PREFIX + option.key, otherwise);
    return option.perDecision
        ? options.getOrDefault(PREFIX + decision + "." + option.key, general)
        : general;
  }

  private static void check(String key, String value, String what) {
    for (Option option : Option.values()) {
      if (names(key, option)) {
        if (!option.pattern.matcher(value).matches()) {
          throw Planning.invalidOption(
              what, "'" + key + "' = '" + value + "', expected " + option.allowed);
        }
        return;
      }
    }
    throw Planning.invalidOption(
        what, "there is no option '" + key + "'" + Planning.didYouMean(key, known(key)));
  }

  private static boolean names(String key, Option option) {
    String end = "." + option.key;
    return key.equals(PREFIX + option.key)
        || option.perDecision && key.endsWith(end) && key.length() > PREFIX.length() + end.length();
  }

  /** The keys that there are, with the decision's name as it stands in {@code key}. */
  private static List<String> known(String key) {
    int lastDot = key.lastIndexOf('.');
    List<String> keys = new ArrayList<>();
    for (Option option : Option.values()) {
      keys.add(PREFIX + option.key);
      if (option.perDecision && lastDot >= PREFIX.length()) {
        keys.add(key.substring(0, lastDot + 1) + option.key);
      }
    }
    return keys;
  }
}
