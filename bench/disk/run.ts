/**
 * The disk's throughput, as ratios in one run: every node is a process of its own on this machine, every figure is
 * measured in turn with the one that it is compared with, and the median of the rounds counts. Prints a table and
 * writes bench/disk/disk.json. Exits with 1 where a bound is not kept.
 *
 *     npm ci --prefix bench/disk
 *     node bench/disk/run.ts [alone] [pair] [eight] [files]
 */
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { alone, eight, files, pair, type Ratios } from "./measure.ts";
import { clearAway } from "./remote.ts";

interface Bound {
  readonly label: string;
  readonly min?: number;
  readonly max?: number;
}

/** The bounds, by part and ratio; ratios without a bound are printed too. */
const BOUNDS: Readonly<Record<string, Readonly<Record<string, Bound>>>> = {
  alone: {
    put: { label: "one sha256 / put on one node", min: 0.3 },
    safe: { label: "one sha256 / the same until flushed" },
  },
  pair: {
    stream: { label: "plain stream / get from one other node", min: 0.7 },
    helia: { label: "Helia's bitswap / the same get", min: 1 },
    "helia's first byte": { label: "first byte of Helia / of the get", min: 1 },
  },
  eight: {
    put: { label: "put on eight nodes / plain stream of its shards", max: 1.5 },
    safe: { label: "the same until safe / that stream" },
    degraded: { label: "get from all eight / with six dead", min: 0.5 },
  },
  files: {
    in: { label: "files of 1 KiB a second, in", min: 1_000 },
    safe: { label: "the same until all are safe" },
    out: { label: "files of 1 KiB a second, out", min: 1_000 },
    heap: { label: "heap of a node with 100,000 of them, MB", max: 300 },
    rss: { label: "RSS of that node, MB" },
  },
};

const PARTS: Readonly<Record<string, () => Promise<Ratios>>> = { alone, pair, eight, files };

interface Row extends Bound {
  readonly part: string;
  readonly median: number;
  readonly rounds: readonly number[];
  readonly isKept: boolean;
}

function rowsOf(part: string, ratios: Ratios): Row[] {
  return Object.entries(BOUNDS[part] ?? {}).map(([name, bound]) => {
    const rounds = ratios[name] ?? [];
    const median = rounds.toSorted((a, b) => a - b)[rounds.length >> 1] ?? Number.NaN;
    const isKept = median >= (bound.min ?? -Infinity) && median <= (bound.max ?? Infinity);
    return { part, ...bound, median, rounds, isKept };
  });
}

const named = process.argv.slice(2);
const names = named.length > 0 ? named : Object.keys(PARTS);
if (!existsSync(join(import.meta.dirname, "node_modules"))) {
  throw new Error("Helia is not there yet: npm ci --prefix bench/disk");
}
const rows: Row[] = [];
try {
  for (const name of names) {
    const measure = PARTS[name];
    if (measure === undefined) throw new Error(`No such part: ${name}`);
    rows.push(...rowsOf(name, await measure()));
  }
} finally {
  await clearAway();
}
console.table(
  rows.map(({ label, median, min, max, isKept }) => ({
    measured: label,
    median: Number(median.toPrecision(3)),
    bound: min === undefined ? (max === undefined ? "" : `at most ${max}`) : `at least ${min}`,
    kept: isKept ? "yes" : "NO",
  })),
);
if (named.length === 0) {
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version, load: loadavg() };
  const report = { date: new Date().toISOString(), machine, rows };
  await writeFile(join(import.meta.dirname, "disk.json"), `${JSON.stringify(report, null, 2)}\n`);
}
if (rows.some(({ isKept }) => !isKept)) process.exitCode = 1;
