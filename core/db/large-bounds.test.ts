/** What a node does with more, or larger, values than it has room for. Nothing of it needs SQLite. */
import { expect, test } from "vitest";
import { realClock } from "../platform/clock.ts";
import type { Log, LogLevel } from "../ports/log.ts";
import { packLarge, readLarge } from "./cells/large.ts";
import { HeldValues } from "./engine/held-values.ts";
import type { IndexTable } from "./engine/index-table.ts";
import { LargeValues } from "./large-values.ts";
import { LARGE_FETCHED_MAX, LARGE_INDEX_BYTES_MAX, LARGE_WANTED_MAX, SQL_VALUE_BYTES_MAX } from "./limits.ts";
import type { PackedCell } from "./rows.ts";

function refOf(i: number): { isText: boolean; sizeBytes: number; cid: string } {
  const digits = String(i).replace(/\d/g, (digit) => String.fromCharCode(97 + Number(digit)));
  return { isText: false, sizeBytes: SQL_VALUE_BYTES_MAX, cid: `b${digits.padStart(58, "a")}` };
}

test("of endless claims to large values so many are waited for, a few are fetched at once, and the rest is counted and told", async () => {
  let reading = 0;
  let most = 0;
  const told: unknown[] = [];
  const log: Log = { write: (level: LogLevel, name, fields) => void told.push([level, name, fields]) };
  const ended = new AbortController();
  const large = new LargeValues({
    clock: realClock,
    log,
    contents: () => ({
      put: () => Promise.reject(new Error("Nothing is put")),
      // Never comes.
      async *read(_, { signal } = {}) {
        most = Math.max(most, ++reading);
        await new Promise((_resolve, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
        yield new Uint8Array();
      },
    }),
  });
  const reader = { arrived: (): void => ended.abort(), wants: () => true };
  let found = 0;
  for (let i = 0; i < LARGE_WANTED_MAX + 500; i++) {
    if (large.find(`row${i}`, refOf(i), reader) !== undefined) found++;
  }
  expect(found).toBe(0);
  // Equal contents count once, however many rows wait for them.
  expect(large.find("another", refOf(0), reader)).toBe(undefined);
  await Promise.resolve();
  expect(large.missing).toBe(LARGE_WANTED_MAX + 500);
  expect(most).toBe(LARGE_FETCHED_MAX);
  expect(told).toEqual([["warn", "db.large", { error: "Too many values are missing" }]]);
  large.close();
  expect(ended.signal.aborted).toBe(false);
});

test("the index takes as many bytes as it has room for, and takes others when these go", () => {
  const held = new HeldValues();
  const table: Pick<IndexTable, "valueOf"> = { valueOf: () => undefined };
  const cell = (i: number): PackedCell => {
    return { column: 1, isPart: false, bytes: packLarge(refOf(i)), content: new Uint8Array(8) };
  };
  const take = (i: number): string | undefined => {
    const { held: values, lacks } = held.resolve(table, `t/${i}`, `${i}`, [cell(i)]);
    if (lacks === undefined) held.set(`t/${i}`, values);
    return lacks;
  };
  const room = LARGE_INDEX_BYTES_MAX / SQL_VALUE_BYTES_MAX;
  for (let i = 0; i < room; i++) expect(take(i)).toBe(undefined);
  expect(take(room)).toContain("has room for");
  // What is there already takes no more room when it is read anew.
  expect(take(0)).toBe(undefined);
  held.forget("t/0", 1);
  expect(take(room)).toBe(undefined);
  held.forgetTable("t");
  expect(held.bytes).toBe(0);
});

test("what is no reference to a value of a size that may be is none", () => {
  const ref = refOf(1);
  expect(readLarge(packLarge(ref))).toEqual(ref);
  for (const wrong of [
    { ...ref, sizeBytes: SQL_VALUE_BYTES_MAX + 1 },
    { ...ref, sizeBytes: 10 },
    { ...ref, sizeBytes: -1 },
    { ...ref, sizeBytes: 40_000.5 },
    { ...ref, cid: "" },
    { ...ref, cid: ref.cid.toUpperCase() },
    { ...ref, cid: `b${"a".repeat(1_000)}` },
  ]) {
    expect(readLarge(packLarge(wrong))).toBe(undefined);
  }
  const packed = packLarge(ref);
  expect(readLarge(packed.subarray(0, 9))).toBe(undefined);
  expect(readLarge(Uint8Array.of(...packed, 0))).toBe(undefined);
});
