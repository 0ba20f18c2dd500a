package dev.taskgate;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Status;
import io.grpc.protobuf.StatusProto;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a server says of a call that failed.
 *
 * @param code gRPC's status code
 * @param message for people
 * @param reason for programs, for example {@code "TASK_NOT_FOUND"}; empty if the error is not the
 *     server's but the connection's
 * @param metadata more about the reason, such as the id that was not found
 * @param violations the fields that were wrong
 * @param retryDelay how long to wait before the call is worth repeating; empty if nobody knows
 */
public record TaskgateError(
    Status.Code code,
    String message,
    String reason,
    Map<String, String> metadata,
    List<Violation> violations,
    Optional<Duration> retryDelay) {

  /**
   * A wrong field of a request.
   *
   * @param field its path, for example {@code "kwargs.seconds"}
   * @param description what is wrong with it
   */
  public record Violation(String field, String description) {}

  /** Reads the details of what a call threw. */
  public static TaskgateError of(Throwable thrown) {
    com.google.rpc.Status status = StatusProto.fromThrowable(thrown);
    if (status == null) {
      status = StatusProto.fromStatusAndTrailers(Status.fromThrowable(thrown), null);
    }
    return of(status);
  }

  /** Reads the error of an item of a batch. */
  public static TaskgateError of(com.google.rpc.Status status) {
    ErrorInfo info = detail(status, ErrorInfo.class).orElse(ErrorInfo.getDefaultInstance());
    BadRequest request = detail(status, BadRequest.class).orElse(BadRequest.getDefaultInstance());
    return new TaskgateError(
        Status.fromCodeValue(status.getCode()).getCode(),
        status.getMessage(),
        info.getReason(),
        info.getMetadataMap(),
        request.getFieldViolationsList().stream()
            .map(found -> new Violation(found.getField(), found.getDescription()))
            .toList(),
        detail(status, RetryInfo.class)
            .map(RetryInfo::getRetryDelay)
            .map(delay -> Duration.ofSeconds(delay.getSeconds(), delay.getNanos())));
  }

  /** Whether as many calls as may be are under way: the same call may work later. */
  boolean isTooManyCalls() {
    return reason.equals(Reasons.TOO_MANY_CALLS);
  }

  private static <T extends Message> Optional<T> detail(
      com.google.rpc.Status status, Class<T> type) {
    return status.getDetailsList().stream()
        .filter(any -> any.is(type))
        .findFirst()
        .map(any -> unpack(any, type));
  }

  private static <T extends Message> T unpack(Any any, Class<T> type) {
    try {
      return any.unpack(type);
    } catch (InvalidProtocolBufferException garbage) {
      throw new IllegalArgumentException("not a " + type.getSimpleName(), garbage);
    }
  }
}
