/** Zips that are written: what shrinks is deflated, headers and directory agree, and each file's bytes come back. */
import { inflateSync } from "fflate";
import { describe, expect, it } from "vitest";
import { chunked, collect, pattern, repeated, streamOf } from "../../../test/fixtures/content.ts";
import { equal, utf8 } from "../../base/bytes.ts";
import { crc32 } from "./crc32.ts";
import { ZIP_PROBE_BYTES } from "./limits.ts";
import { bytesAccess } from "./random-access.ts";
import type { FileEntry, FolderEntry } from "./tree-entry.ts";
import { readZip } from "./zip.ts";
import { type PackedEntry, writeZip, type WrittenEntry } from "./zip-write.ts";

function file(path: string, bytes: Uint8Array, chunkBytes?: number): FileEntry {
  return { kind: "file", path, sizeBytes: bytes.length, modifiedMs: 1.7e12, content: chunked(bytes, chunkBytes) };
}

async function toldOf(entries: readonly FileEntry[], level?: 0 | 1 | 9): Promise<[Uint8Array, WrittenEntry[]]> {
  const told: WrittenEntry[] = [];
  const options = { written: async (entry: WrittenEntry) => void told.push(entry) };
  const zip = await collect(writeZip(streamOf(...entries), level === undefined ? options : { ...options, level }));
  return [zip, told];
}

const LINES: Uint8Array = utf8("the same line again\n".repeat(40_000));
const NOISE: Uint8Array = pattern(ZIP_PROBE_BYTES + 300_000);

describe("a file", () => {
  it("that shrinks is deflated, and one that does not is stored", async () => {
    const files = { lines: LINES, short: LINES.subarray(0, 500), noise: NOISE, few: pattern(90), empty: utf8("") };
    const [zip, told] = await toldOf(Object.entries(files).map(([name, bytes]) => file(name, bytes)));
    expect(told.map(({ path, isDeflated }) => [path, isDeflated])).toEqual([
      ["lines", true],
      ["short", true],
      ["noise", false],
      ["few", false],
      ["empty", false],
    ]);
    expect(zip.length).toBeLessThan(NOISE.length + 8_000);
    for await (const entry of readZip(bytesAccess(zip))) {
      const wanted = files[entry.path as keyof typeof files];
      expect(entry.kind === "file" && equal(await collect(entry.content), wanted)).toBe(true);
    }
  });

  it("that begins with what does not shrink is not made longer by more than its headers", async () => {
    const [zip] = await toldOf([file("a", NOISE, 1_000)]);
    expect(zip.length - NOISE.length).toBeLessThan(200);
    const begins = new Uint8Array(NOISE.length * 2).fill(7);
    begins.set(NOISE, NOISE.length);
    const [mixed] = await toldOf([file("a", begins)]);
    expect(mixed.length - NOISE.length).toBeLessThan(4_000);
  });

  it("is stored at level 0, and level 9 makes it no longer than level 1", async () => {
    const words = utf8(Array.from({ length: 20_000 }, (_, i) => (i * i) % 7_919).join(" "));
    const [stored, told] = await toldOf([file("a", words)], 0);
    expect(told[0]).toMatchObject({ isDeflated: false, packedBytes: words.length });
    const [fast] = await toldOf([file("a", words)], 1);
    const [small] = await toldOf([file("a", words)], 9);
    expect(small.length).toBeLessThanOrEqual(fast.length);
    expect(fast.length).toBeLessThan(stored.length / 2);
  });
});

