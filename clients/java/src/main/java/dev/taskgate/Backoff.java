package dev.taskgate;

import io.grpc.Deadline;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/** Spaces the attempts to reach a server that is away, until a deadline. */
final class Backoff {
  private static final long FIRST_MILLIS = 200;
  private static final long MAX_MILLIS = 5_000;

  private final Deadline deadline;
  private long next = 0;

  Backoff(Deadline deadline) {
    this.deadline = deadline;
  }

  void reset() {
    next = 0;
  }

  /**
   * Waits, longer each time and somewhat at random, if the call that failed may work later.
   *
   * @throws StatusRuntimeException the call's own error if it may not
   */
  void after(StatusRuntimeException error) {
    if (error.getStatus().getCode() != Status.Code.UNAVAILABLE) {
      throw error;
    }
    next = Math.min(Math.max(2 * next, FIRST_MILLIS), MAX_MILLIS);
    long delay = next / 2 + ThreadLocalRandom.current().nextLong(next / 2);
    try {
      Thread.sleep(Math.min(delay, Math.max(deadline.timeRemaining(TimeUnit.MILLISECONDS), 0)));
    } catch (InterruptedException interruption) {
      Thread.currentThread().interrupt();
      throw Status.CANCELLED.withCause(interruption).asRuntimeException();
    }
  }
}
