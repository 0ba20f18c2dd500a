package dev.taskgate.restarts;

import com.google.gson.Gson;
import com.google.protobuf.Duration;
import dev.taskgate.TaskgateClient;
import dev.taskgate.v1.AbortRequest;
import dev.taskgate.v1.GetRequest;
import dev.taskgate.v1.ListRequest;
import dev.taskgate.v1.SubmitRequest;
import dev.taskgate.v1.Task;
import dev.taskgate.v1.TaskState;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Callable;

/** Calls a server that is restarted meanwhile: tests/clients/test_restarts.py says how. */
public final class Main {
  private static final int CALLERS = 4;
  private static final long PAUSE_MILLIS = 10;
  private static final java.time.Duration LONG = java.time.Duration.ofMinutes(10);

  private final Map<String, Integer> calls = new ConcurrentHashMap<>();
  private final ConcurrentLinkedQueue<String> errors = new ConcurrentLinkedQueue<>();
  private final TaskgateClient client;
  private volatile boolean stopping = false;

  private Main(TaskgateClient client) {
    this.client = client;
  }

  /** Usage: Main ADDRESS. */
  public static void main(String[] arguments) throws Exception {
    var builder = TaskgateClient.builder(arguments[0]);
    // A busy machine starts a server slowly.
    try (var client = builder.timeout(java.time.Duration.ofMinutes(1)).build()) {
      new Main(client).run();
    }
  }

  private void run() throws Exception {
    var followed = new ArrayList<String>();
    for (int caller = 0; caller < CALLERS; caller++) {
      followed.add(submit("followed-" + caller));
    }
    var first = new CountDownLatch(3 * CALLERS);
    var running = new ArrayList<Future<?>>();
    ExecutorService threads = Executors.newCachedThreadPool();
    for (int caller = 0; caller < CALLERS; caller++) {
      String id = followed.get(caller);
      int number = caller;
      CompletableFuture<Task> end = client.whenFinal(id, LONG);
      running.add(threads.submit(() -> note("wait", () -> expectAborted(end.get()))));
      running.add(threads.submit(() -> note("watch", () -> watch(id))));
      running.add(threads.submit(() -> again("submit", first, turn -> submitTwice(number + "-" + turn))));
      running.add(threads.submit(() -> again("get", first, turn -> get(id))));
      running.add(threads.submit(() -> again("list", first, turn -> list())));
    }
    first.await();
    System.out.println("READY");
    waitForLine();
    stopping = true;
    for (String id : followed) {
      note("abort", () -> client.blocking().abort(AbortRequest.newBuilder().setId(id).build()));
    }
    for (Future<?> one : running) {
      one.get();
    }
    threads.shutdown();
    System.out.println(new Gson().toJson(Map.of("calls", calls, "errors", List.copyOf(errors))));
  }

  private static void waitForLine() throws IOException {
    while (System.in.read() != '\n') {}
  }

  private interface Call {
    Object make(int turn) throws Exception;
  }

  /** Makes a call and keeps what became of it. */
  private void note(String name, Callable<?> call) {
    try {
      call.call();
    } catch (Exception | AssertionError error) {
      errors.add(name + ": " + error);
    }
    calls.merge(name, 1, Integer::sum);
  }

  /** Makes a call until it is time to stop, and once more. */
  private Object again(String name, CountDownLatch first, Call call) throws InterruptedException {
    boolean last = false;
    for (int turn = 0; !last; turn++) {
      last = stopping;
      int number = turn;
      note(name, () -> call.make(number));
      if (turn == 0) {
        first.countDown();
      }
      Thread.sleep(PAUSE_MILLIS);
    }
    return name;
  }

  private String submit(String request) {
    var submission =
        SubmitRequest.newBuilder()
            .setTaskType("demo.add")
            .setDelay(Duration.newBuilder().setSeconds(3_600))
            .setRequestId("java-" + ProcessHandle.current().pid() + "-" + request);
    return client.blocking().submit(submission.build()).getTask().getId();
  }

  private Object submitTwice(String request) {
    String first = submit(request);
    String second = submit(request);
    if (!first.equals(second)) {
      throw new AssertionError("one request id made two tasks");
    }
    return first;
  }

  private Object get(String id) {
    var wait = Duration.newBuilder().setSeconds(1);
    return client.blocking().get(GetRequest.newBuilder().setId(id).setWait(wait).build());
  }

  private Object list() {
    return client.blocking().list(ListRequest.newBuilder().setPageSize(5).build());
  }

  private Object watch(String id) {
    Task last = Task.getDefaultInstance();
    try (var updates = client.updates(List.of(id), LONG)) {
      for (Task task : updates) {
        if (task.getVersion() <= last.getVersion()) {
          throw new AssertionError(task.getVersion() + " after " + last.getVersion());
        }
        last = task;
      }
    }
    return expectAborted(last);
  }

  private static Object expectAborted(Task task) {
    if (task.getState() != TaskState.TASK_STATE_ABORTED) {
      throw new AssertionError("ended as " + task.getState());
    }
    return task;
  }
}
