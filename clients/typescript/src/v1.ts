/** The generated messages and the service. */
export * from "./gen/taskgate/v1/task_pb.js";
export * from "./gen/taskgate/v1/task_service_pb.js";
export * from "./gen/taskgate/v1/task_type_pb.js";
export * from "./gen/taskgate/v1/worker_pb.js";
export * from "./gen/google/rpc/error_details_pb.js";
export * from "./gen/google/rpc/status_pb.js";
