import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { clone, create, type DescMessage, type MessageInitShape, type MessageShape } from "@bufbuild/protobuf";
import { Code, type CallOptions, type Client } from "@connectrpc/connect";
import type { Http2SessionManager } from "@connectrpc/connect-node";
import type { TaskClient, WithTask } from "./client.js";
import { errorOf, isAway, TaskgateError } from "./errors.js";
import type { Task } from "./gen/taskgate/v1/task_pb.js";
import {
  GetRequestSchema,
  RetryRequestSchema,
  SubmitBatchRequestSchema,
  SubmitRequestSchema,
  type TaskService,
} from "./gen/taskgate/v1/task_service_pb.js";

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;

type Method<Request, Response> = (request: Request, options: CallOptions) => Promise<Response>;

/** Makes every call in the same way. */
export class Caller {
  #closed = false;

  constructor(
    private readonly stub: Client<typeof TaskService>,
    private readonly sessions: Http2SessionManager,
    private readonly timeoutMs: number,
  ) {}

  /** The calls as users see them: submissions with request ids, each with its deadline. */
  client(): TaskClient {
    const { stub } = this;
    return {
      submit: async (request, options) =>
        answered(await this.#call(stub.submit, withRequestId(SubmitRequestSchema, request), options)),
      get: async (request, options) =>
        answered(await this.#call(stub.get, request, options, waitMs(request))),
      retry: async (request, options) =>
        answered(await this.#call(stub.retry, withRequestId(RetryRequestSchema, request), options)),
      abort: async (request, options) => answered(await this.#call(stub.abort, request, options)),
      submitBatch: async (request, options) =>
        this.#call(stub.submitBatch, withRequestIds(request), options),
      list: (request, options) => this.#call(stub.list, request, options),
      listTaskTypes: (request, options) => this.#call(stub.listTaskTypes, request, options),
      listWorkers: (request, options) => this.#call(stub.listWorkers, request, options),
      listQueues: (request, options) => this.#call(stub.listQueues, request, options),
      getStats: (request, options) => this.#call(stub.getStats, request, options),
      watch: (request, options) => this.#watch(request, options),
      close: () => this.#close(),
    };
  }

  /**
   * Repeats the call while the server is away, until its time is over. Every call may be repeated:
   * what submits has a request id, the others change nothing twice.
   */
  async #call<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    options: CallOptions = {},
    waitMs = 0,
  ): Promise<Response> {
    const timeoutMs = options.timeoutMs ?? (this.timeoutMs > 0 ? this.timeoutMs + waitMs : 0);
    const end = timeoutMs > 0 ? performance.now() + timeoutMs : Infinity;
    const pause = new Pause();
    for (;;) {
      const left = end - performance.now();
      try {
        this.#refuseIfClosed();
        return await method(request, { ...options, timeoutMs: inWholeMs(left) });
      } catch (thrown) {
        const error = errorOf(thrown);
        if (this.#closed || !isAway(error, options.signal)) throw error;
        if (!(await pause.wait(error, options.signal, end - performance.now()))) throw error;
      }
    }
  }

  async *#watch(...[request, options = {}]: Parameters<TaskClient["watch"]>) {
    const leaving = new AbortController(); // connect does not end a stream that its reader leaves
    const signals = options.signal ? [options.signal, leaving.signal] : [leaving.signal];
    try {
      this.#refuseIfClosed();
      const stream = this.stub.watch(request, { ...options, signal: AbortSignal.any(signals) });
      for await (const response of stream) yield answered(response);
    } catch (thrown) {
      throw errorOf(thrown);
    } finally {
      leaving.abort();
    }
  }

  #close(): void {
    this.#closed = true;
    this.sessions.abort();
  }

  #refuseIfClosed(): void {
    if (this.#closed) throw new TaskgateError("the client is closed", { code: Code.FailedPrecondition });
  }
}

/** Spaces the attempts to reach a server that is away. */
export class Pause {
  #next = 0;

  reset(): void {
    this.#next = 0;
  }

  /**
   * Waits longer each time, somewhat at random, beyond what the server asked for; false if the signal
   * or the time left ends first.
   */
  async wait(error: TaskgateError, signal?: AbortSignal, leftMs = Infinity): Promise<boolean> {
    this.#next = Math.min(Math.max(2 * this.#next, FIRST_PAUSE_MS), LONGEST_PAUSE_MS);
    const delay = (error.retryDelayMs ?? 0) + (this.#next / 2) * (1 + Math.random());
    await sleep(Math.max(Math.min(delay, leftMs), 0), undefined, signal && { signal }).catch(() => {});
    return !signal?.aborted && delay < leftMs;
  }
}

// As grpc-timeout takes it; 0 is without end.
function inWholeMs(left: number): number {
  return left < 100_000_000 ? Math.max(Math.ceil(left), 1) : 0;
}

function answered<Response extends { task?: Task | undefined }>(response: Response): WithTask<Response> {
  if (response.task) return response as WithTask<Response>;
  throw new TaskgateError("the server answered without a task", { code: Code.Internal });
}

function waitMs({ wait }: MessageInitShape<typeof GetRequestSchema>): number {
  return Number(wait?.seconds ?? 0n) * 1_000 + (wait?.nanos ?? 0) / 1e6;
}

// The caller's message stays as it is: sent twice, it means two tasks.
function withRequestId<Desc extends DescMessage>(
  schema: Desc,
  request: MessageInitShape<Desc> & { requestId?: string },
): MessageShape<Desc> {
  const message = create(schema, request) as MessageShape<Desc> & { requestId: string };
  if (message.requestId !== "") return message;
  return Object.assign(clone(schema, message), { requestId: randomUUID() });
}

function withRequestIds(batch: MessageInitShape<typeof SubmitBatchRequestSchema>) {
  const requests = batch.requests?.map((request) => withRequestId(SubmitRequestSchema, request));
  return create(SubmitBatchRequestSchema, { requests: requests ?? [] });
}
