package dev.taskgate;

import com.google.protobuf.ListValue;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import dev.taskgate.v1.Task;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * A task's values as JSON text with every number as it was, for the JSON library of your choice. In
 * the other direction, set {@code arguments_json} to the library's text.
 */
public final class TaskJson {
  private static final double EXACT_INTEGERS = 0x1p53;

  private TaskJson() {}

  /** A task's arguments: {@code {"args": […], "kwargs": {…}}}. */
  public static String arguments(Task task) {
    if (!task.getArgumentsJson().isEmpty()) {
      return task.getArgumentsJson();
    }
    return "{\"args\":" + text(task.getArgs()) + ",\"kwargs\":" + text(task.getKwargs()) + "}";
  }

  /** What a task returned; empty if there is no result. A task that returned None has "null". */
  public static Optional<String> result(Task task) {
    if (!task.getResultJson().isEmpty()) {
      return Optional.of(task.getResultJson());
    }
    return task.hasResult() ? Optional.of(text(task.getResult())) : Optional.empty();
  }

  private static String text(Value value) {
    return switch (value.getKindCase()) {
      case NULL_VALUE, KIND_NOT_SET -> "null";
      case BOOL_VALUE -> String.valueOf(value.getBoolValue());
      case NUMBER_VALUE -> text(value.getNumberValue());
      case STRING_VALUE -> text(value.getStringValue());
      case LIST_VALUE -> text(value.getListValue());
      case STRUCT_VALUE -> text(value.getStructValue());
    };
  }

  private static String text(ListValue list) {
    return list.getValuesList().stream()
        .map(TaskJson::text)
        .collect(Collectors.joining(",", "[", "]"));
  }

  private static String text(Struct struct) {
    return struct.getFieldsMap().entrySet().stream()
        .map(field -> text(field.getKey()) + ":" + text(field.getValue()))
        .collect(Collectors.joining(",", "{", "}"));
  }

  // Whole numbers stand for integers, as they do on the server; -0.0 is none.
  private static String text(double number) {
    boolean isNegativeZero = number == 0 && 1 / number < 0;
    if (number == Math.rint(number) && Math.abs(number) <= EXACT_INTEGERS && !isNegativeZero) {
      return Long.toString((long) number);
    }
    return Double.toString(number);
  }

  private static String text(String string) {
    StringBuilder text = new StringBuilder("\"");
    for (char character : string.toCharArray()) {
      if (character == '"' || character == '\\') {
        text.append('\\').append(character);
      } else if (character < ' ') {
        text.append(String.format("\\u%04x", (int) character));
      } else {
        text.append(character);
      }
    }
    return text.append('"').toString();
  }
}
