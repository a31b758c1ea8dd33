/**
 * What the tree of files costs, without a network and with contents in memory: small files in and out, a directory
 * listed and renamed, and the heap with 100,000 files. `node --expose-gc bench/disk/files.ts`; prints a table and
 * writes bench/disk/files.json. Exits with 1 below 1,000 files a second or above 200 MB of heap.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { filesNode, source } from "../../test/fixtures/files.ts";
import type { Files } from "../../core/disk/types.ts";

const FILES = 10_000;
const FILES_MANY = 100_000;
const DIRECTORIES = 100;
const FILE_BYTES = 1_024;
/** Large enough to be a content of its own instead of living in its entry of the tree. */
const LARGER_BYTES = 8_192;
/** The bounds: of files of 1 KiB in or out, and of the heap with FILES_MANY of them. */
const FILES_PER_SECOND_MIN = 1_000;
const HEAP_BYTES_MAX = 200_000_000;

const pathOf = (i: number): string => `/some/directory/${i % DIRECTORIES}/file-${i}`;

function contentOf(i: number, sizeBytes: number): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  new DataView(bytes.buffer).setUint32(0, i);
  return bytes;
}

async function writeAll(files: Files, count: number, sizeBytes: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const { safe } = await files.write(pathOf(i), source(contentOf(i, sizeBytes)));
    if (i === count - 1) await safe;
  }
}

async function readAll(files: Files, count: number): Promise<void> {
  for (let i = 0; i < count; i++) for await (const chunk of files.read(pathOf(i))) void chunk.length;
}

/** Milliseconds. */
async function timed(work: () => unknown): Promise<number> {
  const beganMs = performance.now();
  await work();
  return performance.now() - beganMs;
}

function heapBytes(): number {
  if (globalThis.gc === undefined) throw new Error("Run it with --expose-gc");
  globalThis.gc();
  globalThis.gc();
  return process.memoryUsage().heapUsed;
}

async function perSecond(sizeBytes: number): Promise<{ in: number; out: number }> {
  const { files } = await filesNode();
  const inMs = await timed(() => writeAll(files, FILES, sizeBytes));
  const outMs = await timed(() => readAll(files, FILES));
  return { in: (1_000 * FILES) / inMs, out: (1_000 * FILES) / outMs };
}

const small = await perSecond(FILE_BYTES);
const larger = await perSecond(LARGER_BYTES);
const before = heapBytes();
const { files, map } = await filesNode();
await writeAll(files, FILES_MANY, FILE_BYTES);
const heap = heapBytes() - before;
const treeBytes = map.stat().bytes;
const listMs = await timed(() => files.list("/some/directory/7"));
const walkMs = await timed(() => {
  for (const info of files.walk("/")) void info.path;
});
const statMs = await timed(() => {
  for (let i = 0; i < FILES; i++) files.stat(pathOf(i));
});
for (let i = 0; i < 10; i++) files.rename(`/some/directory/${i}`, `/moving/${i}`);
const renameMs = await timed(() => files.rename("/moving", "/moved"));

const result = {
  filesInPerSecond: small.in,
  filesOutPerSecond: small.out,
  largerInPerSecond: larger.in,
  largerOutPerSecond: larger.out,
  heapBytes: heap,
  treeBytes,
  list1000Ms: listMs,
  walk100000Ms: walkMs,
  statMicroseconds: (1_000 * statMs) / FILES,
  rename10000Ms: renameMs,
};
console.table(Object.fromEntries(Object.entries(result).map(([name, value]) => [name, Number(value.toPrecision(3))])));
await writeFile(join(import.meta.dirname, "files.json"), `${JSON.stringify(result, null, 2)}\n`);
const isEnough = Math.min(small.in, small.out) >= FILES_PER_SECOND_MIN && heap <= HEAP_BYTES_MAX;
process.exitCode = isEnough ? 0 : 1;
