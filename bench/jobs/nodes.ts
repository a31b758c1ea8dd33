/**
 * Jobs of the swarm on real processes with one core each, submitted by this one, compared with bare workers: as many
 * threads with the same inputs, each in a fresh instance. `long`: 200 tasks of a second on two processes. `small`: 20,000
 * tasks that take no time on four; the bare workers get them in batches. Rounds of both alternate, and each round has new
 * inputs, because nodes remember what they have computed. Exits with 1 below the bounds in KINDS. Needs `npm run build`
 * before.
 *
 *     node bench/jobs/nodes.ts long|small [--tasks N] [--task-ms N] [--rounds N]
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Tinypool } from "tinypool";
import { concat, text, utf8 } from "../../core/base/bytes.ts";
import type { Computer } from "../../core/computer.ts";
import { LIMITS_DEFAULT } from "../../core/sandbox/limits.ts";
import { prepareModule } from "../../core/sandbox/wasm/prepare.ts";
import { startNode } from "../../node/index.ts";
import { eventually, openLab } from "../../test/system/processes.ts";

/** The bounds: the least share of the bare workers' speed, and the fewest tasks a second. */
const KINDS = {
  long: { processes: 2, tasks: 200, taskMs: 1_000, rounds: 1, batch: 1, ratioMin: 0.93, perSecondMin: 0 },
  small: { processes: 4, tasks: 20_000, taskMs: 0, rounds: 3, batch: 100, ratioMin: 0.5, perSecondMin: 1_000 },
} as const;
/** Where the ranges begin: parts of equal length take equally long up there. */
const LO = 1_000_000_000;
/** The length of a range that takes no time. */
const TINY = 10;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { tasks: { type: "string" }, "task-ms": { type: "string" }, rounds: { type: "string" } },
});
const kind = KINDS[positionals[0] === "small" ? "small" : "long"];
const tasks = Number(values.tasks ?? kind.tasks);
const taskMs = Number(values["task-ms"] ?? kind.taskMs);
const rounds = Number(values.rounds ?? kind.rounds);
const module = new Uint8Array(await readFile(join(import.meta.dirname, "../../dist/tasks/primes.wasm")));

/** Parts of a range, which a round has for itself. */
interface Work {
  readonly lo: number;
  readonly length: number;
  readonly count: number;
}

type Run = (work: Work) => Promise<number>;

function bare(pool: Tinypool): Run {
  return async ({ lo, length, count }) => {
    const inputs = Array.from({ length: count }, (_, i) => utf8(`${lo + i * length} ${lo + (i + 1) * length}`));
    const batches = Array.from({ length: Math.ceil(count / kind.batch) }, (_, i) =>
      inputs.slice(i * kind.batch, (i + 1) * kind.batch),
    );
    const outputs: Uint8Array[][] = await Promise.all(batches.map((batch) => pool.run(batch)));
    return outputs.flat().reduce((sum, output) => sum + Number(text(output)), 0);
  };
}

function onSwarm({ jobs }: Computer, on: readonly string[]): Run {
  return async ({ lo, length, count }) => {
    const { id } = await jobs.submit({
      title: "bench",
      program: { kind: "bytes", module: await jobs.content(module) },
      inputs: { from: "range", lo, hi: lo + length * count, count },
      combine: { how: "sum" },
      on,
      limits: { memoryBytesMax: LIMITS_DEFAULT.memoryBytesMax, timeMsMax: 600_000 },
    });
    for await (const _ of jobs.attach(id));
    return Number(text(concat(await Array.fromAsync(jobs.result(id)))));
  };
}

async function timed(run: Run, work: Work): Promise<{ readonly ms: number; readonly sum: number }> {
  const beganMs = performance.now();
  const sum = await run(work);
  return { ms: performance.now() - beganMs, sum };
}

/** The length of a range that takes so long here, once the engine has optimised the module. */
async function calibrated(run: Run, ms: number): Promise<number> {
  if (ms === 0) return TINY;
  let length = 1_000_000;
  for (let round = 0; round < 4; round++) {
    const work = { lo: LO, length, count: kind.processes };
    const took = await timed(run, work);
    length = Math.round((length * ms) / took.ms);
  }
  return length;
}

await using lab = await openLab();
const node = await startNode({ dataDir: join(lab.folder, "submitter") });
const invite = `${node.url}#${node.computer.net.invite()}`;
const lenders = (): string[] =>
  node.computer.net
    .members()
    .filter(({ record }) => record.coresLent > 0)
    .map(({ record }) => record.peer);
for (let i = 1; i <= kind.processes; i++) {
  await lab.up({ args: ["--cores", "1", "--join", invite] });
  await eventually(
    `${i} nodes lend cores`,
    async () => lenders().length,
    (count) => count === i,
  );
}
const pool = new Tinypool({
  filename: new URL("./batch-worker.ts", import.meta.url).href,
  minThreads: kind.processes,
  maxThreads: kind.processes,
  workerData: await WebAssembly.compile(prepareModule(module, LIMITS_DEFAULT.memoryBytesMax)),
});
const [bareRun, swarmRun] = [bare(pool), onSwarm(node.computer, lenders())];
const length = await calibrated(bareRun, taskMs);
// Everything is loaded and compiled before the clock starts.
await swarmRun({ lo: 0, length: TINY, count: 100 });
const found: { ratio: number; perSecond: number }[] = [];
for (let round = 0; round < rounds; round++) {
  const work = { lo: LO + (round + 1) * tasks * length, length, count: tasks };
  const [theirs, ours] = [await timed(bareRun, work), await timed(swarmRun, work)];
  if (ours.sum !== theirs.sum) throw new Error(`The sums differ: ${ours.sum} and ${theirs.sum}`);
  const [ratio, perSecond] = [theirs.ms / ours.ms, tasks / (ours.ms / 1_000)];
  found.push({ ratio, perSecond });
  const [bareS, ourS] = [theirs.ms / 1_000, ours.ms / 1_000].map((seconds) => seconds.toFixed(2));
  process.stdout.write(`bare ${bareS} s, swarm ${ourS} s: ${ratio.toFixed(3)}, ${Math.round(perSecond)} tasks/s\n`);
}
await pool.destroy();
await node[Symbol.asyncDispose]();
const median = (all: readonly number[]): number => all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)] ?? 0;
const [ratio, perSecond] = [median(found.map((each) => each.ratio)), median(found.map((each) => each.perSecond))];
process.stdout.write(`median: ${ratio.toFixed(3)} of the bare workers, ${Math.round(perSecond)} tasks/s\n`);
process.exitCode = ratio < kind.ratioMin || perSecond < kind.perSecondMin ? 1 : 0;
