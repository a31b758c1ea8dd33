/** Parts of batches wait for each other, in bounded room, and hold nothing up. */
import { expect, test } from "vitest";
import {
  PARTS_ASK_EVERY_MS,
  PARTS_BYTES_MAX,
  PARTS_BYTES_PER_MEMBER_MAX,
  PARTS_KEEP_MS,
  PARTS_PATIENCE_MS,
} from "./limits.ts";
import { Parts } from "./parts.ts";

const LARGE = new Uint8Array(40_000);
const bytes = (length: number, fill = 0): Uint8Array => new Uint8Array(length).fill(fill);

test("are given together when the last one has come, in order, each once", () => {
  const parts = new Parts();
  const part = (index: number): Uint8Array[] | undefined =>
    parts.add("m", { id: 1, index, count: 3 }, bytes(1, index), 0);
  expect([part(2), part(0), part(2)]).toEqual([undefined, undefined, undefined]);
  expect(part(1)).toEqual([bytes(1, 0), bytes(1, 1), bytes(1, 2)]);
  // Another member's, and another batch of the same, are not mixed up with it.
  expect(parts.add("n", { id: 1, index: 0, count: 2 }, bytes(1), 0)).toBeUndefined();
  expect(parts.add("m", { id: 2, index: 1, count: 2 }, bytes(1), 0)).toBeUndefined();
  expect(parts.add("m", { id: 2, index: 0, count: 2 }, bytes(1), 0)).toHaveLength(2);
  expect(parts.dropped).toBe(0);
});

test("that contradict those before them count for nothing", () => {
  const parts = new Parts();
  expect(parts.add("m", { id: 1, index: 0, count: 2 }, bytes(1), 0)).toBeUndefined();
  expect(parts.add("m", { id: 1, index: 1, count: 3 }, bytes(1), 0)).toBeUndefined();
  expect(parts.add("m", { id: 1, index: 5, count: 2 }, bytes(1), 0)).toBeUndefined();
  expect(parts.add("m", { id: 1, index: 1, count: 2 }, bytes(1), 0)).toHaveLength(2);
});

test("of members that never send the rest take bounded room, and an honest member's batch comes through", () => {
  const parts = new Parts();
  for (let i = 0; i < 400; i++) {
    for (let member = 0; member < 12; member++) {
      parts.add(`liar${member}`, { id: i, index: 0, count: 32 }, LARGE, 0);
    }
    expect(parts.bytes).toBeLessThanOrEqual(PARTS_BYTES_MAX);
  }
  expect(parts.dropped).toBeGreaterThan(3_000);
  for (let index = 0; index < 21; index++) {
    parts.add("liar0", { id: 1e6 + index, index: 0, count: 32 }, LARGE, 0);
    expect(parts.add("honest", { id: 7, index, count: 22 }, LARGE, 0)).toBeUndefined();
  }
  expect(parts.add("honest", { id: 7, index: 21, count: 22 }, LARGE, 0)).toHaveLength(22);
  // Tiny parts cost more than their bytes.
  for (let i = 0; i < 20_000; i++) parts.add("liar0", { id: i, index: 0, count: 2 }, bytes(1), 0);
  expect(parts.bytes).toBeLessThanOrEqual(PARTS_BYTES_MAX);
  expect(PARTS_BYTES_PER_MEMBER_MAX).toBeLessThan(PARTS_BYTES_MAX);
});

test("that are missing are asked for once in a while, and dropped in the end", () => {
  const parts = new Parts();
  parts.add("m", { id: 1, index: 0, count: 2 }, bytes(1), 0);
  expect(parts.sweep(PARTS_PATIENCE_MS)).toBe(false);
  expect(parts.sweep(PARTS_PATIENCE_MS + 1)).toBe(true);
  expect(parts.sweep(PARTS_PATIENCE_MS + 2)).toBe(false);
  parts.add("m", { id: 2, index: 0, count: 2 }, bytes(1), 8_000);
  expect(parts.sweep(9_500)).toBe(false);
  expect(parts.sweep(PARTS_ASK_EVERY_MS + 2_000)).toBe(true);
  expect(parts.sweep(PARTS_KEEP_MS + 8_001)).toBe(false);
  expect([parts.dropped, parts.bytes]).toEqual([2, 0]);
});
