import { expect, test } from "vitest";
import type { Clock } from "../../ports/clock.ts";
import { SHARDS_MAX } from "../../ports/coder.ts";
import type { Stored } from "../placement/catalogue.ts";
import { type CensusParts, inSlices, isWhole, takeCensus, unitsOf } from "./census.ts";
import { LEAF_BYTES } from "../content/limits.ts";
import type { Layout } from "../code/layout.ts";
import { STRIPES_PER_SLICE, UNIT_STRIPES } from "../limits.ts";

/** A layout of so many stripes. */
function storedOf(stripes: number): Stored {
  const code = { k: 1, n: 2, copies: 1, wholes: 0 } as const;
  return { cid: "b", id: "a", sizeBytes: stripes * LEAF_BYTES, code, list: new Uint8Array(0), writtenAtMs: 0 };
}

test("all units come in order, and the thread is given back after each slice", async () => {
  let pauses = 0;
  const clock: Clock = {
    now: () => 0,
    monotonic: () => 0,
    timer(_, fire) {
      pauses++;
      queueMicrotask(fire);
      return { cancel: () => {} };
    },
  };
  const units = [...unitsOf(storedOf(STRIPES_PER_SLICE * 3))];
  const seen: number[] = [];
  for await (const [i, { from }] of inSlices({ clock }, units, {})) {
    expect(from).toBe(i * UNIT_STRIPES);
    expect(pauses).toBe(Math.floor(from / STRIPES_PER_SLICE));
    seen.push(i);
  }
  expect(seen).toEqual([...units.keys()]);
});

test("whoever says one shard ten thousand times holds it once", async () => {
  const answer = new Uint8Array(UNIT_STRIPES * SHARDS_MAX * 3);
  const parts: Partial<CensusParts> = {
    devices: { awake: () => [{ id: "device", nodes: ["a", "b"] }] } as never,
    peers: { have: async () => [answer] } as never,
  };
  const { found } = await takeCensus(parts as CensusParts, [...unitsOf(storedOf(UNIT_STRIPES))]);
  expect([...(found[0]?.[0] ?? [])]).toEqual([[0, ["a", "b"]]]);
});

test("a stripe is whole when each shard has its holders; of plain copies any do", () => {
  const coded: Layout = { k: 2, n: 3, copies: 1, wholes: 1 };
  expect(isWhole(coded, [["a"], ["b"], ["c"], ["d"]], 4)).toBe(true);
  expect(isWhole(coded, [["a", "b"], [], ["c"], ["d"]], 4)).toBe(false);
  const copies: Layout = { k: 1, n: 3, copies: 1, wholes: 0 };
  expect(isWhole(copies, [["a", "b"], [], ["c"]], 5)).toBe(true);
  expect(isWhole(copies, [["a", "b"], [], []], 5)).toBe(false);
  expect(isWhole(copies, [["a", "b"], [], []], 2)).toBe(true);
});
