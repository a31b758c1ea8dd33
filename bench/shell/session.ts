/**
 * What a person at a terminal notices, with a real node and `starfish sh` as a process: how soon an empty line has its
 * prompt, how soon Ctrl-C ends what waits, that the stages of a pipe run at once, and the memory of a large pipe.
 *
 *     node bench/shell/session.ts [MEBIBYTES]
 *
 * Linux only: memory is what /proc says, and `script` (util-linux) makes the terminal.
 */
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { type Lab, type Node, openLab } from "../../test/system/processes.ts";

const mebibytes = Number(process.argv[2] ?? 1024);
const MIB: number = 1024 * 1024;
const PROMPTS = 50;
const INTERRUPTS = 5;
const TRANSFER_MS = 3_600_000;

await using real = await openLab();
const node = await real.up({ args: ["--cores", "0", "--storage", "8G"] });

row("prompt after an empty line", `${(await promptMs(real, node)).toFixed(1)} ms`, "5 ms");
row("Ctrl-C ends 'sleep 100'", `${(await interruptMs(real, node)).toFixed(0)} ms`, "100 ms");
const stages = await real.sh(
  node,
  "from=$(date +%s%3N); sleep 0.3 | sleep 0.3 | sleep 0.3; echo $(($(date +%s%3N) - from))",
);
row("three stages of 300 ms", `${stages.stdout.trim()} ms`, "350 ms");
for (const [name, mib] of Object.entries(await growthMib(real, node)))
  row(`cat of ${mebibytes} MiB | grep | wc -l: ${name} grows by`, `${mib.toFixed(0)} MiB`, "95 MiB");

/** From Enter to the next prompt, in a terminal; the median. */
async function promptMs(lab: Lab, { data }: Node): Promise<number> {
  const within = ["bash", "-c", 'exec script -qfec "$(printf "%q " "$@")" /dev/null', "terminal"];
  const terminal = lab.starfish(["sh", "--data", data], { within, keepStdin: true, env: { TERM: "xterm" } });
  await terminal.output(/\$ /);
  const times: number[] = [];
  for (let i = 0; i < PROMPTS; i++) {
    const before = terminal.stdout.length;
    const from = performance.now();
    terminal.child.stdin?.write("\r");
    while (!terminal.stdout.slice(before).includes("$ ") && terminal.child.stdout !== null)
      await once(terminal.child.stdout, "data");
    times.push(performance.now() - from);
  }
  terminal.child.stdin?.write("\x04");
  await terminal.finished;
  return median(times);
}

/** From the signal to the end of the process; the median. */
async function interruptMs(lab: Lab, { data }: Node): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < INTERRUPTS; i++) {
    const running = lab.starfish(["sh", "--data", data, "-c", "echo up; sleep 100"]);
    await running.output(/up/);
    const from = performance.now();
    await running.end("SIGINT");
    times.push(performance.now() - from);
  }
  return median(times);
}

/** A file of the swarm's own disk through a pipe: how much the most memory of each process is above that before. */
async function growthMib(lab: Lab, node: Node): Promise<Record<string, number>> {
  const put = lab.starfish(["sh", "--data", node.data, "-c", "put - /huge"], { keepStdin: true });
  const lines = Buffer.from("the quick brown fox jumps over the lazy dog, and over it again, all day\n".repeat(14_564));
  for (let left = mebibytes * MIB; left > 0; left -= MIB)
    if (put.child.stdin?.write(lines.subarray(0, MIB)) === false) await once(put.child.stdin, "drain");
  put.child.stdin?.end();
  await put.finished;
  await lab.sh(node, "head -c 1000000 /huge | grep fox | wc -l");

  const shell = lab.starfish(["sh", "--data", node.data], { keepStdin: true });
  const pids = { "the node": node.process.child.pid, sh: shell.child.pid };
  shell.child.stdin?.write("echo ready\n");
  await shell.output(/ready/);
  for (const pid of Object.values(pids)) await writeFile(`/proc/${pid}/clear_refs`, "5");
  const before = await Promise.all(Object.values(pids).map(peakMib));
  shell.child.stdin?.write("cat /huge | grep fox | wc -l\n");
  await shell.output(/^\d+$/m, TRANSFER_MS);
  const after = await Promise.all(Object.values(pids).map(peakMib));
  return Object.fromEntries(Object.keys(pids).map((name, i) => [name, (after[i] ?? 0) - (before[i] ?? 0)]));
}

/** The most memory that a process has had since its peak was cleared. */
async function peakMib(pid: number | undefined): Promise<number> {
  const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kib) / 1024;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function row(what: string, figure: string, bound: string): void {
  process.stdout.write(`${what.padEnd(58)} ${figure.padStart(8)}  at most ${bound}\n`);
}
