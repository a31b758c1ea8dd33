/**
 * What the store of shards costs in Node.js, compared with plain files. A put is compared with `writeFile` and
 * `rename`, both of which a power cut may undo. Puts with one `sync` at their end are compared with plain files that
 * are flushed one by one, each with its directory. Reading is compared with `readFile`, which checks nothing. Then it
 * measures how long opening takes with 100,000 shards, and how much memory their index takes. `npx node
 * bench/disk/store.ts [DIR]` (default: the temporary directory) prints two tables and writes bench/disk/store.json.
 * What was just written is read from the system's cache, so that reads show what the store adds and not the disk.
 */
import { execFileSync } from "node:child_process";
import { hash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { flushDirectory, writeDurably } from "../../node/files.ts";
import { openFileShardStore } from "../../node/shard-store.ts";

const KINDS = [
  { shardBytes: 256 * 1024, count: 100, atOnce: 1 },
  { shardBytes: 256 * 1024, count: 320, atOnce: 16 },
  { shardBytes: 4 * 1024, count: 100, atOnce: 1 },
  { shardBytes: 4 * 1024, count: 1_000, atOnce: 16 },
] as const;
/** The median of them counts, because other programs come and go. */
const ROUNDS = 5;
const OPENED_SHARDS = 100_000;

type Kind = (typeof KINDS)[number];
type Work = (id: string, bytes: Uint8Array) => Promise<unknown>;

interface Row {
  readonly shardBytes: number;
  readonly atOnce: number;
  readonly putPerSecond: number;
  readonly putMBps: number;
  readonly getPerSecond: number;
  readonly getMBps: number;
  /** Rates of the store over those of plain files. */
  readonly putToPlain: number;
  readonly syncedToFlushed: number;
  readonly getToPlain: number;
}

/** Pieces a second, with that many calls at once; the time of the call `end` is included. */
async function rate({ shardBytes, count, atOnce }: Kind, work: Work, end: () => unknown = () => {}): Promise<number> {
  // Otherwise the first flush would have to write what others have left in the system's cache.
  execFileSync("sync");
  const bytes = new Uint8Array(shardBytes).map((_, i) => i * 31);
  const numbers = Array.from({ length: count }, (_, i) => i).values();
  const start = performance.now();
  const worker = async (): Promise<void> => {
    for (const i of numbers) await work(`shard-${i}`, bytes);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  await end();
  return (count * 1_000) / (performance.now() - start);
}

async function putPlain(directory: string, id: string, bytes: Uint8Array): Promise<void> {
  await writeFile(join(directory, `${id}.part`), bytes);
  await rename(join(directory, `${id}.part`), join(directory, id));
}

async function putFlushed(directory: string, id: string, bytes: Uint8Array): Promise<void> {
  await writeDurably(join(directory, `${id}.part`), bytes);
  await rename(join(directory, `${id}.part`), join(directory, id));
  await flushDirectory(directory);
}

async function measure(kind: Kind, scratch: string): Promise<Row> {
  const rounds: { put: number; synced: number; get: number; plainPut: number; flushedPut: number; plainGet: number }[] =
    [];
  for (let round = 0; round < ROUNDS; round++) {
    const plain = join(scratch, "plain");
    const flushed = join(scratch, "flushed");
    for (const directory of [plain, flushed]) {
      for (let i = 0; i < 256; i++) mkdirSync(join(directory, placeOf(i)), { recursive: true });
    }
    {
      await using store = await openFileShardStore(join(scratch, "store"), { quotaBytes: Infinity });
      const puts = { plain: 0, flushed: 0, store: 0, synced: 0 };
      const works: [keyof typeof puts, Work, (() => unknown)?][] = [
        ["plain", (id, bytes) => putPlain(join(plain, directoryOf(id)), id, bytes)],
        ["flushed", (id, bytes) => putFlushed(join(flushed, directoryOf(id)), id, bytes)],
        ["store", (id, bytes) => store.put(id, bytes)],
        ["synced", (id, bytes) => store.put(`synced-${id}`, bytes), () => store.sync()],
      ];
      // Another of them begins in each round.
      works.push(...works.splice(0, round % works.length));
      for (const [name, work, end] of works) puts[name] = await rate(kind, work, end);
      const plainGet = await rate(kind, (id) => readFile(join(plain, directoryOf(id), id)));
      const get = await rate(kind, (id) => store.get(id));
      const { store: put, synced, plain: plainPut, flushed: flushedPut } = puts;
      rounds.push({ put, synced, get, plainPut, flushedPut, plainGet });
    }
    await Promise.all(["plain", "flushed", "store"].map((name) => rm(join(scratch, name), { recursive: true })));
  }
  const middle = (of: (round: (typeof rounds)[number]) => number): number => median(rounds.map(of));
  return {
    shardBytes: kind.shardBytes,
    atOnce: kind.atOnce,
    putPerSecond: middle(({ put }) => put),
    putMBps: middle(({ put }) => (put * kind.shardBytes) / 1e6),
    getPerSecond: middle(({ get }) => get),
    getMBps: middle(({ get }) => (get * kind.shardBytes) / 1e6),
    putToPlain: middle(({ put, plainPut }) => put / plainPut),
    syncedToFlushed: middle(({ synced, flushedPut }) => synced / flushedPut),
    getToPlain: middle(({ get, plainGet }) => get / plainGet),
  };
}

interface Opening {
  readonly shards: number;
  readonly openMs: number;
  readonly indexBytesPerShard: number;
}

/** Opens a store of that many (empty) files whose ids have 64 characters. */
async function measureOpening(scratch: string): Promise<Opening> {
  const directory = join(scratch, "many");
  for (let i = 0; i < 256; i++) mkdirSync(join(directory, placeOf(i)), { recursive: true });
  for (let i = 0; i < OPENED_SHARDS; i++) {
    const id = hash("sha256", String(i));
    writeFileSync(join(directory, directoryOf(id), `${id}.262144`), "");
  }
  const before = heapBytes();
  const start = performance.now();
  await using store = await openFileShardStore(directory, { quotaBytes: Infinity });
  const openMs = performance.now() - start;
  const indexBytesPerShard = (heapBytes() - before) / OPENED_SHARDS;
  const shards = [...store.ids()].length;
  return { shards, openMs, indexBytesPerShard };
}

setFlagsFromString("--expose-gc");
const collect: unknown = runInNewContext("gc");

function heapBytes(): number {
  if (typeof collect === "function") collect();
  return process.memoryUsage().heapUsed;
}

function directoryOf(id: string): string {
  return hash("sha256", id).slice(0, 2);
}

function placeOf(number: number): string {
  return number.toString(16).padStart(2, "0");
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

const scratch = await mkdtemp(join(process.argv[2] ?? tmpdir(), "starfish-bench-"));
const rows: Row[] = [];
for (const kind of KINDS) rows.push(await measure(kind, scratch));
const opening = await measureOpening(scratch);
await rm(scratch, { recursive: true });

console.table(
  rows.map((row) => ({
    "shard KiB": row.shardBytes / 1024,
    "at once": row.atOnce,
    "put /s": Math.round(row.putPerSecond),
    "put MB/s": row.putMBps.toFixed(1),
    "/ plain": row.putToPlain.toFixed(2),
    "with sync / flushed": row.syncedToFlushed.toFixed(2),
    "get /s": Math.round(row.getPerSecond),
    "get MB/s": row.getMBps.toFixed(1),
    "/ readFile": row.getToPlain.toFixed(2),
  })),
);
console.table([
  {
    "shards that are there": opening.shards,
    "open ms": Math.round(opening.openMs),
    "index bytes a shard": Math.round(opening.indexBytesPerShard),
  },
]);
const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version };
const report = { date: new Date().toISOString(), machine, rows, opening };
await writeFile(join(import.meta.dirname, "store.json"), `${JSON.stringify(report, null, 2)}\n`);
