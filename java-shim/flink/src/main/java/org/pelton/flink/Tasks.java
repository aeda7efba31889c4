package org.pelton.flink;

import java.lang.reflect.Field;
import org.apache.flink.api.common.TaskInfo;
import org.apache.flink.api.common.functions.RuntimeContext;
import org.apache.flink.table.functions.FunctionContext;

/** What a function may know of the task that it runs in. */
final class Tasks {

  private Tasks() {}

  /** Flink 2.x offers it to functions; 1.20 has it, and keeps it to itself. */
  static TaskInfo infoOf(FunctionContext context) throws ReflectiveOperationException {
    try {
      return (TaskInfo) FunctionContext.class.getMethod("getTaskInfo").invoke(context);
    } catch (NoSuchMethodException flink1) {
      Field runtime = FunctionContext.class.getDeclaredField("context");
      runtime.setAccessible(true);
      return ((RuntimeContext) runtime.get(context)).getTaskInfo();
    }
  }
}
