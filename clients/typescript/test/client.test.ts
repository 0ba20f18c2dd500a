import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorInfoSchema, RetryInfoSchema } from "../src/gen/google/rpc/error_details_pb.js";
import { connect, errorOf, Reason, TaskgateError, updates, VERSION, waitUntilFinal } from "../src/index.js";
import { SubmitRequestSchema, type SubmitRequest } from "../src/v1.js";
import { serve } from "./server.js";

const ANSWER = { task: { id: "1" } };

test("submissions get a request id of their own", async (context) => {
  const seen: string[] = [];
  const client = connect(
    await serve(context, {
      submit: ({ requestId }) => (seen.push(requestId), ANSWER),
      retry: ({ requestId }) => (seen.push(requestId), ANSWER),
      submitBatch: ({ requests }) => (seen.push(...requests.map((one) => one.requestId)), {}),
    }),
  );
  const request = create(SubmitRequestSchema, { taskType: "demo.add" });
  await client.submit(request);
  await client.submit(request);
  await client.retry({ id: "1" });
  await client.submitBatch({ requests: [request, { requestId: "mine" }] });
  assert.equal(new Set(seen).size, 5);
  assert(!seen.includes(""));
  assert.equal(seen.at(-1), "mine");
  assert.equal(request.requestId, "", "the caller's message was changed");
});

test("a submit that finds the server away is repeated with the same request id", async (context) => {
  const seen: SubmitRequest[] = [];
  const client = connect(
    await serve(context, {
      submit: (request) => {
        if (seen.push(request) < 3) throw new ConnectError("gone fishing", Code.Unavailable);
        return ANSWER;
      },
    }),
  );
  await client.submit({ taskType: "demo.add" });
  assert.equal(seen.length, 3);
  assert.equal(new Set(seen.map((request) => request.requestId)).size, 1);
});

test("a submit among too many calls is repeated when the server asked for", async (context) => {
  const times: number[] = [];
  const client = connect(
    await serve(context, {
      submit: () => {
        if (times.push(performance.now()) < 3) throw exhausted(Reason.TOO_MANY_CALLS, 300);
        return ANSWER;
      },
    }),
  );
  await client.submit({});
  assert.equal(times.length, 3);
  assert(times[1]! - times[0]! >= 299, `called at ${times}`);
});

test("a full queue is told at once", async (context) => {
  let calls = 0;
  const client = connect(
    await serve(context, {
      submit: () => {
        calls++;
        throw exhausted(Reason.QUEUE_FULL, 1_000);
      },
    }),
  );
  await assert.rejects(client.submit({}), { reason: Reason.QUEUE_FULL });
  assert.equal(calls, 1);
});

/** What a server answers that has too much to do. */
function exhausted(reason: Reason, delayMs: number): ConnectError {
  return new ConnectError("too much", Code.ResourceExhausted, undefined, [
    { desc: ErrorInfoSchema, value: { reason, domain: "taskgate" } },
    { desc: RetryInfoSchema, value: { retryDelay: durationFromMs(delayMs) } },
  ]);
}

test("other errors are not repeated", async (context) => {
  let calls = 0;
  const client = connect(
    await serve(context, {
      submit: () => {
        calls++;
        throw new ConnectError("no", Code.InvalidArgument);
      },
    }),
  );
  await assert.rejects(client.submit({}), { code: Code.InvalidArgument });
  assert.equal(calls, 1);
});

test("the deadline of a call ends its repetitions", async (context) => {
  const client = connect(
    await serve(context, {
      submit: () => {
        throw new ConnectError("gone fishing", Code.Unavailable);
      },
    }),
  );
  await assert.rejects(client.submit({}, { timeoutMs: 50 }));
});

test("a call that the server cancelled is repeated", async (context) => {
  let calls = 0;
  const client = connect(
    await serve(context, {
      get: () => {
        if (++calls < 4) throw new ConnectError("going", Code.Canceled);
        return ANSWER;
      },
    }),
  );
  const { task } = await client.get({ id: "1" });
  assert.equal(task.id, "1");
});

test("a call that its caller cancelled is not repeated", async (context) => {
  let calls = 0;
  const leaving = new AbortController();
  const client = connect(
    await serve(context, {
      get: () => {
        calls++;
        leaving.abort();
        throw new ConnectError("gone fishing", Code.Unavailable);
      },
    }),
  );
  await assert.rejects(client.get({ id: "1" }, { signal: leaving.signal }), { code: Code.Canceled });
  assert.equal(calls, 1);
});

