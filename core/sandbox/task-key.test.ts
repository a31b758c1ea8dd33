import { expect, test } from "vitest";
import { utf8 } from "../base/bytes.ts";
import { realCrypto } from "../platform/crypto.ts";
import { LIMITS_DEFAULT } from "./limits.ts";
import { type TaskIdentity, taskKey } from "./task-key.ts";

const task: TaskIdentity = {
  module: "0".repeat(64),
  program: { kind: "bytes" },
  input: utf8("0 100"),
  limits: LIMITS_DEFAULT,
};

test("the same task has the same key, whatever time it has", () => {
  expect(taskKey(realCrypto, task)).toBe(taskKey(realCrypto, { ...task, input: utf8("0 100") }));
  const patient = { ...LIMITS_DEFAULT, timeMsMax: 1 };
  expect(taskKey(realCrypto, { ...task, limits: patient })).toBe(taskKey(realCrypto, task));
});

test("what makes another result, or may, makes another key", () => {
  const keys = [
    task,
    { ...task, module: "1".repeat(64) },
    { ...task, program: { kind: "command", args: ["-v"] } },
    { ...task, input: utf8("0 101") },
    { ...task, limits: { ...LIMITS_DEFAULT, fuelMax: 1 } },
    { ...task, limits: { ...LIMITS_DEFAULT, memoryBytesMax: 65_536 } },
  ].map((one) => taskKey(realCrypto, one));
  expect(new Set(keys).size).toBe(6);
  expect(keys.every((key) => /^[0-9a-f]{64}$/.test(key))).toBe(true);
});
