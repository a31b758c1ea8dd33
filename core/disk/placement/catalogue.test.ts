/** What the map says, as the disk sees it, also if this version does not understand an entry. */
import { expect, test } from "vitest";
import { ReplicaMap, TestTime } from "../../../test/fixtures/replica-map.ts";
import type { Clock } from "../../ports/clock.ts";
import { Catalogue, type Stored } from "./catalogue.ts";

/** Time stands still, and timers go off when a test says so. */
class StillClock implements Clock {
  readonly #timers = new Set<() => void>();

  now(): number {
    return 0;
  }

  monotonic(): number {
    return 0;
  }

  timer(_: number, fire: () => void): { cancel: () => void } {
    this.#timers.add(fire);
    return { cancel: () => this.#timers.delete(fire) };
  }

  fireAll(): void {
    const timers = [...this.#timers];
    this.#timers.clear();
    for (const fire of timers) fire();
  }
}

const CODE = { k: 2, n: 8, copies: 1, wholes: 0 } as const;
/** The content of no bytes. */
const CID = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku";
/** Hashes of its leaf, and of eight shards. */
const LIST: Uint8Array = new Uint8Array(9 * 32);
const KEY = `c/${CID}/id`;

test("a layout in a code that nobody knows yet is wanted, and no content of this node's", () => {
  const map = new ReplicaMap(1, new TestTime());
  const catalogue = new Catalogue(map, new StillClock());
  const value = { size: 100, list: LIST };
  for (const code of [[2, 8, 3], [4, 2, 1], "a new one"]) {
    map.set(KEY, { ...value, code });
    expect([catalogue.isWanted("id"), catalogue.layouts(CID)]).toEqual([true, []]);
  }
  map.set(KEY, { ...value, code: [2, 8, 1] });
  expect(catalogue.layout("id")?.code).toEqual(CODE);
  map.set(KEY, { ...value, code: "a new one" });
  expect([catalogue.isWanted("id"), catalogue.isReplaced("id"), catalogue.layoutCount(CID)]).toEqual([true, false, 0]);
  map.delete(KEY);
  expect(catalogue.isWanted("id")).toBe(false);
});

test("tells when a content has lost its last entry, and of no other", () => {
  const map = new ReplicaMap(1, new TestTime());
  const catalogue = new Catalogue(map, new StillClock());
  const lost: Stored[] = [];
  catalogue.onLost((stored) => lost.push(stored));
  for (const id of ["one", "two"]) {
    catalogue.write({ cid: CID, id, sizeBytes: 100, code: CODE, list: LIST });
  }
  map.delete(`c/${CID}/one`);
  expect([lost, catalogue.isReplaced("one")]).toEqual([[], true]);
  map.delete(`c/${CID}/two`);
  expect(lost.map(({ id }) => id)).toEqual(["two"]);
});

test("slots count here at once, and are written together, at the latest with a content", () => {
  const map = new ReplicaMap(1, new TestTime());
  const clock = new StillClock();
  const catalogue = new Catalogue(map, clock);
  catalogue.chooseSlots(7, ["a", "b"]);
  catalogue.chooseSlots(8, ["b", "a"]);
  expect([catalogue.slots(7), map.get("p/7")]).toEqual([["a", "b"], undefined]);
  clock.fireAll();
  expect([map.get("p/7"), map.get("p/8")]).toEqual([
    ["a", "b"],
    ["b", "a"],
  ]);
  catalogue.chooseSlots(9, ["c"]);
  catalogue.write({ cid: CID, id: "one", sizeBytes: 100, code: CODE, list: LIST });
  expect(map.get("p/9")).toEqual(["c"]);
  catalogue.chooseSlots(10, ["a"]);
  // What another node has chosen meanwhile is not written over.
  map.set("p/10", ["b"]);
  clock.fireAll();
  expect([catalogue.slots(10), map.get("p/10")]).toEqual([["b"], ["b"]]);
  catalogue.chooseSlots(11, ["a"]);
  catalogue.close();
  expect(map.get("p/11")).toEqual(["a"]);
});
