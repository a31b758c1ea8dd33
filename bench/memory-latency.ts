/**
 * How soon a `mem set` on one node is seen by `mem watch` on nine others: ten node processes over loopback, and a
 * process of `starfish sh` at each, so that everything except the keyboard is included that a person would wait for.
 * `node bench/memory-latency.ts` prints a table, writes bench/memory-latency.json, and fails above the bound.
 */
import { writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { eventually, type Lab, type Node, openLab } from "../test/system/processes.ts";

const NODES = 10;
const WRITES = 100;
/** A random pause up to this long between writes, so that they don't keep step with any timer. */
const PAUSE_MS = 150;
/** The time within which all have to see a write; otherwise the run fails. */
const SEEN_MS = 30_000;
const MEDIAN_MS_MAX = 150;

/** When `mem watch` at a node has first shown each key, ms. */
function watch(lab: Lab, node: Node): ReadonlyMap<string, number> {
  const seen = new Map<string, number>();
  const { child } = lab.starfish(["sh", "--data", node.data, "-c", "mem watch latency/ --json"]);
  if (child.stdout === null) throw new Error("A watcher without output");
  createInterface({ input: child.stdout }).on("line", (line) => {
    const { key } = JSON.parse(line) as { key: string };
    if (!seen.has(key)) seen.set(key, performance.now());
  });
  return seen;
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((x, y) => x - y);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

function summary(what: string, ms: readonly number[]): Record<string, string | number> {
  const shown = [0.5, 0.95, 1].map((share) => Math.round(quantile(ms, share) * 10) / 10);
  return { what, "median ms": shown[0] ?? 0, "95% ms": shown[1] ?? 0, "max ms": shown[2] ?? 0 };
}

await using lab = await openLab();
const first = await lab.up({ args: ["--cores", "0"] });
const others: Node[] = [];
while (others.length < NODES - 1) others.push(await lab.up({ args: ["--cores", "0", "--join", first.invite] }));
const members = async (): Promise<number> => ((await lab.shJson(first, "peers --json")) as unknown[]).length;
await eventually("all are members", members, (count) => count === NODES);
const watchers = others.map((node) => watch(lab, node));
const writer = lab.starfish(["sh", "--data", first.data], { keepStdin: true });

/** Milliseconds until each watcher has shown the write. */
async function write(key: string): Promise<number[]> {
  const beganMs = performance.now();
  writer.child.stdin?.write(`mem set ${key} ${key}\n`);
  const isSeen = async (): Promise<boolean> => watchers.every((seen) => seen.has(key));
  await eventually(`${key} is seen by all`, isSeen, (is) => is, SEEN_MS);
  return watchers.map((seen) => (seen.get(key) ?? Number.NaN) - beganMs);
}

// Writes until every watcher shows something.
for (let i = 0; watchers.some((seen) => seen.size === 0); i++) {
  writer.child.stdin?.write(`mem set latency/begin/${i} 1\n`);
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
}
await write("latency/first");
const toOne: number[] = [];
const toAll: number[] = [];
for (let i = 0; i < WRITES; i++) {
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * Math.random()));
  const ms = await write(`latency/${i}`);
  toOne.push(...ms);
  toAll.push(Math.max(...ms));
}
const rows = [summary("until one of nine watchers shows it", toOne), summary("until all nine do", toAll)];
console.table(rows);
const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version };
const report = { date: new Date().toISOString(), machine, nodes: NODES, writes: WRITES, rows };
await writeFile(join(import.meta.dirname, "memory-latency.json"), `${JSON.stringify(report, null, 2)}\n`);
if (!(quantile(toOne, 0.5) <= MEDIAN_MS_MAX)) process.exitCode = 1;
