/**
 * What tiny inputs of scripts cost: 10,000 lines through a function in JavaScript and in Python, by `computer.cpu.map`
 * on two cores, where each input begins with the state that loading left. For comparison each input also gets a new
 * engine, in this thread. `node bench/scripts.ts` prints a table and writes bench/scripts.json. Exits with 1 below
 * 2,000 inputs a second of JavaScript.
 */
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { utf8 } from "../core/base/bytes.ts";
import { silentLog } from "../core/ports/log.ts";
import type { SandboxProgram } from "../core/ports/sandbox.ts";
import type { ScriptKind } from "../core/sandbox/languages/engines.ts";
import { Scripts } from "../core/sandbox/languages/scripts.ts";
import { LIMITS_DEFAULT } from "../core/sandbox/limits.ts";
import { prepareModule } from "../core/sandbox/wasm/prepare.ts";
import { startComputer } from "../node/start-computer.ts";

const CORES = 2;
const INPUTS = 10_000;
const PER_CHUNK = 500;
/** How many inputs get an engine each; all take equally long. */
const ENGINES_MEASURED = 50;
const RATE_MIN = 2_000;

const SOURCES: Readonly<Record<ScriptKind, string>> = { javascript: "x => x.length", python: "lambda x: len(x)" };
const lines = Array.from({ length: INPUTS }, (_, i) => `line ${i}`);

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
  cores: CORES,
  device: undefined,
  storageBytes: undefined,
  log: silentLog,
});

/** Inputs a second through the swarm of one. */
async function throughMap(module: Uint8Array, program: SandboxProgram): Promise<number> {
  const inputs = Array.from({ length: INPUTS / PER_CHUNK }, (_, i) =>
    utf8(lines.slice(i * PER_CHUNK, (i + 1) * PER_CHUNK).join("\n")),
  );
  const start = performance.now();
  let outputs = 0;
  const { signal } = new AbortController();
  for await (const { output } of computer.cpu.map({ title: "bench", module, program, inputs }, { signal })) {
    outputs += new TextDecoder().decode(output).split("\n").length - 1;
  }
  if (outputs !== INPUTS) throw new Error(`${outputs} outputs of ${INPUTS} inputs`);
  return (INPUTS / (performance.now() - start)) * 1_000;
}

/** The same with a new engine for each input, in this thread alone. */
function engineEach(module: Uint8Array, program: SandboxProgram): number {
  const { memoryBytesMax, fuelMax } = LIMITS_DEFAULT;
  const compiled = new WebAssembly.Module(prepareModule(module, memoryBytesMax, program.kind));
  const start = performance.now();
  for (const line of lines.slice(0, ENGINES_MEASURED)) {
    const outcome = new Scripts().run(compiled, program, utf8(line), fuelMax);
    if (!outcome.ok) throw new Error(outcome.message);
  }
  return (ENGINES_MEASURED / (performance.now() - start)) * 1_000;
}

try {
  const rows = [];
  for (const kind of ["javascript", "python"] as const) {
    const module = await computer.engine(kind);
    const program = { kind, source: SOURCES[kind] };
    // The engine is compiled and optimised, and the workers are there.
    await throughMap(module, program);
    const perSecond = await throughMap(module, program);
    const engines = engineEach(module, program);
    rows.push({ kind, perSecond, enginePerSecond: engines, ratio: perSecond / (CORES * engines) });
  }
  console.table(
    rows.map(({ kind, perSecond, enginePerSecond, ratio }) => ({
      kind,
      "inputs/s on two cores": Math.round(perSecond),
      "an engine each, inputs/s on one": Math.round(enginePerSecond),
      "times as fast": ratio.toFixed(1),
    })),
  );
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version, load: loadavg()[0] };
  const report = { date: new Date().toISOString(), machine, inputs: INPUTS, cores: CORES, rows };
  await writeFile(join(import.meta.dirname, "scripts.json"), `${JSON.stringify(report, null, 2)}\n`);
  if ((rows[0]?.perSecond ?? 0) < RATE_MIN) process.exitCode = 1;
} finally {
  await computer[Symbol.asyncDispose]();
  server.close();
  await rm(dataDir, { recursive: true, force: true });
}
