import { expect, test } from "vitest";
import { moveToSpread } from "./spread.ts";

/** "a1" is a device of machine "a". */
const hostOf = (device: string): string => device.slice(0, 1);
const COPIES = { k: 1, n: 4, copies: 1, wholes: 0 } as const;
const WHOLE = { k: 2, n: 3, copies: 1, wholes: 1 } as const;
const each = (devices: readonly string[]): string[][] => devices.map((device) => [device]);

test("a copy goes to the machine that has none, and no further where each has its share", () => {
  const bySlot = ["a1", "a2", "a3", "a4"];
  const devices = [...bySlot, "b1", "c1"];
  const move = moveToSpread({ code: COPIES, bySlot, holders: each(bySlot), devices, hostOf });
  expect(move).toEqual({ shard: 0, slot: 0, device: "b1" });
  const spread = ["b1", "a2", "a3", "c1"];
  expect(moveToSpread({ code: COPIES, bySlot: spread, holders: each(spread), devices, hostOf })).toBeUndefined();
});

test("one that has the slot and lacks the shard gets that shard", () => {
  const bySlot = ["a1", "a2", "b1", "a4"];
  const holders = each(["a1", "a2", "a3", "a4"]);
  const move = moveToSpread({ code: COPIES, bySlot, holders, devices: ["a1", "a2", "a3", "a4", "b1", "b2"], hostOf });
  expect(move).toEqual({ shard: 2, slot: 2, device: "b1" });
});

test("who holds all moves to a machine that holds less, although each device has something", () => {
  const bySlot = ["a1", "b1", "a2", "a3"];
  const move = moveToSpread({ code: WHOLE, bySlot, holders: each(bySlot), devices: bySlot, hostOf });
  expect(move).toEqual({ shard: 3, slot: 3, device: "b1" });
  const spread = ["a1", "a3", "a2", "b1"];
  expect(moveToSpread({ code: WHOLE, bySlot: spread, holders: each(spread), devices: spread, hostOf })).toBeUndefined();
});

test("nothing moves where each device is a machine by itself, or no device has room", () => {
  const bySlot = ["a1", "b1", "c1", "d1"];
  expect(
    moveToSpread({ code: COPIES, bySlot, holders: each(bySlot), devices: [...bySlot, "e1"], hostOf }),
  ).toBeUndefined();
  const alone = ["a1", "a2", "a3", "a4"];
  expect(moveToSpread({ code: COPIES, bySlot: alone, holders: each(alone), devices: [], hostOf })).toBeUndefined();
});
