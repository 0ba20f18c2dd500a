package dev.taskgate;

import static dev.taskgate.ServerFixture.AWAY;
import static dev.taskgate.ServerFixture.task;
import static dev.taskgate.ServerFixture.update;
import static dev.taskgate.v1.TaskState.TASK_STATE_RUNNING;
import static dev.taskgate.v1.TaskState.TASK_STATE_SUCCEEDED;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.taskgate.v1.Task;
import io.grpc.Context;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class FollowingTest {
  private static final Duration LONG = Duration.ofMinutes(1);

  private ServerFixture server;
  private TaskgateClient client;

  @BeforeEach
  void start() throws IOException {
    server = new ServerFixture();
    client = TaskgateClient.connect(server.address());
  }

  @AfterEach
  void stop() {
    client.close();
    server.close();
  }

  @Test
  void waitingAsksAgainUntilTheTaskIsFinal() {
    var calls = new AtomicInteger();
    server.onGet =
        request ->
            switch (calls.incrementAndGet()) {
              case 1 -> task(TASK_STATE_RUNNING, 1);
              case 2, 3 -> throw AWAY;
              default -> task(TASK_STATE_SUCCEEDED, 2);
            };
    assertTrue(TaskgateClient.isFinal(client.awaitFinal("1", LONG).getState()));
    assertEquals(4, calls.get());
  }

  @Test
  void waitingEndsWithItsTime() {
    server.onGet =
        request -> {
          throw AWAY;
        };
    assertCode(Status.Code.DEADLINE_EXCEEDED, () -> client.awaitFinal("1", Duration.ofMillis(50)));
  }

  @Test
  void waitingGivesUpOnWhatCannotWork() {
    server.onGet =
        request -> {
          throw Status.NOT_FOUND.asRuntimeException();
        };
    assertCode(Status.Code.NOT_FOUND, () -> client.awaitFinal("1", LONG));
  }

  @Test
  void waitingHoldsNoThreadAndOutlivesDroppedCalls() throws Exception {
    var calls = new AtomicInteger();
    server.onGet =
        request -> {
          if (calls.incrementAndGet() < 3) {
            throw Status.CANCELLED.asRuntimeException();
          }
          return task(TASK_STATE_SUCCEEDED, 2);
        };
    assertEquals(2, client.whenFinal("1", LONG).get(30, TimeUnit.SECONDS).getVersion());
    assertEquals(3, calls.get());
  }

  @Test
  void waitingCanBeCancelled() throws InterruptedException {
    var called = new CountDownLatch(1);
    var left = new CountDownLatch(1);
    server.onGet =
        request -> {
          Context.current().addListener(context -> left.countDown(), Runnable::run);
          called.countDown();
          return awaitThen(left, task(TASK_STATE_RUNNING, 1));
        };
    var waiting = client.whenFinal("1", LONG);
    assertTrue(called.await(10, TimeUnit.SECONDS));
    waiting.cancel(true);
    assertTrue(left.await(10, TimeUnit.SECONDS));
  }

  @Test
  void closingEndsWaitsAndUpdates() throws InterruptedException {
    server.onWatch = (request, out) -> out.onNext(update(TASK_STATE_RUNNING, 1));
    var other = TaskgateClient.connect(server.address());
    var updates = other.updates(List.of("1"), LONG);
    assertEquals(1, updates.next().getVersion());
    var waiting = other.whenFinal("1", LONG);
    other.close();
    assertThrows(StatusRuntimeException.class, updates::hasNext);
    var failure =
        assertThrows(ExecutionException.class, () -> waiting.get(10, TimeUnit.SECONDS));
    assertEquals(StatusRuntimeException.class, failure.getCause().getClass());
  }

  @Test
  void updatesResumeWhereTheConnectionBroke() {
    List<Long> seen = new CopyOnWriteArrayList<>();
    server.onWatch =
        (request, out) -> {
          seen.add(request.getTasks(0).getSeenVersion());
          if (seen.size() == 1) {
            out.onNext(update(TASK_STATE_RUNNING, 3));
            out.onError(AWAY);
          } else {
            out.onNext(update(TASK_STATE_SUCCEEDED, 4));
            out.onCompleted();
          }
        };
    List<Long> versions = new ArrayList<>();
    try (var updates = client.updates(List.of("1", "1"), LONG)) {
      for (Task task : updates) {
        versions.add(task.getVersion());
      }
    }
    assertEquals(List.of(3L, 4L), versions);
    assertEquals(List.of(0L, 3L), seen);
  }

  @Test
  void updatesThrowWhatCannotWork() {
    server.onWatch = (request, out) -> out.onError(Status.NOT_FOUND.asRuntimeException());
    try (var updates = client.updates(List.of("1"), LONG)) {
      assertCode(Status.Code.NOT_FOUND, updates::hasNext);
    }
  }

  @Test
  void updatesEndWithTheirTime() {
    try (var updates = client.updates(List.of("1"), Duration.ofMillis(50))) {
      assertCode(Status.Code.DEADLINE_EXCEEDED, updates::hasNext);
    }
  }

  @Test
  void aReaderMayLeaveUpdates() throws InterruptedException {
    var left = new CountDownLatch(1);
    server.onWatch =
        (request, out) -> {
          ((ServerCallStreamObserver<?>) out).setOnCancelHandler(left::countDown);
          out.onNext(update(TASK_STATE_RUNNING, 1));
        };
    try (var updates = client.updates(List.of("1"), LONG)) {
      assertEquals(1, updates.next().getVersion());
    }
    assertTrue(left.await(10, TimeUnit.SECONDS));
  }

  private static Task awaitThen(CountDownLatch latch, Task task) {
    try {
      latch.await(10, TimeUnit.SECONDS);
      return task;
    } catch (InterruptedException interruption) {
      throw new AssertionError(interruption);
    }
  }

  private static void assertCode(Status.Code code, Runnable call) {
    var thrown = assertThrows(StatusRuntimeException.class, call::run);
    assertEquals(code, thrown.getStatus().getCode());
  }
}
