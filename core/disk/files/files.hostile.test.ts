/**
 * What a malicious member can write into the tree, and what of it others take in. They go on, and count what they
 * refuse.
 */
import { expect, test } from "vitest";
import { everything, filesNode, type FilesNode, readText, write } from "../../../test/fixtures/files.ts";
import type { Stored } from "../../../test/fixtures/contents.ts";
import { exchange, ReplicaMap, TestTime } from "../../../test/fixtures/replica-map.ts";
import { utf8 } from "../../base/bytes.ts";
import { encode } from "../../base/codec.ts";
import { realClock } from "../../platform/clock.ts";
import { MemoryStore } from "../../platform/memory-store.ts";
import { stampAt } from "../../memory/version.ts";
import { KeptPaths } from "./kept-paths.ts";
import { KEY_AHEAD_MS_MAX, LIVING_VERSIONS_MAX, PATH_BYTES_MAX } from "./limits.ts";
import { movedVersion, treeKey, versionText } from "./tree-key.ts";

const CID = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku";
const HIGHEST = versionText(2 ** 53 - 1, 1);

function keyOf(name: string, version: string, kind: "file" | "directory" = "file", directory = ""): string {
  return treeKey({ directory, name, kind, version });
}

function valueOf(content: string, by = "mallory"): Record<string, unknown> {
  return { size: content.length, cid: CID, by, inline: utf8(content) };
}

/** A node, a member that writes what it likes, and the node after a restart. */
async function scene(): Promise<{
  node: FilesNode;
  mallory: ReplicaMap;
  time: TestTime;
  again: () => Promise<FilesNode>;
}> {
  const time = new TestTime();
  const stored: Stored = new Map();
  const node = await filesNode({ time, stored });
  const { map } = node;
  return { node, mallory: new ReplicaMap(666, time), time, again: () => filesNode({ time, map, stored }) };
}

test("a key from later than its entry outdoes nobody: what honest nodes write is there, before and after a restart", async () => {
  const { node, mallory, time, again } = await scene();
  await write(node.files, "a", "before");
  const now = (): number => stampAt(time.nowMs);
  const bad = [
    keyOf("a", HIGHEST),
    keyOf("a", versionText(now() + stampAt(2 * KEY_AHEAD_MS_MAX), 2)),
    keyOf("a", movedVersion(versionText(now(), 3), 2 ** 53 - 1, 3)),
    keyOf("a", "z".repeat(21)),
    keyOf("a", versionText(now(), 2 ** 48)),
    keyOf("d", HIGHEST, "directory"),
  ];
  for (const key of bad) mallory.set(key, valueOf("false"));
  exchange(node.map, mallory);
  expect(await everything(node.files)).toEqual({ "/a": "before" });
  expect(node.files.setAside).toBe(bad.length);
  for (let i = 0; i < 3; i++) {
    await write(node.files, "a", `after ${i}`);
    await write(node.files, `new ${i}`, "honest");
    expect(await readText(node.files, "a")).toBe(`after ${i}`);
  }
  node.files.rename("new 0", "d");
  const after = await again();
  expect(await everything(after.files)).toEqual({
    "/a": "after 2",
    "/d": "honest",
    "/new 1": "honest",
    "/new 2": "honest",
  });
  expect(after.files.setAside).toBe(bad.length);
  await write(after.files, "a", "after a restart");
  expect(await readText(after.files, "a")).toBe("after a restart");
});

test("a key a little later than its entry, as earlier versions made them, is written over all the same", async () => {
  const { node, mallory, time } = await scene();
  mallory.set(keyOf("a", versionText(stampAt(time.nowMs + KEY_AHEAD_MS_MAX), 2 ** 48 - 1)), valueOf("ahead"));
  exchange(node.map, mallory);
  expect(await everything(node.files)).toEqual({ "/a": "ahead" });
  for (let i = 0; i < 5; i++) {
    await write(node.files, "a", `${i}`);
    expect(await everything(node.files)).toEqual({ "/a": `${i}` });
  }
  exchange(node.map, mallory);
  const other = await filesNode({ map: mallory, time });
  expect(await everything(other.files)).toEqual({ "/a": "4" });
});

test("values that can't be are set aside", async () => {
  const { node, mallory, time } = await scene();
  const values: unknown[] = [
    { ...valueOf(""), size: 2 ** 53 - 1, inline: undefined },
    { size: 2 ** 41, cid: CID, by: "m" },
    { size: 10, cid: "no cid", by: "m" },
    { ...valueOf("three"), size: 3 },
    { ...valueOf("x"), by: "x".repeat(65) },
    "a text",
    null,
  ];
  for (const [i, value] of values.entries()) {
    const sound = typeof value === "object" && value !== null ? Object.entries(value) : undefined;
    const defined = sound && Object.fromEntries(sound.filter(([, field]) => field !== undefined));
    mallory.set(keyOf(`f${i}`, versionText(stampAt(time.nowMs), 1)), defined ?? value);
  }
  exchange(node.map, mallory);
  expect([node.files.list("/"), node.files.setAside]).toEqual([[], values.length]);
});

