/** Tombstones have a budget of their own, of which all nodes keep the same part. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ReplicaMap, TestTime } from "../../test/fixtures/replica-map.ts";
import { contents, DIGEST_KEY, HORIZON_MS, NOW_MS } from "./entries.fixture.ts";
import { DELETED, type Entry, LIVE } from "./entry.ts";
import { BUDGET_OVERSHOOT } from "./limits.ts";
import type { Keyed } from "./pack.ts";
import { Table } from "./table.ts";
import { stampAt } from "./version.ts";

const BYTES_MAX = 10_000;

function newTable(): Table {
  return new Table({ digestKey: DIGEST_KEY, bytesMax: BYTES_MAX, horizonMs: HORIZON_MS });
}

function keyedOf(key: string, atMs: number, state: typeof LIVE | typeof DELETED): Keyed {
  const value = state === LIVE ? "\u0001" : "";
  const entry: Entry = { stamp: stampAt(NOW_MS) + atMs, writer: 1, state, value, expiresAtMs: undefined };
  return { key, entry, heldAtMs: undefined };
}

test("deletions of what never was leave all of the budget to what is", () => {
  const map = new ReplicaMap(1, new TestTime(), 1_000_000);
  const other = new ReplicaMap(2, new TestTime(), 1e9);
  const COUNT = 6_200;
  for (let i = 0; i < COUNT; i++) other.batch([{ key: `never ${i}`.padEnd(1_000, "x"), deleted: true }]);
  map.replica.receive([...other.replica.table.keys("")].flatMap((key) => other.replica.keyed(key) ?? []));
  const { tombstones, tombstoneBytes, forgottenEarly, bytes } = map.stat();
  expect(bytes).toBe(0);
  expect(tombstoneBytes).toBeLessThanOrEqual(BUDGET_OVERSHOOT * 1_000_000);
  expect(tombstones + forgottenEarly).toBe(COUNT);
  for (let i = 0; i < 15; i++) map.set(`large ${i}`, "x".repeat(60_000));
  expect(() => map.set("too much", "x".repeat(65_000))).not.toThrow();
  expect(() => map.set("more than there may be", "x".repeat(65_000))).toThrow("full");
  expect(map.stat().tombstoneBytes).toBeLessThanOrEqual(BUDGET_OVERSHOOT * 1_000_000 - map.stat().bytes);
});

test("whatever is there can be deleted without any deletion being forgotten", () => {
  const table = newTable();
  const keys = Array.from({ length: 200 }, (_, i) => `k${i}`);
  const there = keys.filter((key, i) => table.merge(key, keyedOf(key, i, LIVE).entry) === "applied");
  expect(table.bytes).toBeGreaterThan(BYTES_MAX);
  for (const [i, key] of there.entries()) table.merge(key, keyedOf(key, 1_000 + i, DELETED).entry);
  expect([table.live, table.tombstones, table.forgottenEarly]).toEqual([0, there.length, 0]);
});

test("nodes that have forgotten early end with the same, in whichever order it came to them", () => {
  const some = fc.record({
    key: fc.nat(150).map((i) => "k".repeat(1 + (i % 40)) + i),
    // Many at one moment: the order of their keys decides which of them stay.
    atMs: fc.nat(3),
    state: fc.constantFrom(LIVE, DELETED, DELETED, DELETED, DELETED),
  });
  const writes = fc.array(some, { maxLength: 300 });
  fc.assert(
    fc.property(writes, writes, (x, y) => {
      const tables = [newTable(), newTable()];
      for (const [i, those] of [x, y].entries()) {
        for (const { key, atMs, state } of those) tables[i]?.merge(key, keyedOf(key, atMs * 5_000_000, state).entry);
      }
      for (let round = 0; round < 4; round++) {
        for (const [from, to] of [tables, tables.toReversed()] as const) {
          for (const key of [...(from?.keys("") ?? [])]) {
            const entry = from?.get(key);
            if (entry !== undefined) to?.merge(key, entry);
          }
        }
      }
      const [one, two] = tables;
      if (one === undefined || two === undefined) throw new Error("There are two tables");
      expect(contents(one)).toEqual(contents(two));
      for (const table of tables) {
        expect(table.tombstoneBytes + table.bytes).toBeLessThanOrEqual(BUDGET_OVERSHOOT * BYTES_MAX + BYTES_MAX / 4);
        for (const key of [...table.keys("")]) table.forget(key);
        expect([table.bytes, table.tombstoneBytes, table.live, table.tombstones]).toEqual([0, 0, 0, 0]);
      }
    }),
    { numRuns: 300 },
  );
});
