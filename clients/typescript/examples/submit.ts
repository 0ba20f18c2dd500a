/**
 * Submits tasks to a server on this machine, follows them, and reads what they returned. The README
 * explains it piece by piece:
 *
 *     npm run example [ADDRESS]
 */
import {
  argumentsJson,
  connect,
  Reason,
  result,
  TaskFailed,
  TaskgateError,
  TaskState,
  updates,
} from "taskgate";

const address = process.argv[2] ?? "127.0.0.1:50051";

function connectSafely() {
  const client = connect("tasks.example.com:50051", {
    tls: { ca: "/etc/taskgate/ca.pem" },
    token: process.env["TASKGATE_TOKEN"],
  });
  return client;
}

async function main() {
  const client = process.env["TASKGATE_TOKEN"] ? connectSafely() : connect(address);

  const { task } = await client.submit({
    taskType: "demo.add",
    argumentsJson: argumentsJson([1, 2]),
  });
  const signal = AbortSignal.timeout(60_000);
  const sum = await result<number>(client, task.id, { signal });
  console.log("sum:", sum);

  try {
    await client.submit({ taskType: "demo.ad" });
  } catch (error) {
    if (!(error instanceof TaskgateError) || error.reason !== Reason.TASK_TYPE_UNKNOWN) throw error;
    for (const { field, description } of error.violations) console.log(field, description);
  }

  const failing = await client.submit({
    taskType: "demo.fail",
    argumentsJson: argumentsJson([], { message: "on purpose" }),
  });
  try {
    await result(client, failing.task.id, { signal });
  } catch (error) {
    if (!(error instanceof TaskFailed)) throw error;
    console.log("no result:", error.task.error?.message);
  }

  const counting = await client.submit({
    taskType: "demo.countdown",
    argumentsJson: argumentsJson([2]),
    requestId: `countdown-${Date.now()}`,
  });
  for await (const task of updates(client, [counting.task.id], { signal })) {
    console.log(TaskState[task.state], task.progress?.current ?? 0);
  }
  console.log("result:", await result(client, counting.task.id));

  client.close();
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
