package dev.taskgate;

import com.google.protobuf.Duration;
import dev.taskgate.v1.GetRequest;
import dev.taskgate.v1.GetResponse;
import dev.taskgate.v1.Task;
import dev.taskgate.v1.TaskServiceGrpc.TaskServiceStub;
import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** Asks for a task again and again until it is final. No thread waits meanwhile. */
final class Waiting implements StreamObserver<GetResponse> {
  // The server answers after this time at the latest; then it is asked again.
  private static final Duration LONG_POLL = Duration.newBuilder().setSeconds(20).build();
  private static final long PAUSE_MILLIS = 100; // a server that shuts down answers at once

  private final TaskServiceStub stub;
  private final GetRequest request;
  private final Backoff backoff;
  private final Context.CancellableContext context = Context.ROOT.withCancellation();
  private final CompletableFuture<Task> task = new CompletableFuture<>();

  private Waiting(TaskServiceStub stub, String id, Deadline deadline, BooleanSupplier closed) {
    this.stub = stub.withDeadline(deadline);
    this.request = GetRequest.newBuilder().setId(id).setWait(LONG_POLL).build();
    this.backoff = new Backoff(deadline, closed);
    task.whenComplete((ended, error) -> context.cancel(null));
  }

  static CompletableFuture<Task> start(
      TaskServiceStub stub, String id, Deadline deadline, BooleanSupplier closed) {
    Waiting waiting = new Waiting(stub, id, deadline, closed);
    waiting.ask();
    return waiting.task;
  }

  @Override
  public void onNext(GetResponse response) {
    backoff.reset();
    if (TaskgateClient.isFinal(response.getTask().getState())) {
      task.complete(response.getTask());
    }
  }

  @Override
  public void onError(Throwable thrown) {
    try {
      askAfter(backoff.after((StatusRuntimeException) thrown));
    } catch (StatusRuntimeException error) {
      task.completeExceptionally(error);
    }
  }

  @Override
  public void onCompleted() {
    askAfter(PAUSE_MILLIS);
  }

  private void askAfter(long millis) {
    if (!task.isDone()) {
      CompletableFuture.delayedExecutor(millis, TimeUnit.MILLISECONDS).execute(this::ask);
    }
  }

  private void ask() {
    if (!task.isDone()) {
      context.run(() -> stub.get(request, this));
    }
  }
}
