package dev.taskgate;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.MethodDescriptor;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** Gives each call that answers once, and has no deadline, one. */
record Deadlines(Duration timeout) implements ClientInterceptor {
  @Override
  public <Q, A> ClientCall<Q, A> interceptCall(
      MethodDescriptor<Q, A> method, CallOptions options, Channel next) {
    boolean hasOne = options.getDeadline() != null || !method.getType().serverSendsOneMessage();
    return next.newCall(
        method,
        hasOne ? options : options.withDeadlineAfter(timeout.toNanos(), TimeUnit.NANOSECONDS));
  }
}
