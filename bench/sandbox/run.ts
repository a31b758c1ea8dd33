/**
 * What rewriting costs: kernels in WebAssembly, unchanged and rewritten, in turn in one process, and how long rewriting
 * a large module takes. `node bench/sandbox/run.ts`; prints a table. Exits with 1 if one of the bounds below is not
 * kept: for the geometric mean of the loops, for that of the calls, and for the processor time that 20 MB take.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import asc from "assemblyscript/asc";
import { FUEL, STACK } from "../../core/sandbox/wasm/added.ts";
import { prepareModule } from "../../core/sandbox/wasm/prepare.ts";
import { largeModule } from "./large-module.ts";

/** Times as long as unchanged, at most; and the processor time that rewriting LARGE_BYTES may take. */
const LOOPS_MAX = 1.2;
const CALLS_MAX = 2;
const LARGE_MS_MAX = 400;
const LARGE_BYTES = 20_000_000;

const ROUNDS = 60;
/** How long a kernel runs in a round: short, compared with the time for which other work takes a core away. */
const ROUND_MS = 5;
/** Kernels and how much they do at first; scaled to ROUND_MS. */
const KERNELS: readonly (readonly [name: string, kind: "loops" | "calls", size: number, scales: boolean])[] = [
  ["sum", "loops", 10_000_000, true],
  ["sieve", "loops", 100, true],
  ["matrix", "loops", 50, true],
  ["mandelbrot", "loops", 300, true],
  ["hash", "loops", 300, true],
  ["vectors", "loops", 1_000, true],
  ["fib", "calls", 24, false],
  ["tak", "calls", 22, false],
  ["queens", "calls", 8, false],
  ["collatz", "calls", 100_000, true],
  ["indirect", "calls", 10_000_000, true],
];

type Kernel = (size: number) => number;
type Kernels = Readonly<Record<string, Kernel>>;

async function compile(): Promise<Uint8Array<ArrayBuffer>> {
  const source = await readFile(join(import.meta.dirname, "kernels.as"), "utf8");
  // The exports of ABI 1 are there too, so that the module is accepted.
  const abi = "export function alloc(n: i32): i32 { return 0; } export function run(p: i32, n: i32): i64 { return 0; }";
  let module: Uint8Array<ArrayBuffer> | undefined;
  let report = "";
  const flags = ["--runtime", "stub", "--use", "abort=", "--enable", "simd", "--initialMemory", "8", "-O3"];
  const { error } = await asc.main(["kernels.ts", "--outFile", "kernels.wasm", ...flags], {
    readFile: (name: string) => (name === "kernels.ts" ? source + abi : null),
    writeFile: (_name: string, contents: Uint8Array | string) => {
      if (typeof contents !== "string") module = new Uint8Array(contents);
    },
    listFiles: () => [],
    stdout: { write: () => {} },
    stderr: { write: (text: string) => (report += text) },
  });
  if (error !== null || module === undefined) throw new Error(`The kernels do not compile\n${report}`);
  return module;
}

function instantiate(bytes: Uint8Array<ArrayBuffer>): { kernels: Kernels; fuel: WebAssembly.Global | undefined } {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
  const fuel = exports[FUEL] as WebAssembly.Global | undefined;
  const stack = exports[STACK] as WebAssembly.Global | undefined;
  if (fuel !== undefined) fuel.value = 2n ** 60n;
  if (stack !== undefined) stack.value = 90_000n;
  return { kernels: exports as Kernels, fuel };
}

function timeOf(kernel: Kernel, size: number): number {
  const start = performance.now();
  kernel(size);
  return performance.now() - start;
}

/** A busy machine only ever adds time, so the least disturbed tenth says most. */
function undisturbed(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 10)] ?? Number.NaN;
}

/** Processor time in ms, the median of five runs. */
function cpuMs(work: () => void): number {
  const times = Array.from({ length: 5 }, () => {
    const start = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1_000;
  });
  return times.toSorted((a, b) => a - b)[2] ?? Number.NaN;
}

const plain = await compile();
const [base, rewritten] = [instantiate(plain), instantiate(prepareModule(plain, 2 ** 26))];
let isKept = true;
const ratios: Readonly<Record<"loops" | "calls", number[]>> = { loops: [], calls: [] };
const rows = KERNELS.map(([name, kind, first, scales]) => {
  const [one, other] = [base.kernels[name], rewritten.kernels[name]];
  if (one === undefined || other === undefined) throw new Error(`There is no kernel ${name}`);
  if (one(first) !== other(first)) throw new Error(`${name} gives something else when it is rewritten`);
  let size = first;
  // Runs both until the engine has optimised them.
  for (let i = 0; i < 20; i++) {
    const ms = Math.max(Math.min(timeOf(one, size), timeOf(one, size), timeOf(one, size)), 0.01);
    timeOf(other, size);
    if (scales) size = Math.max(1, Math.round((size * ROUND_MS) / ms));
  }
  const times: [number, number][] = Array.from({ length: ROUNDS }, () => [timeOf(one, size), timeOf(other, size)]);
  const before = Number(rewritten.fuel?.value ?? 0n);
  other(size);
  const fuel = before - Number(rewritten.fuel?.value ?? 0n);
  const [plainMs, ms] = [undisturbed(times.map(([a]) => a)), undisturbed(times.map(([, b]) => b))];
  const ratio = ms / plainMs;
  ratios[kind].push(ratio);
  return {
    kernel: name,
    kind,
    "plain ms": plainMs.toFixed(1),
    "rewritten ms": ms.toFixed(1),
    ratio: ratio.toFixed(2),
    "fuel/us": Math.round(fuel / (ms * 1_000)),
  };
});
console.table(rows);
for (const [kind, most] of [
  ["loops", LOOPS_MAX],
  ["calls", CALLS_MAX],
] as const) {
  const mean = Math.exp(ratios[kind].reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios[kind].length);
  console.log(
    `${kind}: ${mean.toFixed(2)} times as long (geometric mean), at most ${Math.max(...ratios[kind]).toFixed(2)}`,
  );
  if (mean > most) isKept = false;
}

const large = largeModule(LARGE_BYTES);
const largeMs = cpuMs(() => prepareModule(large, 2 ** 26));
let isValid = false;
const validateMs = cpuMs(() => {
  isValid = WebAssembly.validate(large);
});
console.log(
  `rewriting ${(large.length / 1e6).toFixed(1)} MB: ${largeMs.toFixed(0)} ms, ` +
    `${(largeMs / validateMs).toFixed(2)} times what the engine takes to validate it (${validateMs.toFixed(0)} ms)`,
);
if (!isValid || largeMs > LARGE_MS_MAX) isKept = false;
if (!isKept) process.exitCode = 1;
