/**
 * The replicated map compared with others: the same work in the same run, over loopback. Prints a table with ratios to
 * Starfish and writes bench/memory/memory.json.
 *
 *     npm ci --prefix bench/memory
 *     node bench/memory/run.ts [SYSTEM…]
 */
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { type Measure, measure, type Measured, type Result } from "./measure.ts";

const STARFISH = "starfish";
/** Each system with the package whose version is printed. */
const SYSTEMS: Readonly<Record<string, string | undefined>> = {
  [STARFISH]: undefined,
  yjs: "yjs",
  automerge: "@automerge/automerge-repo",
  gun: "gun",
  orbitdb: "@orbitdb/core",
};

const ROWS: Readonly<Record<Measure, { readonly label: string; readonly isMoreBetter?: boolean }>> = {
  setPerSecond: { label: "writes/s", isMoreBetter: true },
  setManyPerSecond: { label: "writes/s, 100,000", isMoreBetter: true },
  batchPerSecond: { label: "writes/s in one batch", isMoreBetter: true },
  secondMs: { label: "second has all, ms" },
  secondBytes: { label: "bytes to the second" },
  lateMs: { label: "late third has all, ms" },
  lateBytes: { label: "bytes to the third" },
  heldBytes: { label: "many writers, bytes/key" },
  heldOfOneWriter: { label: "… of one writer's" },
};

/** How many times better Starfish is; each figure is per entry. */
function ratio(row: Measure, other: Measured | undefined, ours: Measured | undefined): number | undefined {
  if (other === undefined || ours === undefined) return undefined;
  if (ROWS[row].isMoreBetter) return ours.value / other.value;
  const perEntry = row.startsWith("second") || row.startsWith("late");
  return perEntry ? other.value / other.count / (ours.value / ours.count) : other.value / ours.value;
}

function cell(row: Measure, measured: Measured | undefined, ours: Measured | undefined): string {
  if (measured === undefined) return "-";
  const { value, count } = measured;
  const shown = value < 100 ? value.toPrecision(3) : Math.round(value).toLocaleString("en");
  const times = ratio(row, measured, ours);
  const compared = measured === ours || times === undefined ? "" : ` (${times.toPrecision(2)}×)`;
  return `${shown}${compared}${count < 5_000 ? ` of ${count.toLocaleString("en")}` : ""}`;
}

function table(results: ReadonlyMap<string, Result>): Record<string, Record<string, string>> {
  const ours = results.get(STARFISH);
  const rows = Object.entries(ROWS) as [Measure, { label: string }][];
  return Object.fromEntries(
    rows.map(([row, { label }]) => [
      label,
      Object.fromEntries([...results].map(([name, result]) => [name, cell(row, result[row], ours?.[row])])),
    ]),
  );
}

async function versionOf(name: string): Promise<string> {
  const dependency = SYSTEMS[name];
  if (dependency === undefined) return "this";
  const manifest = await readFile(join(import.meta.dirname, "node_modules", dependency, "package.json"), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}

const named = process.argv.slice(2);
const names = named.length > 0 ? named : Object.keys(SYSTEMS);
const unknown = names.filter((name) => !Object.hasOwn(SYSTEMS, name));
if (unknown.length > 0) throw new Error(`No such system: ${unknown.join(" ")}`);
if (!existsSync(join(import.meta.dirname, "node_modules"))) {
  throw new Error("The others are not there yet: npm ci --prefix bench/memory");
}

const results = new Map<string, Result>();
for (const name of names) {
  await measure(name, (result) => {
    results.set(name, { ...results.get(name), ...result });
    for (const [row, measured] of Object.entries(result)) {
      console.error(`${name}: ${ROWS[row as Measure].label} ${cell(row as Measure, measured, undefined)}`);
    }
  });
}
console.table(table(results));
if (named.length === 0) {
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version };
  const systems = await Promise.all(
    [...results].map(async ([name, result]) => {
      const ours = results.get(STARFISH);
      const rows = Object.entries(result) as [Measure, Measured][];
      const measures = rows.map(([row, measured]) => [row, { ...measured, ratio: ratio(row, measured, ours?.[row]) }]);
      return { name, version: await versionOf(name), measures: Object.fromEntries(measures) as object };
    }),
  );
  const report = { date: new Date().toISOString(), machine, systems };
  await writeFile(join(import.meta.dirname, "memory.json"), `${JSON.stringify(report, null, 2)}\n`);
}
