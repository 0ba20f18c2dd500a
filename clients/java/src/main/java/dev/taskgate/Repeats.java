package dev.taskgate;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.ForwardingClientCallListener.SimpleForwardingClientCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * Repeats what gRPC's own retries, which go by the status code, cannot tell apart: calls that found
 * too many others under way (a message that is too large has their code), after the time that the
 * server asked for, and calls whose connection was lost as they began (UNKNOWN).
 */
final class Repeats implements ClientInterceptor {
  @Override
  public <Q, A> ClientCall<Q, A> interceptCall(
      MethodDescriptor<Q, A> method, CallOptions options, Channel next) {
    return method.getType() == MethodType.UNARY
        ? new RepeatedCall<>(method, options, next)
        : next.newCall(method, options);
  }

  /** A call of one message, which is kept to be sent again. */
  private static final class RepeatedCall<Q, A> extends ClientCall<Q, A> {
    private final MethodDescriptor<Q, A> method;
    private final CallOptions options;
    private final Channel channel;
    private final Context context = Context.current();
    private final Backoff backoff;
    private final Deadline deadline;
    private Listener<A> listener;
    private Metadata headers;
    private Q message;
    private ClientCall<Q, A> attempt;
    private int requested;
    private volatile boolean cancelled;

    RepeatedCall(MethodDescriptor<Q, A> method, CallOptions options, Channel channel) {
      this.method = method;
      this.options = options;
      this.channel = channel;
      this.deadline = options.getDeadline();
      this.backoff = new Backoff(deadline, () -> cancelled);
      this.attempt = channel.newCall(method, options);
    }

    @Override
    public void start(Listener<A> listener, Metadata headers) {
      this.listener = listener;
      this.headers = headers;
      attempt.start(new Watching(), copyOf(headers));
    }

    @Override
    public synchronized void request(int messages) {
      requested += messages;
      attempt.request(messages);
    }

    @Override
    public synchronized void cancel(String text, Throwable cause) {
      cancelled = true;
      attempt.cancel(text, cause);
    }

    @Override
    public synchronized void halfClose() {
      attempt.halfClose();
    }

    @Override
    public synchronized void sendMessage(Q message) {
      this.message = message;
      attempt.sendMessage(message);
    }

    private synchronized void repeat() {
      attempt = channel.newCall(method, options);
      attempt.start(new Watching(), copyOf(headers));
      if (cancelled) {
        attempt.cancel("cancelled while it waited", null);
        return;
      }
      attempt.request(requested);
      attempt.sendMessage(message);
      attempt.halfClose();
    }

    private static Metadata copyOf(Metadata headers) {
      Metadata copy = new Metadata();
      copy.merge(headers);
      return copy;
    }

    private final class Watching extends SimpleForwardingClientCallListener<A> {
      Watching() {
        super(listener);
      }

      @Override
      public void onClose(Status status, Metadata trailers) {
        StatusRuntimeException error = status.asRuntimeException(trailers);
        boolean mayWorkLater =
            Backoff.wasCutOff(status) || TaskgateError.of(error).isTooManyCalls();
        if (cancelled || status.isOk() || !mayWorkLater) {
          super.onClose(status, trailers);
          return;
        }
        long millis = backoff.after(error);
        if (millis >= deadline.timeRemaining(TimeUnit.MILLISECONDS)) {
          super.onClose(status, trailers);
          return;
        }
        CompletableFuture.delayedExecutor(millis, TimeUnit.MILLISECONDS)
            .execute(context.wrap(RepeatedCall.this::repeat));
      }
    }
  }
}
