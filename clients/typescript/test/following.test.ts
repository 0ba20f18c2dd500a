import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  connect,
  isFinal,
  result,
  TaskAborted,
  TaskExpired,
  TaskFailed,
  TaskState,
  TaskUnsuccessful,
  updates,
  waitUntilFinal,
} from "../src/index.js";
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

test("updates of ids in upper case resume, and of those that ended no more is asked", async (context) => {
  const given = "01890000-0000-7000-8000-00000000000A";
  const asked: { id: string; seenVersion: bigint }[][] = [];
  const client = connect(
    await serve(context, {
      async *watch({ tasks }) {
        asked.push(tasks.map(({ id, seenVersion }) => ({ id, seenVersion })));
        const task = { ...running(3n).task, id: given.toLowerCase() };
        yield { task };
        if (asked.length === 1) {
          yield { task: { ...succeeded(1n).task, id: "2" } };
          throw new ConnectError("going", Code.Canceled);
        }
        yield { task: { ...task, state: TaskState.SUCCEEDED, version: 4n } };
      },
    }),
  );
  const versions = [];
  for await (const task of updates(client, [given, "2"])) versions.push(task.version);
  assert.deepEqual(versions, [3n, 1n, 4n]);
  assert.deepEqual(asked[1], [{ id: given, seenVersion: 3n }]);
});

test("a result is what the task returned", async (context) => {
  const task = { id: "1", state: TaskState.SUCCEEDED, resultJson: "9007199254740993" };
  const client = connect(await serve(context, { get: () => ({ task }) }));
  assert.equal(await result<bigint>(client, "1"), 9007199254740993n);
});

test("a task without a result throws why", async (context) => {
  const ends = [
    { state: TaskState.FAILED, error: { type: "builtins.ValueError", message: "no" } },
    { state: TaskState.ABORTED, abort: { reason: "changed my mind" } },
    { state: TaskState.EXPIRED },
  ];
  const client = connect(
    await serve(context, { get: ({ id }) => ({ task: { id, taskType: "demo.add", ...ends[Number(id)] } }) }),
  );
  const thrown = await Promise.all(ends.map((_, id) => result(client, `${id}`).catch((error) => error)));
  assert(thrown[0] instanceof TaskFailed);
  assert(thrown[1] instanceof TaskAborted);
  assert(thrown[2] instanceof TaskExpired);
  assert(thrown.every((error) => error instanceof TaskUnsuccessful));
  assert.equal(thrown[0].message, "task 0 (demo.add) is FAILED: builtins.ValueError: no");
  assert.equal(thrown[1].message, "task 1 (demo.add) is ABORTED: changed my mind");
  assert.equal(thrown[2].task.state, TaskState.EXPIRED);
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
