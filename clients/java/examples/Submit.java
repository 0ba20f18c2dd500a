import dev.taskgate.TaskJson;
import dev.taskgate.TaskgateClient;
import dev.taskgate.v1.SubmitRequest;
import dev.taskgate.v1.Task;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Submits a task, shows its progress, and prints its result:
 *
 * <pre>java -cp target/classes:$(cat target/classpath) examples/Submit.java [ADDRESS]</pre>
 */
class Submit {
  public static void main(String[] arguments) {
    String address = arguments.length > 0 ? arguments[0] : "127.0.0.1:50051";
    try (var client = TaskgateClient.connect(address)) {
      var request =
          SubmitRequest.newBuilder()
              .setTaskType("demo.countdown")
              .setArgumentsJson("{\"args\": [2], \"kwargs\": {}}")
              .build();
      var stub = client.blocking().withDeadlineAfter(10, TimeUnit.SECONDS);
      Task task = stub.submit(request).getTask();
      try (var updates = client.updates(List.of(task.getId()), Duration.ofMinutes(1))) {
        for (Task update : updates) {
          System.out.println(update.getState() + " " + update.getProgress().getCurrent());
          task = update;
        }
      }
      System.out.println("result: " + TaskJson.result(task).orElse("none"));
    }
  }
}
