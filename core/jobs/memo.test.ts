import { expect, test } from "vitest";
import { utf8 } from "../base/bytes.ts";
import { realCrypto } from "../platform/crypto.ts";
import { MEMO_BYTES_MAX, MEMO_INPUT_BYTES_MAX, MEMO_MS_MIN, MEMO_OUTPUT_BYTES_MAX } from "./limits.ts";
import { Memo, type Work } from "./memo.ts";

const WORK: Work = { module: "m", program: { kind: "bytes" }, memoryBytesMax: 2 ** 20, fuelMax: 1_000 };

function keyOf(memo: Memo, input: Uint8Array, more: Partial<Work> = {}): string {
  const key = memo.keyOf({ ...WORK, ...more }, input);
  if (key === undefined) throw new Error("It has no key");
  return key;
}

test("what was computed is remembered under all that it depends on", () => {
  const memo = new Memo(realCrypto);
  const key = keyOf(memo, utf8("input"));
  memo.add(key, "m", { output: utf8("output"), fuelUsed: 7 }, 1_000);
  expect(memo.get(key)).toEqual({ output: utf8("output"), fuelUsed: 7 });
  expect([memo.knows("m"), memo.knows("other")]).toEqual([true, false]);
  const others = [
    keyOf(memo, utf8("other")),
    keyOf(memo, utf8("input"), { memoryBytesMax: 2 ** 21 }),
    keyOf(memo, utf8("input"), { fuelMax: 1_001 }),
    keyOf(memo, utf8("input"), { program: { kind: "bytes", entry: "reduce" } }),
  ];
  for (const other of others) expect(memo.get(other)).toBeUndefined();
  expect(keyOf(memo, utf8("input"), { program: { kind: "bytes", entry: undefined } })).toBe(key);
});

test("what it gives and takes may be changed without it", () => {
  const memo = new Memo(realCrypto);
  const key = keyOf(memo, utf8("input"));
  const output = utf8("output");
  memo.add(key, "m", { output, fuelUsed: 7 }, 1_000);
  output.fill(0);
  memo.get(key)?.output.fill(0);
  expect(memo.get(key)?.output).toEqual(utf8("output"));
});

test("what is cheap, or large, is not remembered; and what was used longest ago makes room", () => {
  const memo = new Memo(realCrypto);
  expect(memo.keyOf(WORK, new Uint8Array(MEMO_INPUT_BYTES_MAX + 1))).toBeUndefined();
  const cheap = keyOf(memo, utf8("cheap"));
  memo.add(cheap, "m", { output: utf8("1"), fuelUsed: 7 }, MEMO_MS_MIN - 1);
  memo.add(keyOf(memo, utf8("large")), "m", { output: new Uint8Array(MEMO_OUTPUT_BYTES_MAX + 1), fuelUsed: 7 }, 1_000);
  expect(memo.get(cheap)).toBeUndefined();
  expect(memo.get(keyOf(memo, utf8("large")))).toBeUndefined();
  const count = Math.ceil(MEMO_BYTES_MAX / MEMO_OUTPUT_BYTES_MAX) + 1;
  const keys = Array.from({ length: count }, (_, i) => keyOf(memo, utf8(String(i))));
  for (const key of keys) {
    memo.add(key, "m", { output: new Uint8Array(MEMO_OUTPUT_BYTES_MAX), fuelUsed: 7 }, 1_000);
    // The first one is in use.
    memo.get(keys[0] ?? "");
  }
  expect(memo.get(keys[0] ?? "")).toBeDefined();
  expect(memo.get(keys[1] ?? "")).toBeUndefined();
  expect(memo.get(keys.at(-1) ?? "")).toBeDefined();
  // A module whose results have all made room is not known.
  const fresh = new Memo(realCrypto);
  fresh.add("a", "one", { output: utf8("1"), fuelUsed: 7 }, 1_000);
  for (const key of keys) fresh.add(key, "two", { output: new Uint8Array(MEMO_OUTPUT_BYTES_MAX), fuelUsed: 7 }, 1_000);
  expect([fresh.knows("one"), fresh.knows("two")]).toEqual([false, true]);
});
