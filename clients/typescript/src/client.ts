import { readFileSync } from "node:fs";
import type { DescMessage, MessageInitShape } from "@bufbuild/protobuf";
import { createClient, type CallOptions, type Interceptor } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { Caller } from "./calls.js";
import {
  TaskService,
  type AbortRequestSchema,
  type AbortResponse,
  type GetRequestSchema,
  type GetResponse,
  type GetStatsRequestSchema,
  type GetStatsResponse,
  type ListQueuesRequestSchema,
  type ListQueuesResponse,
  type ListRequestSchema,
  type ListResponse,
  type ListTaskTypesRequestSchema,
  type ListTaskTypesResponse,
  type ListWorkersRequestSchema,
  type ListWorkersResponse,
  type RetryRequestSchema,
  type RetryResponse,
  type SubmitBatchRequestSchema,
  type SubmitBatchResponse,
  type SubmitRequestSchema,
  type SubmitResponse,
  type WatchRequestSchema,
  type WatchResponse,
} from "./gen/taskgate/v1/task_service_pb.js";
import type { Task } from "./gen/taskgate/v1/task_pb.js";
import { VERSION } from "./version.js";

/** How long a call may take, repetitions included, unless it or `connect` says otherwise. */
export const DEFAULT_TIMEOUT_MS = 30_000;

/** A response with its task, which the server always sends. */
export type WithTask<Response> = Response & { task: Task };

type Unary<Request extends DescMessage, Response> = (
  request: MessageInitShape<Request>,
  options?: CallOptions,
) => Promise<Response>;

/**
 * All calls of a server. What fails throws a `TaskgateError`. A call without `timeoutMs` has that of
 * `connect`; one with `timeoutMs: 0` has no end. While the server is away, calls are repeated until
 * theirs.
 */
export interface TaskClient {
  /** Has a task run: once this returned, it is on the server's disk and will run. */
  submit: Unary<typeof SubmitRequestSchema, WithTask<SubmitResponse>>;
  /** Looks a task up; the time of its `wait` comes on top of the timeout. */
  get: Unary<typeof GetRequestSchema, WithTask<GetResponse>>;
  /** Runs a task that has ended again, as a new task. */
  retry: Unary<typeof RetryRequestSchema, WithTask<RetryResponse>>;
  /** Aborts a task. */
  abort: Unary<typeof AbortRequestSchema, WithTask<AbortResponse>>;
  /** Has many tasks run; the result of each is a task or an error, see `errorOfStatus`. */
  submitBatch: Unary<typeof SubmitBatchRequestSchema, SubmitBatchResponse>;
  /** Lists tasks, the newest first. */
  list: Unary<typeof ListRequestSchema, ListResponse>;
  /** Lists the task types that workers have registered. */
  listTaskTypes: Unary<typeof ListTaskTypesRequestSchema, ListTaskTypesResponse>;
  /** Lists workers, the newest first. */
  listWorkers: Unary<typeof ListWorkersRequestSchema, ListWorkersResponse>;
  /** Lists queues, by name. */
  listQueues: Unary<typeof ListQueuesRequestSchema, ListQueuesResponse>;
  /** Says what is going on: counts, ages and rates. */
  getStats: Unary<typeof GetStatsRequestSchema, GetStatsResponse>;
  /** One stream of tasks as they change, without a timeout; `updates` outlives connections. */
  watch: (
    request: MessageInitShape<typeof WatchRequestSchema>,
    options?: CallOptions,
  ) => AsyncIterable<WithTask<WatchResponse>>;
  /** Ends the connection and all calls on it; later calls fail. */
  close(): void;
}

/** How to reach a server. */
export interface ConnectOptions {
  /** Encrypt the connection; true trusts the system's authorities. Without it: plain text. */
  tls?: boolean | TlsFiles;
  /** Sent with each call as "authorization: Bearer …". It needs TLS. */
  token?: string | undefined;
  /** Send the token without TLS too, readable to everyone on the way. */
  plainTextToken?: boolean;
  /** How long a call may take that says nothing else: `DEFAULT_TIMEOUT_MS`; 0 is without end. */
  timeoutMs?: number;
}

/** PEM files for TLS. */
export interface TlsFiles {
  /** Trust these authorities and no others. */
  ca?: string;
  /** The client's certificate, for servers that want one. */
  cert?: string;
  /** Its key. */
  key?: string;
}

/**
 * Returns a client of the server at `target`, for example "127.0.0.1:50051". It connects with the
 * first call.
 *
 * @throws TypeError if there is a token and neither `tls` nor `plainTextToken`
 */
export function connect(target: string, options: ConnectOptions = {}): TaskClient {
  if (options.token && !options.tls && !options.plainTextToken) {
    throw new TypeError("a token needs `tls`, or `plainTextToken: true`");
  }
  const baseUrl = `${options.tls ? "https" : "http"}://${target}`;
  // A server that vanished without a word is noticed while a call waits for it.
  const keepAlive = { pingIntervalMs: 30_000, pingTimeoutMs: 10_000 };
  const sessionManager = new Http2SessionManager(baseUrl, keepAlive, tlsOptions(options.tls));
  const interceptors = [headers(options.token)];
  const stub = createClient(TaskService, createGrpcTransport({ baseUrl, sessionManager, interceptors }));
  const caller = new Caller(stub, sessionManager, options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
  return caller.client();
}

function headers(token: string | undefined): Interceptor {
  return (next) => (request) => {
    request.header.set("user-agent", `taskgate-typescript/${VERSION}`);
    if (token) request.header.set("authorization", `Bearer ${token}`);
    return next(request);
  };
}

function tlsOptions(files: ConnectOptions["tls"]) {
  if (typeof files !== "object") return {};
  const given = Object.entries(files).filter(([, path]) => path !== undefined);
  return Object.fromEntries(given.map(([name, path]) => [name, readFileSync(path as string)]));
}
