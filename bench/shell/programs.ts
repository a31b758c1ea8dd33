/**
 * What programs of the shell cost, as ratios within one run: a pipe with a program in it against the same pipe without,
 * and how long a small program takes to start.
 *
 *     node bench/shell/programs.ts [MEGABYTES]
 *
 * Needs `npm run build`, which copies the programs.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Computer } from "../../core/computer.ts";
import { realClock } from "../../core/platform/clock.ts";
import { realRandom } from "../../core/platform/random.ts";
import { Descriptor } from "../../core/shell/language/descriptor.ts";
import type { ShellSession } from "../../core/shell/language/session.ts";
import { Namespace } from "../../core/shell/namespace/namespace.ts";
import { TemporaryTree } from "../../core/shell/namespace/temporary/tree.ts";
import { openSession } from "../../core/shell/shell.ts";
import type { Host } from "../../core/shell/types.ts";
import { utilities } from "../../core/shell/utilities/index.ts";
import { packageRoot } from "../../node/package-root.ts";
import { nodeProgramPlatform } from "../../node/program-platform.ts";

const RUNS = 5;
const STARTS = 50;
const PIECE_BYTES = 256 * 1024;

const megabytes = Number(process.argv[2] ?? 100);
const tree = new TemporaryTree(realClock);
await tree.write("/data", lines(megabytes * 1024 * 1024));
// A program that passes on what it gets: uutils' cat.
const cat = readFileSync(join(packageRoot, "node_modules/@rivet-dev/agent-os-coreutils/wasm/cat"));
await tree.write("/cat", once(cat));
await tree.setMode("/cat", 0o755);
const session = open(tree);

await run("/cat < /dev/null");
const alone: number[] = [];
const through: number[] = [];
for (let i = 0; i < RUNS; i++) {
  alone.push(await run("cat /data | wc -c"));
  through.push(await run("cat /data | /cat | wc -c"));
}
const starts: number[] = [];
for (let i = 0; i < STARTS; i++) starts.push(await run("/cat < /dev/null"));

const rate = (ms: number): string => `${((megabytes * 1000) / ms).toFixed(0)} MB/s`;
process.stdout.write(`cat ${megabytes} MB | wc -c            ${rate(median(alone))}\n`);
process.stdout.write(`cat ${megabytes} MB | program | wc -c  ${rate(median(through))}\n`);
process.stdout.write(`ratio                        ${(median(alone) / median(through)).toFixed(2)}\n`);
process.stdout.write(
  `a small program starts and ends in ${median(starts).toFixed(1)} ms (median of ${STARTS}, warm)\n`,
);
process.exit(0);

async function run(line: string): Promise<number> {
  const from = performance.now();
  const { status } = await session.run(line, { signal: AbortSignal.timeout(60_000) });
  if (status !== 0) throw new Error(`${line}: status ${status}`);
  return performance.now() - from;
}

function open(root: TemporaryTree): ShellSession {
  const computer = { clock: realClock, random: realRandom } as unknown as Computer;
  const opened = openSession(
    {
      computer,
      host: { programs: nodeProgramPlatform } as unknown as Host,
      table: new Map(utilities.map((command) => [command.name, command])),
      names: new Namespace([
        { path: "/", tree: root },
        { path: "/dev", tree: nothing() },
      ]),
    },
    { name: "sh", isInteractive: false, environment: new Map(), cwd: "/" },
  );
  void opened.state.descriptors.set(1, new Descriptor({ write: () => Promise.resolve() }));
  void opened.state.descriptors.set(
    2,
    new Descriptor({ write: (bytes) => Promise.resolve(void process.stderr.write(bytes)) }),
  );
  return opened;
}

function nothing(): TemporaryTree {
  const dev = new TemporaryTree(realClock);
  void dev.write("/null", once(new Uint8Array(0)));
  return dev;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield await Promise.resolve(bytes);
}

async function* lines(bytes: number): AsyncGenerator<Uint8Array, void, undefined> {
  const piece = new TextEncoder()
    .encode("the quick brown fox jumps over the lazy dog\n".repeat(6_000))
    .subarray(0, PIECE_BYTES);
  for (let left = bytes; left > 0; left -= piece.length) yield await Promise.resolve(piece.subarray(0, left));
}
