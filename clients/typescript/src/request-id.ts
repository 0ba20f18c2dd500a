import { randomUUID } from "node:crypto";
import { clone, isMessage, type DescMessage, type MessageShape } from "@bufbuild/protobuf";
import type { Interceptor } from "@connectrpc/connect";
import {
  RetryRequestSchema,
  SubmitBatchRequestSchema,
  SubmitRequestSchema,
} from "./gen/taskgate/v1/task_service_pb.js";

/** Stands above `repeatUnavailable`: all attempts of one call carry the same id. */
export const setRequestIds: Interceptor = (next) => (request) =>
  next(request.stream ? request : { ...request, message: withRequestIds(request.message) });

// The caller's message stays as it is: sent twice, it means two tasks.
function withRequestIds<T extends object>(message: T): T;
function withRequestIds(message: object): object {
  if (isMessage(message, SubmitRequestSchema)) return withRequestId(SubmitRequestSchema, message);
  if (isMessage(message, RetryRequestSchema)) return withRequestId(RetryRequestSchema, message);
  if (isMessage(message, SubmitBatchRequestSchema)) {
    const requests = message.requests.map((item) => withRequestId(SubmitRequestSchema, item));
    return { ...message, requests };
  }
  return message;
}

function withRequestId<Desc extends DescMessage>(
  schema: Desc,
  message: MessageShape<Desc> & { requestId: string },
): MessageShape<Desc> {
  if (message.requestId !== "") return message;
  return Object.assign(clone(schema, message), { requestId: randomUUID() });
}
