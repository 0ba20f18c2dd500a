import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { connect, errorOf, errorOfStatus, Reason, TaskgateError } from "../src/index.js";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema, StatusSchema } from "../src/v1.js";
import { serve } from "./server.js";

const INFO = { reason: "ARGUMENTS_INVALID", domain: "taskgate", metadata: { task_type: "demo.add" } };
const VIOLATION = { field: "kwargs.x", description: '"abc" is not a number' };

test("an error carries its details", async (context) => {
  const details = [
    { desc: ErrorInfoSchema, value: INFO },
    { desc: BadRequestSchema, value: { fieldViolations: [VIOLATION] } },
    { desc: RetryInfoSchema, value: { retryDelay: { seconds: 2n, nanos: 500_000_000 } } },
  ];
  const client = connect(
    await serve(context, {
      submit: () => {
        throw new ConnectError("wrong", Code.InvalidArgument, undefined, details);
      },
    }),
  );
  const error = await client.submit({}).catch((thrown) => thrown);
  assert(error instanceof TaskgateError);
  assert.equal(errorOf(error), error);
  assert.equal(error.code, Code.InvalidArgument);
  assert.equal(error.message, "wrong");
  assert.equal(error.reason, Reason.ARGUMENTS_INVALID);
  assert.deepEqual(error.metadata, INFO.metadata);
  assert.deepEqual(error.violations.map(({ field, description }) => ({ field, description })), [VIOLATION]);
  assert.equal(error.retryDelayMs, 2_500);
});

test("the error of a batch's item carries its details", () => {
  const status = create(StatusSchema, {
    code: Code.InvalidArgument,
    message: "wrong",
    details: [anyPack(ErrorInfoSchema, create(ErrorInfoSchema, INFO))],
  });
  const error = errorOfStatus(status);
  assert.equal(error.code, Code.InvalidArgument);
  assert.equal(error.reason, "ARGUMENTS_INVALID");
});

test("what is no gRPC error has no reason", () => {
  assert.equal(errorOf(new Error("other")).reason, "");
});
