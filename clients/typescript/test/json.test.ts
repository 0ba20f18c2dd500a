import assert from "node:assert/strict";
import { test } from "node:test";
import { create, fromJson } from "@bufbuild/protobuf";
import { ListValueSchema, ValueSchema } from "@bufbuild/protobuf/wkt";
import { argumentsJson, argumentsOf, resultOf } from "../src/index.js";
import { TaskSchema } from "../src/v1.js";

test("arguments keep bigints", () => {
  assert.equal(
    argumentsJson([9007199254740993n, 1, 2.5, "ü"], { nothing: null }),
    '{"args":[9007199254740993,1,2.5,"ü"],"kwargs":{"nothing":null}}',
  );
  assert.equal(argumentsJson(), '{"args":[],"kwargs":{}}');
});

test("numbers that JSON does not have are refused", () => {
  assert.throws(() => argumentsJson([[NaN]]), RangeError);
  assert.throws(() => argumentsJson([], { x: Infinity }), RangeError);
});

test("arguments and results are read as they came", () => {
  const plain = create(TaskSchema, {
    args: fromJson(ListValueSchema, [1, 2.5, null, "é"]),
    kwargs: { x: { y: [true] } },
    result: fromJson(ValueSchema, { total: 3 }),
  });
  assert.deepEqual(argumentsOf(plain), { args: [1, 2.5, null, "é"], kwargs: { x: { y: [true] } } });
  assert.deepEqual(resultOf(plain), { total: 3 });

  const exact = create(TaskSchema, {
    argumentsJson: '{"args": [9007199254740993, -9007199254740991, 1e300], "kwargs": {}}',
    resultJson: '[123456789012345678901234567890, "9007199254740993"]',
  });
  assert.deepEqual(argumentsOf(exact).args, [9007199254740993n, -9007199254740991, 1e300]);
  assert.deepEqual(resultOf(exact), [123456789012345678901234567890n, "9007199254740993"]);
});

test("a result null is not the same as none", () => {
  assert.equal(resultOf(create(TaskSchema, { result: fromJson(ValueSchema, null) })), null);
  assert.equal(resultOf(create(TaskSchema)), undefined);
});
