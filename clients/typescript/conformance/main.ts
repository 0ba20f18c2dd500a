/** Runs the scenarios of tests/conformance, whose README says how. */
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { connect, type TaskClient } from "../src/index.js";
import { invoke, type Result } from "./calls.js";
import { fill, find, type Variables } from "./variables.js";

const DEFAULT_TIMEOUT_S = 90;
const PAUSE_MS = 50;

interface Scenario {
  name: string;
  steps: (Call | Harness)[];
}

interface Call {
  call: string;
  request: JsonObject;
  save?: Record<string, string>;
  until?: Record<string, string>;
  timeout?: number;
}

interface Harness {
  harness: string;
}

const [path, address, run] = process.argv.slice(2);
if (!path || !address || !run) throw new Error("usage: main.js SCENARIOS ADDRESS RUN");
const { TASKGATE_TLS_CA: ca, TASKGATE_TOKEN: token } = process.env;
const client = connect(address, { ...(ca && { tls: { ca } }), ...(token && { token }) });
const input = createInterface({ input: process.stdin });
const lines = input[Symbol.asyncIterator]();
for (const { name, steps } of JSON.parse(readFileSync(path, "utf8")) as Scenario[]) {
  console.log(JSON.stringify({ name, results: await runSteps(client, steps, { run }) }));
}
input.close();

async function runSteps(
  client: TaskClient,
  steps: Scenario["steps"],
  variables: Variables,
): Promise<Result[]> {
  const results: Result[] = [];
  for (const step of steps) {
    if ("harness" in step) {
      console.log(`HARNESS ${step.harness}`);
      await lines.next();
    } else {
      const result = await runStep(client, step, fill(step.request, variables));
      for (const [variable, place] of Object.entries(step.save ?? {})) {
        variables[variable] = find(result.response, place);
      }
      results.push(result);
    }
  }
  return results;
}

async function runStep(client: TaskClient, step: Call, request: JsonValue): Promise<Result> {
  const deadline = Date.now() + (step.timeout ?? DEFAULT_TIMEOUT_S) * 1_000;
  const until = Object.entries(step.until ?? {});
  for (;;) {
    const result = await invoke(client, step.call, request, deadline - Date.now());
    if (result.error || until.every(([place, value]) => find(result.response, place) === value)) {
      return result;
    }
    await sleep(PAUSE_MS);
  }
}
