package dev.taskgate.conformance;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.MessageOrBuilder;
import com.google.protobuf.util.JsonFormat;
import com.google.protobuf.util.JsonFormat.TypeRegistry;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import dev.taskgate.TaskgateClient;
import dev.taskgate.TaskgateError;
import dev.taskgate.v1.AbortRequest;
import dev.taskgate.v1.GetRequest;
import dev.taskgate.v1.GetStatsRequest;
import dev.taskgate.v1.ListQueuesRequest;
import dev.taskgate.v1.ListRequest;
import dev.taskgate.v1.ListTaskTypesRequest;
import dev.taskgate.v1.ListWorkersRequest;
import dev.taskgate.v1.RetryRequest;
import dev.taskgate.v1.SubmitBatchRequest;
import dev.taskgate.v1.SubmitRequest;
import dev.taskgate.v1.WatchRequest;
import io.grpc.Deadline;
import io.grpc.StatusRuntimeException;
import java.util.Iterator;

/** Makes the calls named in scenarios. */
final class Calls {
  private static final JsonFormat.Printer PRINTER =
      JsonFormat.printer()
          .usingTypeRegistry(
              TypeRegistry.newBuilder()
                  .add(ErrorInfo.getDescriptor())
                  .add(BadRequest.getDescriptor())
                  .add(RetryInfo.getDescriptor())
                  .build());

  private final TaskgateClient client;

  Calls(TaskgateClient client) {
    this.client = client;
  }

  JsonObject invoke(String method, String request, Deadline deadline)
      throws InvalidProtocolBufferException {
    var result = new JsonObject();
    try {
      if (method.equals("Watch")) {
        result.add("responses", watch(request, deadline));
      } else {
        result.add("response", json(unary(method, request, deadline)));
      }
      return result;
    } catch (StatusRuntimeException error) {
      return failure(error);
    }
  }

  private Message unary(String method, String request, Deadline deadline)
      throws InvalidProtocolBufferException {
    var stub = client.blocking().withDeadline(deadline);
    return switch (method) {
      case "Submit" -> stub.submit(read(request, SubmitRequest.newBuilder()).build());
      case "Get" -> stub.get(read(request, GetRequest.newBuilder()).build());
      case "Retry" -> stub.retry(read(request, RetryRequest.newBuilder()).build());
      case "Abort" -> stub.abort(read(request, AbortRequest.newBuilder()).build());
      case "SubmitBatch" ->
          stub.submitBatch(read(request, SubmitBatchRequest.newBuilder()).build());
      case "List" -> stub.list(read(request, ListRequest.newBuilder()).build());
      case "ListTaskTypes" ->
          stub.listTaskTypes(read(request, ListTaskTypesRequest.newBuilder()).build());
      case "ListWorkers" ->
          stub.listWorkers(read(request, ListWorkersRequest.newBuilder()).build());
      case "ListQueues" -> stub.listQueues(read(request, ListQueuesRequest.newBuilder()).build());
      case "GetStats" -> stub.getStats(read(request, GetStatsRequest.newBuilder()).build());
      default -> throw new IllegalArgumentException("no method " + method);
    };
  }

  private JsonArray watch(String request, Deadline deadline) throws InvalidProtocolBufferException {
    var responses = new JsonArray();
    Iterator<? extends MessageOrBuilder> stream =
        client
            .blocking()
            .withDeadline(deadline)
            .watch(read(request, WatchRequest.newBuilder()).build());
    while (stream.hasNext()) {
      responses.add(json(stream.next()));
    }
    return responses;
  }

  private static <B extends Message.Builder> B read(String json, B builder)
      throws InvalidProtocolBufferException {
    JsonFormat.parser().merge(json, builder);
    return builder;
  }

  private static JsonElement json(MessageOrBuilder message) throws InvalidProtocolBufferException {
    return JsonParser.parseString(PRINTER.print(message));
  }

  private static JsonObject failure(StatusRuntimeException thrown) {
    var details = TaskgateError.of(thrown);
    var fields = new JsonArray();
    details.violations().forEach(violation -> fields.add(violation.field()));
    var error = new JsonObject();
    error.addProperty("code", details.code().name());
    error.addProperty("reason", details.reason());
    error.add("fields", fields);
    var result = new JsonObject();
    result.add("error", error);
    return result;
  }
}
