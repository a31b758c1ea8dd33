/** Counters: what they cost with many writers, and that whatever is added counts once, whoever folds what when. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { exchange, ReplicaMap, TestTime } from "../../test/fixtures/replica-map.ts";
import { type Clock } from "../ports/clock.ts";
import { silentLog } from "../ports/log.ts";
import { readPart } from "./cells/parts.ts";
import { CountKeeper } from "./count-keeper.ts";
import { CountWrites } from "./counts.ts";
import { COUNT_FOLD_AFTER_MS, COUNT_FOLD_ENTRIES } from "./limits.ts";
import { countedCells, readRow } from "./rows.ts";
import type { SqlValue } from "./types.ts";

const ROW = "Abcdefgh/B1";
const COLUMN = 7;

function add(map: ReplicaMap, writer: number, added: SqlValue): void {
  const entry = map.entry(ROW);
  if (entry !== undefined) map.batch(new CountWrites(map, writer).add(entry, COLUMN, added));
}

function sum(map: ReplicaMap): SqlValue | undefined {
  const { entry, cells } = readRow(map, ROW);
  if (entry === undefined) return undefined;
  const counted = countedCells(entry, cells);
  expect(counted.length).toBeLessThanOrEqual(1);
  return readPart(counted[0]?.bytes ?? new Uint8Array())?.value;
}

function insert(map: ReplicaMap): void {
  map.set(ROW, new Uint8Array());
}

test.each([
  ["one after the other", 1_000, 1, 5],
  ["in dozens, so many that they are spread over entries", 1_100, 60, 2 ** 40],
])("a writer of a counter costs 24 bytes at most (%s)", (_, writers, together, most) => {
  const time = new TestTime();
  const map = new ReplicaMap(1, time);
  insert(map);
  const before = map.stat().bytes;
  let total = 0;
  for (let i = 0; i < writers; i++) {
    if (i % together === 0) time.nowMs += COUNT_FOLD_AFTER_MS;
    const added = (i * 7_919) % most;
    total += added;
    add(map, 2 ** 47 - i * 1_000_003, added);
  }
  expect(sum(map)).toBe(total);
  // Those of the last minute, and those that are not worth folding yet, have entries of their own.
  const young = together + COUNT_FOLD_ENTRIES;
  expect((map.stat().bytes - before - young * 200) / writers).toBeLessThan(24);
});

test("what others wrote that is no sum counts for nothing, and stays", () => {
  const map = new ReplicaMap(1, new TestTime());
  insert(map);
  map.set(`${ROW} -----6+x`, Uint8Array.of(0x80 + 34, 1, 2));
  map.set(`${ROW} -----6+y`, "no bytes");
  add(map, 3, 4);
  add(map, 3, 2n ** 60n);
  expect(sum(map)).toBe(2n ** 60n + 4n);
});

/** Timers that fire when the test says so. */
class HeldClock implements Clock {
  readonly #waiting: (() => void)[] = [];

  now(): number {
    return 0;
  }

  monotonic(): number {
    return 0;
  }

  timer(_: number, fire: () => void): { cancel(): void } {
    this.#waiting.push(fire);
    return { cancel: () => {} };
  }

  ring(): void {
    for (const fire of this.#waiting.splice(0)) fire();
  }
}

const NODES = 3;
function keptMaps() {
  const time = new TestTime();
  const clock = new HeldClock();
  const maps = Array.from({ length: NODES }, (_, i) => new ReplicaMap(i + 1, time));
  for (const [i, map] of maps.entries()) {
    const keeper = new CountKeeper({ map, clock, log: silentLog, writer: i });
    map.watchReplaced((replaced) => keeper.take(replaced));
  }
  const at = (node: number): ReplicaMap => {
    const map = maps[node];
    if (map === undefined) throw new Error("There is no such node");
    return map;
  };
  insert(at(0));
  exchange(...maps);
  return { time, clock, maps, at };
}

test("what was added unheard, while another node folded what was there before, is brought back by whoever has heard it", () => {
  const { time, clock, maps, at } = keptMaps();
  for (let writer = 1; writer <= COUNT_FOLD_ENTRIES; writer++) add(at(0), writer, 1);
  exchange(...maps);
  time.nowMs += COUNT_FOLD_AFTER_MS;
  // Node 1 hears of it, and the writer is never seen again.
  add(at(0), 1, 10);
  exchange(at(0), at(1));
  time.nowMs += 1;
  add(at(2), 100, 100);
  exchange(at(1), at(2));
  expect(sum(at(1))).toBe(108);
  clock.ring();
  exchange(at(1), at(2));
  expect([sum(at(1)), sum(at(2))]).toEqual([118, 118]);
});

type Step =
  | { readonly node: number; readonly added: number }
  | { readonly crowd: number }
  | { readonly from: number; readonly to: number }
  | { readonly ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ node: fc.nat(NODES - 1), added: fc.constantFrom(1, 2, -3, 1_000, 2 ** 52) }),
  },
  { weight: 2, arbitrary: fc.record({ from: fc.nat(NODES - 1), to: fc.nat(NODES - 1) }) },
  { weight: 2, arbitrary: fc.record({ crowd: fc.nat(NODES - 1) }) },
  { weight: 3, arbitrary: fc.record({ ms: fc.constantFrom(1, COUNT_FOLD_AFTER_MS) }) },
);

test("whatever is added counts once, also where one folds what another, out of reach, has added to", () => {
  const run = fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const { time, clock, maps, at } = keptMaps();
    let total = 0n;
    for (const one of steps) {
      time.nowMs += 1;
      if ("node" in one) {
        add(at(one.node), one.node, one.added);
        total += BigInt(one.added);
      } else if ("crowd" in one) {
        // Tabs that come, add, and are never seen again: so there is something to fold.
        for (let i = 0; i < COUNT_FOLD_ENTRIES; i++) add(at(one.crowd), NODES * (i + 1) + one.crowd, 1);
        total += BigInt(COUNT_FOLD_ENTRIES);
      } else if ("from" in one) exchange(at(one.from), at(one.to));
      else time.nowMs += one.ms;
      clock.ring();
    }
    for (let round = 0; round < 3; round++) {
      exchange(...maps);
      clock.ring();
    }
    exchange(...maps);
    for (const map of maps) expect(BigInt((sum(map) ?? 0) as number | bigint)).toBe(total);
  });
  fc.assert(run, { numRuns: Number(process.env["LONG"] ?? 0) > 0 ? 5_000 : 100 });
});
