package org.pelton.flink;

import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.TaskInfo;
import org.apache.flink.api.common.functions.RuntimeContext;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.runtime.taskmanager.TaskManagerRuntimeInfo;
import org.apache.flink.table.functions.FunctionContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What a function may know of the task that it runs in. */
final class Tasks {

  private static final Logger LOG = LoggerFactory.getLogger(Tasks.class);

  /** How the options of Flink's S3 file systems begin. */
  private static final List<String> STORAGE_PREFIXES =
      List.of("s3.", "s3a.", "fs.s3a.", "presto.s3.");

  private Tasks() {}

  /** Flink 2.x offers it to functions; 1.20 has it, and keeps it to itself. */
  static TaskInfo infoOf(FunctionContext context) throws ReflectiveOperationException {
    try {
      return (TaskInfo) FunctionContext.class.getMethod("getTaskInfo").invoke(context);
    } catch (NoSuchMethodException flink1) {
      return runtimeOf(context).getTaskInfo();
    }
  }

  /**
   * The options of S3 in the configuration of the TaskManager, names and values in turn. They are
   * read where they are used: they travel in no plan.
   */
  static String[] storageOptions(FunctionContext context) {
    List<String> options = new ArrayList<>();
    configurationOf(context)
        .toMap()
        .forEach(
            (name, value) -> {
              if (STORAGE_PREFIXES.stream().anyMatch(name::startsWith)) {
                options.add(name);
                options.add(value);
              }
            });
    return options.toArray(new String[0]);
  }

  /** Flink's task knows it, and tells nobody but its own operators. */
  private static Configuration configurationOf(FunctionContext context) {
    try {
      RuntimeContext runtime = runtimeOf(context);
      Object info = runtime.getClass().getMethod("getTaskManagerRuntimeInfo").invoke(runtime);
      return ((TaskManagerRuntimeInfo) info).getConfiguration();
    } catch (ReflectiveOperationException e) {
      LOG.warn("Flink's options for S3 cannot be read; those of the environment are used", e);
      return new Configuration();
    }
  }

  /**
   * Whether the operator that calls has state by keys. In public one learns it by asking for such a
   * state only, which makes it.
   */
  static boolean hasKeyedState(FunctionContext context) {
    try {
      RuntimeContext runtime = runtimeOf(context);
      Field state = runtime.getClass().getDeclaredField("keyedStateStore");
      state.setAccessible(true);
      return state.get(runtime) != null;
    } catch (ReflectiveOperationException e) {
      LOG.warn("whether Flink keeps rows cannot be known; each is made anew", e);
      return true;
    }
  }

  private static RuntimeContext runtimeOf(FunctionContext context)
      throws ReflectiveOperationException {
    Field runtime = FunctionContext.class.getDeclaredField("context");
    runtime.setAccessible(true);
    return (RuntimeContext) runtime.get(context);
  }
}
