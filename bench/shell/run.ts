/**
 * What the shell's utilities cost, compared with those of the machine, in one process and one run: ratios of CPU time,
 * since other programs share the cores.
 *
 *     node --expose-gc bench/shell/run.ts [--mib 100]
 */
import { spawnSync } from "node:child_process";
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
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

const { values } = parseArgs({ options: { mib: { type: "string", default: "100" } } });
const bytes = Number(values.mib) * 1024 * 1024;
const ROUNDS = 3;

const folder = mkdtempSync(join(tmpdir(), "starfish-bench-"));
const text = textOf(bytes);
const numbers = Array.from({ length: 1_000_000 }, () => `${Math.floor(Math.random() * 1e9)}\n`).join("");
writeFileSync(join(folder, "text"), text);
writeFileSync(join(folder, "numbers"), numbers);

const tree = new TemporaryTree(realClock);
await tree.write("/text", pieces(Buffer.from(text)));
await tree.write("/numbers", pieces(Buffer.from(numbers)));
const session = await open();

const reading = await cpuOf(async () => {
  for await (const piece of createReadStream(join(folder, "text"))) void piece;
});
row("cat FILE | wc -c, beside reading the file", reading / (await ours("cat /text | wc -c")), "at least 0.5");
row(
  "grep -c WORD, speed beside GNU's",
  theirs("grep", "-c", "needle", "text") / (await ours("grep -c needle /text")),
  "at least 0.1",
);
row(
  "grep -c 'a.*b', beside GNU's",
  theirs("grep", "-c", "ne.*le", "text") / (await ours("grep -c 'ne.*le' /text")),
  "",
);
row(
  "sort of a million lines, times GNU's",
  (await ours("sort /numbers | tail -n 1")) / theirs("sort", "numbers"),
  "at most 10",
);
row("sort -n, times GNU's", (await ours("sort -n /numbers | tail -n 1")) / theirs("sort", "-n", "numbers"), "");
row("wc -l, times GNU's", (await ours("wc -l /text")) / theirs("wc", "-l", "text"), "");
rmSync(folder, { recursive: true });
process.exit(0);

function textOf(length: number): string {
  const words = ["starfish", "arm", "tide", "needle", "shell", "coral", "reef", "salt"];
  const lines: string[] = [];
  for (let size = 0, i = 0; size < length; i++) {
    const line = `${i} ${words[i % 7]} ${words[(i * 31) % 8]} ${words[(i * 17) % 5]}\n`;
    lines.push(line);
    size += line.length;
  }
  return lines.join("");
}

async function* pieces(all: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < all.length; at += 65_536) yield all.subarray(at, at + 65_536);
}

async function open(): Promise<ShellSession> {
  const computer = { clock: realClock, random: realRandom } as unknown as Computer;
  const table = new Map(utilities.map((command) => [command.name, command]));
  const opened = openSession(
    { computer, host: {} as Host, table, names: new Namespace([{ path: "/", tree }]) },
    { name: "bench", isInteractive: false, environment: new Map([["PATH", "/bin"]]) },
  );
  await opened.state.descriptors.set(1, new Descriptor({ write: () => Promise.resolve() }));
  await opened.state.descriptors.set(
    2,
    new Descriptor({ write: (message) => Promise.resolve(void process.stderr.write(message)) }),
  );
  return opened;
}

/** CPU time in ms, the median of the rounds. */
async function cpuOf(work: () => Promise<void>): Promise<number> {
  const all: number[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    // Garbage of earlier rounds must not be collected in this one.
    globalThis.gc?.();
    const before = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(before);
    all.push((user + system) / 1000);
  }
  return all.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? 0;
}

function ours(line: string): Promise<number> {
  return cpuOf(async () => void (await session.run(line, { signal: new AbortController().signal })));
}

function theirs(...command: readonly [string, ...string[]]): number {
  const [program, ...args] = command;
  const all: number[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    // Into a file: GNU grep stops at the first match if its output is /dev/null.
    const script = `LC_ALL=C ${program} ${args.map((arg) => `'${arg}'`).join(" ")} > out; times`;
    const { stdout } = spawnSync("bash", ["-c", script], { cwd: folder, encoding: "utf8" });
    const [user = 0, system = 0] = (stdout.trim().split("\n").at(-1) ?? "").split(" ").map(secondsOf);
    all.push((user + system) * 1000);
  }
  return all.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? 0;
}

/** "0m1.234s" */
function secondsOf(text: string): number {
  const [, minutes = "0", seconds = "0"] = /(\d+)m([\d.]+)s/.exec(text) ?? [];
  return Number(minutes) * 60 + Number(seconds);
}

function row(what: string, figure: number, wanted: string): void {
  process.stdout.write(`${what.padEnd(40)} ${figure.toPrecision(3).padStart(8)}  ${wanted}\n`);
}
