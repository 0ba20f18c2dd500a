package dev.taskgate.conformance;

import com.google.gson.JsonElement;
import java.util.HashMap;
import java.util.Map;

/** A scenario's variables. */
final class Variables {
  private final Map<String, String> values = new HashMap<>();

  Variables(String run) {
    values.put("run", run);
  }

  /**
   * Puts the variables into a request. Their values are ids and tokens, which mean the same in JSON's
   * strings.
   */
  String fill(String request) {
    for (var variable : values.entrySet()) {
      request = request.replace("${" + variable.getKey() + "}", variable.getValue());
    }
    return request;
  }

  void save(Map<String, String> paths, JsonElement response) {
    paths.forEach((name, path) -> values.put(name, find(response, path)));
  }

  static boolean matches(JsonElement response, Map<String, String> wanted) {
    return wanted.entrySet().stream()
        .allMatch(entry -> find(response, entry.getKey()).equals(entry.getValue()));
  }

  /** Returns the value at a path such as "results.0.task.id"; empty if there is none. */
  private static String find(JsonElement response, String path) {
    JsonElement value = response;
    for (String name : path.split("\\.")) {
      if (value == null) {
        return "";
      }
      value =
          value.isJsonArray()
              ? value.getAsJsonArray().get(Integer.parseInt(name))
              : value.getAsJsonObject().get(name);
    }
    return value == null ? "" : value.getAsString();
  }
}
