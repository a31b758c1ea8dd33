/**
 * What it costs two replicas to become equal: bytes, round trips and CPU time of real sessions, by the number of
 * entries and of differences. Prints a table and writes bench/memory/reconcile.json; with --write draws
 * docs/memory-reconcile.svg. Exits with 1 if 100 differences in 100,000 entries cost more than the bound.
 *
 *     node bench/memory/reconcile.ts [--write] [--entries 1000,100000] [--differences 10,100]
 */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Packer } from "../../core/memory/pack.ts";
import type { Replica } from "../../core/memory/replica.ts";
import { ask, awaitHello, respond, type ExchangeResult } from "../../core/memory/exchange.ts";
import { realClock } from "../../core/platform/clock.ts";
import { draw, type Line, logarithmic } from "../plot.ts";
import { replicaOf } from "./starfish.ts";
import { entryOf } from "./system.ts";
import { Wire } from "./wire.ts";

/** Odd: the median is one of them. */
const ROUNDS = 3;
/** What this many differences among this many entries may cost. */
const BOUND = { entries: 100_000, differences: 100, bytes: 100_000, cpuMs: 100 };
/** Writes that a replica takes in at once while it is filled. */
const FILL = 10_000;

interface Cost {
  readonly entries: number;
  readonly differences: number;
  readonly bytes: number;
  /** Packed bytes of the entries that differed, alone. */
  readonly entryBytes: number;
  readonly roundTrips: number;
  /** CPU time of both sides together. */
  readonly cpuMs: number;
}

/** Two replicas that are equal, with so many entries. */
function pairOf(entries: number): [Replica, Replica] {
  const pair: [Replica, Replica] = [replicaOf(1), replicaOf(2)];
  const [first, second] = pair;
  for (let at = 0; at < entries; at += FILL) {
    const writes = Array.from({ length: Math.min(FILL, entries - at) }, (_, i) => entryOf(at + i));
    first.write(writes);
    second.receive(writes.flatMap(({ key }) => first.keyed(key) ?? []));
  }
  return pair;
}

/** Writes to that many keys, evenly spread, half on one side and half on the other. Returns these entries, packed. */
function differ(pair: readonly [Replica, Replica], entries: number, differences: number, round: number): number {
  const packer = new Packer();
  for (let i = 0; i < differences; i++) {
    const number = Math.floor(((i + round / ROUNDS) * entries) / differences);
    const { key } = entryOf(number);
    const side = i % 2 === 0 ? pair[0] : pair[1];
    side.write([{ key, value: entryOf(number + round + 1).value }]);
    const written = side.keyed(key);
    if (written !== undefined) packer.add(key, written.entry);
  }
  return packer.length;
}

async function reconcile([asker, asked]: readonly [Replica, Replica]): Promise<Wire> {
  const wire = new Wire();
  const { signal } = new AbortController();
  const options = {
    clock: realClock,
    signal,
    store: async () => {},
    large: { toSend: async () => () => {}, toTake: () => () => {} },
  };
  const answered = async (): Promise<ExchangeResult> => {
    const incoming = await awaitHello(wire.right, realClock, signal);
    return respond(wire.right, incoming, { ...options, replica: asked, peer: asker.self });
  };
  const answering = answered();
  await wire.carry([answering, ask(wire.left, "bench", { ...options, replica: asker, peer: asked.self })]);
  assert.deepEqual(asker.table.sum(undefined, undefined), asked.table.sum(undefined, undefined));
  return wire;
}

async function measure(pair: readonly [Replica, Replica], entries: number, differences: number): Promise<Cost> {
  const costs: Cost[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const entryBytes = differ(pair, entries, differences, round);
    const before = process.cpuUsage();
    const { bytes, trips } = await reconcile(pair);
    const { user, system } = process.cpuUsage(before);
    costs.push({ entries, differences, bytes, entryBytes, roundTrips: trips / 2, cpuMs: (user + system) / 1_000 });
  }
  const [, median] = costs.toSorted((x, y) => x.cpuMs - y.cpuMs);
  assert.ok(median);
  return median;
}

const COLOURS = ["#56b4e9", "#0072b2", "#d55e00", "#000000"];

function plot(costs: readonly Cost[]): string {
  const bytesOf = (points: readonly Cost[], of: (cost: Cost) => number): Line["points"] =>
    points.map((cost) => ({ x: cost.differences, y: of(cost) }));
  const byEntries = [...Map.groupBy(costs, ({ entries }) => entries)];
  const lines = byEntries.map(([entries, points], i) => ({
    label: `of ${entries.toLocaleString("en")} entries`,
    colour: COLOURS[i % COLOURS.length] ?? "#000000",
    points: bytesOf(points, ({ bytes }) => bytes),
  }));
  const [, largest = []] = byEntries.at(-1) ?? [];
  const least = { label: "what differs, alone", colour: "#888888", isDashed: true };
  const powers = (from: number, to: number): number[] =>
    Array.from({ length: to - from + 1 }, (_, i) => 10 ** (from + i));
  const ceiling = Math.ceil(Math.log10(Math.max(...costs.map(({ bytes }) => bytes))));
  return draw({
    title: "Bytes that a reconciliation takes, both ways",
    description: "Bytes on the wire by number of differing entries, for maps of different size",
    x: {
      label: "entries that differ",
      ...logarithmic([...new Set(costs.map(({ differences }) => differences))], short),
    },
    y: logarithmic(powers(2, ceiling), named),
    lines: [...lines, { ...least, points: bytesOf(largest, ({ entryBytes }) => entryBytes) }],
    labels: "legend",
  });
}

function short(count: number): string {
  return count >= 1_000 ? `${count / 1_000}k` : String(count);
}

function named(bytes: number): string {
  if (bytes >= 1e6) return `${bytes / 1e6} MB`;
  return bytes >= 1e3 ? `${bytes / 1e3} kB` : `${bytes} B`;
}

const { values } = parseArgs({
  options: {
    write: { type: "boolean", default: false },
    entries: { type: "string", default: "1000,10000,100000,1000000" },
    differences: { type: "string", default: "10,100,1000,10000" },
  },
});
const differences = values.differences.split(",").map(Number);
// Everything runs once before, so that no figure includes the first run of its code.
await measure(pairOf(1_000), 1_000, 500);
const costs: Cost[] = [];
for (const entries of values.entries.split(",").map(Number)) {
  const pair = pairOf(entries);
  for (const some of differences) if (some <= entries) costs.push(await measure(pair, entries, some));
}
console.table(
  costs.map(({ entries, differences, bytes, entryBytes, roundTrips, cpuMs }) => ({
    entries: entries.toLocaleString("en"),
    differences: differences.toLocaleString("en"),
    bytes: bytes.toLocaleString("en"),
    "of which entries": entryBytes.toLocaleString("en"),
    "round trips": roundTrips,
    "CPU ms": Number(cpuMs.toPrecision(3)),
  })),
);
const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version };
const report = { date: new Date().toISOString(), machine, costs };
await writeFile(join(import.meta.dirname, "reconcile.json"), `${JSON.stringify(report, null, 2)}\n`);
if (values.write) await writeFile(join(import.meta.dirname, "../../docs/memory-reconcile.svg"), plot(costs));
const bounded = costs.find((cost) => cost.entries === BOUND.entries && cost.differences === BOUND.differences);
if (bounded !== undefined && (bounded.bytes > BOUND.bytes || bounded.cpuMs > BOUND.cpuMs)) process.exitCode = 1;