/** A map that counts how often an entry is read. */
class CountingMap extends ReplicaMap {
  reads = 0;

  override get(key: string): unknown {
    this.reads++;
    return super.get(key);
  }
}

test("thousands of versions of one name cost a look no more than a few, and go with it", async () => {
  const time = new TestTime();
  const map = new CountingMap(1, time);
  const before = await filesNode({ time, map });
  const mallory = new ReplicaMap(666, time);
  const COUNT = 4_000;
  mallory.batch(
    Array.from({ length: COUNT }, (_, i) => ({
      // Each by a writer of its own, so that the names of conflict copies clash; not in order.
      key: keyOf("many", versionText(stampAt(time.nowMs) - ((i * 7_919) % COUNT), i)),
      value: { ...valueOf(String(i)), cid: CID.slice(0, 50) + encodeBase32(i) },
    })),
  );
  exchange(map, mallory);
  for (const node of [before, await filesNode({ time, map })]) {
    map.reads = 0;
    const listed = node.files.list("/");
    expect(listed).toHaveLength(LIVING_VERSIONS_MAX);
    expect(map.reads).toBeLessThan(10 * LIVING_VERSIONS_MAX);
    expect(node.files.setAside).toBe(COUNT - LIVING_VERSIONS_MAX);
    map.reads = 0;
    for (const { path } of listed) expect(node.files.stat(path)?.path).toBe(path);
    expect(map.reads).toBeLessThan(10 * LIVING_VERSIONS_MAX ** 2);
    // The latest have their names, and all are there for whoever asks.
    expect(await readText(node.files, "many")).toBe("0");
    expect(node.files.versions("many")).toHaveLength(COUNT);
  }
  const { files } = before;
  await write(files, "many", "honest");
  expect(await readText(files, "many")).toBe("honest");
  for (let i = 0; i < 100; i++) await write(files, `other ${i}`, "honest");
  map.reads = 0;
  files.remove("many");
  expect(map.reads).toBeLessThan(10 * COUNT);
  expect(files.stat("many")).toBeUndefined();
  expect(files.setAside).toBe(0);
  // Its conflict copies have names of their own now.
  expect(files.list("/")).toHaveLength(100 + LIVING_VERSIONS_MAX - 1);
});

test("when one of the shown versions goes, the next is shown", async () => {
  const { node, mallory, time } = await scene();
  const keys = Array.from({ length: 3 * LIVING_VERSIONS_MAX }, (_, i) =>
    keyOf("a", versionText(stampAt(time.nowMs) - i, 1)),
  );
  for (const [i, key] of keys.entries())
    mallory.set(key, { ...valueOf(String(i)), cid: CID.slice(0, 50) + encodeBase32(i) });
  exchange(node.map, mallory);
  // Some of the versions that are not shown are deleted, and then most of the others.
  for (const key of keys.slice(100, 110)) mallory.delete(key);
  for (const key of keys.slice(0, 90)) mallory.delete(key);
  exchange(node.map, mallory);
  const shown = await Promise.all(node.files.list("/").map(({ path }) => readText(node.files, path)));
  const left = keys.flatMap((_, i) => (i < 90 || (i >= 100 && i < 110) ? [] : [String(i)]));
  expect(shown.toSorted()).toEqual(left.slice(0, LIVING_VERSIONS_MAX).toSorted());
  expect(node.files.setAside).toBe(left.length - LIVING_VERSIONS_MAX);
});

test("conflict copies whose names would grow too long keep nobody from removing the file", async () => {
  const { node, mallory, time } = await scene();
  const name = "n".repeat(PATH_BYTES_MAX - 10);
  for (const i of [1, 2]) {
    const value = { ...valueOf(String(i), "\u{1f980}".repeat(32)), cid: CID.slice(0, 50) + encodeBase32(i) };
    mallory.set(keyOf(name, versionText(stampAt(time.nowMs) + i, 1)), value);
  }
  exchange(node.map, mallory);
  expect(await readText(node.files, name)).toBe("2");
  node.files.remove(name);
  expect(node.files.list("/")).toEqual([]);
  expect(node.files.versions(name)).toHaveLength(2);
});

test("a list of kept paths that can't be read keeps no node from starting", async () => {
  const told: string[] = [];
  const store = new MemoryStore(new Map([["files/kept", encode({ paths: [7], held: 2 ** 53 - 1 })]]));
  const log = { write: (_: string, event: string) => void told.push(event) };
  const kept = new KeptPaths({ store, contents: {} as never, clock: realClock, log, contentsUnder: () => [] });
  await kept.load();
  expect([kept.isNone, told]).toEqual([true, ["files.kept-unreadable"]]);
  await kept.close();
});

/** Nine letters of base 32, the last such that the CID has no bits beyond its hash. */
function encodeBase32(number: number): string {
  const letters = "abcdefghijklmnopqrstuvwxyz234567";
  let text = "a";
  for (let i = 0, rest = number; i < 8; i++, rest = Math.floor(rest / 32)) text = (letters[rest % 32] ?? "") + text;
  return text;
}
