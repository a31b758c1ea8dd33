/**
 * What handing out chunks costs: one node with 32 chunks of about 0.25 s for each of its workers, compared with the
 * ideal (the sum of the chunks' times divided by the workers), and with tinypool on the same module. `node
 * bench/cpu.ts`; prints a table and writes bench/cpu.json. Exits with 1 if Starfish takes more than 1.10 times its
 * ideal.
 */
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { Tinypool } from "tinypool";
import { text, utf8 } from "../core/base/bytes.ts";
import type { Computer } from "../core/computer.ts";
import { LIMITS_DEFAULT } from "../core/sandbox/limits.ts";
import { prepareModule } from "../core/sandbox/wasm/prepare.ts";
import { silentLog } from "../core/ports/log.ts";
import { startComputer } from "../node/start-computer.ts";
import { buildTasks, TASKS_OUTPUT } from "../wasm-tasks/build.ts";
import type { Measured } from "./tinypool-worker.ts";

/** One for each core of this machine; the machine for which the bound was set had two. */
const WORKERS = availableParallelism();
/** 64 with two workers. */
const CHUNKS = 32 * WORKERS;
const CHUNK_MS = 250;
/** The bound: the total may be this many times the ideal. */
const RATIO_MAX = 1.1;
/** Where the ranges begin: chunks of equal length take equally long up there. */
const LO = 1_000_000_000;

interface Measurement {
  readonly what: string;
  readonly totalMs: number;
  readonly chunkMs: number;
  readonly idealMs: number;
  readonly ratio: number;
}

function ranges(length: number, count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => utf8(`${LO + i * length} ${LO + (i + 1) * length}`));
}

/** Runs the inputs; returns what was counted, and the time of each chunk. */
type Run = (inputs: Uint8Array[]) => Promise<{ sum: number; chunksMs: number[] }>;

function onStarfish(computer: Computer, module: Uint8Array): Run {
  return async (inputs) => {
    let sum = 0;
    const chunksMs: number[] = [];
    const { signal } = new AbortController();
    for await (const { output, runMs } of computer.cpu.map({ title: "primes", module, inputs }, { signal })) {
      sum += Number(text(output));
      chunksMs.push(runMs);
    }
    return { sum, chunksMs };
  };
}

function onTinypool(pool: Tinypool): Run {
  return async (inputs) => {
    const results: Measured[] = await Promise.all(inputs.map((input) => pool.run(input)));
    return {
      sum: results.reduce((sum, { output }) => sum + Number(text(output)), 0),
      chunksMs: results.map(({ runMs }) => runMs),
    };
  };
}

async function measure(what: string, run: Run, inputs: Uint8Array[]): Promise<Measurement & { sum: number }> {
  const start = performance.now();
  const { sum, chunksMs } = await run(inputs);
  const totalMs = performance.now() - start;
  const workMs = chunksMs.reduce((all, ms) => all + ms, 0);
  const idealMs = workMs / WORKERS;
  return { what, totalMs, chunkMs: workMs / CHUNKS, idealMs, ratio: totalMs / idealMs, sum };
}

/** The length of a range that takes CHUNK_MS here, once the engine has optimised the module. */
async function calibrate(run: Run): Promise<number> {
  let length = 10_000_000;
  for (let round = 0; round < 4; round++) {
    const { chunksMs } = await run(ranges(length, 2 * WORKERS));
    const median = chunksMs.toSorted((a, b) => a - b)[WORKERS] ?? CHUNK_MS;
    length = Math.round((length * CHUNK_MS) / median);
  }
  return length;
}

await buildTasks();
const module = await readFile(join(TASKS_OUTPUT, "primes.wasm"));
const dataDir = await mkdtemp(join(tmpdir(), "starfish-bench-"));
const server = createServer().listen(0, "127.0.0.1");
await once(server, "listening");
const computer = await startComputer({
  dataDir,
  host: "127.0.0.1",
  server,
  url: "http://127.0.0.1/",
  join: undefined,
  name: "bench",
  cores: WORKERS,
  device: undefined,
  storageBytes: undefined,
  log: silentLog,
});
const pool = new Tinypool({
  filename: new URL("./tinypool-worker.ts", import.meta.url).href,
  minThreads: WORKERS,
  maxThreads: WORKERS,
  workerData: await WebAssembly.compile(prepareModule(module, LIMITS_DEFAULT.memoryBytesMax)),
});

try {
  const starfish = onStarfish(computer, module);
  const tinypool = onTinypool(pool);
  const length = await calibrate(starfish);
  await tinypool(ranges(length, WORKERS));
  const inputs = ranges(length, CHUNKS);
  const rows = [await measure("starfish", starfish, inputs), await measure("tinypool", tinypool, inputs)];
  if (new Set(rows.map(({ sum }) => sum)).size !== 1) throw new Error("The two did not count the same");

  const shown = rows.map(({ what, totalMs, chunkMs, idealMs, ratio }) => ({
    what,
    "total s": (totalMs / 1_000).toFixed(2),
    "chunk s": (chunkMs / 1_000).toFixed(3),
    "ideal s": (idealMs / 1_000).toFixed(2),
    "total / ideal": ratio.toFixed(3),
  }));
  console.table(shown);
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version };
  const report = { date: new Date().toISOString(), machine, chunks: CHUNKS, workers: WORKERS, rows };
  await writeFile(join(import.meta.dirname, "cpu.json"), `${JSON.stringify(report, null, 2)}\n`);
  if ((rows[0]?.ratio ?? Infinity) > RATIO_MAX) process.exitCode = 1;
} finally {
  await pool.destroy();
  await computer[Symbol.asyncDispose]();
  server.close();
  await rm(dataDir, { recursive: true, force: true });
}