test("the end of its time leaves a call that was repeated with the last error", async (context) => {
  const client = connect(
    await serve(context, {
      get: () => {
        throw new ConnectError("gone fishing", Code.Unavailable);
      },
    }),
    { timeoutMs: 300 },
  );
  await assert.rejects(client.get({ id: "1" }), { code: Code.Unavailable, message: "gone fishing" });
});

test("each call has a deadline", async (context) => {
  const left: (number | undefined)[] = [];
  const address = await serve(context, {
    submit: (_request, { timeoutMs }) => (left.push(timeoutMs()), ANSWER),
    get: (_request, { timeoutMs }) => (left.push(timeoutMs()), ANSWER),
  });
  const client = connect(address);
  await client.submit({});
  await client.get({ wait: { seconds: 60n } });
  await client.submit({}, { timeoutMs: 100_000 });
  await connect(address, { timeoutMs: 200_000 }).submit({});
  assert.deepEqual(left.map((ms) => Math.ceil(ms! / 10_000) * 10_000), [30_000, 90_000, 100_000, 200_000]);
  await connect(address, { timeoutMs: 0 }).get({ wait: { seconds: 60n } });
  await client.submit({}, { timeoutMs: 0 });
  assert.deepEqual(left.slice(4), [undefined, undefined]);
});

test("closing ends the calls, and refuses later ones", async (context) => {
  let arrived: () => void;
  const called = new Promise<void>((resolve) => (arrived = resolve));
  const client = connect(
    await serve(context, {
      get: async (_request, { signal }) => {
        arrived();
        await once(signal, "abort");
        return ANSWER;
      },
    }),
  );
  const waiting = assert.rejects(client.get({ id: "1" }), TaskgateError);
  await called;
  client.close();
  await waiting;
  await assert.rejects(client.get({ id: "1" }), { message: "the client is closed" });
  await assert.rejects(waitUntilFinal(client, "1"), { message: "the client is closed" });
  await assert.rejects(updates(client, ["1"]).next(), { message: "the client is closed" });
});

test("a token needs TLS unless told otherwise", async (context) => {
  const tokens: (string | null)[] = [];
  const address = await serve(context, {
    submit: (_request, { requestHeader }) => (tokens.push(requestHeader.get("authorization")), ANSWER),
  });
  assert.throws(() => connect(address, { token: "secret" }), TypeError);
  await connect(address, { token: "secret", plainTextToken: true }).submit({});
  await connect(address, { token: undefined }).submit({});
  assert.deepEqual(tokens, ["Bearer secret", null]);
});

test("a call says the client's version", async (context) => {
  let agent: string | null = "";
  const client = connect(
    await serve(context, {
      submit: (_request, { requestHeader }) => ((agent = requestHeader.get("user-agent")), ANSWER),
    }),
  );
  await client.submit({});
  assert.equal(agent, `taskgate-typescript/${VERSION}`);
});

test("the token travels over TLS that trusts the CA, and other servers are refused", async (context) => {
  const ours = certify(context);
  const other = certify(context);
  const tokens: (string | null)[] = [];
  const address = await serve(
    context,
    {
      submit: (_request, { requestHeader }) => (tokens.push(requestHeader.get("authorization")), ANSWER),
    },
    { cert: readFileSync(ours.cert, "utf8"), key: readFileSync(ours.key, "utf8") },
  );
  await connect(address, { tls: { ca: ours.cert }, token: "secret" }).submit({});
  const refused = connect(address, { tls: { ca: other.cert }, token: "secret" });
  await assert.rejects(refused.submit({}, { timeoutMs: 2_000 }), /certificate/);
  assert.deepEqual(tokens, ["Bearer secret"]);
});

test("what no connection answers has a code and no reason", async () => {
  const thrown = await connect("127.0.0.1:1").submit({}, { timeoutMs: 2_000 }).catch((error) => error);
  assert.equal(errorOf(thrown).reason, "");
});

function certify(context: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), "taskgate-"));
  context.after(() => rmSync(folder, { recursive: true }));
  const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  execFileSync(
    "openssl",
    ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"].concat(
      ["-keyout", key, "-out", cert, "-days", "1", "-subj", "/CN=taskgate"],
      ["-addext", "subjectAltName=IP:127.0.0.1"],
    ),
    { stdio: "pipe" },
  );
  return { cert, key };
}
