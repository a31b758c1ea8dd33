/**
 * The replicated map by itself: how fast it is on one node compared with a plain map that decodes the same batches, how
 * much memory an entry takes, whether many writers cost more than one, and how fast kept writes are acknowledged.
 * Prints a table and writes bench/memory/core.json. Exits with 1 if a bound is broken.
 *
 *     node bench/memory/core.ts
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { Entry } from "../../core/memory/entry.ts";
import { GOSSIP_BYTES_MAX } from "../../core/memory/limits.ts";
import { Packer, unpack } from "../../core/memory/pack.ts";
import type { Replica } from "../../core/memory/replica.ts";
import { heldBytes } from "./heap.ts";
import { bytesHeldAfter } from "./measure.ts";
import { openMemory } from "./node.ts";
import { RemoteNode } from "./remote.ts";
import { replicaOf } from "./starfish.ts";
import { entryOf } from "./system.ts";

const ENTRIES = 100_000;
/** Odd: the median is one of them. */
const ROUNDS = 7;
/** Entries that are written as one where the others' messages are made. */
const BATCH = 10_000;
const HISTORY = { writes: 5_000, keys: 1_000 };
const ACKNOWLEDGED = 100_000;
/** Time for members to hear of each other. */
const SETTLE_MS = 2_000;

interface Row {
  readonly what: string;
  readonly value: number;
  /** The bounds of the value, if it has some. */
  readonly atLeast?: number;
  readonly atMost?: number;
}

const entries = Array.from({ length: ENTRIES }, (_, i) => entryOf(i));

/** What setting a key costs the caller, with new keys, in a new map each round. */
async function localSets(): Promise<Row> {
  const directory = await mkdtemp(join(tmpdir(), "starfish-bench-"));
  const rates: number[] = [];
  {
    await using node = await openMemory({ directory, join: undefined });
    for (let round = 0; round < ROUNDS; round++) {
      const map = await node.memory.map(`round-${round}`);
      const start = performance.now();
      for (const { key, value } of entries) map.set(key, value);
      rates.push((ENTRIES / (performance.now() - start)) * 1_000);
      await wait(SETTLE_MS);
    }
  }
  await rm(directory, { recursive: true });
  return { what: "local sets/s", value: median(rates), atLeast: 100_000 };
}

/** Batches in the form that gossip carries. */
function batchesOf(replica: Replica): Uint8Array[] {
  const packer = new Packer();
  const batches: Uint8Array[] = [];
  for (const { key } of entries) {
    const keyed = replica.keyed(key);
    if (keyed !== undefined) packer.add(key, keyed.entry);
    if (packer.length > GOSSIP_BYTES_MAX - 100) batches.push(packer.take());
  }
  return [...batches, packer.take()];
}

function written(): Replica {
  const replica = replicaOf(1);
  // A batch has at most 1 MiB.
  for (let at = 0; at < ENTRIES; at += BATCH) replica.write(entries.slice(at, at + BATCH));
  return replica;
}

function mergePlain(batches: readonly Uint8Array[]): number {
  const map = new Map<string, Entry>();
  const start = performance.now();
  for (const batch of batches) {
    for (const { key, entry } of unpack(batch)) {
      const before = map.get(key);
      const wins =
        before === undefined ||
        entry.stamp > before.stamp ||
        (entry.stamp === before.stamp && entry.writer > before.writer);
      if (wins) map.set(key, entry);
    }
  }
  return (map.size / (performance.now() - start)) * 1_000;
}

function mergeReplica(batches: readonly Uint8Array[]): number {
  const replica = replicaOf(2);
  const start = performance.now();
  for (const batch of batches) replica.receive(unpack(batch));
  return (replica.table.live / (performance.now() - start)) * 1_000;
}

