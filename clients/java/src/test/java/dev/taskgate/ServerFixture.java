package dev.taskgate;

import com.google.protobuf.Any;
import com.google.protobuf.Duration;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import dev.taskgate.v1.GetRequest;
import dev.taskgate.v1.GetResponse;
import dev.taskgate.v1.RetryRequest;
import dev.taskgate.v1.RetryResponse;
import dev.taskgate.v1.SubmitBatchRequest;
import dev.taskgate.v1.SubmitBatchResponse;
import dev.taskgate.v1.SubmitRequest;
import dev.taskgate.v1.SubmitResponse;
import dev.taskgate.v1.Task;
import dev.taskgate.v1.TaskServiceGrpc.TaskServiceImplBase;
import dev.taskgate.v1.TaskState;
import dev.taskgate.v1.WatchRequest;
import dev.taskgate.v1.WatchResponse;
import io.grpc.Grpc;
import io.grpc.InsecureServerCredentials;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerCredentials;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;

/** A gRPC server that answers as its functions say and keeps what it was asked. */
final class ServerFixture extends TaskServiceImplBase implements AutoCloseable, ServerInterceptor {
  static final StatusRuntimeException AWAY =
      Status.UNAVAILABLE.withDescription("gone fishing").asRuntimeException();

  static final java.time.Duration DELAY = java.time.Duration.ofMillis(300);

  final List<String> requestIds = new CopyOnWriteArrayList<>();
  final List<String> authorizations = new CopyOnWriteArrayList<>();
  Consumer<SubmitRequest> onSubmit = request -> {};
  Function<GetRequest, Task> onGet = request -> Task.getDefaultInstance();
  BiConsumer<WatchRequest, StreamObserver<WatchResponse>> onWatch = (request, out) -> {};
  private final Server server;

  ServerFixture() throws IOException {
    this(InsecureServerCredentials.create());
  }

  ServerFixture(ServerCredentials credentials) throws IOException {
    server =
        Grpc.newServerBuilderForPort(0, credentials)
            .addService(this)
            .intercept(this)
            .build()
            .start();
  }

  /** What a server answers that has too much to do: come back after DELAY. */
  static StatusRuntimeException refusal(String reason) {
    var info = ErrorInfo.newBuilder().setReason(reason).setDomain("taskgate").build();
    var delay = Duration.newBuilder().setNanos(DELAY.getNano()).build();
    return StatusProto.toStatusRuntimeException(
        com.google.rpc.Status.newBuilder()
            .setCode(Status.Code.RESOURCE_EXHAUSTED.value())
            .addDetails(Any.pack(info))
            .addDetails(Any.pack(RetryInfo.newBuilder().setRetryDelay(delay).build()))
            .build());
  }

  static Task task(TaskState state, long version) {
    return Task.newBuilder().setId("1").setState(state).setVersion(version).build();
  }

  static WatchResponse update(TaskState state, long version) {
    return WatchResponse.newBuilder().setTask(task(state, version)).build();
  }

  String address() {
    return "127.0.0.1:" + server.getPort();
  }

  @Override
  public void submit(SubmitRequest request, StreamObserver<SubmitResponse> out) {
    requestIds.add(request.getRequestId());
    try {
      onSubmit.accept(request);
    } catch (RuntimeException refusal) {
      out.onError(refusal);
      return;
    }
    answer(out, SubmitResponse.getDefaultInstance());
  }

  @Override
  public void submitBatch(SubmitBatchRequest batch, StreamObserver<SubmitBatchResponse> out) {
    batch.getRequestsList().forEach(request -> requestIds.add(request.getRequestId()));
    answer(out, SubmitBatchResponse.getDefaultInstance());
  }

  @Override
  public void retry(RetryRequest request, StreamObserver<RetryResponse> out) {
    requestIds.add(request.getRequestId());
    answer(out, RetryResponse.getDefaultInstance());
  }

  @Override
  public void get(GetRequest request, StreamObserver<GetResponse> out) {
    try {
      answer(out, GetResponse.newBuilder().setTask(onGet.apply(request)).build());
    } catch (StatusRuntimeException refusal) {
      out.onError(refusal);
    }
  }

  @Override
  public void watch(WatchRequest request, StreamObserver<WatchResponse> out) {
    onWatch.accept(request, out);
  }

  @Override
  public <Q, A> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
    var key = Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);
    if (headers.containsKey(key)) {
      authorizations.add(headers.get(key));
    }
    return next.startCall(call, headers);
  }

  @Override
  public void close() {
    server.shutdownNow();
  }

  private static <T> void answer(StreamObserver<T> out, T response) {
    out.onNext(response);
    out.onCompleted();
  }
}
