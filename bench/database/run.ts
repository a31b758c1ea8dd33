/**
 * The shared database in ratios to plain sqlite-wasm, what comes from other nodes, what a start costs, and other
 * systems for comparison. Prints tables and writes bench/database/database.json.
 *
 *     npm ci --prefix bench/database && npm ci --prefix bench/memory      (for `others` only)
 *     node bench/database/run.ts [local] [cells] [nodes] [start] [others]
 */
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { GaveUp, RemoteNode } from "../memory/remote.ts";
import { cellFigures } from "./cells.ts";
import { localRatios } from "./local.ts";
import { secondNode, start } from "./nodes.ts";
import type { Other } from "./other.ts";

const ROWS_OF_OTHERS = 10_000;
/** OrbitDB signs each entry: more would take minutes. */
const ROWS_OF_ORBITDB = 1_000;

const PARTS: Readonly<Record<string, () => Promise<unknown>>> = {
  local: async () => {
    const ratios = await localRatios();
    return ratios.map(({ what, ours, plain }) => ({ what, ours, plain, ratio: plain / ours }));
  },
  cells: cellFigures,
  nodes: secondNode,
  start,
  others,
};

async function others(): Promise<Record<string, unknown>> {
  const figures: Record<string, unknown> = {};
  for (const name of ["pglite", "tinybase"]) {
    if (!existsSync(join(import.meta.dirname, "node_modules"))) break;
    const { other } = (await import(`./others/${name}.ts`)) as { other: Other };
    figures[name] = { rows: ROWS_OF_OTHERS, ...(await other.measure(ROWS_OF_OTHERS)) };
  }
  if (existsSync(join(import.meta.dirname, "../memory/node_modules"))) figures["orbitdb"] = await orbitdb();
  return figures;
}

/** As in bench/memory: entries one by one, over TCP. */
async function orbitdb(): Promise<unknown> {
  await using first = await RemoteNode.start("./others/orbitdb.ts");
  await using second = await RemoteNode.start("./others/orbitdb.ts");
  const address = await first.call("open", undefined);
  await second.call("open", address);
  const began = performance.now();
  try {
    const there = second.call("holds", ROWS_OF_ORBITDB);
    const [insertMs] = await Promise.all([first.call("write", "set", 0, ROWS_OF_ORBITDB), there]);
    return { rows: ROWS_OF_ORBITDB, insertMs, secondMs: performance.now() - began };
  } catch (error) {
    if (!(error instanceof GaveUp)) throw error;
    return { rows: ROWS_OF_ORBITDB, gaveUp: error.message };
  }
}

const named = process.argv.slice(2);
const unknown = named.filter((name) => !Object.hasOwn(PARTS, name));
if (unknown.length > 0) throw new Error(`No such part: ${unknown.join(" ")}`);
const report: Record<string, unknown> = {};
// SQLite's threads keep no process alive.
const alive = setInterval(() => {}, 1_000);
for (const [name, measure] of Object.entries(PARTS)) {
  if (named.length > 0 && !named.includes(name)) continue;
  const figures = await measure();
  report[name] = figures;
  console.log(name);
  console.table(figures);
}
clearInterval(alive);
if (named.length === 0) {
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version };
  const file = join(import.meta.dirname, "database.json");
  await writeFile(file, `${JSON.stringify({ date: new Date().toISOString(), machine, ...report }, null, 2)}\n`);
}
