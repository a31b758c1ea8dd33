/** A value comes back as it was given, or is refused; and whatever others have written, reading never fails. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ReplicaMap, TestTime } from "../../test/fixtures/replica-map.ts";
import { DEPTH_MAX, encode } from "../base/codec.ts";
import { isStarfishError } from "../base/errors.ts";
import { toByteText } from "./byte-text.ts";
import { LIVE } from "./entry.ts";
import type { Keyed } from "./pack.ts";
import { stampAt } from "./version.ts";

/** Lists in lists. */
function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = [value];
  return value;
}

function refusal(value: unknown): string {
  try {
    new ReplicaMap(1, new TestTime()).set("k", value);
  } catch (error) {
    return isStarfishError(error) ? `${error.code}: ${error.message}` : `another error: ${String(error)}`;
  }
  return "none";
}

test("any JSON value, bytes and every number come back as they were", () => {
  const map = new ReplicaMap(1, new TestTime());
  const number = fc.double({ noNaN: false });
  const any = fc.oneof(fc.jsonValue({ maxDepth: 5 }), number, fc.maxSafeInteger(), fc.uint8Array(), fc.array(number));
  fc.assert(
    fc.property(any, (value) => {
      fc.pre(typeof value !== "string" || value.isWellFormed());
      map.set("k", value);
      expect(map.get("k")).toStrictEqual(value);
    }),
  );
  const fixed = [
    -0,
    [-0, 0, Number.NaN, Infinity, -Infinity],
    2 ** 53,
    1e21,
    5e-324,
    2n ** 53n,
    -(2n ** 64n),
    "\u{1f980}\u0000",
    null,
    JSON.parse('{"__proto__": {"a": 1}, "constructor": 2}'),
    { "": "" },
    [],
    {},
    nested(DEPTH_MAX - 1),
  ];
  for (const value of fixed) {
    map.set("k", value);
    expect(map.get("k")).toStrictEqual(value);
    // Object.is tells -0 from 0.
    expect(Object.is(map.get("k"), value) || typeof value === "object").toBe(true);
  }
});

const circle: unknown[] = [];
circle.push(circle);
let doubled: unknown = 1;
for (let i = 0; i < 40; i++) doubled = [doubled, doubled];

test.each<[string, unknown, RegExp]>([
  ["half a surrogate pair", { a: ["\ud800"] }, /^malformed: .*surrogate/],
  ["half a surrogate pair in a field's name", { "\udc00": 1 }, /^malformed: .*surrogate/],
  ["65 levels", nested(DEPTH_MAX + 1), /^malformed: .*64 levels/],
  ["3,000 levels", nested(3_000), /^malformed: .*64 levels/],
  ["100,000 levels", nested(100_000), /^malformed: .*64 levels/],
  ["a circle", circle, /^malformed: .*64 levels/],
  ["what names one part many times", doubled, /^too-large/],
  ["a small BigInt", 5n, /^malformed: .*number/],
  ["a BigInt of more than 64 bits", 2n ** 64n, /^malformed: .*64 bits/],
  ["a Map", new Map([["a", 1]]), /^malformed: .*Map/],
  ["a Date", { at: new Date(0) }, /^malformed: .*Date/],
  ["numbers in 16 bits each", new Uint16Array(2), /^malformed: .*Uint16Array/],
  ["a list with a gap", Array(2), /^malformed: .*gap/],
  ["a function", { run: () => 1 }, /^malformed/],
  ["undefined", undefined, /^malformed/],
])("refused: %s", (_, value, why) => {
  expect(refusal(value)).toMatch(why);
});

test("what others have written is read as the bytes that it is where it is no value, also from the store", () => {
  const deep = Uint8Array.from([...new Uint8Array(3_000).fill(0x81), 1]);
  const bad: Readonly<Record<string, Uint8Array>> = {
    "3,000 lists": deep,
    "3,000 maps": Uint8Array.from([...Array.from({ length: 3_000 }, () => [0xa1, 0x60]).flat(), 1]),
    "3,000 tags": Uint8Array.from([...new Uint8Array(3_000).fill(0xc6), 1]),
    "3,000 lists without an end": new Uint8Array(3_000).fill(0x9f),
    "60,000 lists": Uint8Array.from([...new Uint8Array(60_000).fill(0x81), 1]),
    undefined: Uint8Array.of(0xf7),
    nothing: new Uint8Array(0),
    "a field twice": Uint8Array.of(0xa2, 0x61, 0x61, 1, 0x61, 0x61, 2),
    "bytes that end early": Uint8Array.of(0x43, 1, 2),
    "more behind bytes": Uint8Array.of(0x41, 1, 2),
    "bytes of a length without an end": Uint8Array.of(0x58),
    "300 bytes of 301": Uint8Array.from([0x59, 1, 45, ...new Uint8Array(300)]),
  };
  const keyed = Object.entries(bad).map(([key, bytes], i): Keyed => {
    const stamp = stampAt(new TestTime().nowMs) + i;
    return {
      key,
      entry: { stamp, writer: 6, state: LIVE, value: toByteText(bytes), expiresAtMs: undefined },
      heldAtMs: undefined,
    };
  });
  const came = new ReplicaMap(1, new TestTime());
  came.replica.receive(keyed);
  const stored = new ReplicaMap(1, new TestTime());
  stored.replica.restore(keyed);
  for (const map of [came, stored]) {
    expect(Object.fromEntries([...map.entries()].map(({ key, value }) => [key, value]))).toEqual(bad);
    map.set("3,000 lists", "mended");
    expect(map.get("3,000 lists")).toBe("mended");
  }
});

test("bytes of every length come back, as their own, and their CBOR as it is kept", () => {
  const map = new ReplicaMap(1, new TestTime());
  for (const length of [0, 1, 22, 23, 24, 255, 256, 257, 2_045, 2_046, 20_000, 65_532]) {
    const bytes = new Uint8Array(length).map((_, i) => i * 7);
    map.set("k", bytes);
    expect(map.raw("k")).toEqual(encode(bytes));
    map.raw("k")?.fill(1);
    (map.get("k") as Uint8Array).fill(1);
    expect(map.get("k")).toEqual(bytes);
  }
  map.set("k", 1, { expiresInMs: 1 });
  expect(map.raw("k")).toEqual(Uint8Array.of(1));
  map.delete("k");
  expect(map.raw("k")).toBeUndefined();
});

test("the depth of a message is bounded, however wide it is", () => {
  const map = new ReplicaMap(1, new TestTime());
  const wide = Array.from({ length: 3_000 }, (_, i) => [[i], { a: [] }, new Uint8Array(3), "abc"]);
  map.set("wide", wide);
  expect(map.get("wide")).toEqual(wide);
  expect(encode(nested(DEPTH_MAX)).length).toBe(DEPTH_MAX + 1);
});