/** Measures both in turn, so that other work of the machine disturbs both alike. */
function remoteMerges(): Row[] {
  const batches = batchesOf(written());
  const rounds = Array.from({ length: ROUNDS }, () => ({
    plain: mergePlain(batches),
    ours: mergeReplica(batches),
  }));
  return [
    { what: "remote merges/s", value: median(rounds.map(({ ours }) => ours)) },
    { what: "remote merges/s of a plain map", value: median(rounds.map(({ plain }) => plain)) },
    { what: "merges, of a plain map's", value: median(rounds.map(({ ours, plain }) => ours / plain)), atLeast: 0.25 },
  ];
}

/** Bytes of the heap for each entry, beyond its key and its encoded value, whose characters take one byte each here. */
async function heapBytes(what: string, fill: () => Replica): Promise<Row> {
  const before = await heldBytes();
  const replica = fill();
  const bytes = (await heldBytes()) - before;
  let own = 0;
  for (const { key } of entries) own += key.length + (replica.table.get(key)?.value.length ?? 0);
  return { what, value: (bytes - own) / replica.table.live, atMost: 300 };
}

async function heapPerEntry(): Promise<Row[]> {
  const batches = batchesOf(written());
  return [
    await heapBytes("heap bytes/entry, written here", () => {
      const replica = replicaOf(1);
      for (let i = 0; i < ENTRIES; i++) replica.write([entryOf(i)]);
      return replica;
    }),
    await heapBytes("heap bytes/entry, from others", () => {
      const replica = replicaOf(2);
      for (const batch of batches) replica.receive(unpack(batch));
      return replica;
    }),
  ];
}

async function manyWriters(): Promise<Row> {
  const many = await bytesHeldAfter("starfish", { ...HISTORY, writers: HISTORY.writes });
  const one = await bytesHeldAfter("starfish", { ...HISTORY, writers: 1 });
  return { what: "memory after 5,000 writers, of one writer's", value: many / one, atMost: 1.2 };
}

/** Sets in the batches of kept.ts, each acknowledged: stored here and on more than half of the members. */
async function acknowledged(members: number): Promise<Row> {
  await using stack = new AsyncDisposableStack();
  const first = stack.use(await RemoteNode.start("./kept.ts"));
  const address = await first.call("open", undefined);
  const others: RemoteNode[] = [];
  while (others.length < members - 1) {
    const other = stack.use(await RemoteNode.start("./kept.ts"));
    await other.call("open", address);
    others.push(other);
  }
  await wait(SETTLE_MS);
  await Promise.all([...others.map((other) => other.call("holds", 1)), first.call("write", "set", 0, 1)]);
  const ms = await first.call("write", "set", 1, ACKNOWLEDGED);
  await first.call("verify", ACKNOWLEDGED);
  const what = `acknowledged sets/s, ${members === 1 ? "one member" : `${members} members`}`;
  return { what, value: (ACKNOWLEDGED / (ms ?? Infinity)) * 1_000, atLeast: 20_000 };
}

function median(values: readonly number[]): number {
  return values.toSorted((x, y) => x - y)[values.length >> 1] ?? Number.NaN;
}

function holds({ value, atLeast = -Infinity, atMost = Infinity }: Row): boolean {
  return value >= atLeast && value <= atMost;
}

const rows: Row[] = [
  ...(await heapPerEntry()),
  await manyWriters(),
  await localSets(),
  ...remoteMerges(),
  await acknowledged(1),
  await acknowledged(3),
];
console.table(
  rows.map((row) => ({
    what: row.what,
    value: row.value < 1_000 ? row.value.toPrecision(3) : Math.round(row.value).toLocaleString("en"),
    bound: row.atLeast === undefined ? row.atMost && `<= ${row.atMost}` : `>= ${row.atLeast}`,
    holds: holds(row),
  })),
);
const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version };
const report = { date: new Date().toISOString(), machine, entries: ENTRIES, rows };
await writeFile(join(import.meta.dirname, "core.json"), `${JSON.stringify(report, null, 2)}\n`);
if (!rows.every(holds)) process.exitCode = 1;
