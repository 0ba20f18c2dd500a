package dev.taskgate;

import io.grpc.Deadline;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** Spaces the attempts to reach a server that is away or has too many calls, until a deadline. */
final class Backoff {
  private static final long FIRST_MILLIS = 200;
  private static final long MAX_MILLIS = 2_000;

  private final Deadline deadline;
  private final BooleanSupplier closed;
  private long next = 0;

  /**
   * @param closed whether calls fail because this side ended them
   */
  Backoff(Deadline deadline, BooleanSupplier closed) {
    this.deadline = deadline;
    this.closed = closed;
  }

  void reset() {
    next = 0;
  }

  /**
   * Returns how many milliseconds to wait, longer each time and somewhat at random, if the call that
   * failed may work later.
   *
   * @throws StatusRuntimeException the call's own error if it may not
   */
  long after(StatusRuntimeException error) {
    // A server that stops answers CANCELLED to calls that it had taken and not begun.
    Status.Code code = error.getStatus().getCode();
    boolean away = code == Status.Code.UNAVAILABLE || code == Status.Code.CANCELLED;
    TaskgateError details = TaskgateError.of(error);
    if (!(away || wasCutOff(error.getStatus()) || details.isTooManyCalls())
        || closed.getAsBoolean()) {
      throw error;
    }
    next = Math.min(Math.max(2 * next, FIRST_MILLIS), MAX_MILLIS);
    long asked = details.retryDelay().map(Duration::toMillis).orElse(0L);
    long delay = asked + next / 2 + ThreadLocalRandom.current().nextLong(next / 2);
    return Math.min(delay, Math.max(deadline.timeRemaining(TimeUnit.MILLISECONDS), 0));
  }

  /** Whether the connection was lost just as the call began, which gRPC calls UNKNOWN. */
  static boolean wasCutOff(Status status) {
    return status.getCode() == Status.Code.UNKNOWN
        && status.getCause() instanceof ClosedChannelException;
  }
}
