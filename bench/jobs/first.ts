/**
 * How soon a job of the swarm gives its first result where nobody is busy: three real nodes in this process, each with
 * the workers that it keeps; one of them submits. Prints for each run, and as the median, the time from `submit` until
 * the job is written down, and until the first result. Needs `npm run build` before, and an idle machine.
 *
 *     node bench/jobs/first.ts [--runs 10]
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startNode } from "../../node/index.ts";

/** The bound of the median. */
const FIRST_MS_MAX = 150;

const { values } = parseArgs({ options: { runs: { type: "string", default: "10" } } });
const folder = await mkdtemp(join(tmpdir(), "starfish-first-"));
const module = new Uint8Array(await readFile(join(import.meta.dirname, "../../dist/tasks/primes.wasm")));

async function run(jobs: Awaited<ReturnType<typeof startNode>>["computer"]["jobs"], seed: number): Promise<number[]> {
  const beganMs = performance.now();
  const { id } = await jobs.submit({
    title: "first",
    program: { kind: "bytes", module: await jobs.content(module) },
    // Each run has other inputs, because a node remembers what it has computed.
    inputs: { from: "range", lo: seed * 1_000, hi: seed * 1_000 + 900, count: 8 },
    combine: { how: "sum" },
    limits: { memoryBytesMax: 2 ** 26, timeMsMax: 60_000 },
  });
  const submittedMs = performance.now() - beganMs;
  for await (const { is } of jobs.attach(id, { results: true })) if (is === "result") break;
  const firstMs = performance.now() - beganMs;
  for await (const _ of jobs.attach(id));
  return [submittedMs, firstMs, performance.now() - beganMs];
}

const first = await startNode({ dataDir: join(folder, "0"), cores: 1 });
const invite = `${first.url}#${first.computer.net.invite()}`;
const others = await Promise.all(
  [1, 2].map((i) => startNode({ dataDir: join(folder, `${i}`), cores: 1, join: invite })),
);
const times: number[][] = [];
for (let i = 0; i < Number(values.runs); i++) {
  const [submitted = 0, soonest = 0, all = 0] = await run(first.computer.jobs, i + 1);
  times.push([submitted, soonest, all]);
  process.stdout.write(
    `submitted ${submitted.toFixed(0)} ms, first result ${soonest.toFixed(0)} ms, over ${all.toFixed(0)} ms\n`,
  );
}
for (const node of [...others, first]) await node[Symbol.asyncDispose]();
await rm(folder, { recursive: true });
const firsts = times.map(([, soonest = 0]) => soonest).toSorted((a, b) => a - b);
const median = firsts[Math.floor(firsts.length / 2)] ?? Infinity;
process.stdout.write(`median of the first result: ${median.toFixed(0)} ms\n`);
process.exit(median > FIRST_MS_MAX ? 1 : 0);
