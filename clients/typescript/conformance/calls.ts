import {
  createRegistry,
  fromJson,
  toJson,
  type DescMessage,
  type JsonValue,
  type Message,
} from "@bufbuild/protobuf";
import { Code, type CallOptions } from "@connectrpc/connect";
import { errorOf, type TaskClient } from "../src/index.js";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema, TaskService } from "../src/v1.js";

export interface Result {
  response?: JsonValue;
  responses?: JsonValue[];
  error?: { code: string; reason: string; fields: string[] };
}

type Answer = Promise<Message> | AsyncIterable<Message>;
type Methods = Record<string, (request: Message, options: CallOptions) => Answer>;

const registry = createRegistry(ErrorInfoSchema, BadRequestSchema, RetryInfoSchema);

/** Makes the call named in a scenario. */
export async function invoke(
  client: TaskClient,
  name: string,
  request: JsonValue,
  timeoutMs: number,
): Promise<Result> {
  const method = TaskService.methods.find((candidate) => candidate.name === name);
  if (!method) throw new Error(`no method ${name}`);
  const message = fromJson(method.input, request);
  try {
    const answer = (client as unknown as Methods)[method.localName]!(message, { timeoutMs });
    if (answer instanceof Promise) return { response: asJson(method.output, await answer) };
    return { responses: await collect(method.output, answer) };
  } catch (thrown) {
    return { error: failure(thrown) };
  }
}

async function collect(schema: DescMessage, stream: AsyncIterable<Message>): Promise<JsonValue[]> {
  const responses = [];
  for await (const response of stream) responses.push(asJson(schema, response));
  return responses;
}

function asJson(schema: DescMessage, message: Message): JsonValue {
  return toJson(schema, message, { registry });
}

function failure(thrown: unknown): NonNullable<Result["error"]> {
  const { code, reason, violations } = errorOf(thrown);
  return { code: codeName(code), reason, fields: violations.map((violation) => violation.field) };
}

// gRPC's own names; the enum has connect's.
function codeName(code: Code): string {
  if (code === Code.Canceled) return "CANCELLED";
  return Code[code].replaceAll(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
}
