/**
 * What members may say of contents: each number has a bound, and numbers that follow from others have to agree with
 * them.
 */
import { expect, test } from "vitest";
import { ReplicaMap, TestTime } from "../../../test/fixtures/replica-map.ts";
import type { Clock } from "../../ports/clock.ts";
import { Catalogue } from "./catalogue.ts";
import { layoutFor } from "../code/layout.ts";
import { readContent, readSlots, readStorage } from "./layout-entry.ts";
import { CONTENT_BYTES_MAX, LIST_BYTES_MAX, STORAGE_BYTES_MAX } from "../limits.ts";
import { listBytes } from "../code/shard-list.ts";

const CID = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku";
const OTHER = "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi";
const TERABYTE_LIST = { cid: OTHER, sizeBytes: listBytes({ sizeBytes: CONTENT_BYTES_MAX, code: layoutFor(1) }) };

/** Whether it is taken in. */
function isRead(value: unknown, cid: string = CID, id: string = "0a1b"): boolean {
  return "value" in readContent(cid, id, value);
}

test("what honest nodes write is read, from the smallest to the largest, for any number of devices", () => {
  for (let devices = 1; devices < 200; devices++) {
    const code = layoutFor(devices);
    for (const sizeBytes of [0, 1, 262_144, 262_145, 40_000_000, 2 ** 36]) {
      const length = listBytes({ sizeBytes, code });
      const list = length <= 4_096 ? new Uint8Array(length) : { cid: OTHER, sizeBytes: length };
      const value = { size: sizeBytes, code: [code.k, code.n, code.copies, code.wholes], list };
      expect([devices, sizeBytes, isRead(value)]).toEqual([devices, sizeBytes, true]);
    }
  }
  expect(isRead({ size: CONTENT_BYTES_MAX, code: [1, 1, 1, 0], list: TERABYTE_LIST })).toBe(true);
});

const SMALL = { size: 100, code: [1, 2, 1, 0], list: new Uint8Array(64) };

test.each<[string, unknown]>([
  ["a size beyond all", { ...SMALL, size: Number.MAX_SAFE_INTEGER }],
  ["a size beyond a terabyte", { ...SMALL, size: CONTENT_BYTES_MAX + 1, list: TERABYTE_LIST }],
  ["a size of which the list is none", { ...SMALL, size: 10_000_000 }],
  ["a list too short", { ...SMALL, list: new Uint8Array(32) }],
  ["a list elsewhere, of another length", { ...SMALL, size: 2 ** 30, list: { cid: OTHER, sizeBytes: 5_000 } }],
  [
    "a list too long to be read",
    { ...SMALL, size: 2 ** 40, code: [1, 4, 1, 0], list: { cid: OTHER, sizeBytes: 2 ** 29 } },
  ],
  ["a list as long as its content", { size: 4_128, code: [28, 128, 1, 0], list: { cid: CID, sizeBytes: 4_128 } }],
  ["fewer shards than data", { ...SMALL, code: [2, 1, 1, 0] }],
  ["more copies than anybody pays for", { ...SMALL, code: [1, 128, 1, 0], list: new Uint8Array(4_096) }],
  ["more holders than a stripe has", { ...SMALL, code: [64, 128, 2, 0] }],
  ["no number", { ...SMALL, size: Number.NaN }],
])("refused: %s", (_, value) => {
  expect(isRead(value)).toBe(false);
});

test("what is named by no CID of a content, or has no id, is refused", () => {
  expect(isRead(SMALL)).toBe(true);
  for (const cid of ["", "cid", `${CID}a`, CID.toUpperCase(), "QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG"]) {
    expect(isRead(SMALL, cid)).toBe(false);
  }
  for (const id of ["", "A", "a/b", "x".repeat(33), "\u0000"]) expect(isRead(SMALL, CID, id)).toBe(false);
  expect(LIST_BYTES_MAX).toBeGreaterThanOrEqual(TERABYTE_LIST.sizeBytes);
});

test("slots are of a partition, each device once; storage is no more than there can be", () => {
  expect(readSlots("0", ["a", "b"])).toEqual({ value: ["a", "b"] });
  for (const partition of ["1024", "-1", "1e2", "07", "", "x"])
    expect(readSlots(partition, ["a"])).toHaveProperty("why");
  for (const devices of [["a", "a"], Array.from({ length: 129 }, String), ["x".repeat(129)]]) {
    expect(readSlots("0", devices)).toHaveProperty("why");
  }
  expect(readStorage([10, 4])).toEqual({ value: { offeredBytes: 10, freeBytes: 4 } });
  for (const said of [
    [1, 2],
    [STORAGE_BYTES_MAX + 1, 0],
    [2 ** 53 - 1, 2 ** 53 - 1],
    [1.5, 1],
    [-1, -1],
  ]) {
    expect(readStorage(said)).toHaveProperty("why");
  }
});

test("what is set aside is counted and told, stands in nobody's way, and ends with its entry", () => {
  const told: unknown[] = [];
  const map = new ReplicaMap(1, new TestTime());
  for (let i = 0; i < 100; i++) map.set(`c/${CID}/bad${i}`, { ...SMALL, size: Number.MAX_SAFE_INTEGER });
  const log = { write: (...line: unknown[]) => void told.push(line) };
  const catalogue = new Catalogue(map, {} as Clock, log);
  expect([catalogue.setAside, catalogue.count, told.length]).toEqual([100, 0, 7]);
  expect(told[0]).toMatchObject(["warn", "memory.set-aside", { key: `c/${CID}/bad0`, entries: 1 }]);
  map.set(`c/${CID}/good`, SMALL);
  expect(catalogue.layouts(CID).map(({ id }) => id)).toEqual(["good"]);
  for (let i = 0; i < 99; i++) map.delete(`c/${CID}/bad${i}`);
  expect(catalogue.setAside).toBe(1);
  expect([catalogue.isWanted("bad0"), catalogue.isWanted("bad99")]).toEqual([false, true]);
});

test("an id that another content has already is not taken from it, in whichever order they come", () => {
  const time = new TestTime();
  const writes = [CID, OTHER].map((cid) => {
    time.nowMs++;
    const map = new ReplicaMap(1, time);
    map.set(`c/${cid}/same`, SMALL);
    return map.replica.keyed(`c/${cid}/same`);
  });
  for (const order of [writes, writes.toReversed()]) {
    const map = new ReplicaMap(2, time);
    const catalogue = new Catalogue(map, {} as Clock);
    for (const write of order) map.replica.receive(write === undefined ? [] : [write]);
    expect([catalogue.layout("same")?.cid, catalogue.layoutCount(OTHER), catalogue.setAside]).toEqual([CID, 0, 1]);
    map.delete(`c/${OTHER}/same`);
    expect([catalogue.layout("same")?.cid, catalogue.isWanted("same"), catalogue.setAside]).toEqual([CID, true, 0]);
  }
});

test("a lease that never ends is none", () => {
  const map = new ReplicaMap(1, new TestTime());
  const catalogue = new Catalogue(map, {} as Clock);
  map.set("l/0a", true);
  map.set("l/0b", true, { expiresInMs: 1e12 });
  catalogue.lease("0c", 1_000);
  expect(["0a", "0b", "0c"].map((id) => catalogue.isWanted(id))).toEqual([false, false, true]);
});
