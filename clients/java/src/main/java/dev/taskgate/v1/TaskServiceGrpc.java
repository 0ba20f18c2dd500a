package dev.taskgate.v1;

import static io.grpc.MethodDescriptor.generateFullMethodName;

/**
 * <pre>
 * Runs Python Celery tasks.
 * Every error carries a google.rpc.ErrorInfo (domain "taskgate") whose reason says exactly what was
 * wrong; wrong fields come as google.rpc.BadRequest too, and what is worth trying again carries a
 * google.rpc.RetryInfo.
 * </pre>
 */
@io.grpc.stub.annotations.GrpcGenerated
public final class TaskServiceGrpc {

  private TaskServiceGrpc() {}

  public static final java.lang.String SERVICE_NAME = "taskgate.v1.TaskService";

  // Static method descriptors that strictly reflect the proto.
  private static volatile io.grpc.MethodDescriptor<dev.taskgate.v1.SubmitRequest,
      dev.taskgate.v1.SubmitResponse> getSubmitMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Submit",
      requestType = dev.taskgate.v1.SubmitRequest.class,
      responseType = dev.taskgate.v1.SubmitResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<dev.taskgate.v1.SubmitRequest,
      dev.taskgate.v1.SubmitResponse> getSubmitMethod() {
    io.grpc.MethodDescriptor<dev.taskgate.v1.SubmitRequest, dev.taskgate.v1.SubmitResponse> getSubmitMethod;
    if ((getSubmitMethod = TaskServiceGrpc.getSubmitMethod) == null) {
      synchronized (TaskServiceGrpc.class) {
        if ((getSubmitMethod = TaskServiceGrpc.getSubmitMethod) == null) {
          TaskServiceGrpc.getSubmitMethod = getSubmitMethod =
              io.grpc.MethodDescriptor.<dev.taskgate.v1.SubmitRequest, dev.taskgate.v1.SubmitResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Submit"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.SubmitRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.SubmitResponse.getDefaultInstance()))
              .setSchemaDescriptor(new TaskServiceMethodDescriptorSupplier("Submit"))
              .build();
        }
      }
    }
    return getSubmitMethod;
  }

  private static volatile io.grpc.MethodDescriptor<dev.taskgate.v1.GetRequest,
      dev.taskgate.v1.GetResponse> getGetMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Get",
      requestType = dev.taskgate.v1.GetRequest.class,
      responseType = dev.taskgate.v1.GetResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<dev.taskgate.v1.GetRequest,
      dev.taskgate.v1.GetResponse> getGetMethod() {
    io.grpc.MethodDescriptor<dev.taskgate.v1.GetRequest, dev.taskgate.v1.GetResponse> getGetMethod;
    if ((getGetMethod = TaskServiceGrpc.getGetMethod) == null) {
      synchronized (TaskServiceGrpc.class) {
        if ((getGetMethod = TaskServiceGrpc.getGetMethod) == null) {
          TaskServiceGrpc.getGetMethod = getGetMethod =
              io.grpc.MethodDescriptor.<dev.taskgate.v1.GetRequest, dev.taskgate.v1.GetResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Get"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.GetRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.GetResponse.getDefaultInstance()))
              .setSchemaDescriptor(new TaskServiceMethodDescriptorSupplier("Get"))
              .build();
        }
      }
    }
    return getGetMethod;
  }

  private static volatile io.grpc.MethodDescriptor<dev.taskgate.v1.RetryRequest,
      dev.taskgate.v1.RetryResponse> getRetryMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Retry",
      requestType = dev.taskgate.v1.RetryRequest.class,
      responseType = dev.taskgate.v1.RetryResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<dev.taskgate.v1.RetryRequest,
      dev.taskgate.v1.RetryResponse> getRetryMethod() {
    io.grpc.MethodDescriptor<dev.taskgate.v1.RetryRequest, dev.taskgate.v1.RetryResponse> getRetryMethod;
    if ((getRetryMethod = TaskServiceGrpc.getRetryMethod) == null) {
      synchronized (TaskServiceGrpc.class) {
        if ((getRetryMethod = TaskServiceGrpc.getRetryMethod) == null) {
          TaskServiceGrpc.getRetryMethod = getRetryMethod =
              io.grpc.MethodDescriptor.<dev.taskgate.v1.RetryRequest, dev.taskgate.v1.RetryResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Retry"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.RetryRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.RetryResponse.getDefaultInstance()))
              .setSchemaDescriptor(new TaskServiceMethodDescriptorSupplier("Retry"))
              .build();
        }
      }
    }
    return getRetryMethod;
  }

  private static volatile io.grpc.MethodDescriptor<dev.taskgate.v1.AbortRequest,
      dev.taskgate.v1.AbortResponse> getAbortMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Abort",
      requestType = dev.taskgate.v1.AbortRequest.class,
      responseType = dev.taskgate.v1.AbortResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<dev.taskgate.v1.AbortRequest,
      dev.taskgate.v1.AbortResponse> getAbortMethod() {
    io.grpc.MethodDescriptor<dev.taskgate.v1.AbortRequest, dev.taskgate.v1.AbortResponse> getAbortMethod;
    if ((getAbortMethod = TaskServiceGrpc.getAbortMethod) == null) {
      synchronized (TaskServiceGrpc.class) {
        if ((getAbortMethod = TaskServiceGrpc.getAbortMethod) == null) {
          TaskServiceGrpc.getAbortMethod = getAbortMethod =
              io.grpc.MethodDescriptor.<dev.taskgate.v1.AbortRequest, dev.taskgate.v1.AbortResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Abort"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.AbortRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.AbortResponse.getDefaultInstance()))
              .setSchemaDescriptor(new TaskServiceMethodDescriptorSupplier("Abort"))
              .build();
        }
      }
    }
    return getAbortMethod;
  }