it("can be read from its beginning: each header or descriptor has what the directory says", async () => {
  const files: [string, Uint8Array][] = [
    ["small", LINES.subarray(0, 9_000)],
    ["large", LINES],
    ["noise", NOISE],
    ["ünï", utf8("x")],
  ];
  const zip = await collect(
    writeZip(streamOf<FileEntry | FolderEntry>({ kind: "folder", path: "d" }, ...files.map(([n, b]) => file(n, b)))),
  );
  const view = new DataView(zip.buffer);
  let at = 0;
  const folder = 30 + view.getUint16(26, true) + view.getUint16(28, true);
  expect(new TextDecoder().decode(zip.subarray(30, 32))).toBe("d/");
  at += folder;
  for (const [name, bytes] of files) {
    expect(view.getUint32(at, true)).toBe(0x04034b50);
    const [flags, method] = [view.getUint16(at + 6, true), view.getUint16(at + 8, true)];
    const nameBytes = view.getUint16(at + 26, true);
    expect(new TextDecoder().decode(zip.subarray(at + 30, at + 30 + nameBytes))).toBe(name);
    const bodyAt = at + 30 + nameBytes + view.getUint16(at + 28, true);
    const hasDescriptor = (flags & 8) !== 0;
    expect(hasDescriptor).toBe(bytes.length > ZIP_PROBE_BYTES);
    // Where the length is not said before, the descriptor's mark is looked for, as those do who read a pipe.
    const end = hasDescriptor ? descriptorAt(zip, bodyAt, bytes) : bodyAt + view.getUint32(at + 18, true);
    const sizesAt = hasDescriptor ? end + 4 : at + 14;
    expect(view.getUint32(sizesAt, true)).toBe(crc32(bytes));
    expect(view.getUint32(sizesAt + 4, true)).toBe(end - bodyAt);
    expect(view.getUint32(sizesAt + 8, true)).toBe(bytes.length);
    const body = zip.subarray(bodyAt, end);
    expect(equal(method === 8 ? inflateSync(body) : body, bytes)).toBe(true);
    at = hasDescriptor ? end + 16 : end;
  }
  expect(view.getUint32(at, true)).toBe(0x02014b50);
});

function descriptorAt(zip: Uint8Array, from: number, bytes: Uint8Array): number {
  const view = new DataView(zip.buffer);
  for (let at = from; at + 16 <= zip.length; at++)
    if (view.getUint32(at, true) === 0x08074b50 && view.getUint32(at + 12, true) === bytes.length) return at;
  throw new Error("no descriptor");
}

it("of more entries than 16 bits count is read back, each with its time", async () => {
  const count = 65_600;
  async function* many(): AsyncGenerator<FolderEntry> {
    for (let i = 0; i < count; i++) yield { kind: "folder", path: `${i}`, modifiedMs: 1.7e12 + i * 2_000 };
  }
  const zip = await collect(writeZip(many()));
  let seen = 0;
  for await (const entry of readZip(bytesAccess(zip))) {
    if (entry.path !== `${seen}` || entry.kind !== "folder" || entry.modifiedMs !== 1.7e12 + seen * 2_000)
      throw new Error(`${entry.path} at ${seen}`);
    seen++;
  }
  expect(seen).toBe(count);
});

it("takes files of another zip as they are packed there", async () => {
  const [zip] = await toldOf([file("a", LINES), file("b", pattern(3_000))]);
  async function* packed(): AsyncGenerator<FileEntry | PackedEntry> {
    for await (const entry of readZip(bytesAccess(zip)))
      if (entry.kind === "file" && entry.packed !== undefined) yield entry.packed;
    yield file("c", utf8("new"));
  }
  const again = await collect(writeZip(packed()));
  const found: [string, number][] = [];
  for await (const entry of readZip(bytesAccess(again)))
    if (entry.kind === "file") found.push([entry.path, crc32(await collect(entry.content))]);
  expect(found).toEqual([
    ["a", crc32(LINES)],
    ["b", crc32(pattern(3_000))],
    ["c", crc32(utf8("new"))],
  ]);
});

it("gives bytes of a file that shrinks before it has read all of it", async () => {
  let read = 0;
  async function* content(): AsyncGenerator<Uint8Array> {
    for await (const chunk of repeated(2 ** 33, 1)) {
      read += chunk.length;
      yield chunk;
    }
  }
  let written = 0;
  for await (const chunk of writeZip(
    streamOf<FileEntry>({ kind: "file", path: "large", sizeBytes: 2 ** 33, content: content() }),
  )) {
    written += chunk.length;
    if (written > 20_000) break;
  }
  expect(read).toBeLessThan(64 << 20);
});
