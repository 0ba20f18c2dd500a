package dev.taskgate;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.JsonFormat;
import dev.taskgate.v1.Task;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class TaskJsonTest {
  @Test
  void plainValuesAreReadAsTheyCame() throws InvalidProtocolBufferException {
    var task =
        task(
            """
            {"args": [1, 2.5, null, "é\\"\\\\\\n🙂", -0.0, 9007199254740992, 1e300],
             "kwargs": {"x": {"y": [true]}}, "result": {"total": 3}}
            """);
    assertEquals(
        "{\"args\":[1,2.5,null,\"é\\\"\\\\\\u000a🙂\",-0.0,9007199254740992,1.0E300],"
            + "\"kwargs\":{\"x\":{\"y\":[true]}}}",
        TaskJson.arguments(task));
    assertEquals(Optional.of("{\"total\":3}"), TaskJson.result(task));
  }

  @Test
  void exactTextIsPassedOn() {
    var arguments = "{\"args\": [9007199254740993], \"kwargs\": {}}";
    var task =
        Task.newBuilder().setArgumentsJson(arguments).setResultJson("9007199254740993").build();
    assertEquals(arguments, TaskJson.arguments(task));
    assertEquals(Optional.of("9007199254740993"), TaskJson.result(task));
  }

  @Test
  void aResultNullIsNotTheSameAsNone() throws InvalidProtocolBufferException {
    assertEquals(Optional.of("null"), TaskJson.result(task("{\"result\": null}")));
    assertEquals(Optional.empty(), TaskJson.result(Task.getDefaultInstance()));
    assertEquals("{\"args\":[],\"kwargs\":{}}", TaskJson.arguments(Task.getDefaultInstance()));
  }

  private static Task task(String json) throws InvalidProtocolBufferException {
    var task = Task.newBuilder();
    JsonFormat.parser().merge(json, task);
    return task.build();
  }
}