  private static volatile io.grpc.MethodDescriptor<dev.taskgate.v1.SubmitBatchRequest,
      dev.taskgate.v1.SubmitBatchResponse> getSubmitBatchMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "SubmitBatch",
      requestType = dev.taskgate.v1.SubmitBatchRequest.class,
      responseType = dev.taskgate.v1.SubmitBatchResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<dev.taskgate.v1.SubmitBatchRequest,
      dev.taskgate.v1.SubmitBatchResponse> getSubmitBatchMethod() {
    io.grpc.MethodDescriptor<dev.taskgate.v1.SubmitBatchRequest, dev.taskgate.v1.SubmitBatchResponse> getSubmitBatchMethod;
    if ((getSubmitBatchMethod = TaskServiceGrpc.getSubmitBatchMethod) == null) {
      synchronized (TaskServiceGrpc.class) {
        if ((getSubmitBatchMethod = TaskServiceGrpc.getSubmitBatchMethod) == null) {
          TaskServiceGrpc.getSubmitBatchMethod = getSubmitBatchMethod =
              io.grpc.MethodDescriptor.<dev.taskgate.v1.SubmitBatchRequest, dev.taskgate.v1.SubmitBatchResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "SubmitBatch"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.SubmitBatchRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.SubmitBatchResponse.getDefaultInstance()))
              .setSchemaDescriptor(new TaskServiceMethodDescriptorSupplier("SubmitBatch"))
              .build();
        }
      }
    }
    return getSubmitBatchMethod;
  }

  private static volatile io.grpc.MethodDescriptor<dev.taskgate.v1.ListRequest,
      dev.taskgate.v1.ListResponse> getListMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "List",
      requestType = dev.taskgate.v1.ListRequest.class,
      responseType = dev.taskgate.v1.ListResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<dev.taskgate.v1.ListRequest,
      dev.taskgate.v1.ListResponse> getListMethod() {
    io.grpc.MethodDescriptor<dev.taskgate.v1.ListRequest, dev.taskgate.v1.ListResponse> getListMethod;
    if ((getListMethod = TaskServiceGrpc.getListMethod) == null) {
      synchronized (TaskServiceGrpc.class) {
        if ((getListMethod = TaskServiceGrpc.getListMethod) == null) {
          TaskServiceGrpc.getListMethod = getListMethod =
              io.grpc.MethodDescriptor.<dev.taskgate.v1.ListRequest, dev.taskgate.v1.ListResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "List"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.ListRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.ListResponse.getDefaultInstance()))
              .setSchemaDescriptor(new TaskServiceMethodDescriptorSupplier("List"))
              .build();
        }
      }
    }
    return getListMethod;
  }

  private static volatile io.grpc.MethodDescriptor<dev.taskgate.v1.WatchRequest,
      dev.taskgate.v1.WatchResponse> getWatchMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Watch",
      requestType = dev.taskgate.v1.WatchRequest.class,
      responseType = dev.taskgate.v1.WatchResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING)
  public static io.grpc.MethodDescriptor<dev.taskgate.v1.WatchRequest,
      dev.taskgate.v1.WatchResponse> getWatchMethod() {
    io.grpc.MethodDescriptor<dev.taskgate.v1.WatchRequest, dev.taskgate.v1.WatchResponse> getWatchMethod;
    if ((getWatchMethod = TaskServiceGrpc.getWatchMethod) == null) {
      synchronized (TaskServiceGrpc.class) {
        if ((getWatchMethod = TaskServiceGrpc.getWatchMethod) == null) {
          TaskServiceGrpc.getWatchMethod = getWatchMethod =
              io.grpc.MethodDescriptor.<dev.taskgate.v1.WatchRequest, dev.taskgate.v1.WatchResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Watch"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.WatchRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.WatchResponse.getDefaultInstance()))
              .setSchemaDescriptor(new TaskServiceMethodDescriptorSupplier("Watch"))
              .build();
        }
      }
    }
    return getWatchMethod;
  }

  private static volatile io.grpc.MethodDescriptor<dev.taskgate.v1.ListTaskTypesRequest,
      dev.taskgate.v1.ListTaskTypesResponse> getListTaskTypesMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ListTaskTypes",
      requestType = dev.taskgate.v1.ListTaskTypesRequest.class,
      responseType = dev.taskgate.v1.ListTaskTypesResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<dev.taskgate.v1.ListTaskTypesRequest,
      dev.taskgate.v1.ListTaskTypesResponse> getListTaskTypesMethod() {
    io.grpc.MethodDescriptor<dev.taskgate.v1.ListTaskTypesRequest, dev.taskgate.v1.ListTaskTypesResponse> getListTaskTypesMethod;
    if ((getListTaskTypesMethod = TaskServiceGrpc.getListTaskTypesMethod) == null) {
      synchronized (TaskServiceGrpc.class) {
        if ((getListTaskTypesMethod = TaskServiceGrpc.getListTaskTypesMethod) == null) {
          TaskServiceGrpc.getListTaskTypesMethod = getListTaskTypesMethod =
              io.grpc.MethodDescriptor.<dev.taskgate.v1.ListTaskTypesRequest, dev.taskgate.v1.ListTaskTypesResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ListTaskTypes"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.ListTaskTypesRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.ListTaskTypesResponse.getDefaultInstance()))
              .setSchemaDescriptor(new TaskServiceMethodDescriptorSupplier("ListTaskTypes"))
              .build();
        }
      }
    }
    return getListTaskTypesMethod;
  }

  private static volatile io.grpc.MethodDescriptor<dev.taskgate.v1.ListWorkersRequest,
      dev.taskgate.v1.ListWorkersResponse> getListWorkersMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ListWorkers",
      requestType = dev.taskgate.v1.ListWorkersRequest.class,
      responseType = dev.taskgate.v1.ListWorkersResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<dev.taskgate.v1.ListWorkersRequest,
      dev.taskgate.v1.ListWorkersResponse> getListWorkersMethod() {
    io.grpc.MethodDescriptor<dev.taskgate.v1.ListWorkersRequest, dev.taskgate.v1.ListWorkersResponse> getListWorkersMethod;
    if ((getListWorkersMethod = TaskServiceGrpc.getListWorkersMethod) == null) {
      synchronized (TaskServiceGrpc.class) {
        if ((getListWorkersMethod = TaskServiceGrpc.getListWorkersMethod) == null) {
          TaskServiceGrpc.getListWorkersMethod = getListWorkersMethod =
              io.grpc.MethodDescriptor.<dev.taskgate.v1.ListWorkersRequest, dev.taskgate.v1.ListWorkersResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ListWorkers"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.ListWorkersRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.ListWorkersResponse.getDefaultInstance()))
              .setSchemaDescriptor(new TaskServiceMethodDescriptorSupplier("ListWorkers"))
              .build();
        }
      }
    }
    return getListWorkersMethod;
  }

  private static volatile io.grpc.MethodDescriptor<dev.taskgate.v1.ListQueuesRequest,
      dev.taskgate.v1.ListQueuesResponse> getListQueuesMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ListQueues",
      requestType = dev.taskgate.v1.ListQueuesRequest.class,
      responseType = dev.taskgate.v1.ListQueuesResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<dev.taskgate.v1.ListQueuesRequest,
      dev.taskgate.v1.ListQueuesResponse> getListQueuesMethod() {
    io.grpc.MethodDescriptor<dev.taskgate.v1.ListQueuesRequest, dev.taskgate.v1.ListQueuesResponse> getListQueuesMethod;
    if ((getListQueuesMethod = TaskServiceGrpc.getListQueuesMethod) == null) {
      synchronized (TaskServiceGrpc.class) {
        if ((getListQueuesMethod = TaskServiceGrpc.getListQueuesMethod) == null) {
          TaskServiceGrpc.getListQueuesMethod = getListQueuesMethod =
              io.grpc.MethodDescriptor.<dev.taskgate.v1.ListQueuesRequest, dev.taskgate.v1.ListQueuesResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ListQueues"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.ListQueuesRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.ListQueuesResponse.getDefaultInstance()))
              .setSchemaDescriptor(new TaskServiceMethodDescriptorSupplier("ListQueues"))
              .build();
        }
      }
    }
    return getListQueuesMethod;
  }

  private static volatile io.grpc.MethodDescriptor<dev.taskgate.v1.GetStatsRequest,
      dev.taskgate.v1.GetStatsResponse> getGetStatsMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "GetStats",
      requestType = dev.taskgate.v1.GetStatsRequest.class,
      responseType = dev.taskgate.v1.GetStatsResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<dev.taskgate.v1.GetStatsRequest,
      dev.taskgate.v1.GetStatsResponse> getGetStatsMethod() {
    io.grpc.MethodDescriptor<dev.taskgate.v1.GetStatsRequest, dev.taskgate.v1.GetStatsResponse> getGetStatsMethod;
    if ((getGetStatsMethod = TaskServiceGrpc.getGetStatsMethod) == null) {
      synchronized (TaskServiceGrpc.class) {
        if ((getGetStatsMethod = TaskServiceGrpc.getGetStatsMethod) == null) {
          TaskServiceGrpc.getGetStatsMethod = getGetStatsMethod =
              io.grpc.MethodDescriptor.<dev.taskgate.v1.GetStatsRequest, dev.taskgate.v1.GetStatsResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "GetStats"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.GetStatsRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.GetStatsResponse.getDefaultInstance()))
              .setSchemaDescriptor(new TaskServiceMethodDescriptorSupplier("GetStats"))
              .build();
        }
      }
    }
    return getGetStatsMethod;
  }

  private static volatile io.grpc.MethodDescriptor<dev.taskgate.v1.PauseRequest,
      dev.taskgate.v1.PauseResponse> getPauseMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Pause",
      requestType = dev.taskgate.v1.PauseRequest.class,
      responseType = dev.taskgate.v1.PauseResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<dev.taskgate.v1.PauseRequest,
      dev.taskgate.v1.PauseResponse> getPauseMethod() {
    io.grpc.MethodDescriptor<dev.taskgate.v1.PauseRequest, dev.taskgate.v1.PauseResponse> getPauseMethod;
    if ((getPauseMethod = TaskServiceGrpc.getPauseMethod) == null) {
      synchronized (TaskServiceGrpc.class) {
        if ((getPauseMethod = TaskServiceGrpc.getPauseMethod) == null) {
          TaskServiceGrpc.getPauseMethod = getPauseMethod =
              io.grpc.MethodDescriptor.<dev.taskgate.v1.PauseRequest, dev.taskgate.v1.PauseResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Pause"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.PauseRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.PauseResponse.getDefaultInstance()))
              .setSchemaDescriptor(new TaskServiceMethodDescriptorSupplier("Pause"))
              .build();
        }
      }
    }
    return getPauseMethod;
  }

  private static volatile io.grpc.MethodDescriptor<dev.taskgate.v1.ResumeRequest,
      dev.taskgate.v1.ResumeResponse> getResumeMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Resume",
      requestType = dev.taskgate.v1.ResumeRequest.class,
      responseType = dev.taskgate.v1.ResumeResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<dev.taskgate.v1.ResumeRequest,
      dev.taskgate.v1.ResumeResponse> getResumeMethod() {
    io.grpc.MethodDescriptor<dev.taskgate.v1.ResumeRequest, dev.taskgate.v1.ResumeResponse> getResumeMethod;
    if ((getResumeMethod = TaskServiceGrpc.getResumeMethod) == null) {
      synchronized (TaskServiceGrpc.class) {
        if ((getResumeMethod = TaskServiceGrpc.getResumeMethod) == null) {
          TaskServiceGrpc.getResumeMethod = getResumeMethod =
              io.grpc.MethodDescriptor.<dev.taskgate.v1.ResumeRequest, dev.taskgate.v1.ResumeResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Resume"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.ResumeRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.ResumeResponse.getDefaultInstance()))
              .setSchemaDescriptor(new TaskServiceMethodDescriptorSupplier("Resume"))
              .build();
        }
      }
    }
    return getResumeMethod;
  }

  private static volatile io.grpc.MethodDescriptor<dev.taskgate.v1.ListPausesRequest,
      dev.taskgate.v1.ListPausesResponse> getListPausesMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ListPauses",
      requestType = dev.taskgate.v1.ListPausesRequest.class,
      responseType = dev.taskgate.v1.ListPausesResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<dev.taskgate.v1.ListPausesRequest,
      dev.taskgate.v1.ListPausesResponse> getListPausesMethod() {
    io.grpc.MethodDescriptor<dev.taskgate.v1.ListPausesRequest, dev.taskgate.v1.ListPausesResponse> getListPausesMethod;
    if ((getListPausesMethod = TaskServiceGrpc.getListPausesMethod) == null) {
      synchronized (TaskServiceGrpc.class) {
        if ((getListPausesMethod = TaskServiceGrpc.getListPausesMethod) == null) {
          TaskServiceGrpc.getListPausesMethod = getListPausesMethod =
              io.grpc.MethodDescriptor.<dev.taskgate.v1.ListPausesRequest, dev.taskgate.v1.ListPausesResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ListPauses"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.ListPausesRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.ListPausesResponse.getDefaultInstance()))
              .setSchemaDescriptor(new TaskServiceMethodDescriptorSupplier("ListPauses"))
              .build();
        }
      }
    }
    return getListPausesMethod;
  }

  private static volatile io.grpc.MethodDescriptor<dev.taskgate.v1.ListEventsRequest,
      dev.taskgate.v1.ListEventsResponse> getListEventsMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ListEvents",
      requestType = dev.taskgate.v1.ListEventsRequest.class,
      responseType = dev.taskgate.v1.ListEventsResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<dev.taskgate.v1.ListEventsRequest,
      dev.taskgate.v1.ListEventsResponse> getListEventsMethod() {
    io.grpc.MethodDescriptor<dev.taskgate.v1.ListEventsRequest, dev.taskgate.v1.ListEventsResponse> getListEventsMethod;
    if ((getListEventsMethod = TaskServiceGrpc.getListEventsMethod) == null) {
      synchronized (TaskServiceGrpc.class) {
        if ((getListEventsMethod = TaskServiceGrpc.getListEventsMethod) == null) {
          TaskServiceGrpc.getListEventsMethod = getListEventsMethod =
              io.grpc.MethodDescriptor.<dev.taskgate.v1.ListEventsRequest, dev.taskgate.v1.ListEventsResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ListEvents"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.ListEventsRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.ListEventsResponse.getDefaultInstance()))
              .setSchemaDescriptor(new TaskServiceMethodDescriptorSupplier("ListEvents"))
              .build();
        }
      }
    }
    return getListEventsMethod;
  }

  private static volatile io.grpc.MethodDescriptor<dev.taskgate.v1.CountRequest,
      dev.taskgate.v1.CountResponse> getCountMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Count",
      requestType = dev.taskgate.v1.CountRequest.class,
      responseType = dev.taskgate.v1.CountResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<dev.taskgate.v1.CountRequest,
      dev.taskgate.v1.CountResponse> getCountMethod() {
    io.grpc.MethodDescriptor<dev.taskgate.v1.CountRequest, dev.taskgate.v1.CountResponse> getCountMethod;
    if ((getCountMethod = TaskServiceGrpc.getCountMethod) == null) {
      synchronized (TaskServiceGrpc.class) {
        if ((getCountMethod = TaskServiceGrpc.getCountMethod) == null) {
          TaskServiceGrpc.getCountMethod = getCountMethod =
              io.grpc.MethodDescriptor.<dev.taskgate.v1.CountRequest, dev.taskgate.v1.CountResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Count"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.CountRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.CountResponse.getDefaultInstance()))
              .setSchemaDescriptor(new TaskServiceMethodDescriptorSupplier("Count"))
              .build();
        }
      }
    }
    return getCountMethod;
  }

  private static volatile io.grpc.MethodDescriptor<dev.taskgate.v1.AbortTasksRequest,
      dev.taskgate.v1.AbortTasksResponse> getAbortTasksMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "AbortTasks",
      requestType = dev.taskgate.v1.AbortTasksRequest.class,
      responseType = dev.taskgate.v1.AbortTasksResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<dev.taskgate.v1.AbortTasksRequest,
      dev.taskgate.v1.AbortTasksResponse> getAbortTasksMethod() {
    io.grpc.MethodDescriptor<dev.taskgate.v1.AbortTasksRequest, dev.taskgate.v1.AbortTasksResponse> getAbortTasksMethod;
    if ((getAbortTasksMethod = TaskServiceGrpc.getAbortTasksMethod) == null) {
      synchronized (TaskServiceGrpc.class) {
        if ((getAbortTasksMethod = TaskServiceGrpc.getAbortTasksMethod) == null) {
          TaskServiceGrpc.getAbortTasksMethod = getAbortTasksMethod =
              io.grpc.MethodDescriptor.<dev.taskgate.v1.AbortTasksRequest, dev.taskgate.v1.AbortTasksResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "AbortTasks"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.AbortTasksRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.AbortTasksResponse.getDefaultInstance()))
              .setSchemaDescriptor(new TaskServiceMethodDescriptorSupplier("AbortTasks"))
              .build();
        }
      }
    }
    return getAbortTasksMethod;
  }

  private static volatile io.grpc.MethodDescriptor<dev.taskgate.v1.RetryTasksRequest,
      dev.taskgate.v1.RetryTasksResponse> getRetryTasksMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "RetryTasks",
      requestType = dev.taskgate.v1.RetryTasksRequest.class,
      responseType = dev.taskgate.v1.RetryTasksResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<dev.taskgate.v1.RetryTasksRequest,
      dev.taskgate.v1.RetryTasksResponse> getRetryTasksMethod() {
    io.grpc.MethodDescriptor<dev.taskgate.v1.RetryTasksRequest, dev.taskgate.v1.RetryTasksResponse> getRetryTasksMethod;
    if ((getRetryTasksMethod = TaskServiceGrpc.getRetryTasksMethod) == null) {
      synchronized (TaskServiceGrpc.class) {
        if ((getRetryTasksMethod = TaskServiceGrpc.getRetryTasksMethod) == null) {
          TaskServiceGrpc.getRetryTasksMethod = getRetryTasksMethod =
              io.grpc.MethodDescriptor.<dev.taskgate.v1.RetryTasksRequest, dev.taskgate.v1.RetryTasksResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "RetryTasks"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.RetryTasksRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.RetryTasksResponse.getDefaultInstance()))
              .setSchemaDescriptor(new TaskServiceMethodDescriptorSupplier("RetryTasks"))
              .build();
        }
      }
    }
    return getRetryTasksMethod;
  }

  private static volatile io.grpc.MethodDescriptor<dev.taskgate.v1.DeleteTasksRequest,
      dev.taskgate.v1.DeleteTasksResponse> getDeleteTasksMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "DeleteTasks",
      requestType = dev.taskgate.v1.DeleteTasksRequest.class,
      responseType = dev.taskgate.v1.DeleteTasksResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<dev.taskgate.v1.DeleteTasksRequest,
      dev.taskgate.v1.DeleteTasksResponse> getDeleteTasksMethod() {
    io.grpc.MethodDescriptor<dev.taskgate.v1.DeleteTasksRequest, dev.taskgate.v1.DeleteTasksResponse> getDeleteTasksMethod;
    if ((getDeleteTasksMethod = TaskServiceGrpc.getDeleteTasksMethod) == null) {
      synchronized (TaskServiceGrpc.class) {
        if ((getDeleteTasksMethod = TaskServiceGrpc.getDeleteTasksMethod) == null) {
          TaskServiceGrpc.getDeleteTasksMethod = getDeleteTasksMethod =
              io.grpc.MethodDescriptor.<dev.taskgate.v1.DeleteTasksRequest, dev.taskgate.v1.DeleteTasksResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "DeleteTasks"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.DeleteTasksRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.DeleteTasksResponse.getDefaultInstance()))
              .setSchemaDescriptor(new TaskServiceMethodDescriptorSupplier("DeleteTasks"))
              .build();
        }
      }
    }
    return getDeleteTasksMethod;
  }

  private static volatile io.grpc.MethodDescriptor<dev.taskgate.v1.GetOperationRequest,
      dev.taskgate.v1.GetOperationResponse> getGetOperationMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "GetOperation",
      requestType = dev.taskgate.v1.GetOperationRequest.class,
      responseType = dev.taskgate.v1.GetOperationResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<dev.taskgate.v1.GetOperationRequest,
      dev.taskgate.v1.GetOperationResponse> getGetOperationMethod() {
    io.grpc.MethodDescriptor<dev.taskgate.v1.GetOperationRequest, dev.taskgate.v1.GetOperationResponse> getGetOperationMethod;
    if ((getGetOperationMethod = TaskServiceGrpc.getGetOperationMethod) == null) {
      synchronized (TaskServiceGrpc.class) {
        if ((getGetOperationMethod = TaskServiceGrpc.getGetOperationMethod) == null) {
          TaskServiceGrpc.getGetOperationMethod = getGetOperationMethod =
              io.grpc.MethodDescriptor.<dev.taskgate.v1.GetOperationRequest, dev.taskgate.v1.GetOperationResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "GetOperation"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.GetOperationRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.GetOperationResponse.getDefaultInstance()))
              .setSchemaDescriptor(new TaskServiceMethodDescriptorSupplier("GetOperation"))
              .build();
        }
      }
    }
    return getGetOperationMethod;
  }

  private static volatile io.grpc.MethodDescriptor<dev.taskgate.v1.WatchOperationRequest,
      dev.taskgate.v1.WatchOperationResponse> getWatchOperationMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "WatchOperation",
      requestType = dev.taskgate.v1.WatchOperationRequest.class,
      responseType = dev.taskgate.v1.WatchOperationResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING)
  public static io.grpc.MethodDescriptor<dev.taskgate.v1.WatchOperationRequest,
      dev.taskgate.v1.WatchOperationResponse> getWatchOperationMethod() {
    io.grpc.MethodDescriptor<dev.taskgate.v1.WatchOperationRequest, dev.taskgate.v1.WatchOperationResponse> getWatchOperationMethod;
    if ((getWatchOperationMethod = TaskServiceGrpc.getWatchOperationMethod) == null) {
      synchronized (TaskServiceGrpc.class) {
        if ((getWatchOperationMethod = TaskServiceGrpc.getWatchOperationMethod) == null) {
          TaskServiceGrpc.getWatchOperationMethod = getWatchOperationMethod =
              io.grpc.MethodDescriptor.<dev.taskgate.v1.WatchOperationRequest, dev.taskgate.v1.WatchOperationResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "WatchOperation"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.WatchOperationRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.WatchOperationResponse.getDefaultInstance()))
              .setSchemaDescriptor(new TaskServiceMethodDescriptorSupplier("WatchOperation"))
              .build();
        }
      }
    }
    return getWatchOperationMethod;
  }

  private static volatile io.grpc.MethodDescriptor<dev.taskgate.v1.StopOperationRequest,
      dev.taskgate.v1.StopOperationResponse> getStopOperationMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "StopOperation",
      requestType = dev.taskgate.v1.StopOperationRequest.class,
      responseType = dev.taskgate.v1.StopOperationResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<dev.taskgate.v1.StopOperationRequest,
      dev.taskgate.v1.StopOperationResponse> getStopOperationMethod() {
    io.grpc.MethodDescriptor<dev.taskgate.v1.StopOperationRequest, dev.taskgate.v1.StopOperationResponse> getStopOperationMethod;
    if ((getStopOperationMethod = TaskServiceGrpc.getStopOperationMethod) == null) {
      synchronized (TaskServiceGrpc.class) {
        if ((getStopOperationMethod = TaskServiceGrpc.getStopOperationMethod) == null) {
          TaskServiceGrpc.getStopOperationMethod = getStopOperationMethod =
              io.grpc.MethodDescriptor.<dev.taskgate.v1.StopOperationRequest, dev.taskgate.v1.StopOperationResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "StopOperation"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.StopOperationRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.StopOperationResponse.getDefaultInstance()))
              .setSchemaDescriptor(new TaskServiceMethodDescriptorSupplier("StopOperation"))
              .build();
        }
      }
    }
    return getStopOperationMethod;
  }

  private static volatile io.grpc.MethodDescriptor<dev.taskgate.v1.ListOperationsRequest,
      dev.taskgate.v1.ListOperationsResponse> getListOperationsMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ListOperations",
      requestType = dev.taskgate.v1.ListOperationsRequest.class,
      responseType = dev.taskgate.v1.ListOperationsResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<dev.taskgate.v1.ListOperationsRequest,
      dev.taskgate.v1.ListOperationsResponse> getListOperationsMethod() {
    io.grpc.MethodDescriptor<dev.taskgate.v1.ListOperationsRequest, dev.taskgate.v1.ListOperationsResponse> getListOperationsMethod;
    if ((getListOperationsMethod = TaskServiceGrpc.getListOperationsMethod) == null) {
      synchronized (TaskServiceGrpc.class) {
        if ((getListOperationsMethod = TaskServiceGrpc.getListOperationsMethod) == null) {
          TaskServiceGrpc.getListOperationsMethod = getListOperationsMethod =
              io.grpc.MethodDescriptor.<dev.taskgate.v1.ListOperationsRequest, dev.taskgate.v1.ListOperationsResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ListOperations"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.ListOperationsRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.ListOperationsResponse.getDefaultInstance()))
              .setSchemaDescriptor(new TaskServiceMethodDescriptorSupplier("ListOperations"))
              .build();
        }
      }
    }
    return getListOperationsMethod;
  }

  private static volatile io.grpc.MethodDescriptor<dev.taskgate.v1.GetLogsRequest,
      dev.taskgate.v1.GetLogsResponse> getGetLogsMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "GetLogs",
      requestType = dev.taskgate.v1.GetLogsRequest.class,
      responseType = dev.taskgate.v1.GetLogsResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<dev.taskgate.v1.GetLogsRequest,
      dev.taskgate.v1.GetLogsResponse> getGetLogsMethod() {
    io.grpc.MethodDescriptor<dev.taskgate.v1.GetLogsRequest, dev.taskgate.v1.GetLogsResponse> getGetLogsMethod;
    if ((getGetLogsMethod = TaskServiceGrpc.getGetLogsMethod) == null) {
      synchronized (TaskServiceGrpc.class) {
        if ((getGetLogsMethod = TaskServiceGrpc.getGetLogsMethod) == null) {
          TaskServiceGrpc.getGetLogsMethod = getGetLogsMethod =
              io.grpc.MethodDescriptor.<dev.taskgate.v1.GetLogsRequest, dev.taskgate.v1.GetLogsResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "GetLogs"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.GetLogsRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.GetLogsResponse.getDefaultInstance()))
              .setSchemaDescriptor(new TaskServiceMethodDescriptorSupplier("GetLogs"))
              .build();
        }
      }
    }
    return getGetLogsMethod;
  }

  private static volatile io.grpc.MethodDescriptor<dev.taskgate.v1.CreateScheduleRequest,
      dev.taskgate.v1.CreateScheduleResponse> getCreateScheduleMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "CreateSchedule",
      requestType = dev.taskgate.v1.CreateScheduleRequest.class,
      responseType = dev.taskgate.v1.CreateScheduleResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<dev.taskgate.v1.CreateScheduleRequest,
      dev.taskgate.v1.CreateScheduleResponse> getCreateScheduleMethod() {
    io.grpc.MethodDescriptor<dev.taskgate.v1.CreateScheduleRequest, dev.taskgate.v1.CreateScheduleResponse> getCreateScheduleMethod;
    if ((getCreateScheduleMethod = TaskServiceGrpc.getCreateScheduleMethod) == null) {
      synchronized (TaskServiceGrpc.class) {
        if ((getCreateScheduleMethod = TaskServiceGrpc.getCreateScheduleMethod) == null) {
          TaskServiceGrpc.getCreateScheduleMethod = getCreateScheduleMethod =
              io.grpc.MethodDescriptor.<dev.taskgate.v1.CreateScheduleRequest, dev.taskgate.v1.CreateScheduleResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "CreateSchedule"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.CreateScheduleRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.CreateScheduleResponse.getDefaultInstance()))
              .setSchemaDescriptor(new TaskServiceMethodDescriptorSupplier("CreateSchedule"))
              .build();
        }
      }
    }
    return getCreateScheduleMethod;
  }

  private static volatile io.grpc.MethodDescriptor<dev.taskgate.v1.GetScheduleRequest,
      dev.taskgate.v1.GetScheduleResponse> getGetScheduleMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "GetSchedule",
      requestType = dev.taskgate.v1.GetScheduleRequest.class,
      responseType = dev.taskgate.v1.GetScheduleResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<dev.taskgate.v1.GetScheduleRequest,
      dev.taskgate.v1.GetScheduleResponse> getGetScheduleMethod() {
    io.grpc.MethodDescriptor<dev.taskgate.v1.GetScheduleRequest, dev.taskgate.v1.GetScheduleResponse> getGetScheduleMethod;
    if ((getGetScheduleMethod = TaskServiceGrpc.getGetScheduleMethod) == null) {
      synchronized (TaskServiceGrpc.class) {
        if ((getGetScheduleMethod = TaskServiceGrpc.getGetScheduleMethod) == null) {
          TaskServiceGrpc.getGetScheduleMethod = getGetScheduleMethod =
              io.grpc.MethodDescriptor.<dev.taskgate.v1.GetScheduleRequest, dev.taskgate.v1.GetScheduleResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "GetSchedule"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.GetScheduleRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.GetScheduleResponse.getDefaultInstance()))
              .setSchemaDescriptor(new TaskServiceMethodDescriptorSupplier("GetSchedule"))
              .build();
        }
      }
    }
    return getGetScheduleMethod;
  }

  private static volatile io.grpc.MethodDescriptor<dev.taskgate.v1.ListSchedulesRequest,
      dev.taskgate.v1.ListSchedulesResponse> getListSchedulesMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ListSchedules",
      requestType = dev.taskgate.v1.ListSchedulesRequest.class,
      responseType = dev.taskgate.v1.ListSchedulesResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<dev.taskgate.v1.ListSchedulesRequest,
      dev.taskgate.v1.ListSchedulesResponse> getListSchedulesMethod() {
    io.grpc.MethodDescriptor<dev.taskgate.v1.ListSchedulesRequest, dev.taskgate.v1.ListSchedulesResponse> getListSchedulesMethod;
    if ((getListSchedulesMethod = TaskServiceGrpc.getListSchedulesMethod) == null) {
      synchronized (TaskServiceGrpc.class) {
        if ((getListSchedulesMethod = TaskServiceGrpc.getListSchedulesMethod) == null) {
          TaskServiceGrpc.getListSchedulesMethod = getListSchedulesMethod =
              io.grpc.MethodDescriptor.<dev.taskgate.v1.ListSchedulesRequest, dev.taskgate.v1.ListSchedulesResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ListSchedules"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.ListSchedulesRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.ListSchedulesResponse.getDefaultInstance()))
              .setSchemaDescriptor(new TaskServiceMethodDescriptorSupplier("ListSchedules"))
              .build();
        }
      }
    }
    return getListSchedulesMethod;
  }

  private static volatile io.grpc.MethodDescriptor<dev.taskgate.v1.UpdateScheduleRequest,
      dev.taskgate.v1.UpdateScheduleResponse> getUpdateScheduleMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "UpdateSchedule",
      requestType = dev.taskgate.v1.UpdateScheduleRequest.class,
      responseType = dev.taskgate.v1.UpdateScheduleResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<dev.taskgate.v1.UpdateScheduleRequest,
      dev.taskgate.v1.UpdateScheduleResponse> getUpdateScheduleMethod() {
    io.grpc.MethodDescriptor<dev.taskgate.v1.UpdateScheduleRequest, dev.taskgate.v1.UpdateScheduleResponse> getUpdateScheduleMethod;
    if ((getUpdateScheduleMethod = TaskServiceGrpc.getUpdateScheduleMethod) == null) {
      synchronized (TaskServiceGrpc.class) {
        if ((getUpdateScheduleMethod = TaskServiceGrpc.getUpdateScheduleMethod) == null) {
          TaskServiceGrpc.getUpdateScheduleMethod = getUpdateScheduleMethod =
              io.grpc.MethodDescriptor.<dev.taskgate.v1.UpdateScheduleRequest, dev.taskgate.v1.UpdateScheduleResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "UpdateSchedule"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.UpdateScheduleRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.UpdateScheduleResponse.getDefaultInstance()))
              .setSchemaDescriptor(new TaskServiceMethodDescriptorSupplier("UpdateSchedule"))
              .build();
        }
      }
    }
    return getUpdateScheduleMethod;
  }

  private static volatile io.grpc.MethodDescriptor<dev.taskgate.v1.DeleteScheduleRequest,
      dev.taskgate.v1.DeleteScheduleResponse> getDeleteScheduleMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "DeleteSchedule",
      requestType = dev.taskgate.v1.DeleteScheduleRequest.class,
      responseType = dev.taskgate.v1.DeleteScheduleResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<dev.taskgate.v1.DeleteScheduleRequest,
      dev.taskgate.v1.DeleteScheduleResponse> getDeleteScheduleMethod() {
    io.grpc.MethodDescriptor<dev.taskgate.v1.DeleteScheduleRequest, dev.taskgate.v1.DeleteScheduleResponse> getDeleteScheduleMethod;
    if ((getDeleteScheduleMethod = TaskServiceGrpc.getDeleteScheduleMethod) == null) {
      synchronized (TaskServiceGrpc.class) {
        if ((getDeleteScheduleMethod = TaskServiceGrpc.getDeleteScheduleMethod) == null) {
          TaskServiceGrpc.getDeleteScheduleMethod = getDeleteScheduleMethod =
              io.grpc.MethodDescriptor.<dev.taskgate.v1.DeleteScheduleRequest, dev.taskgate.v1.DeleteScheduleResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "DeleteSchedule"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.DeleteScheduleRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.DeleteScheduleResponse.getDefaultInstance()))
              .setSchemaDescriptor(new TaskServiceMethodDescriptorSupplier("DeleteSchedule"))
              .build();
        }
      }
    }
    return getDeleteScheduleMethod;
  }

  private static volatile io.grpc.MethodDescriptor<dev.taskgate.v1.PauseScheduleRequest,
      dev.taskgate.v1.PauseScheduleResponse> getPauseScheduleMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "PauseSchedule",
      requestType = dev.taskgate.v1.PauseScheduleRequest.class,
      responseType = dev.taskgate.v1.PauseScheduleResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<dev.taskgate.v1.PauseScheduleRequest,
      dev.taskgate.v1.PauseScheduleResponse> getPauseScheduleMethod() {
    io.grpc.MethodDescriptor<dev.taskgate.v1.PauseScheduleRequest, dev.taskgate.v1.PauseScheduleResponse> getPauseScheduleMethod;
    if ((getPauseScheduleMethod = TaskServiceGrpc.getPauseScheduleMethod) == null) {
      synchronized (TaskServiceGrpc.class) {
        if ((getPauseScheduleMethod = TaskServiceGrpc.getPauseScheduleMethod) == null) {
          TaskServiceGrpc.getPauseScheduleMethod = getPauseScheduleMethod =
              io.grpc.MethodDescriptor.<dev.taskgate.v1.PauseScheduleRequest, dev.taskgate.v1.PauseScheduleResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "PauseSchedule"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.PauseScheduleRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.PauseScheduleResponse.getDefaultInstance()))
              .setSchemaDescriptor(new TaskServiceMethodDescriptorSupplier("PauseSchedule"))
              .build();
        }
      }
    }
    return getPauseScheduleMethod;
  }

  private static volatile io.grpc.MethodDescriptor<dev.taskgate.v1.ResumeScheduleRequest,
      dev.taskgate.v1.ResumeScheduleResponse> getResumeScheduleMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ResumeSchedule",
      requestType = dev.taskgate.v1.ResumeScheduleRequest.class,
      responseType = dev.taskgate.v1.ResumeScheduleResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<dev.taskgate.v1.ResumeScheduleRequest,
      dev.taskgate.v1.ResumeScheduleResponse> getResumeScheduleMethod() {
    io.grpc.MethodDescriptor<dev.taskgate.v1.ResumeScheduleRequest, dev.taskgate.v1.ResumeScheduleResponse> getResumeScheduleMethod;
    if ((getResumeScheduleMethod = TaskServiceGrpc.getResumeScheduleMethod) == null) {
      synchronized (TaskServiceGrpc.class) {
        if ((getResumeScheduleMethod = TaskServiceGrpc.getResumeScheduleMethod) == null) {
          TaskServiceGrpc.getResumeScheduleMethod = getResumeScheduleMethod =
              io.grpc.MethodDescriptor.<dev.taskgate.v1.ResumeScheduleRequest, dev.taskgate.v1.ResumeScheduleResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ResumeSchedule"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.ResumeScheduleRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.ResumeScheduleResponse.getDefaultInstance()))
              .setSchemaDescriptor(new TaskServiceMethodDescriptorSupplier("ResumeSchedule"))
              .build();
        }
      }
    }
    return getResumeScheduleMethod;
  }

  private static volatile io.grpc.MethodDescriptor<dev.taskgate.v1.TriggerScheduleRequest,
      dev.taskgate.v1.TriggerScheduleResponse> getTriggerScheduleMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "TriggerSchedule",
      requestType = dev.taskgate.v1.TriggerScheduleRequest.class,
      responseType = dev.taskgate.v1.TriggerScheduleResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<dev.taskgate.v1.TriggerScheduleRequest,
      dev.taskgate.v1.TriggerScheduleResponse> getTriggerScheduleMethod() {
    io.grpc.MethodDescriptor<dev.taskgate.v1.TriggerScheduleRequest, dev.taskgate.v1.TriggerScheduleResponse> getTriggerScheduleMethod;
    if ((getTriggerScheduleMethod = TaskServiceGrpc.getTriggerScheduleMethod) == null) {
      synchronized (TaskServiceGrpc.class) {
        if ((getTriggerScheduleMethod = TaskServiceGrpc.getTriggerScheduleMethod) == null) {
          TaskServiceGrpc.getTriggerScheduleMethod = getTriggerScheduleMethod =
              io.grpc.MethodDescriptor.<dev.taskgate.v1.TriggerScheduleRequest, dev.taskgate.v1.TriggerScheduleResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "TriggerSchedule"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.TriggerScheduleRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.taskgate.v1.TriggerScheduleResponse.getDefaultInstance()))
              .setSchemaDescriptor(new TaskServiceMethodDescriptorSupplier("TriggerSchedule"))
              .build();
        }
      }
    }
    return getTriggerScheduleMethod;
  }

  /**
   * Creates a new async stub that supports all call types for the service
   */
  public static TaskServiceStub newStub(io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<TaskServiceStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<TaskServiceStub>() {
        @java.lang.Override
        public TaskServiceStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new TaskServiceStub(channel, callOptions);
        }
      };
    return TaskServiceStub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports all types of calls on the service
   */
  public static TaskServiceBlockingV2Stub newBlockingV2Stub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<TaskServiceBlockingV2Stub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<TaskServiceBlockingV2Stub>() {
        @java.lang.Override
        public TaskServiceBlockingV2Stub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new TaskServiceBlockingV2Stub(channel, callOptions);
        }
      };
    return TaskServiceBlockingV2Stub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports unary and streaming output calls on the service
   */
  public static TaskServiceBlockingStub newBlockingStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<TaskServiceBlockingStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<TaskServiceBlockingStub>() {
        @java.lang.Override
        public TaskServiceBlockingStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new TaskServiceBlockingStub(channel, callOptions);
        }
      };
    return TaskServiceBlockingStub.newStub(factory, channel);
  }

  /**
   * Creates a new ListenableFuture-style stub that supports unary calls on the service
   */
  public static TaskServiceFutureStub newFutureStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<TaskServiceFutureStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<TaskServiceFutureStub>() {
        @java.lang.Override
        public TaskServiceFutureStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new TaskServiceFutureStub(channel, callOptions);
        }
      };
    return TaskServiceFutureStub.newStub(factory, channel);
  }

  /**
   * <pre>
   * Runs Python Celery tasks.
   * Every error carries a google.rpc.ErrorInfo (domain "taskgate") whose reason says exactly what was
   * wrong; wrong fields come as google.rpc.BadRequest too, and what is worth trying again carries a
   * google.rpc.RetryInfo.
   * </pre>
   */
  public interface AsyncService {

    /**
     * <pre>
     * Records a task and has it run. Once answered, the task is on disk and will run, even if the
     * broker is down.
     * </pre>
     */
    default void submit(dev.taskgate.v1.SubmitRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.SubmitResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getSubmitMethod(), responseObserver);
    }

    /**
     * <pre>
     * Looks a task up, and waits for its end if asked to. An id that was never submitted is
     * NOT_FOUND.
     * </pre>
     */
    default void get(dev.taskgate.v1.GetRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.GetResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getGetMethod(), responseObserver);
    }

    /**
     * <pre>
     * Submits a final task again, as a new task with the same arguments or with other ones.
     * </pre>
     */
    default void retry(dev.taskgate.v1.RetryRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.RetryResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getRetryMethod(), responseObserver);
    }

    /**
     * <pre>
     * Aborts a task. One that has not started never will. One that runs is told, and should stop by
     * itself; if it never looks and completes, it SUCCEEDED, with the abort recorded beside it.
     * Aborting an ABORTING task again changes nothing; a final task is FAILED_PRECONDITION.
     * </pre>
     */
    default void abort(dev.taskgate.v1.AbortRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.AbortResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getAbortMethod(), responseObserver);
    }

    /**
     * <pre>
     * Submits many tasks in one transaction. Each is answered for itself: a bad one does not spoil
     * the others.
     * </pre>
     */
    default void submitBatch(dev.taskgate.v1.SubmitBatchRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.SubmitBatchResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getSubmitBatchMethod(), responseObserver);
    }

    /**
     * <pre>
     * Lists tasks, the newest first.
     * </pre>
     */
    default void list(dev.taskgate.v1.ListRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.ListResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getListMethod(), responseObserver);
    }

    /**
     * <pre>
     * Streams tasks as they change: first each task as it is, then each newer version, until all of
     * them are final. A slow reader misses versions in between, never the newest one. An id that was
     * never submitted is NOT_FOUND.
     * </pre>
     */
    default void watch(dev.taskgate.v1.WatchRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.WatchResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getWatchMethod(), responseObserver);
    }

    /**
     * <pre>
     * Lists the task types that workers have registered, by name.
     * </pre>
     */
    default void listTaskTypes(dev.taskgate.v1.ListTaskTypesRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.ListTaskTypesResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getListTaskTypesMethod(), responseObserver);
    }

    /**
     * <pre>
     * Lists workers, the living and the dead, the newest first.
     * </pre>
     */
    default void listWorkers(dev.taskgate.v1.ListWorkersRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.ListWorkersResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getListWorkersMethod(), responseObserver);
    }

    /**
     * <pre>
     * Lists queues, by name: those of living workers, task types and settings, and those that have
     * tasks.
     * </pre>
     */
    default void listQueues(dev.taskgate.v1.ListQueuesRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.ListQueuesResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getListQueuesMethod(), responseObserver);
    }

    /**
     * <pre>
     * Says what is going on: how many tasks are in each state, wait in each queue and of each type,
     * for how long, and what happened within the last minute. One reading of the record serves all
     * who ask; it is a second old, and more where the record is so large that reading takes longer.
     * </pre>
     */
    default void getStats(dev.taskgate.v1.GetStatsRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.GetStatsResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getGetStatsMethod(), responseObserver);
    }

    /**
     * <pre>
     * Has nothing new of a queue or of a task type start, from the answer on. What runs goes on, and
     * what waits, retries and delayed tasks included, keeps waiting. Pausing again changes nothing.
     * </pre>
     */
    default void pause(dev.taskgate.v1.PauseRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.PauseResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getPauseMethod(), responseObserver);
    }

    /**
     * <pre>
     * Ends a pause: what waits starts at once. Resuming what is not paused changes nothing.
     * </pre>
     */
    default void resume(dev.taskgate.v1.ResumeRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.ResumeResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getResumeMethod(), responseObserver);
    }

    /**
     * <pre>
     * Lists what is paused, since when, by whom and why.
     * </pre>
     */
    default void listPauses(dev.taskgate.v1.ListPausesRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.ListPausesResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getListPausesMethod(), responseObserver);
    }

    /**
     * <pre>
     * Lists what happened to a task, or to all: who did what, and every change of state. A program
     * that follows everything goes on after the last answer's cursor, and waits for more: no end, no
     * failed attempt and no call is ever skipped.
     * </pre>
     */
    default void listEvents(dev.taskgate.v1.ListEventsRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.ListEventsResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getListEventsMethod(), responseObserver);
    }

    /**
     * <pre>
     * Counts the tasks that fit a filter, if wanted apart by state, type or queue.
     * </pre>
     */
    default void count(dev.taskgate.v1.CountRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.CountResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getCountMethod(), responseObserver);
    }

    /**
     * <pre>
     * Aborts many tasks, as Abort does each, by an operation that goes on after the answer.
     * </pre>
     */
    default void abortTasks(dev.taskgate.v1.AbortTasksRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.AbortTasksResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getAbortTasksMethod(), responseObserver);
    }

    /**
     * <pre>
     * Submits many final tasks again, each with its own arguments, by an operation that goes on after
     * the answer.
     * </pre>
     */
    default void retryTasks(dev.taskgate.v1.RetryTasksRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.RetryTasksResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getRetryTasksMethod(), responseObserver);
    }

    /**
     * <pre>
     * Deletes the records of many final tasks, by an operation that goes on after the answer.
     * </pre>
     */
    default void deleteTasks(dev.taskgate.v1.DeleteTasksRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.DeleteTasksResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getDeleteTasksMethod(), responseObserver);
    }

    /**
     * <pre>
     * Looks an operation up.
     * </pre>
     */
    default void getOperation(dev.taskgate.v1.GetOperationRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.GetOperationResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getGetOperationMethod(), responseObserver);
    }

    /**
     * <pre>
     * Streams an operation as it goes on, until it has ended.
     * </pre>
     */
    default void watchOperation(dev.taskgate.v1.WatchOperationRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.WatchOperationResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getWatchOperationMethod(), responseObserver);
    }

    /**
     * <pre>
     * Stops an operation. What it has done stays done.
     * </pre>
     */
    default void stopOperation(dev.taskgate.v1.StopOperationRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.StopOperationResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getStopOperationMethod(), responseObserver);
    }

    /**
     * <pre>
     * Lists operations, the newest first.
     * </pre>
     */
    default void listOperations(dev.taskgate.v1.ListOperationsRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.ListOperationsResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getListOperationsMethod(), responseObserver);
    }

    /**
     * <pre>
     * Answers what the attempts of a task have logged, and waits for more if asked to. A line that a
     * running task logs can be read about a second later.
     * </pre>
     */
    default void getLogs(dev.taskgate.v1.GetLogsRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.GetLogsResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getGetLogsMethod(), responseObserver);
    }

    /**
     * <pre>
     * Records what submits a task at each of its ticks.
     * </pre>
     */
    default void createSchedule(dev.taskgate.v1.CreateScheduleRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.CreateScheduleResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getCreateScheduleMethod(), responseObserver);
    }

    /**
     * <pre>
     * Looks a schedule up: its next ticks, and what became of the last one.
     * </pre>
     */
    default void getSchedule(dev.taskgate.v1.GetScheduleRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.GetScheduleResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getGetScheduleMethod(), responseObserver);
    }

    /**
     * <pre>
     * Lists schedules, by id.
     * </pre>
     */
    default void listSchedules(dev.taskgate.v1.ListSchedulesRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.ListSchedulesResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getListSchedulesMethod(), responseObserver);
    }

    /**
     * <pre>
     * Changes fields of a schedule.
     * </pre>
     */
    default void updateSchedule(dev.taskgate.v1.UpdateScheduleRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.UpdateScheduleResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getUpdateScheduleMethod(), responseObserver);
    }

    /**
     * <pre>
     * Deletes a schedule. The tasks that it submitted stay.
     * </pre>
     */
    default void deleteSchedule(dev.taskgate.v1.DeleteScheduleRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.DeleteScheduleResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getDeleteScheduleMethod(), responseObserver);
    }

    /**
     * <pre>
     * Has a schedule tick no more.
     * </pre>
     */
    default void pauseSchedule(dev.taskgate.v1.PauseScheduleRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.PauseScheduleResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getPauseScheduleMethod(), responseObserver);
    }

    /**
     * <pre>
     * Has a schedule tick again, from its next tick on.
     * </pre>
     */
    default void resumeSchedule(dev.taskgate.v1.ResumeScheduleRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.ResumeScheduleResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getResumeScheduleMethod(), responseObserver);
    }

    /**
     * <pre>
     * Submits a schedule's task now, beside its ticks and whatever its policies say.
     * </pre>
     */
    default void triggerSchedule(dev.taskgate.v1.TriggerScheduleRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.TriggerScheduleResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getTriggerScheduleMethod(), responseObserver);
    }
  }

  /**
   * Base class for the server implementation of the service TaskService.
   * <pre>
   * Runs Python Celery tasks.
   * Every error carries a google.rpc.ErrorInfo (domain "taskgate") whose reason says exactly what was
   * wrong; wrong fields come as google.rpc.BadRequest too, and what is worth trying again carries a
   * google.rpc.RetryInfo.
   * </pre>
   */
  public static abstract class TaskServiceImplBase
      implements io.grpc.BindableService, AsyncService {

    @java.lang.Override public final io.grpc.ServerServiceDefinition bindService() {
      return TaskServiceGrpc.bindService(this);
    }
  }

  /**
   * A stub to allow clients to do asynchronous rpc calls to service TaskService.
   * <pre>
   * Runs Python Celery tasks.
   * Every error carries a google.rpc.ErrorInfo (domain "taskgate") whose reason says exactly what was
   * wrong; wrong fields come as google.rpc.BadRequest too, and what is worth trying again carries a
   * google.rpc.RetryInfo.
   * </pre>
   */
  public static final class TaskServiceStub
      extends io.grpc.stub.AbstractAsyncStub<TaskServiceStub> {
    private TaskServiceStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected TaskServiceStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new TaskServiceStub(channel, callOptions);
    }

    /**
     * <pre>
     * Records a task and has it run. Once answered, the task is on disk and will run, even if the
     * broker is down.
     * </pre>
     */
    public void submit(dev.taskgate.v1.SubmitRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.SubmitResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getSubmitMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Looks a task up, and waits for its end if asked to. An id that was never submitted is
     * NOT_FOUND.
     * </pre>
     */
    public void get(dev.taskgate.v1.GetRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.GetResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getGetMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Submits a final task again, as a new task with the same arguments or with other ones.
     * </pre>
     */
    public void retry(dev.taskgate.v1.RetryRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.RetryResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getRetryMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Aborts a task. One that has not started never will. One that runs is told, and should stop by
     * itself; if it never looks and completes, it SUCCEEDED, with the abort recorded beside it.
     * Aborting an ABORTING task again changes nothing; a final task is FAILED_PRECONDITION.
     * </pre>
     */
    public void abort(dev.taskgate.v1.AbortRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.AbortResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getAbortMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Submits many tasks in one transaction. Each is answered for itself: a bad one does not spoil
     * the others.
     * </pre>
     */
    public void submitBatch(dev.taskgate.v1.SubmitBatchRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.SubmitBatchResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getSubmitBatchMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Lists tasks, the newest first.
     * </pre>
     */
    public void list(dev.taskgate.v1.ListRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.ListResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getListMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Streams tasks as they change: first each task as it is, then each newer version, until all of
     * them are final. A slow reader misses versions in between, never the newest one. An id that was
     * never submitted is NOT_FOUND.
     * </pre>
     */
    public void watch(dev.taskgate.v1.WatchRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.WatchResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncServerStreamingCall(
          getChannel().newCall(getWatchMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Lists the task types that workers have registered, by name.
     * </pre>
     */
    public void listTaskTypes(dev.taskgate.v1.ListTaskTypesRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.ListTaskTypesResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getListTaskTypesMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Lists workers, the living and the dead, the newest first.
     * </pre>
     */
    public void listWorkers(dev.taskgate.v1.ListWorkersRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.ListWorkersResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getListWorkersMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Lists queues, by name: those of living workers, task types and settings, and those that have
     * tasks.
     * </pre>
     */
    public void listQueues(dev.taskgate.v1.ListQueuesRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.ListQueuesResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getListQueuesMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Says what is going on: how many tasks are in each state, wait in each queue and of each type,
     * for how long, and what happened within the last minute. One reading of the record serves all
     * who ask; it is a second old, and more where the record is so large that reading takes longer.
     * </pre>
     */
    public void getStats(dev.taskgate.v1.GetStatsRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.GetStatsResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getGetStatsMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Has nothing new of a queue or of a task type start, from the answer on. What runs goes on, and
     * what waits, retries and delayed tasks included, keeps waiting. Pausing again changes nothing.
     * </pre>
     */
    public void pause(dev.taskgate.v1.PauseRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.PauseResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getPauseMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Ends a pause: what waits starts at once. Resuming what is not paused changes nothing.
     * </pre>
     */
    public void resume(dev.taskgate.v1.ResumeRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.ResumeResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getResumeMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Lists what is paused, since when, by whom and why.
     * </pre>
     */
    public void listPauses(dev.taskgate.v1.ListPausesRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.ListPausesResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getListPausesMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Lists what happened to a task, or to all: who did what, and every change of state. A program
     * that follows everything goes on after the last answer's cursor, and waits for more: no end, no
     * failed attempt and no call is ever skipped.
     * </pre>
     */
    public void listEvents(dev.taskgate.v1.ListEventsRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.ListEventsResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getListEventsMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Counts the tasks that fit a filter, if wanted apart by state, type or queue.
     * </pre>
     */
    public void count(dev.taskgate.v1.CountRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.CountResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getCountMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Aborts many tasks, as Abort does each, by an operation that goes on after the answer.
     * </pre>
     */
    public void abortTasks(dev.taskgate.v1.AbortTasksRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.AbortTasksResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getAbortTasksMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Submits many final tasks again, each with its own arguments, by an operation that goes on after
     * the answer.
     * </pre>
     */
    public void retryTasks(dev.taskgate.v1.RetryTasksRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.RetryTasksResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getRetryTasksMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Deletes the records of many final tasks, by an operation that goes on after the answer.
     * </pre>
     */
    public void deleteTasks(dev.taskgate.v1.DeleteTasksRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.DeleteTasksResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getDeleteTasksMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Looks an operation up.
     * </pre>
     */
    public void getOperation(dev.taskgate.v1.GetOperationRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.GetOperationResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getGetOperationMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Streams an operation as it goes on, until it has ended.
     * </pre>
     */
    public void watchOperation(dev.taskgate.v1.WatchOperationRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.WatchOperationResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncServerStreamingCall(
          getChannel().newCall(getWatchOperationMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Stops an operation. What it has done stays done.
     * </pre>
     */
    public void stopOperation(dev.taskgate.v1.StopOperationRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.StopOperationResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getStopOperationMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Lists operations, the newest first.
     * </pre>
     */
    public void listOperations(dev.taskgate.v1.ListOperationsRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.ListOperationsResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getListOperationsMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Answers what the attempts of a task have logged, and waits for more if asked to. A line that a
     * running task logs can be read about a second later.
     * </pre>
     */
    public void getLogs(dev.taskgate.v1.GetLogsRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.GetLogsResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getGetLogsMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Records what submits a task at each of its ticks.
     * </pre>
     */
    public void createSchedule(dev.taskgate.v1.CreateScheduleRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.CreateScheduleResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getCreateScheduleMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Looks a schedule up: its next ticks, and what became of the last one.
     * </pre>
     */
    public void getSchedule(dev.taskgate.v1.GetScheduleRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.GetScheduleResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getGetScheduleMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Lists schedules, by id.
     * </pre>
     */
    public void listSchedules(dev.taskgate.v1.ListSchedulesRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.ListSchedulesResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getListSchedulesMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Changes fields of a schedule.
     * </pre>
     */
    public void updateSchedule(dev.taskgate.v1.UpdateScheduleRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.UpdateScheduleResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getUpdateScheduleMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Deletes a schedule. The tasks that it submitted stay.
     * </pre>
     */
    public void deleteSchedule(dev.taskgate.v1.DeleteScheduleRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.DeleteScheduleResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getDeleteScheduleMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Has a schedule tick no more.
     * </pre>
     */
    public void pauseSchedule(dev.taskgate.v1.PauseScheduleRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.PauseScheduleResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getPauseScheduleMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Has a schedule tick again, from its next tick on.
     * </pre>
     */
    public void resumeSchedule(dev.taskgate.v1.ResumeScheduleRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.ResumeScheduleResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getResumeScheduleMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Submits a schedule's task now, beside its ticks and whatever its policies say.
     * </pre>
     */
    public void triggerSchedule(dev.taskgate.v1.TriggerScheduleRequest request,
        io.grpc.stub.StreamObserver<dev.taskgate.v1.TriggerScheduleResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getTriggerScheduleMethod(), getCallOptions()), request, responseObserver);
    }
  }

  /**
   * A stub to allow clients to do synchronous rpc calls to service TaskService.
   * <pre>
   * Runs Python Celery tasks.
   * Every error carries a google.rpc.ErrorInfo (domain "taskgate") whose reason says exactly what was
   * wrong; wrong fields come as google.rpc.BadRequest too, and what is worth trying again carries a
   * google.rpc.RetryInfo.
   * </pre>
   */
  public static final class TaskServiceBlockingV2Stub
      extends io.grpc.stub.AbstractBlockingStub<TaskServiceBlockingV2Stub> {
    private TaskServiceBlockingV2Stub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected TaskServiceBlockingV2Stub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new TaskServiceBlockingV2Stub(channel, callOptions);
    }

    /**
     * <pre>
     * Records a task and has it run. Once answered, the task is on disk and will run, even if the
     * broker is down.
     * </pre>
     */
    public dev.taskgate.v1.SubmitResponse submit(dev.taskgate.v1.SubmitRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getSubmitMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Looks a task up, and waits for its end if asked to. An id that was never submitted is
     * NOT_FOUND.
     * </pre>
     */
    public dev.taskgate.v1.GetResponse get(dev.taskgate.v1.GetRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getGetMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Submits a final task again, as a new task with the same arguments or with other ones.
     * </pre>
     */
    public dev.taskgate.v1.RetryResponse retry(dev.taskgate.v1.RetryRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getRetryMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Aborts a task. One that has not started never will. One that runs is told, and should stop by
     * itself; if it never looks and completes, it SUCCEEDED, with the abort recorded beside it.
     * Aborting an ABORTING task again changes nothing; a final task is FAILED_PRECONDITION.
     * </pre>
     */
    public dev.taskgate.v1.AbortResponse abort(dev.taskgate.v1.AbortRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getAbortMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Submits many tasks in one transaction. Each is answered for itself: a bad one does not spoil
     * the others.
     * </pre>
     */
    public dev.taskgate.v1.SubmitBatchResponse submitBatch(dev.taskgate.v1.SubmitBatchRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getSubmitBatchMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists tasks, the newest first.
     * </pre>
     */
    public dev.taskgate.v1.ListResponse list(dev.taskgate.v1.ListRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getListMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Streams tasks as they change: first each task as it is, then each newer version, until all of
     * them are final. A slow reader misses versions in between, never the newest one. An id that was
     * never submitted is NOT_FOUND.
     * </pre>
     */
    @io.grpc.ExperimentalApi("https://github.com/grpc/grpc-java/issues/10918")
    public io.grpc.stub.BlockingClientCall<?, dev.taskgate.v1.WatchResponse>
        watch(dev.taskgate.v1.WatchRequest request) {
      return io.grpc.stub.ClientCalls.blockingV2ServerStreamingCall(
          getChannel(), getWatchMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists the task types that workers have registered, by name.
     * </pre>
     */
    public dev.taskgate.v1.ListTaskTypesResponse listTaskTypes(dev.taskgate.v1.ListTaskTypesRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getListTaskTypesMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists workers, the living and the dead, the newest first.
     * </pre>
     */
    public dev.taskgate.v1.ListWorkersResponse listWorkers(dev.taskgate.v1.ListWorkersRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getListWorkersMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists queues, by name: those of living workers, task types and settings, and those that have
     * tasks.
     * </pre>
     */
    public dev.taskgate.v1.ListQueuesResponse listQueues(dev.taskgate.v1.ListQueuesRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getListQueuesMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Says what is going on: how many tasks are in each state, wait in each queue and of each type,
     * for how long, and what happened within the last minute. One reading of the record serves all
     * who ask; it is a second old, and more where the record is so large that reading takes longer.
     * </pre>
     */
    public dev.taskgate.v1.GetStatsResponse getStats(dev.taskgate.v1.GetStatsRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getGetStatsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Has nothing new of a queue or of a task type start, from the answer on. What runs goes on, and
     * what waits, retries and delayed tasks included, keeps waiting. Pausing again changes nothing.
     * </pre>
     */
    public dev.taskgate.v1.PauseResponse pause(dev.taskgate.v1.PauseRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getPauseMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Ends a pause: what waits starts at once. Resuming what is not paused changes nothing.
     * </pre>
     */
    public dev.taskgate.v1.ResumeResponse resume(dev.taskgate.v1.ResumeRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getResumeMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists what is paused, since when, by whom and why.
     * </pre>
     */
    public dev.taskgate.v1.ListPausesResponse listPauses(dev.taskgate.v1.ListPausesRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getListPausesMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists what happened to a task, or to all: who did what, and every change of state. A program
     * that follows everything goes on after the last answer's cursor, and waits for more: no end, no
     * failed attempt and no call is ever skipped.
     * </pre>
     */
    public dev.taskgate.v1.ListEventsResponse listEvents(dev.taskgate.v1.ListEventsRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getListEventsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Counts the tasks that fit a filter, if wanted apart by state, type or queue.
     * </pre>
     */
    public dev.taskgate.v1.CountResponse count(dev.taskgate.v1.CountRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getCountMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Aborts many tasks, as Abort does each, by an operation that goes on after the answer.
     * </pre>
     */
    public dev.taskgate.v1.AbortTasksResponse abortTasks(dev.taskgate.v1.AbortTasksRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getAbortTasksMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Submits many final tasks again, each with its own arguments, by an operation that goes on after
     * the answer.
     * </pre>
     */
    public dev.taskgate.v1.RetryTasksResponse retryTasks(dev.taskgate.v1.RetryTasksRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getRetryTasksMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Deletes the records of many final tasks, by an operation that goes on after the answer.
     * </pre>
     */
    public dev.taskgate.v1.DeleteTasksResponse deleteTasks(dev.taskgate.v1.DeleteTasksRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getDeleteTasksMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Looks an operation up.
     * </pre>
     */
    public dev.taskgate.v1.GetOperationResponse getOperation(dev.taskgate.v1.GetOperationRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getGetOperationMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Streams an operation as it goes on, until it has ended.
     * </pre>
     */
    @io.grpc.ExperimentalApi("https://github.com/grpc/grpc-java/issues/10918")
    public io.grpc.stub.BlockingClientCall<?, dev.taskgate.v1.WatchOperationResponse>
        watchOperation(dev.taskgate.v1.WatchOperationRequest request) {
      return io.grpc.stub.ClientCalls.blockingV2ServerStreamingCall(
          getChannel(), getWatchOperationMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Stops an operation. What it has done stays done.
     * </pre>
     */
    public dev.taskgate.v1.StopOperationResponse stopOperation(dev.taskgate.v1.StopOperationRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getStopOperationMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists operations, the newest first.
     * </pre>
     */
    public dev.taskgate.v1.ListOperationsResponse listOperations(dev.taskgate.v1.ListOperationsRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getListOperationsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Answers what the attempts of a task have logged, and waits for more if asked to. A line that a
     * running task logs can be read about a second later.
     * </pre>
     */
    public dev.taskgate.v1.GetLogsResponse getLogs(dev.taskgate.v1.GetLogsRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getGetLogsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Records what submits a task at each of its ticks.
     * </pre>
     */
    public dev.taskgate.v1.CreateScheduleResponse createSchedule(dev.taskgate.v1.CreateScheduleRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getCreateScheduleMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Looks a schedule up: its next ticks, and what became of the last one.
     * </pre>
     */
    public dev.taskgate.v1.GetScheduleResponse getSchedule(dev.taskgate.v1.GetScheduleRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getGetScheduleMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists schedules, by id.
     * </pre>
     */
    public dev.taskgate.v1.ListSchedulesResponse listSchedules(dev.taskgate.v1.ListSchedulesRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getListSchedulesMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Changes fields of a schedule.
     * </pre>
     */
    public dev.taskgate.v1.UpdateScheduleResponse updateSchedule(dev.taskgate.v1.UpdateScheduleRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getUpdateScheduleMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Deletes a schedule. The tasks that it submitted stay.
     * </pre>
     */
    public dev.taskgate.v1.DeleteScheduleResponse deleteSchedule(dev.taskgate.v1.DeleteScheduleRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getDeleteScheduleMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Has a schedule tick no more.
     * </pre>
     */
    public dev.taskgate.v1.PauseScheduleResponse pauseSchedule(dev.taskgate.v1.PauseScheduleRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getPauseScheduleMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Has a schedule tick again, from its next tick on.
     * </pre>
     */
    public dev.taskgate.v1.ResumeScheduleResponse resumeSchedule(dev.taskgate.v1.ResumeScheduleRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getResumeScheduleMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Submits a schedule's task now, beside its ticks and whatever its policies say.
     * </pre>
     */
    public dev.taskgate.v1.TriggerScheduleResponse triggerSchedule(dev.taskgate.v1.TriggerScheduleRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getTriggerScheduleMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do limited synchronous rpc calls to service TaskService.
   * <pre>
   * Runs Python Celery tasks.
   * Every error carries a google.rpc.ErrorInfo (domain "taskgate") whose reason says exactly what was
   * wrong; wrong fields come as google.rpc.BadRequest too, and what is worth trying again carries a
   * google.rpc.RetryInfo.
   * </pre>
   */
  public static final class TaskServiceBlockingStub
      extends io.grpc.stub.AbstractBlockingStub<TaskServiceBlockingStub> {
    private TaskServiceBlockingStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected TaskServiceBlockingStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new TaskServiceBlockingStub(channel, callOptions);
    }

    /**
     * <pre>
     * Records a task and has it run. Once answered, the task is on disk and will run, even if the
     * broker is down.
     * </pre>
     */
    public dev.taskgate.v1.SubmitResponse submit(dev.taskgate.v1.SubmitRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getSubmitMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Looks a task up, and waits for its end if asked to. An id that was never submitted is
     * NOT_FOUND.
     * </pre>
     */
    public dev.taskgate.v1.GetResponse get(dev.taskgate.v1.GetRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Submits a final task again, as a new task with the same arguments or with other ones.
     * </pre>
     */
    public dev.taskgate.v1.RetryResponse retry(dev.taskgate.v1.RetryRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getRetryMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Aborts a task. One that has not started never will. One that runs is told, and should stop by
     * itself; if it never looks and completes, it SUCCEEDED, with the abort recorded beside it.
     * Aborting an ABORTING task again changes nothing; a final task is FAILED_PRECONDITION.
     * </pre>
     */
    public dev.taskgate.v1.AbortResponse abort(dev.taskgate.v1.AbortRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getAbortMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Submits many tasks in one transaction. Each is answered for itself: a bad one does not spoil
     * the others.
     * </pre>
     */
    public dev.taskgate.v1.SubmitBatchResponse submitBatch(dev.taskgate.v1.SubmitBatchRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getSubmitBatchMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists tasks, the newest first.
     * </pre>
     */
    public dev.taskgate.v1.ListResponse list(dev.taskgate.v1.ListRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getListMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Streams tasks as they change: first each task as it is, then each newer version, until all of
     * them are final. A slow reader misses versions in between, never the newest one. An id that was
     * never submitted is NOT_FOUND.
     * </pre>
     */
    public java.util.Iterator<dev.taskgate.v1.WatchResponse> watch(
        dev.taskgate.v1.WatchRequest request) {
      return io.grpc.stub.ClientCalls.blockingServerStreamingCall(
          getChannel(), getWatchMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists the task types that workers have registered, by name.
     * </pre>
     */
    public dev.taskgate.v1.ListTaskTypesResponse listTaskTypes(dev.taskgate.v1.ListTaskTypesRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getListTaskTypesMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists workers, the living and the dead, the newest first.
     * </pre>
     */
    public dev.taskgate.v1.ListWorkersResponse listWorkers(dev.taskgate.v1.ListWorkersRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getListWorkersMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists queues, by name: those of living workers, task types and settings, and those that have
     * tasks.
     * </pre>
     */
    public dev.taskgate.v1.ListQueuesResponse listQueues(dev.taskgate.v1.ListQueuesRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getListQueuesMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Says what is going on: how many tasks are in each state, wait in each queue and of each type,
     * for how long, and what happened within the last minute. One reading of the record serves all
     * who ask; it is a second old, and more where the record is so large that reading takes longer.
     * </pre>
     */
    public dev.taskgate.v1.GetStatsResponse getStats(dev.taskgate.v1.GetStatsRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetStatsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Has nothing new of a queue or of a task type start, from the answer on. What runs goes on, and
     * what waits, retries and delayed tasks included, keeps waiting. Pausing again changes nothing.
     * </pre>
     */
    public dev.taskgate.v1.PauseResponse pause(dev.taskgate.v1.PauseRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getPauseMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Ends a pause: what waits starts at once. Resuming what is not paused changes nothing.
     * </pre>
     */
    public dev.taskgate.v1.ResumeResponse resume(dev.taskgate.v1.ResumeRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getResumeMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists what is paused, since when, by whom and why.
     * </pre>
     */
    public dev.taskgate.v1.ListPausesResponse listPauses(dev.taskgate.v1.ListPausesRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getListPausesMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists what happened to a task, or to all: who did what, and every change of state. A program
     * that follows everything goes on after the last answer's cursor, and waits for more: no end, no
     * failed attempt and no call is ever skipped.
     * </pre>
     */
    public dev.taskgate.v1.ListEventsResponse listEvents(dev.taskgate.v1.ListEventsRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getListEventsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Counts the tasks that fit a filter, if wanted apart by state, type or queue.
     * </pre>
     */
    public dev.taskgate.v1.CountResponse count(dev.taskgate.v1.CountRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getCountMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Aborts many tasks, as Abort does each, by an operation that goes on after the answer.
     * </pre>
     */
    public dev.taskgate.v1.AbortTasksResponse abortTasks(dev.taskgate.v1.AbortTasksRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getAbortTasksMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Submits many final tasks again, each with its own arguments, by an operation that goes on after
     * the answer.
     * </pre>
     */
    public dev.taskgate.v1.RetryTasksResponse retryTasks(dev.taskgate.v1.RetryTasksRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getRetryTasksMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Deletes the records of many final tasks, by an operation that goes on after the answer.
     * </pre>
     */
    public dev.taskgate.v1.DeleteTasksResponse deleteTasks(dev.taskgate.v1.DeleteTasksRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getDeleteTasksMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Looks an operation up.
     * </pre>
     */
    public dev.taskgate.v1.GetOperationResponse getOperation(dev.taskgate.v1.GetOperationRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetOperationMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Streams an operation as it goes on, until it has ended.
     * </pre>
     */
    public java.util.Iterator<dev.taskgate.v1.WatchOperationResponse> watchOperation(
        dev.taskgate.v1.WatchOperationRequest request) {
      return io.grpc.stub.ClientCalls.blockingServerStreamingCall(
          getChannel(), getWatchOperationMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Stops an operation. What it has done stays done.
     * </pre>
     */
    public dev.taskgate.v1.StopOperationResponse stopOperation(dev.taskgate.v1.StopOperationRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getStopOperationMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists operations, the newest first.
     * </pre>
     */
    public dev.taskgate.v1.ListOperationsResponse listOperations(dev.taskgate.v1.ListOperationsRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getListOperationsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Answers what the attempts of a task have logged, and waits for more if asked to. A line that a
     * running task logs can be read about a second later.
     * </pre>
     */
    public dev.taskgate.v1.GetLogsResponse getLogs(dev.taskgate.v1.GetLogsRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetLogsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Records what submits a task at each of its ticks.
     * </pre>
     */
    public dev.taskgate.v1.CreateScheduleResponse createSchedule(dev.taskgate.v1.CreateScheduleRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getCreateScheduleMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Looks a schedule up: its next ticks, and what became of the last one.
     * </pre>
     */
    public dev.taskgate.v1.GetScheduleResponse getSchedule(dev.taskgate.v1.GetScheduleRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetScheduleMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists schedules, by id.
     * </pre>
     */
    public dev.taskgate.v1.ListSchedulesResponse listSchedules(dev.taskgate.v1.ListSchedulesRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getListSchedulesMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Changes fields of a schedule.
     * </pre>
     */
    public dev.taskgate.v1.UpdateScheduleResponse updateSchedule(dev.taskgate.v1.UpdateScheduleRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getUpdateScheduleMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Deletes a schedule. The tasks that it submitted stay.
     * </pre>
     */
    public dev.taskgate.v1.DeleteScheduleResponse deleteSchedule(dev.taskgate.v1.DeleteScheduleRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getDeleteScheduleMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Has a schedule tick no more.
     * </pre>
     */
    public dev.taskgate.v1.PauseScheduleResponse pauseSchedule(dev.taskgate.v1.PauseScheduleRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getPauseScheduleMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Has a schedule tick again, from its next tick on.
     * </pre>
     */
    public dev.taskgate.v1.ResumeScheduleResponse resumeSchedule(dev.taskgate.v1.ResumeScheduleRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getResumeScheduleMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Submits a schedule's task now, beside its ticks and whatever its policies say.
     * </pre>
     */
    public dev.taskgate.v1.TriggerScheduleResponse triggerSchedule(dev.taskgate.v1.TriggerScheduleRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getTriggerScheduleMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do ListenableFuture-style rpc calls to service TaskService.
   * <pre>
   * Runs Python Celery tasks.
   * Every error carries a google.rpc.ErrorInfo (domain "taskgate") whose reason says exactly what was
   * wrong; wrong fields come as google.rpc.BadRequest too, and what is worth trying again carries a
   * google.rpc.RetryInfo.
   * </pre>
   */
  public static final class TaskServiceFutureStub
      extends io.grpc.stub.AbstractFutureStub<TaskServiceFutureStub> {
    private TaskServiceFutureStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected TaskServiceFutureStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new TaskServiceFutureStub(channel, callOptions);
    }

    /**
     * <pre>
     * Records a task and has it run. Once answered, the task is on disk and will run, even if the
     * broker is down.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<dev.taskgate.v1.SubmitResponse> submit(
        dev.taskgate.v1.SubmitRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getSubmitMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Looks a task up, and waits for its end if asked to. An id that was never submitted is
     * NOT_FOUND.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<dev.taskgate.v1.GetResponse> get(
        dev.taskgate.v1.GetRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getGetMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Submits a final task again, as a new task with the same arguments or with other ones.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<dev.taskgate.v1.RetryResponse> retry(
        dev.taskgate.v1.RetryRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getRetryMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Aborts a task. One that has not started never will. One that runs is told, and should stop by
     * itself; if it never looks and completes, it SUCCEEDED, with the abort recorded beside it.
     * Aborting an ABORTING task again changes nothing; a final task is FAILED_PRECONDITION.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<dev.taskgate.v1.AbortResponse> abort(
        dev.taskgate.v1.AbortRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getAbortMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Submits many tasks in one transaction. Each is answered for itself: a bad one does not spoil
     * the others.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<dev.taskgate.v1.SubmitBatchResponse> submitBatch(
        dev.taskgate.v1.SubmitBatchRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getSubmitBatchMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Lists tasks, the newest first.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<dev.taskgate.v1.ListResponse> list(
        dev.taskgate.v1.ListRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getListMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Lists the task types that workers have registered, by name.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<dev.taskgate.v1.ListTaskTypesResponse> listTaskTypes(
        dev.taskgate.v1.ListTaskTypesRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getListTaskTypesMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Lists workers, the living and the dead, the newest first.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<dev.taskgate.v1.ListWorkersResponse> listWorkers(
        dev.taskgate.v1.ListWorkersRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getListWorkersMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Lists queues, by name: those of living workers, task types and settings, and those that have
     * tasks.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<dev.taskgate.v1.ListQueuesResponse> listQueues(
        dev.taskgate.v1.ListQueuesRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getListQueuesMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Says what is going on: how many tasks are in each state, wait in each queue and of each type,
     * for how long, and what happened within the last minute. One reading of the record serves all
     * who ask; it is a second old, and more where the record is so large that reading takes longer.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<dev.taskgate.v1.GetStatsResponse> getStats(
        dev.taskgate.v1.GetStatsRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getGetStatsMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Has nothing new of a queue or of a task type start, from the answer on. What runs goes on, and
     * what waits, retries and delayed tasks included, keeps waiting. Pausing again changes nothing.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<dev.taskgate.v1.PauseResponse> pause(
        dev.taskgate.v1.PauseRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getPauseMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Ends a pause: what waits starts at once. Resuming what is not paused changes nothing.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<dev.taskgate.v1.ResumeResponse> resume(
        dev.taskgate.v1.ResumeRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getResumeMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Lists what is paused, since when, by whom and why.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<dev.taskgate.v1.ListPausesResponse> listPauses(
        dev.taskgate.v1.ListPausesRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getListPausesMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Lists what happened to a task, or to all: who did what, and every change of state. A program
     * that follows everything goes on after the last answer's cursor, and waits for more: no end, no
     * failed attempt and no call is ever skipped.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<dev.taskgate.v1.ListEventsResponse> listEvents(
        dev.taskgate.v1.ListEventsRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getListEventsMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Counts the tasks that fit a filter, if wanted apart by state, type or queue.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<dev.taskgate.v1.CountResponse> count(
        dev.taskgate.v1.CountRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getCountMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Aborts many tasks, as Abort does each, by an operation that goes on after the answer.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<dev.taskgate.v1.AbortTasksResponse> abortTasks(
        dev.taskgate.v1.AbortTasksRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getAbortTasksMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Submits many final tasks again, each with its own arguments, by an operation that goes on after
     * the answer.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<dev.taskgate.v1.RetryTasksResponse> retryTasks(
        dev.taskgate.v1.RetryTasksRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getRetryTasksMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Deletes the records of many final tasks, by an operation that goes on after the answer.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<dev.taskgate.v1.DeleteTasksResponse> deleteTasks(
        dev.taskgate.v1.DeleteTasksRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getDeleteTasksMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Looks an operation up.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<dev.taskgate.v1.GetOperationResponse> getOperation(
        dev.taskgate.v1.GetOperationRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getGetOperationMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Stops an operation. What it has done stays done.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<dev.taskgate.v1.StopOperationResponse> stopOperation(
        dev.taskgate.v1.StopOperationRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getStopOperationMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Lists operations, the newest first.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<dev.taskgate.v1.ListOperationsResponse> listOperations(
        dev.taskgate.v1.ListOperationsRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getListOperationsMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Answers what the attempts of a task have logged, and waits for more if asked to. A line that a
     * running task logs can be read about a second later.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<dev.taskgate.v1.GetLogsResponse> getLogs(
        dev.taskgate.v1.GetLogsRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getGetLogsMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Records what submits a task at each of its ticks.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<dev.taskgate.v1.CreateScheduleResponse> createSchedule(
        dev.taskgate.v1.CreateScheduleRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getCreateScheduleMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Looks a schedule up: its next ticks, and what became of the last one.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<dev.taskgate.v1.GetScheduleResponse> getSchedule(
        dev.taskgate.v1.GetScheduleRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getGetScheduleMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Lists schedules, by id.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<dev.taskgate.v1.ListSchedulesResponse> listSchedules(
        dev.taskgate.v1.ListSchedulesRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getListSchedulesMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Changes fields of a schedule.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<dev.taskgate.v1.UpdateScheduleResponse> updateSchedule(
        dev.taskgate.v1.UpdateScheduleRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getUpdateScheduleMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Deletes a schedule. The tasks that it submitted stay.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<dev.taskgate.v1.DeleteScheduleResponse> deleteSchedule(
        dev.taskgate.v1.DeleteScheduleRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getDeleteScheduleMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Has a schedule tick no more.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<dev.taskgate.v1.PauseScheduleResponse> pauseSchedule(
        dev.taskgate.v1.PauseScheduleRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getPauseScheduleMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Has a schedule tick again, from its next tick on.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<dev.taskgate.v1.ResumeScheduleResponse> resumeSchedule(
        dev.taskgate.v1.ResumeScheduleRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getResumeScheduleMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Submits a schedule's task now, beside its ticks and whatever its policies say.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<dev.taskgate.v1.TriggerScheduleResponse> triggerSchedule(
        dev.taskgate.v1.TriggerScheduleRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getTriggerScheduleMethod(), getCallOptions()), request);
    }
  }

  private static final int METHODID_SUBMIT = 0;
  private static final int METHODID_GET = 1;
  private static final int METHODID_RETRY = 2;
  private static final int METHODID_ABORT = 3;
  private static final int METHODID_SUBMIT_BATCH = 4;
  private static final int METHODID_LIST = 5;
  private static final int METHODID_WATCH = 6;
  private static final int METHODID_LIST_TASK_TYPES = 7;
  private static final int METHODID_LIST_WORKERS = 8;
  private static final int METHODID_LIST_QUEUES = 9;
  private static final int METHODID_GET_STATS = 10;
  private static final int METHODID_PAUSE = 11;
  private static final int METHODID_RESUME = 12;
  private static final int METHODID_LIST_PAUSES = 13;
  private static final int METHODID_LIST_EVENTS = 14;
  private static final int METHODID_COUNT = 15;
  private static final int METHODID_ABORT_TASKS = 16;
  private static final int METHODID_RETRY_TASKS = 17;
  private static final int METHODID_DELETE_TASKS = 18;
  private static final int METHODID_GET_OPERATION = 19;
  private static final int METHODID_WATCH_OPERATION = 20;
  private static final int METHODID_STOP_OPERATION = 21;
  private static final int METHODID_LIST_OPERATIONS = 22;
  private static final int METHODID_GET_LOGS = 23;
  private static final int METHODID_CREATE_SCHEDULE = 24;
  private static final int METHODID_GET_SCHEDULE = 25;
  private static final int METHODID_LIST_SCHEDULES = 26;
  private static final int METHODID_UPDATE_SCHEDULE = 27;
  private static final int METHODID_DELETE_SCHEDULE = 28;
  private static final int METHODID_PAUSE_SCHEDULE = 29;
  private static final int METHODID_RESUME_SCHEDULE = 30;
  private static final int METHODID_TRIGGER_SCHEDULE = 31;

  private static final class MethodHandlers<Req, Resp> implements
      io.grpc.stub.ServerCalls.UnaryMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.ServerStreamingMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.ClientStreamingMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.BidiStreamingMethod<Req, Resp> {
    private final AsyncService serviceImpl;
    private final int methodId;

    MethodHandlers(AsyncService serviceImpl, int methodId) {
      this.serviceImpl = serviceImpl;
      this.methodId = methodId;
    }

    @java.lang.Override
    @java.lang.SuppressWarnings("unchecked")
    public void invoke(Req request, io.grpc.stub.StreamObserver<Resp> responseObserver) {
      switch (methodId) {
        case METHODID_SUBMIT:
          serviceImpl.submit((dev.taskgate.v1.SubmitRequest) request,
              (io.grpc.stub.StreamObserver<dev.taskgate.v1.SubmitResponse>) responseObserver);
          break;
        case METHODID_GET:
          serviceImpl.get((dev.taskgate.v1.GetRequest) request,
              (io.grpc.stub.StreamObserver<dev.taskgate.v1.GetResponse>) responseObserver);
          break;
        case METHODID_RETRY:
          serviceImpl.retry((dev.taskgate.v1.RetryRequest) request,
              (io.grpc.stub.StreamObserver<dev.taskgate.v1.RetryResponse>) responseObserver);
          break;
        case METHODID_ABORT:
          serviceImpl.abort((dev.taskgate.v1.AbortRequest) request,
              (io.grpc.stub.StreamObserver<dev.taskgate.v1.AbortResponse>) responseObserver);
          break;
        case METHODID_SUBMIT_BATCH:
          serviceImpl.submitBatch((dev.taskgate.v1.SubmitBatchRequest) request,
              (io.grpc.stub.StreamObserver<dev.taskgate.v1.SubmitBatchResponse>) responseObserver);
          break;
        case METHODID_LIST:
          serviceImpl.list((dev.taskgate.v1.ListRequest) request,
              (io.grpc.stub.StreamObserver<dev.taskgate.v1.ListResponse>) responseObserver);
          break;
        case METHODID_WATCH:
          serviceImpl.watch((dev.taskgate.v1.WatchRequest) request,
              (io.grpc.stub.StreamObserver<dev.taskgate.v1.WatchResponse>) responseObserver);
          break;
        case METHODID_LIST_TASK_TYPES:
          serviceImpl.listTaskTypes((dev.taskgate.v1.ListTaskTypesRequest) request,
              (io.grpc.stub.StreamObserver<dev.taskgate.v1.ListTaskTypesResponse>) responseObserver);
          break;
        case METHODID_LIST_WORKERS:
          serviceImpl.listWorkers((dev.taskgate.v1.ListWorkersRequest) request,
              (io.grpc.stub.StreamObserver<dev.taskgate.v1.ListWorkersResponse>) responseObserver);
          break;
        case METHODID_LIST_QUEUES:
          serviceImpl.listQueues((dev.taskgate.v1.ListQueuesRequest) request,
              (io.grpc.stub.StreamObserver<dev.taskgate.v1.ListQueuesResponse>) responseObserver);
          break;
        case METHODID_GET_STATS:
          serviceImpl.getStats((dev.taskgate.v1.GetStatsRequest) request,
              (io.grpc.stub.StreamObserver<dev.taskgate.v1.GetStatsResponse>) responseObserver);
          break;
        case METHODID_PAUSE:
          serviceImpl.pause((dev.taskgate.v1.PauseRequest) request,
              (io.grpc.stub.StreamObserver<dev.taskgate.v1.PauseResponse>) responseObserver);
          break;
        case METHODID_RESUME:
          serviceImpl.resume((dev.taskgate.v1.ResumeRequest) request,
              (io.grpc.stub.StreamObserver<dev.taskgate.v1.ResumeResponse>) responseObserver);
          break;
        case METHODID_LIST_PAUSES:
          serviceImpl.listPauses((dev.taskgate.v1.ListPausesRequest) request,
              (io.grpc.stub.StreamObserver<dev.taskgate.v1.ListPausesResponse>) responseObserver);
          break;
        case METHODID_LIST_EVENTS:
          serviceImpl.listEvents((dev.taskgate.v1.ListEventsRequest) request,
              (io.grpc.stub.StreamObserver<dev.taskgate.v1.ListEventsResponse>) responseObserver);
          break;
        case METHODID_COUNT:
          serviceImpl.count((dev.taskgate.v1.CountRequest) request,
              (io.grpc.stub.StreamObserver<dev.taskgate.v1.CountResponse>) responseObserver);
          break;
        case METHODID_ABORT_TASKS:
          serviceImpl.abortTasks((dev.taskgate.v1.AbortTasksRequest) request,
              (io.grpc.stub.StreamObserver<dev.taskgate.v1.AbortTasksResponse>) responseObserver);
          break;
        case METHODID_RETRY_TASKS:
          serviceImpl.retryTasks((dev.taskgate.v1.RetryTasksRequest) request,
              (io.grpc.stub.StreamObserver<dev.taskgate.v1.RetryTasksResponse>) responseObserver);
          break;
        case METHODID_DELETE_TASKS:
          serviceImpl.deleteTasks((dev.taskgate.v1.DeleteTasksRequest) request,
              (io.grpc.stub.StreamObserver<dev.taskgate.v1.DeleteTasksResponse>) responseObserver);
          break;
        case METHODID_GET_OPERATION:
          serviceImpl.getOperation((dev.taskgate.v1.GetOperationRequest) request,
              (io.grpc.stub.StreamObserver<dev.taskgate.v1.GetOperationResponse>) responseObserver);
          break;
        case METHODID_WATCH_OPERATION:
          serviceImpl.watchOperation((dev.taskgate.v1.WatchOperationRequest) request,
              (io.grpc.stub.StreamObserver<dev.taskgate.v1.WatchOperationResponse>) responseObserver);
          break;
        case METHODID_STOP_OPERATION:
          serviceImpl.stopOperation((dev.taskgate.v1.StopOperationRequest) request,
              (io.grpc.stub.StreamObserver<dev.taskgate.v1.StopOperationResponse>) responseObserver);
          break;
        case METHODID_LIST_OPERATIONS:
          serviceImpl.listOperations((dev.taskgate.v1.ListOperationsRequest) request,
              (io.grpc.stub.StreamObserver<dev.taskgate.v1.ListOperationsResponse>) responseObserver);
          break;
        case METHODID_GET_LOGS:
          serviceImpl.getLogs((dev.taskgate.v1.GetLogsRequest) request,
              (io.grpc.stub.StreamObserver<dev.taskgate.v1.GetLogsResponse>) responseObserver);
          break;
        case METHODID_CREATE_SCHEDULE:
          serviceImpl.createSchedule((dev.taskgate.v1.CreateScheduleRequest) request,
              (io.grpc.stub.StreamObserver<dev.taskgate.v1.CreateScheduleResponse>) responseObserver);
          break;
        case METHODID_GET_SCHEDULE:
          serviceImpl.getSchedule((dev.taskgate.v1.GetScheduleRequest) request,
              (io.grpc.stub.StreamObserver<dev.taskgate.v1.GetScheduleResponse>) responseObserver);
          break;
        case METHODID_LIST_SCHEDULES:
          serviceImpl.listSchedules((dev.taskgate.v1.ListSchedulesRequest) request,
              (io.grpc.stub.StreamObserver<dev.taskgate.v1.ListSchedulesResponse>) responseObserver);
          break;
        case METHODID_UPDATE_SCHEDULE:
          serviceImpl.updateSchedule((dev.taskgate.v1.UpdateScheduleRequest) request,
              (io.grpc.stub.StreamObserver<dev.taskgate.v1.UpdateScheduleResponse>) responseObserver);
          break;
        case METHODID_DELETE_SCHEDULE:
          serviceImpl.deleteSchedule((dev.taskgate.v1.DeleteScheduleRequest) request,
              (io.grpc.stub.StreamObserver<dev.taskgate.v1.DeleteScheduleResponse>) responseObserver);
          break;
        case METHODID_PAUSE_SCHEDULE:
          serviceImpl.pauseSchedule((dev.taskgate.v1.PauseScheduleRequest) request,
              (io.grpc.stub.StreamObserver<dev.taskgate.v1.PauseScheduleResponse>) responseObserver);
          break;
        case METHODID_RESUME_SCHEDULE:
          serviceImpl.resumeSchedule((dev.taskgate.v1.ResumeScheduleRequest) request,
              (io.grpc.stub.StreamObserver<dev.taskgate.v1.ResumeScheduleResponse>) responseObserver);
          break;
        case METHODID_TRIGGER_SCHEDULE:
          serviceImpl.triggerSchedule((dev.taskgate.v1.TriggerScheduleRequest) request,
              (io.grpc.stub.StreamObserver<dev.taskgate.v1.TriggerScheduleResponse>) responseObserver);
          break;
        default:
          throw new AssertionError();
      }
    }

    @java.lang.Override
    @java.lang.SuppressWarnings("unchecked")
    public io.grpc.stub.StreamObserver<Req> invoke(
        io.grpc.stub.StreamObserver<Resp> responseObserver) {
      switch (methodId) {
        default:
          throw new AssertionError();
      }
    }
  }

  public static final io.grpc.ServerServiceDefinition bindService(AsyncService service) {
    return io.grpc.ServerServiceDefinition.builder(getServiceDescriptor())
        .addMethod(
          getSubmitMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              dev.taskgate.v1.SubmitRequest,
              dev.taskgate.v1.SubmitResponse>(
                service, METHODID_SUBMIT)))
        .addMethod(
          getGetMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              dev.taskgate.v1.GetRequest,
              dev.taskgate.v1.GetResponse>(
                service, METHODID_GET)))
        .addMethod(
          getRetryMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              dev.taskgate.v1.RetryRequest,
              dev.taskgate.v1.RetryResponse>(
                service, METHODID_RETRY)))
        .addMethod(
          getAbortMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              dev.taskgate.v1.AbortRequest,
              dev.taskgate.v1.AbortResponse>(
                service, METHODID_ABORT)))
        .addMethod(
          getSubmitBatchMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              dev.taskgate.v1.SubmitBatchRequest,
              dev.taskgate.v1.SubmitBatchResponse>(
                service, METHODID_SUBMIT_BATCH)))
        .addMethod(
          getListMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              dev.taskgate.v1.ListRequest,
              dev.taskgate.v1.ListResponse>(
                service, METHODID_LIST)))
        .addMethod(
          getWatchMethod(),
          io.grpc.stub.ServerCalls.asyncServerStreamingCall(
            new MethodHandlers<
              dev.taskgate.v1.WatchRequest,
              dev.taskgate.v1.WatchResponse>(
                service, METHODID_WATCH)))
        .addMethod(
          getListTaskTypesMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              dev.taskgate.v1.ListTaskTypesRequest,
              dev.taskgate.v1.ListTaskTypesResponse>(
                service, METHODID_LIST_TASK_TYPES)))
        .addMethod(
          getListWorkersMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              dev.taskgate.v1.ListWorkersRequest,
              dev.taskgate.v1.ListWorkersResponse>(
                service, METHODID_LIST_WORKERS)))
        .addMethod(
          getListQueuesMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              dev.taskgate.v1.ListQueuesRequest,
              dev.taskgate.v1.ListQueuesResponse>(
                service, METHODID_LIST_QUEUES)))
        .addMethod(
          getGetStatsMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              dev.taskgate.v1.GetStatsRequest,
              dev.taskgate.v1.GetStatsResponse>(
                service, METHODID_GET_STATS)))
        .addMethod(
          getPauseMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              dev.taskgate.v1.PauseRequest,
              dev.taskgate.v1.PauseResponse>(
                service, METHODID_PAUSE)))
        .addMethod(
          getResumeMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              dev.taskgate.v1.ResumeRequest,
              dev.taskgate.v1.ResumeResponse>(
                service, METHODID_RESUME)))
        .addMethod(
          getListPausesMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              dev.taskgate.v1.ListPausesRequest,
              dev.taskgate.v1.ListPausesResponse>(
                service, METHODID_LIST_PAUSES)))
        .addMethod(
          getListEventsMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              dev.taskgate.v1.ListEventsRequest,
              dev.taskgate.v1.ListEventsResponse>(
                service, METHODID_LIST_EVENTS)))
        .addMethod(
          getCountMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              dev.taskgate.v1.CountRequest,
              dev.taskgate.v1.CountResponse>(
                service, METHODID_COUNT)))
        .addMethod(
          getAbortTasksMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              dev.taskgate.v1.AbortTasksRequest,
              dev.taskgate.v1.AbortTasksResponse>(
                service, METHODID_ABORT_TASKS)))
        .addMethod(
          getRetryTasksMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              dev.taskgate.v1.RetryTasksRequest,
              dev.taskgate.v1.RetryTasksResponse>(
                service, METHODID_RETRY_TASKS)))
        .addMethod(
          getDeleteTasksMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              dev.taskgate.v1.DeleteTasksRequest,
              dev.taskgate.v1.DeleteTasksResponse>(
                service, METHODID_DELETE_TASKS)))
        .addMethod(
          getGetOperationMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              dev.taskgate.v1.GetOperationRequest,
              dev.taskgate.v1.GetOperationResponse>(
                service, METHODID_GET_OPERATION)))
        .addMethod(
          getWatchOperationMethod(),
          io.grpc.stub.ServerCalls.asyncServerStreamingCall(
            new MethodHandlers<
              dev.taskgate.v1.WatchOperationRequest,
              dev.taskgate.v1.WatchOperationResponse>(
                service, METHODID_WATCH_OPERATION)))
        .addMethod(
          getStopOperationMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              dev.taskgate.v1.StopOperationRequest,
              dev.taskgate.v1.StopOperationResponse>(
                service, METHODID_STOP_OPERATION)))
        .addMethod(
          getListOperationsMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              dev.taskgate.v1.ListOperationsRequest,
              dev.taskgate.v1.ListOperationsResponse>(
                service, METHODID_LIST_OPERATIONS)))
        .addMethod(
          getGetLogsMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              dev.taskgate.v1.GetLogsRequest,
              dev.taskgate.v1.GetLogsResponse>(
                service, METHODID_GET_LOGS)))
        .addMethod(
          getCreateScheduleMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              dev.taskgate.v1.CreateScheduleRequest,
              dev.taskgate.v1.CreateScheduleResponse>(
                service, METHODID_CREATE_SCHEDULE)))
        .addMethod(
          getGetScheduleMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              dev.taskgate.v1.GetScheduleRequest,
              dev.taskgate.v1.GetScheduleResponse>(
                service, METHODID_GET_SCHEDULE)))
        .addMethod(
          getListSchedulesMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              dev.taskgate.v1.ListSchedulesRequest,
              dev.taskgate.v1.ListSchedulesResponse>(
                service, METHODID_LIST_SCHEDULES)))
        .addMethod(
          getUpdateScheduleMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              dev.taskgate.v1.UpdateScheduleRequest,
              dev.taskgate.v1.UpdateScheduleResponse>(
                service, METHODID_UPDATE_SCHEDULE)))
        .addMethod(
          getDeleteScheduleMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              dev.taskgate.v1.DeleteScheduleRequest,
              dev.taskgate.v1.DeleteScheduleResponse>(
                service, METHODID_DELETE_SCHEDULE)))
        .addMethod(
          getPauseScheduleMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              dev.taskgate.v1.PauseScheduleRequest,
              dev.taskgate.v1.PauseScheduleResponse>(
                service, METHODID_PAUSE_SCHEDULE)))
        .addMethod(
          getResumeScheduleMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              dev.taskgate.v1.ResumeScheduleRequest,
              dev.taskgate.v1.ResumeScheduleResponse>(
                service, METHODID_RESUME_SCHEDULE)))
        .addMethod(
          getTriggerScheduleMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              dev.taskgate.v1.TriggerScheduleRequest,
              dev.taskgate.v1.TriggerScheduleResponse>(
                service, METHODID_TRIGGER_SCHEDULE)))
        .build();
  }

  private static abstract class TaskServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoFileDescriptorSupplier, io.grpc.protobuf.ProtoServiceDescriptorSupplier {
    TaskServiceBaseDescriptorSupplier() {}

    @java.lang.Override
    public com.google.protobuf.Descriptors.FileDescriptor getFileDescriptor() {
      return dev.taskgate.v1.TaskServiceProto.getDescriptor();
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.ServiceDescriptor getServiceDescriptor() {
      return getFileDescriptor().findServiceByName("TaskService");
    }
  }

  private static final class TaskServiceFileDescriptorSupplier
      extends TaskServiceBaseDescriptorSupplier {
    TaskServiceFileDescriptorSupplier() {}
  }

  private static final class TaskServiceMethodDescriptorSupplier
      extends TaskServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoMethodDescriptorSupplier {
    private final java.lang.String methodName;

    TaskServiceMethodDescriptorSupplier(java.lang.String methodName) {
      this.methodName = methodName;
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.MethodDescriptor getMethodDescriptor() {
      return getServiceDescriptor().findMethodByName(methodName);
    }
  }

  private static volatile io.grpc.ServiceDescriptor serviceDescriptor;

  public static io.grpc.ServiceDescriptor getServiceDescriptor() {
    io.grpc.ServiceDescriptor result = serviceDescriptor;
    if (result == null) {
      synchronized (TaskServiceGrpc.class) {
        result = serviceDescriptor;
        if (result == null) {
          serviceDescriptor = result = io.grpc.ServiceDescriptor.newBuilder(SERVICE_NAME)
              .setSchemaDescriptor(new TaskServiceFileDescriptorSupplier())
              .addMethod(getSubmitMethod())
              .addMethod(getGetMethod())
              .addMethod(getRetryMethod())
              .addMethod(getAbortMethod())
              .addMethod(getSubmitBatchMethod())
              .addMethod(getListMethod())
              .addMethod(getWatchMethod())
              .addMethod(getListTaskTypesMethod())
              .addMethod(getListWorkersMethod())
              .addMethod(getListQueuesMethod())
              .addMethod(getGetStatsMethod())
              .addMethod(getPauseMethod())
              .addMethod(getResumeMethod())
              .addMethod(getListPausesMethod())
              .addMethod(getListEventsMethod())
              .addMethod(getCountMethod())
              .addMethod(getAbortTasksMethod())
              .addMethod(getRetryTasksMethod())
              .addMethod(getDeleteTasksMethod())
              .addMethod(getGetOperationMethod())
              .addMethod(getWatchOperationMethod())
              .addMethod(getStopOperationMethod())
              .addMethod(getListOperationsMethod())
              .addMethod(getGetLogsMethod())
              .addMethod(getCreateScheduleMethod())
              .addMethod(getGetScheduleMethod())
              .addMethod(getListSchedulesMethod())
              .addMethod(getUpdateScheduleMethod())
              .addMethod(getDeleteScheduleMethod())
              .addMethod(getPauseScheduleMethod())
              .addMethod(getResumeScheduleMethod())
              .addMethod(getTriggerScheduleMethod())
              .build();
        }
      }
    }
    return result;
  }
}
