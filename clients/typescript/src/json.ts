import { toJson } from "@bufbuild/protobuf";
import { ListValueSchema, ValueSchema } from "@bufbuild/protobuf/wkt";
import { isInteger, parse, stringify } from "lossless-json";
import type { Task } from "./gen/taskgate/v1/task_pb.js";

/**
 * Arguments as SubmitRequest.argumentsJson and RetryRequest.argumentsJson take them. Integers beyond
 * 2^53 are bigints.
 *
 * @throws RangeError for NaN and infinities, which JSON does not have
 */
export function argumentsJson(
  args: readonly unknown[] = [],
  kwargs: Readonly<Record<string, unknown>> = {},
): string {
  return stringify({ args, kwargs }, refuseNonFinite) as string;
}

function refuseNonFinite(_key: string, value: unknown): unknown {
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw new RangeError(`${value} is not JSON`);
  }
  return value;
}

/** A task's arguments; integers beyond 2^53 are bigints. */
export function argumentsOf(task: Task): { args: unknown[]; kwargs: Record<string, unknown> } {
  if (task.argumentsJson !== "") {
    return parseExact(task.argumentsJson) as ReturnType<typeof argumentsOf>;
  }
  return {
    args: task.args ? (toJson(ListValueSchema, task.args) as unknown[]) : [],
    kwargs: task.kwargs ?? {},
  };
}

/**
 * What a task returned; integers beyond 2^53 are bigints. Undefined if there is no result: a task
 * that returned None has the result null.
 */
export function resultOf(task: Task): unknown {
  if (task.resultJson !== "") return parseExact(task.resultJson);
  return task.result && toJson(ValueSchema, task.result);
}

/** Reads JSON text; integers beyond 2^53 become bigints. */
export function parseExact(text: string): unknown {
  return parse(text, undefined, (number) => {
    const value = Number(number);
    return isInteger(number) && !Number.isSafeInteger(value) ? BigInt(number) : value;
  });
}
