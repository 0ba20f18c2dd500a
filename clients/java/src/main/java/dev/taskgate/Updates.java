package dev.taskgate;

import dev.taskgate.v1.Task;
import dev.taskgate.v1.TaskServiceGrpc.TaskServiceBlockingStub;
import dev.taskgate.v1.WatchRequest;
import dev.taskgate.v1.WatchResponse;
import dev.taskgate.v1.WatchedTask;
import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.Collection;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.function.BooleanSupplier;

/** Tasks as they change: see {@link TaskgateClient#updates}. To be read once, by one thread. */
public final class Updates implements Iterable<Task>, Iterator<Task>, AutoCloseable {
  private final TaskServiceBlockingStub stub;
  private final Map<String, Long> seen = new LinkedHashMap<>();
  private final Backoff backoff;
  private final Context.CancellableContext context = Context.current().withCancellation();
  private Iterator<WatchResponse> stream;

  Updates(
      TaskServiceBlockingStub stub,
      Collection<String> ids,
      Deadline deadline,
      BooleanSupplier closed) {
    this.stub = stub.withDeadline(deadline);
    this.backoff = new Backoff(deadline, () -> closed.getAsBoolean() || context.isCancelled());
    ids.forEach(id -> seen.put(id.toLowerCase(Locale.ROOT), 0L));
  }

  @Override
  public Iterator<Task> iterator() {
    return this;
  }

  /**
   * Waits for the next update or the end.
   *
   * @throws StatusRuntimeException DEADLINE_EXCEEDED when the time is over, CANCELLED when closed
   */
  @Override
  public boolean hasNext() {
    while (true) {
      try {
        if (stream == null) {
          stream = watch();
        }
        return stream.hasNext();
      } catch (StatusRuntimeException error) {
        stream = null;
        sleep(backoff.after(error));
      }
    }
  }

  @Override
  public Task next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    Task task = stream.next().getTask();
    seen.put(task.getId(), task.getVersion());
    backoff.reset();
    return task;
  }

  @Override
  public void close() {
    context.cancel(null);
  }

  private static void sleep(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException interruption) {
      Thread.currentThread().interrupt();
      throw Status.CANCELLED.withCause(interruption).asRuntimeException();
    }
  }

  private Iterator<WatchResponse> watch() {
    WatchRequest.Builder request = WatchRequest.newBuilder();
    seen.forEach((id, version) -> request.addTasks(watched(id, version)));
    Context previous = context.attach();
    try {
      return stub.watch(request.build());
    } finally {
      context.detach(previous);
    }
  }

  private static WatchedTask watched(String id, long version) {
    return WatchedTask.newBuilder().setId(id).setSeenVersion(version).build();
  }
}
