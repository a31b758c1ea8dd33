/**
 * Reconciliation ends with both sides equal to the union, whatever they began with. Where little differs, few bytes are
 * sent.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { contents, keyed, manyWrites, NOW_MS, tableOf, writes } from "./entries.fixture.ts";
import { LIVE } from "./entry.ts";
import { RECONCILE_RANGES_BYTES } from "./limits.ts";
import { Packer, unpack } from "./pack.ts";
import { readRanges } from "./ranges.ts";
import { answer, opening } from "./reconcile.ts";
import type { Table } from "./table.ts";
import { stampAt } from "./version.ts";

interface Course {
  readonly bytes: number;
  readonly turns: number;
  readonly largest: number;
}

/** Lets two tables reconcile, and checks that it ends. */
function reconcile(asker: Table, asked: Table): Course {
  let ranges = opening(asker);
  let bytes = ranges.length;
  let turns = 0;
  let largest = 0;
  let [speaker, listener] = [asked, asker];
  while (ranges.length > 0) {
    expect(++turns).toBeLessThan(200);
    const said = answer(speaker, ranges);
    const packer = new Packer();
    for (const key of said.keys) {
      const entry = speaker.get(key);
      if (entry !== undefined) packer.add(key, entry);
    }
    const packed = packer.take();
    for (const { key, entry } of unpack(packed)) listener.merge(key, entry);
    ranges = said.ranges;
    largest = Math.max(largest, ranges.length);
    bytes += packed.length + ranges.length;
    [speaker, listener] = [listener, speaker];
  }
  return { bytes, turns, largest };
}

function plain(count: number, salt: number): Table {
  const table = tableOf([]);
  for (let i = 0; i < count; i++) {
    const stamp = stampAt(NOW_MS) + Math.imul(i, salt);
    table.merge(`item/${i}`, { stamp, writer: 7, state: LIVE, value: "\u0018\u0064", expiresAtMs: undefined });
  }
  return table;
}

describe("reconciliation", () => {
  test("gives both sides the union, for any two sets", () => {
    fc.assert(
      fc.property(writes, writes, writes, (common, x, y) => {
        const [a, b] = [tableOf([...common, ...x]), tableOf([...common, ...y])];
        reconcile(a, b);
        const union = contents(tableOf([...common, ...x, ...y]));
        expect(contents(a)).toEqual(union);
        expect(contents(b)).toEqual(union);
      }),
      { numRuns: 2_000 },
    );
  });

  test("so it does for sets of thousands", () => {
    fc.assert(
      fc.property(manyWrites, manyWrites, manyWrites, (common, x, y) => {
        const [a, b] = [tableOf([...common, ...x]), tableOf([...common, ...y])];
        reconcile(a, b);
        expect(contents(a)).toEqual(contents(b));
        expect(contents(a)).toEqual(contents(tableOf([...common, ...x, ...y])));
      }),
      { numRuns: 60 },
    );
  });

  test("of equal tables takes one answer of no bytes", () => {
    fc.assert(
      fc.property(manyWrites, (x) => {
        const { turns, bytes } = reconcile(tableOf(x), tableOf(x.toReversed()));
        expect(turns).toBe(1);
        expect(bytes).toBeLessThan(16);
      }),
      { numRuns: 50 },
    );
  });

  test("costs bytes by what differs, not by what there is", () => {
    const [a, b] = [plain(20_000, 1), plain(20_000, 1)];
    a.merge("item/777", {
      stamp: stampAt(NOW_MS + 9),
      writer: 1,
      state: LIVE,
      value: "\u0001",
      expiresAtMs: undefined,
    });
    const { bytes } = reconcile(a, b);
    expect(bytes).toBeLessThan(2_500);
    expect(contents(a)).toEqual(contents(b));
  });

  test("of large and wholly different tables keeps each answer bounded", () => {
    const [a, b] = [plain(60_000, 1), plain(60_000, 2)];
    const { largest } = reconcile(a, b);
    expect(largest).toBeLessThan(RECONCILE_RANGES_BYTES + 2_048);
    expect(contents(a)).toEqual(contents(b));
  });

  test("may stop after any turn, and loses nothing that has come", () => {
    fc.assert(
      fc.property(writes, writes, fc.integer({ min: 0, max: 4 }), (x, y, stopAfter) => {
        const [a, b] = [tableOf(x), tableOf(y)];
        let ranges = opening(a);
        let [speaker, listener] = [b, a];
        for (let turn = 0; turn < stopAfter && ranges.length > 0; turn++) {
          const said = answer(speaker, ranges);
          for (const key of said.keys) {
            const entry = speaker.get(key);
            if (entry !== undefined) listener.merge(key, entry);
          }
          ranges = said.ranges;
          [speaker, listener] = [listener, speaker];
        }
        reconcile(b, a);
        expect(contents(a)).toEqual(contents(tableOf([...x, ...y])));
        expect(contents(b)).toEqual(contents(a));
      }),
      { numRuns: 500 },
    );
  });

  test("answers nonsense with a typed error or with ranges, and never loses its own", () => {
    fc.assert(
      fc.property(writes, fc.uint8Array({ maxLength: 300 }), (x, bytes) => {
        const table = tableOf(x);
        const before = contents(table);
        try {
          const said = answer(table, bytes);
          for (const key of said.keys) expect(table.get(key)).toBeDefined();
          expect([...readRanges(said.ranges)].length).toBeLessThanOrEqual(said.ranges.length);
        } catch (error) {
          expect(error).toMatchObject({ name: "StarfishError", code: "malformed" });
        }
        expect(contents(table)).toEqual(before);
      }),
      { numRuns: 2_000 },
    );
  });

  test("keeps to keys of any Unicode", () => {
    fc.assert(
      fc.property(fc.array(keyed, { minLength: 30, maxLength: 200 }), (x) => {
        const [a, b] = [tableOf(x), tableOf(x.slice(0, 5))];
        reconcile(b, a);
        expect(contents(b)).toEqual(contents(a));
      }),
      { numRuns: 300 },
    );
  });
});
