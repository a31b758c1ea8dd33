/**
 * What the erasure code costs, compared with a hash of the same bytes: coding alone on one thread, and the chain of
 * cutting 100 MB, coding it 2 of 8 and hashing every shard on the coder's threads. `node bench/disk/coder.ts`; prints
 * two tables and writes bench/disk/coder.json. Coding is measured in CPU time, which other programs disturb little. The
 * chain is measured by the clock, since it uses both cores. Exits with 1 if the chain does not reach 0.12 of one
 * SHA-256 over the 100 MB.
 */
import { hash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { ReedSolomon } from "../../core/disk/code/reed-solomon.ts";
import { SHARD_BYTES_MAX } from "../../core/ports/coder.ts";
import { nodeCoder } from "../../node/coder.ts";
import { buildLibraries, LIBRARIES_OUTPUT } from "../../wasm-tasks/build.ts";

/** The codes of swarms of 8, 16 and 32 devices, a large one, and the largest of twin shards. */
const CODES = [
  [2, 8],
  [4, 16],
  [8, 32],
  [16, 64],
  [32, 64],
] as const;
/** Enough rounds for each code; the median counts, because other programs come and go. */
const ROUNDS = 9;
const ROUND_BYTES: number = 64 * 1024 * 1024;

const CHAIN_BYTES = 100_000_000;
const [CHAIN_K, CHAIN_N] = CODES[0];
const CHAIN_LANES = 2;
/** The bound: the least speed of the chain, as a share of that of one SHA-256 over the same bytes. */
const CHAIN_RATIO_MIN = 0.12;

interface Coding {
  readonly code: string;
  readonly encodeMBps: number;
  /** The worst case: all data shards made of parity. */
  readonly rebuildMBps: number;
  readonly sha256MBps: number;
  readonly ratio: number;
}

/** MB of data a second of this process on one core. */
function rate(bytes: number, work: () => void): number {
  const start = process.cpuUsage();
  work();
  return bytes / cpuMicroseconds(start);
}

function cpuMicroseconds(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return user + system;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

function measureCoding(code: ReedSolomon, k: number, n: number): Coding {
  const data = Array.from({ length: k }, (_, i) => bytesOf(SHARD_BYTES_MAX, i));
  const stripes = Math.ceil(ROUND_BYTES / (k * SHARD_BYTES_MAX));
  const bytes = stripes * k * SHARD_BYTES_MAX;
  const parity = new Map(code.encode(data, n - k).map((shard, i) => [k + i, shard]));
  const want = data.map((_, i) => i);
  const encode: number[] = [];
  const rebuild: number[] = [];
  const sha256: number[] = [];
  const repeat = (work: () => void): number =>
    rate(bytes, () => {
      for (let i = 0; i < stripes; i++) work();
    });
  for (let round = 0; round < ROUNDS; round++) {
    encode.push(repeat(() => code.encode(data, n - k)));
    rebuild.push(repeat(() => code.reconstruct(k, parity, want)));
    sha256.push(repeat(() => data.forEach((shard) => hash("sha256", shard))));
  }
  return {
    code: `${k} of ${n}`,
    encodeMBps: median(encode),
    rebuildMBps: median(rebuild),
    sha256MBps: median(sha256),
    ratio: median(encode.map((value, i) => value / (sha256[i] ?? Infinity))),
  };
}

interface Chain {
  readonly chainMBps: number;
  readonly sha256MBps: number;
  readonly ratio: number;
  /** The same ratio in CPU time, as one core would reach it. */
  readonly ratioOfCpu: number;
}

async function measureChain(): Promise<Chain> {
  const content = bytesOf(CHAIN_BYTES, 1);
  await using coder = nodeCoder({ lanes: CHAIN_LANES });
  await coder.encode([bytesOf(SHARD_BYTES_MAX, 1)], 1);
  const rounds: Chain[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const hashed = await timed(async () => hash("sha256", content));
    let next = 0;
    // As many callers as keep the threads busy, each with one stripe at a time.
    const taker = async (): Promise<void> => {
      while (next < CHAIN_BYTES) {
        const data = cut(content, next);
        next += CHAIN_K * SHARD_BYTES_MAX;
        await coder.encode(data, CHAIN_N - CHAIN_K);
      }
    };
    const chained = await timed(() => Promise.all(Array.from({ length: 2 * coder.lanes }, taker)));
    rounds.push({
      chainMBps: CHAIN_BYTES / 1_000 / chained.wallMs,
      sha256MBps: CHAIN_BYTES / 1_000 / hashed.wallMs,
      ratio: hashed.wallMs / chained.wallMs,
      ratioOfCpu: hashed.cpuMs / chained.cpuMs,
    });
  }
  const middle = (of: (chain: Chain) => number): number => median(rounds.map(of));
  return {
    chainMBps: middle(({ chainMBps }) => chainMBps),
    sha256MBps: middle(({ sha256MBps }) => sha256MBps),
    ratio: middle(({ ratio }) => ratio),
    ratioOfCpu: middle(({ ratioOfCpu }) => ratioOfCpu),
  };
}

async function timed(work: () => Promise<unknown>): Promise<{ readonly wallMs: number; readonly cpuMs: number }> {
  const startCpu = process.cpuUsage();
  const start = performance.now();
  await work();
  return { wallMs: performance.now() - start, cpuMs: cpuMicroseconds(startCpu) / 1_000 };
}

/** The data shards of the stripe that begins at `start`, the last one filled up with zeros. */
function cut(content: Uint8Array, start: number): Uint8Array[] {
  const stripe = content.subarray(start, start + CHAIN_K * SHARD_BYTES_MAX);
  const shardBytes = Math.ceil(stripe.length / CHAIN_K);
  return Array.from({ length: CHAIN_K }, (_, i) => {
    const shard = new Uint8Array(shardBytes);
    shard.set(stripe.subarray(i * shardBytes, (i + 1) * shardBytes));
    return shard;
  });
}

function bytesOf(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  const words = new Uint32Array(bytes.buffer, 0, length >> 2);
  let state = seed;
  for (let i = 0; i < words.length; i++) words[i] = state = Math.imul(state, 1_664_525) + 1_013_904_223;
  return bytes;
}

await buildLibraries();
const module = await WebAssembly.compile(new Uint8Array(await readFile(join(LIBRARIES_OUTPUT, "reed-solomon.wasm"))));
const code = new ReedSolomon(module);
const coding = CODES.map(([k, n]) => measureCoding(code, k, n));
const chain = await measureChain();

console.table(
  coding.map(({ code, encodeMBps, rebuildMBps, sha256MBps, ratio }) => ({
    code,
    "encode MB/s": Math.round(encodeMBps),
    "rebuild MB/s": Math.round(rebuildMBps),
    "sha256 MB/s": Math.round(sha256MBps),
    "encode / sha256": ratio.toFixed(2),
  })),
);
console.table([
  {
    chain: `cut, code ${CHAIN_K} of ${CHAIN_N}, hash all shards, on ${CHAIN_LANES} threads`,
    "MB/s": Math.round(chain.chainMBps),
    "sha256 MB/s": Math.round(chain.sha256MBps),
    "chain / sha256": chain.ratio.toFixed(3),
    "on one core": chain.ratioOfCpu.toFixed(3),
  },
]);
const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version };
const report = { date: new Date().toISOString(), machine, coding, chain };
await writeFile(join(import.meta.dirname, "coder.json"), `${JSON.stringify(report, null, 2)}\n`);
if (chain.ratio < CHAIN_RATIO_MIN) process.exitCode = 1;
