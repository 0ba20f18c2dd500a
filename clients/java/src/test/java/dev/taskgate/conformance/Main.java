package dev.taskgate.conformance;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.taskgate.TaskgateClient;
import io.grpc.Deadline;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Runs the scenarios of tests/conformance, whose README says how. */
public final class Main {
  private static final double DEFAULT_TIMEOUT_SECONDS = 90;
  private static final long PAUSE_MILLIS = 50;
  private static final PrintStream OUTPUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);

  private final Calls calls;
  private final BufferedReader harness =
      new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));

  private Main(TaskgateClient client) {
    this.calls = new Calls(client);
  }

  /** Usage: Main SCENARIOS ADDRESS RUN. */
  public static void main(String[] arguments) throws IOException, InterruptedException {
    var scenarios = JsonParser.parseString(Files.readString(Path.of(arguments[0]))).getAsJsonArray();
    try (var client = connect(arguments[1])) {
      var runner = new Main(client);
      for (JsonElement scenario : scenarios) {
        runner.run(scenario.getAsJsonObject(), arguments[2]);
      }
    }
  }

  private static TaskgateClient connect(String address) throws IOException {
    var builder =
        TaskgateClient.builder(address).token(System.getenv().getOrDefault("TASKGATE_TOKEN", ""));
    var authorities = System.getenv("TASKGATE_TLS_CA");
    return authorities == null ? builder.build() : builder.tls(new File(authorities)).build();
  }

  private void run(JsonObject scenario, String run) throws IOException, InterruptedException {
    var variables = new Variables(run);
    var results = new JsonArray();
    for (JsonElement element : scenario.getAsJsonArray("steps")) {
      var step = element.getAsJsonObject();
      if (step.has("harness")) {
        OUTPUT.println("HARNESS " + step.get("harness").getAsString());
        harness.readLine();
      } else {
        var result = call(step, variables);
        variables.save(texts(step, "save"), result.get("response"));
        results.add(result);
      }
    }
    var line = new JsonObject();
    line.add("name", scenario.get("name"));
    line.add("results", results);
    OUTPUT.println(line);
  }

  private JsonObject call(JsonObject step, Variables variables)
      throws InvalidProtocolBufferException, InterruptedException {
    var timeout = step.has("timeout") ? step.get("timeout").getAsDouble() : DEFAULT_TIMEOUT_SECONDS;
    var deadline = Deadline.after((long) (timeout * 1e9), TimeUnit.NANOSECONDS);
    var request = variables.fill(step.get("request").toString());
    var until = texts(step, "until");
    while (true) {
      var result = calls.invoke(step.get("call").getAsString(), request, deadline);
      if (result.has("error") || Variables.matches(result.get("response"), until)) {
        return result;
      }
      Thread.sleep(PAUSE_MILLIS);
    }
  }

  private static Map<String, String> texts(JsonObject step, String name) {
    var texts = new HashMap<String, String>();
    if (step.has(name)) {
      for (var entry : step.getAsJsonObject(name).entrySet()) {
        texts.put(entry.getKey(), entry.getValue().getAsString());
      }
    }
    return texts;
  }
}
