package dev.taskgate;

import dev.taskgate.v1.Task;
import dev.taskgate.v1.TaskServiceGrpc;
import dev.taskgate.v1.TaskServiceGrpc.TaskServiceBlockingStub;
import dev.taskgate.v1.TaskServiceGrpc.TaskServiceFutureStub;
import dev.taskgate.v1.TaskServiceGrpc.TaskServiceStub;
import dev.taskgate.v1.TaskState;
import io.grpc.Deadline;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.Collection;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

/**
 * Calls a taskgate server, which runs Python Celery tasks.
 *
 * <p>It has gRPC's generated stubs and a few conveniences: each submission gets a request id, so that
 * one that is repeated makes no second task; each call has a deadline, and is repeated until then
 * while the server is away; tasks are waited for and followed across lost connections. It is safe for use by many threads.
 *
 * <p>What fails throws {@link StatusRuntimeException}; {@link TaskgateError#of(Throwable)} reads it.
 */
public final class TaskgateClient implements AutoCloseable {
  /** This client's version. */
  public static final String VERSION = "0.1.0";

  // What is ended by force ends at once; this bounds what cannot be foreseen.
  private static final long END_SECONDS = 5;

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
   * @throws StatusRuntimeException DEADLINE_EXCEEDED when the time is over: the task goes on then;
   *     CANCELLED when the thread is interrupted
   */
  public Task awaitFinal(String id, Duration timeout) {
    CompletableFuture<Task> task = whenFinal(id, timeout);
    try {
      return task.get();
    } catch (InterruptedException interruption) {
      task.cancel(true);
      Thread.currentThread().interrupt();
      throw Status.CANCELLED.withCause(interruption).asRuntimeException();
    } catch (ExecutionException failure) {
      throw Status.fromThrowable(failure.getCause())
          .asRuntimeException(Status.trailersFromThrowable(failure.getCause()));
    }
  }

  /**
   * Returns at once; the future has the task when it is final. Outlives lost connections and restarts
   * of the server, and holds no thread. Cancelling the future ends the waiting, not the task.
   *
   * <p>It fails with a {@link StatusRuntimeException}: DEADLINE_EXCEEDED when the time is over.
   */
  public CompletableFuture<Task> whenFinal(String id, Duration timeout) {
    return Waiting.start(async(), id, deadline(timeout), channel::isShutdown);
  }

  /**
   * Returns tasks as they change: first each one as it is, then each newer version, until all are
   * final. Outlives lost connections and restarts of the server and misses nothing but versions that
   * were overtaken by newer ones. Close it if you leave before its end.
   */
  public Updates updates(Collection<String> ids, Duration timeout) {
    return new Updates(blocking(), ids, deadline(timeout), channel::isShutdown);
  }

  /** Ends the connection and all calls on it, and waits a few seconds until they have ended. */
  @Override
  public void close() {
    close(Duration.ZERO);
  }

  /**
   * Takes no new calls, lets those under way go on for some time, then ends what is left and the
   * connection.
   */
  public void close(Duration grace) {
    channel.shutdown();
    try {
      if (!channel.awaitTermination(grace.toNanos(), TimeUnit.NANOSECONDS)) {
        channel.shutdownNow();
        channel.awaitTermination(END_SECONDS, TimeUnit.SECONDS);
      }
    } catch (InterruptedException interruption) {
      channel.shutdownNow();
      Thread.currentThread().interrupt();
    }
  }

  private static Deadline deadline(Duration timeout) {
    return Deadline.after(timeout.toNanos(), TimeUnit.NANOSECONDS);
  }
}
