import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { connect, errorOf } from "../src/index.js";
import { SubmitRequestSchema, type SubmitRequest } from "../src/v1.js";
import { serve } from "./server.js";

test("submissions get a request id of their own", async (context) => {
  const seen: string[] = [];
  const client = connect(
    await serve(context, {
      submit: ({ requestId }) => (seen.push(requestId), {}),
      retry: ({ requestId }) => (seen.push(requestId), {}),
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
        return {};
      },
    }),
  );
  await client.submit({ taskType: "demo.add" });
  assert.equal(seen.length, 3);
  assert.equal(new Set(seen.map((request) => request.requestId)).size, 1);
});

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

test("the token travels over TLS that trusts the CA, and other servers are refused", async (context) => {
  const ours = certify(context);
  const other = certify(context);
  const tokens: (string | null)[] = [];
  const address = await serve(
    context,
    {
      submit: (_request, { requestHeader }) => (tokens.push(requestHeader.get("authorization")), {}),
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
