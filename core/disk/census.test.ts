import { expect, test } from "vitest";
import type { Clock } from "../ports/clock.ts";
import type { Stored } from "./catalogue.ts";
import { inSlices, unitsOf } from "./census.ts";
import { LEAF_BYTES } from "./content/limits.ts";
import { STRIPES_PER_SLICE, UNIT_STRIPES } from "./limits.ts";

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
  const units = unitsOf(storedOf(STRIPES_PER_SLICE * 3));
  const seen: number[] = [];
  for await (const [i, { from }] of inSlices({ clock }, units, {})) {
    expect(from).toBe(i * UNIT_STRIPES);
    expect(pauses).toBe(Math.floor(from / STRIPES_PER_SLICE));
    seen.push(i);
  }
  expect(seen).toEqual([...units.keys()]);
});
