package dev.taskgate;

import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Deadline;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class BackoffTest {
  private final Backoff backoff = new Backoff(Deadline.after(1, TimeUnit.MINUTES), () -> false);

  private static StatusRuntimeException unknown(Throwable cause) {
    return Status.UNKNOWN.withCause(cause).asRuntimeException();
  }

  @Test
  void aCallWhoseConnectionWasLostAsItBeganMayWorkLater() {
    assertTrue(backoff.after(unknown(new ClosedChannelException())) > 0);
  }

  @Test
  void whatElseIsUnknownIsTold() {
    StatusRuntimeException error = unknown(new IOException("something else"));
    assertSame(error, assertThrows(StatusRuntimeException.class, () -> backoff.after(error)));
  }
}
