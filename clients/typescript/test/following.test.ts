import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { connect, isFinal, TaskState, updates, waitUntilFinal } from "../src/index.js";
import { serve } from "./server.js";

const away = new ConnectError("gone fishing", Code.Unavailable);
const running = (version: bigint) => ({ task: { id: "1", state: TaskState.RUNNING, version } });
const succeeded = (version: bigint) => ({ task: { id: "1", state: TaskState.SUCCEEDED, version } });

test("waiting asks again until the task is final", async (context) => {
  let calls = 0;
  const client = connect(
    await serve(context, {
      get: () => {
        calls++;
        if (calls === 1) return running(1n);
        if (calls < 4) throw away;
        return succeeded(2n);
      },
    }),
  );
  const task = await waitUntilFinal(client, "1");
  assert(isFinal(task.state));
  assert.equal(calls, 4);
});

test("waiting ends with its signal's reason", async (context) => {
  const client = connect(await serve(context, { get: () => Promise.reject(away) }));
  const signal = AbortSignal.timeout(50);
  await assert.rejects(waitUntilFinal(client, "1", { signal }), { name: "TimeoutError" });
});

test("waiting gives up on what cannot work", async (context) => {
  const refusal = new ConnectError("no task has the id", Code.NotFound);
  const client = connect(await serve(context, { get: () => Promise.reject(refusal) }));
  await assert.rejects(waitUntilFinal(client, "1"), { code: Code.NotFound });
});

test("updates resume where the connection broke", async (context) => {
  const seen: bigint[] = [];
  const client = connect(
    await serve(context, {
      async *watch({ tasks: [watched] }) {
        seen.push(watched!.seenVersion);
        if (watched!.seenVersion === 0n) {
          yield running(3n);
          throw away;
        }
        yield succeeded(4n);
      },
    }),
  );
  const versions = [];
  for await (const task of updates(client, ["1", "1"])) versions.push(task.version);
  assert.deepEqual(versions, [3n, 4n]);
  assert.deepEqual(seen, [0n, 3n]);
});

test("updates throw what cannot work", async (context) => {
  const client = connect(
    await serve(context, {
      async *watch() {
        throw new ConnectError("no task has the id", Code.NotFound);
      },
    }),
  );
  await assert.rejects(updates(client, ["1"]).next(), { code: Code.NotFound });
});

test("a reader may leave updates", async (context) => {
  let left: () => void;
  const closed = new Promise<void>((resolve) => (left = resolve));
  const client = connect(
    await serve(context, {
      async *watch(_request, { signal }) {
        signal.addEventListener("abort", () => left());
        yield running(1n);
        await closed;
      },
    }),
  );
  for await (const task of updates(client, ["1"])) {
    assert.equal(task.version, 1n);
    break;
  }
  await closed;
});
