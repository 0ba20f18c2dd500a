import dev.taskgate.Reasons;
import dev.taskgate.TaskJson;
import dev.taskgate.TaskgateClient;
import dev.taskgate.TaskgateError;
import dev.taskgate.v1.SubmitRequest;
import dev.taskgate.v1.Task;
import io.grpc.StatusRuntimeException;
import java.io.File;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * Submits tasks to a server, follows them, and reads what they returned. The README explains it piece
 * by piece.
 *
 * <pre>java -cp target/classes:$(cat target/classpath) examples/Submit.java [ADDRESS]</pre>
 */
class Submit {
  public static void main(String[] arguments) throws Exception {
    String address = arguments.length > 0 ? arguments[0] : "127.0.0.1:50051";
    try (TaskgateClient client = connect(address)) {
      add(client);
      refused(client);
      countdown(client);
    }
  }

  private static TaskgateClient connect(String address) throws IOException {
    String token = System.getenv("TASKGATE_TOKEN");
    if (token != null) {
      return TaskgateClient.builder(address)
          .tls(new File("/etc/taskgate/ca.pem"))
          .token(token)
          .build();
    }
    return TaskgateClient.connect(address);
  }

  private static void add(TaskgateClient client) throws Exception {
    var request =
        SubmitRequest.newBuilder()
            .setTaskType("demo.add")
            .setArgumentsJson("{\"args\": [1, 2], \"kwargs\": {}}")
            .build();
    Task task = client.blocking().submit(request).getTask();
    Task ended = client.awaitFinal(task.getId(), Duration.ofMinutes(1));
    System.out.println("sum: " + TaskJson.result(ended).orElse("none"));
    CompletableFuture<String> later =
        client
            .whenFinal(task.getId(), Duration.ofMinutes(1))
            .thenApply(found -> TaskJson.result(found).orElse("none"));
    later.join();
  }

  private static void refused(TaskgateClient client) {
    var request = SubmitRequest.newBuilder().setTaskType("demo.ad").build();
    try {
      client.blocking().submit(request);
    } catch (StatusRuntimeException thrown) {
      TaskgateError error = TaskgateError.of(thrown);
      if (error.reason().equals(Reasons.TASK_TYPE_UNKNOWN)) {
        System.out.println(error.code() + " " + error.violations());
      }
    }
  }

  private static void countdown(TaskgateClient client) {
    var request =
        SubmitRequest.newBuilder()
            .setTaskType("demo.countdown")
            .setArgumentsJson("{\"args\": [2], \"kwargs\": {}}")
            .build();
    Task task = client.blocking().submit(request).getTask();
    try (var updates = client.updates(List.of(task.getId()), Duration.ofMinutes(10))) {
      for (Task update : updates) {
        System.out.println(update.getState() + " " + update.getProgress().getCurrent());
        task = update;
      }
    }
    System.out.println("result: " + TaskJson.result(task).orElse("none"));
  }
}
