/** Calls a server that is restarted meanwhile: tests/clients/test_restarts.py says how. */
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, TaskState, updates, waitUntilFinal, type Task } from "../src/index.js";

const CALLERS = 4;
const PAUSE_MS = 10;

const client = connect(process.argv[2]!, { timeoutMs: 60_000 }); // a busy machine starts a server slowly
const calls: Record<string, number> = {};
const errors: string[] = [];
let stopping = false;

/** Makes a call and keeps what became of it. */
async function note(name: string, call: () => Promise<unknown>): Promise<void> {
  try {
    await call();
  } catch (error) {
    errors.push(`${name}: ${error}`);
  }
  calls[name] = (calls[name] ?? 0) + 1;
}

/** Makes a call until it is time to stop, and once more; resolves first when it was made once. */
async function again(name: string, call: (count: number) => Promise<unknown>) {
  await note(name, () => call(0));
  return async () => {
    for (let count = 1, last = false; !last; count++) {
      last = stopping;
      await note(name, () => call(count));
      await sleep(PAUSE_MS);
    }
  };
}

async function submit(request: string): Promise<string> {
  const { task } = await client.submit({
    taskType: "demo.add",
    delay: { seconds: 3_600n },
    requestId: `typescript-${process.pid}-${request}`,
  });
  return task.id;
}

async function submitTwice(request: string): Promise<void> {
  const [first, second] = [await submit(request), await submit(request)];
  if (first !== second) throw new Error(`one request id made two tasks, ${first} and ${second}`);
}

async function watch(id: string): Promise<void> {
  let last: Task | undefined;
  for await (const task of updates(client, [id])) {
    if (last && task.version <= last.version) throw new Error(`${task.version} after ${last.version}`);
    last = task;
  }
  expectAborted(last);
}

function expectAborted(task: Task | undefined): void {
  if (task?.state !== TaskState.ABORTED) throw new Error(`ended as ${task && TaskState[task.state]}`);
}

const followed = await Promise.all(Array.from({ length: CALLERS }, (_, n) => submit(`followed-${n}`)));
const ends = followed.flatMap((id) => [
  note("wait", async () => expectAborted(await waitUntilFinal(client, id))),
  note("watch", () => watch(id)),
]);
const loops = await Promise.all(
  followed.flatMap((id, n) => [
    again("submit", (count) => submitTwice(`${n}-${count}`)),
    again("get", () => client.get({ id, wait: { seconds: 1n } })),
    again("list", () => client.list({ pageSize: 5 })),
  ]),
);
const running = loops.map((loop) => loop());
console.log("READY");
await once(process.stdin, "data");
process.stdin.destroy();
stopping = true;
for (const id of followed) await note("abort", () => client.abort({ id }));
await Promise.all([...running, ...ends]);
client.close();
console.log(JSON.stringify({ calls, errors }));
