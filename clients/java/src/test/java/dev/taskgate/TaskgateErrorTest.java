package dev.taskgate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.protobuf.Any;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import dev.taskgate.v1.SubmitRequest;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class TaskgateErrorTest {
  private static final com.google.rpc.Status REFUSAL =
      com.google.rpc.Status.newBuilder()
          .setCode(Status.Code.INVALID_ARGUMENT.value())
          .setMessage("wrong")
          .addDetails(
              Any.pack(
                  ErrorInfo.newBuilder()
                      .setReason("ARGUMENTS_INVALID")
                      .putMetadata("task_type", "demo.add")
                      .build()))
          .addDetails(
              Any.pack(
                  BadRequest.newBuilder()
                      .addFieldViolations(
                          BadRequest.FieldViolation.newBuilder()
                              .setField("kwargs.x")
                              .setDescription("\"abc\" is not a number"))
                      .build()))
          .addDetails(
              Any.pack(
                  RetryInfo.newBuilder()
                      .setRetryDelay(
                          com.google.protobuf.Duration.newBuilder().setSeconds(2).setNanos(500))
                      .build()))
          .build();

  private static final TaskgateError READ =
      new TaskgateError(
          Status.Code.INVALID_ARGUMENT,
          "wrong",
          "ARGUMENTS_INVALID",
          Map.of("task_type", "demo.add"),
          List.of(new TaskgateError.Violation("kwargs.x", "\"abc\" is not a number")),
          Optional.of(Duration.ofSeconds(2, 500)));

  @Test
  void anErrorCarriesItsDetails() throws IOException {
    try (var server = new ServerFixture();
        var client = TaskgateClient.connect(server.address())) {
      server.onSubmit =
          request -> {
            throw StatusProto.toStatusRuntimeException(REFUSAL);
          };
      var stub = client.blocking();
      var request = SubmitRequest.getDefaultInstance();
      var thrown = assertThrows(StatusRuntimeException.class, () -> stub.submit(request));
      assertEquals(READ, TaskgateError.of(thrown));
    }
  }

  @Test
  void theErrorOfAnItemOfABatchIsReadTheSameWay() {
    assertEquals(READ, TaskgateError.of(REFUSAL));
  }

  @Test
  void whatIsNotFromTheServerHasNoReason() {
    var error = TaskgateError.of(new IllegalStateException("other"));
    assertEquals(Status.Code.UNKNOWN, error.code());
    assertEquals("", error.reason());
  }
}
