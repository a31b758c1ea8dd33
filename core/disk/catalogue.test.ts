/** What the map says, as the disk sees it: also where it says what this version does not understand. */
import { expect, test } from "vitest";
import { ReplicaMap, TestTime } from "../../test/fixtures/replica-map.ts";
import { Catalogue, type Stored } from "./catalogue.ts";

const CODE = { k: 2, n: 8, copies: 1, wholes: 0 } as const;

test("a layout in a code that nobody knows yet is wanted, and no content of this node's", () => {
  const map = new ReplicaMap(1, new TestTime());
  const catalogue = new Catalogue(map);
  const value = { size: 100, list: new Uint8Array(32) };
  for (const code of [[2, 8, 3], [4, 2, 1], "a new one"]) {
    map.set("c/cid/id", { ...value, code });
    expect([catalogue.isWanted("id"), catalogue.layouts("cid")]).toEqual([true, []]);
  }
  map.set("c/cid/id", { ...value, code: [2, 8, 1] });
  expect(catalogue.layout("id")?.code).toEqual(CODE);
  map.set("c/cid/id", { ...value, code: "a new one" });
  expect([catalogue.isWanted("id"), catalogue.isReplaced("id"), catalogue.layoutCount("cid")]).toEqual([
    true,
    false,
    0,
  ]);
  map.delete("c/cid/id");
  expect(catalogue.isWanted("id")).toBe(false);
});

test("tells when a content has lost its last entry, and of no other", () => {
  const map = new ReplicaMap(1, new TestTime());
  const catalogue = new Catalogue(map);
  const lost: Stored[] = [];
  catalogue.onLost((stored) => lost.push(stored));
  for (const id of ["one", "two"]) {
    catalogue.write({ cid: "cid", id, sizeBytes: 100, code: CODE, list: new Uint8Array(32) });
  }
  map.delete("c/cid/one");
  expect([lost, catalogue.isReplaced("one")]).toEqual([[], true]);
  map.delete("c/cid/two");
  expect(lost.map(({ id }) => id)).toEqual(["two"]);
});
