/**
 * Submits a task, shows its progress, and prints its result:
 *
 *     npm run example [ADDRESS]
 */
import { argumentsJson, connect, resultOf, TaskState, updates, type Task } from "../src/index.js";

const client = connect(process.argv[2] ?? "127.0.0.1:50051");
const signal = AbortSignal.timeout(60_000);

const submitted = await client.submit(
  { taskType: "demo.countdown", argumentsJson: argumentsJson([2]) },
  { signal },
);
let task: Task | undefined = submitted.task;
for await (task of updates(client, [submitted.task!.id], { signal })) {
  console.log(TaskState[task.state], task.progress?.current ?? 0);
}
console.log("result:", resultOf(task!));
