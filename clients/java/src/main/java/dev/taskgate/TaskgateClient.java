package dev.taskgate;

import com.google.protobuf.Duration;
import dev.taskgate.v1.GetRequest;
import dev.taskgate.v1.Task;
import dev.taskgate.v1.TaskServiceGrpc;
import dev.taskgate.v1.TaskServiceGrpc.TaskServiceBlockingStub;
import dev.taskgate.v1.TaskServiceGrpc.TaskServiceFutureStub;
import dev.taskgate.v1.TaskServiceGrpc.TaskServiceStub;
import dev.taskgate.v1.TaskState;
import io.grpc.Deadline;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import java.util.Collection;
import java.util.concurrent.TimeUnit;

/**
 * Calls a taskgate server, which runs Python Celery tasks.
 *
 * <p>It has gRPC's generated stubs and a few conveniences: each submission gets a request id, so that
 * one that is repeated makes no second task; calls that found the server unavailable are repeated;
 * tasks are waited for and followed across lost connections. It is safe for use by many threads.
 *
 * <p>What fails throws {@link StatusRuntimeException}; {@link TaskgateError#of(Throwable)} reads it.
 */
public final class TaskgateClient implements AutoCloseable {
  // The server answers after this time at the latest; then it is asked again.
  private static final Duration LONG_POLL = Duration.newBuilder().setSeconds(30).build();

  private final ManagedChannel channel;

  TaskgateClient(ManagedChannel channel) {
    this.channel = channel;
  }

  /**
   * Connects in plain text and without a token, as to a server on the same machine.
   *
   * @param target for example {@code "127.0.0.1:50051"}
   */
  public static TaskgateClient connect(String target) {
    return builder(target).build();
  }

  /**
   * Connects as the builder is told.
   *
   * @param target for example {@code "tasks.example.com:50051"}
   */
  public static TaskgateClientBuilder builder(String target) {
    return new TaskgateClientBuilder(target);
  }

  /** Returns a stub whose calls wait for their answer. */
  public TaskServiceBlockingStub blocking() {
    return TaskServiceGrpc.newBlockingStub(channel);
  }

  /** Returns a stub whose calls return futures. */
  public TaskServiceFutureStub future() {
    return TaskServiceGrpc.newFutureStub(channel);
  }

  /** Returns a stub whose calls call back. */
  public TaskServiceStub async() {
    return TaskServiceGrpc.newStub(channel);
  }

  /** Whether a task in this state has ended. Nothing leaves a final state. */
  public static boolean isFinal(TaskState state) {
    return switch (state) {
      case TASK_STATE_SUCCEEDED, TASK_STATE_FAILED, TASK_STATE_ABORTED, TASK_STATE_EXPIRED -> true;
      default -> false;
    };
  }

  /**
   * Returns a task when it is final. Outlives lost connections and restarts of the server.
   *
   * @throws StatusRuntimeException DEADLINE_EXCEEDED when the time is over: the task goes on then
   */
  public Task awaitFinal(String id, java.time.Duration timeout) {
    Deadline deadline = Deadline.after(timeout.toNanos(), TimeUnit.NANOSECONDS);
    GetRequest request = GetRequest.newBuilder().setId(id).setWait(LONG_POLL).build();
    Backoff backoff = new Backoff(deadline);
    while (true) {
      try {
        Task task = blocking().withDeadline(deadline).get(request).getTask();
        if (isFinal(task.getState())) {
          return task;
        }
        backoff.reset();
      } catch (StatusRuntimeException error) {
        backoff.after(error);
      }
    }
  }

  /**
   * Returns tasks as they change: first each one as it is, then each newer version, until all are
   * final. Outlives lost connections and restarts of the server and misses nothing but versions that
   * were overtaken by newer ones. Close it if you leave before its end.
   */
  public Updates updates(Collection<String> ids, java.time.Duration timeout) {
    return new Updates(blocking(), ids, Deadline.after(timeout.toNanos(), TimeUnit.NANOSECONDS));
  }

  /** Ends the connection and all calls on it. */
  @Override
  public void close() {
    channel.shutdownNow();
  }
}
