package dev.taskgate;

import dev.taskgate.v1.RetryRequest;
import dev.taskgate.v1.SubmitBatchRequest;
import dev.taskgate.v1.SubmitRequest;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.MethodDescriptor;
import java.util.UUID;

/**
 * Gives each submission without a request id one. It stands above gRPC's own retries: all attempts of
 * one call carry the same id.
 */
final class RequestIds implements ClientInterceptor {
  @Override
  public <Q, A> ClientCall<Q, A> interceptCall(
      MethodDescriptor<Q, A> method, CallOptions options, Channel next) {
    return new SimpleForwardingClientCall<>(next.newCall(method, options)) {
      @Override
      public void sendMessage(Q message) {
        super.sendMessage(withIds(message));
      }
    };
  }

  @SuppressWarnings("unchecked") // each branch returns its message's own type
  private static <Q> Q withIds(Q message) {
    if (message instanceof SubmitRequest request) {
      return (Q) withId(request);
    }
    if (message instanceof RetryRequest request && request.getRequestId().isEmpty()) {
      return (Q) request.toBuilder().setRequestId(newId()).build();
    }
    if (message instanceof SubmitBatchRequest batch) {
      var requests = batch.getRequestsList().stream().map(RequestIds::withId).toList();
      return (Q) batch.toBuilder().clearRequests().addAllRequests(requests).build();
    }
    return message;
  }

  private static SubmitRequest withId(SubmitRequest request) {
    return request.getRequestId().isEmpty()
        ? request.toBuilder().setRequestId(newId()).build()
        : request;
  }

  private static String newId() {
    return UUID.randomUUID().toString();
  }
}
