/**
 * /proc: a directory for each thing that runs on this node: processes of its shells by number, jobs that it has given to
 * the swarm, and those of others for which it runs tasks, by id. `kill` and `wait` take the same numbers and ids.
 */
import type { Unsubscribe } from "../../../base/events.ts";
import type { Computer } from "../../../computer.ts";
import type { Cpu, JobInfo } from "../../../jobs/types.ts";
import { abortable } from "../../../ports/clock.ts";
import { oneLine } from "../../harmless.ts";
import { encodeText } from "../../language/bytes.ts";
import type { RunningProcess } from "../../language/interpreter.ts";
import type { ShellSession } from "../../language/session.ts";
import { partOfPath, says, ViewTree, type DirectoryView, type View } from "../view.ts";
import { changesOf } from "../watching.ts";
import type { Processes } from "./processes.ts";

/** Directories in /proc: more than may run at once in honest shells; what is beyond them is not listed. */
const LISTED_MAX = 4_096;

export interface ProcParts extends Pick<Computer, "cpu" | "net"> {
  readonly processes: Processes;
}

export function procTree({ cpu, net, processes }: ProcParts): ViewTree {
  const list = (): ReadonlyMap<string, View> => {
    const all = new Map<string, View>();
    for (const running of processes.running()) all.set(String(running.process.pid), processView(running));
    for (const job of cpu.jobs()) all.set(partOfPath(job.id), jobView(job));
    for (const [job, { tasks, peer }] of tasksOfOthers(cpu, net.self)) {
      const name = partOfPath(job);
      const owner = net.member(peer)?.record.name ?? peer;
      if (name !== "" && !all.has(name)) all.set(name, taskView(owner, peer, tasks));
      if (all.size >= LISTED_MAX) break;
    }
    return all;
  };
  const listen = (tell: () => void): Unsubscribe => {
    const stops = [processes.onChange(tell), cpu.onActivity(tell)];
    return () => {
      for (const stop of stops) stop();
    };
  };
  return new ViewTree({
    mount: "/proc",
    root: { kind: "directory", list },
    why: "what runs here is shown as it is; 'kill ID' ends it",
    watch: (path, { signal }) => changesOf((tell) => listen(() => tell(path)), signal),
  });
}

function processView({ process, parent, cwd, environment }: RunningProcess): DirectoryView {
  const words = process.words.length === 0 ? ["starfish"] : process.words;
  const state = process.isStopped ? "T (stopped)" : "R (running)";
  const lines = [
    `Name:\t${oneLine(words[0] ?? "")}`,
    `State:\t${state}`,
    `Pid:\t${process.pid}`,
    `PPid:\t${parent}`,
    "Kind:\tshell",
  ];
  const variables = [...environment].map(([name, value]) => `${name}=${value}`);
  return directory(
    [
      ["status", says(() => lines.join("\n"))],
      ["cmdline", zeroEnded(words)],
      ["environ", zeroEnded(variables)],
      ["cwd", says(() => cwd)],
    ],
    oneLine(words.join(" ")).slice(0, ABOUT_CHARS_MAX),
  );
}

/** One line of a long listing. */
const ABOUT_CHARS_MAX = 200;

/** As Linux has it: each word ends with a NUL, and bytes are as they are. */
function zeroEnded(words: readonly string[]): View {
  const bytes = encodeText(words.map((word) => `${word}\0`).join(""));
  return {
    kind: "file",
    async *stream() {
      yield await Promise.resolve(bytes);
    },
  };
}

function jobView({ id, title, progress }: JobInfo): DirectoryView {
  const { chunksDone, chunksTotal, chunksRunning, reading, reissued, elapsedMs, ratePerSecond } = progress;
  const lines = [
    `Name:\t${oneLine(title)}`,
    "State:\tR (running)",
    `Id:\t${id}`,
    "Kind:\tjob",
    `Chunks:\t${chunksDone} of ${chunksTotal}${reading ? " so far" : ""}, ${chunksRunning} running`,
    `Nodes:\t${progress.byPeer.size}`,
    `Reissued:\t${reissued}`,
    `Elapsed:\t${Math.round(elapsedMs)} ms`,
    `Rate:\t${ratePerSecond === undefined ? "unknown" : `${ratePerSecond.toFixed(1)} chunks/s`}`,
  ];
  return directory(
    [
      ["status", says(() => lines.join("\n"))],
      ["cmdline", zeroEnded(["map", title])],
    ],
    oneLine(`map ${title}`).slice(0, ABOUT_CHARS_MAX),
  );
}

function taskView(owner: string, peer: string, tasks: number): DirectoryView {
  const lines = [
    `Name:\ttasks for ${oneLine(owner)}`,
    "State:\tR (running)",
    "Kind:\ttasks",
    `For:\t${peer}`,
    `Tasks:\t${tasks}`,
  ];
  return directory([["status", says(() => lines.join("\n"))]], oneLine(`tasks for ${owner}`).slice(0, ABOUT_CHARS_MAX));
}

function directory(files: readonly (readonly [string, View])[], about: string): DirectoryView {
  const all = new Map(files);
  return { kind: "directory", list: () => all, about };
}

function tasksOfOthers(cpu: Cpu, self: string): Map<string, { tasks: number; peer: string }> {
  const own = new Set(cpu.jobs().map(({ id }) => id));
  const found = new Map<string, { tasks: number; peer: string }>();
  for (const { job, for: peer } of cpu.running()) {
    if (own.has(job) || peer === self) continue;
    const before = found.get(job);
    found.set(job, { tasks: (before?.tasks ?? 0) + 1, peer });
  }
  return found;
}

/** What `kill` does with what is no process of its own shell: says what is wrong, if anything; "unknown" where there is none. */
export function killOutside(target: string, signal: string, { cpu, net, processes }: ProcParts): string | undefined {
  const found = /^\d+$/.test(target) ? processes.find(Number(target)) : undefined;
  if (found !== undefined) {
    if (signal !== "0") found.process.kill(signal);
    return undefined;
  }
  if (cpu.jobs().some(({ id }) => id === target)) {
    if (signal === "STOP" || signal === "TSTP" || signal === "CONT")
      return `${target}: a job of the swarm can't be stopped, only ended`;
    if (signal !== "0") cpu.cancel(target);
    return undefined;
  }
  const other = tasksOfOthers(cpu, net.self).get(target);
  if (other === undefined) return "unknown";
  const owner = net.member(other.peer)?.record.name ?? other.peer;
  return `${target}: that job is ${oneLine(owner)}'s, who can end it`;
}

/** What `wait` does with the same: undefined where there is no such thing. Resolves when it is over. */
export async function waitOutside(
  target: string,
  signal: AbortSignal,
  { cpu, processes }: ProcParts,
  own: ShellSession,
): Promise<number | undefined> {
  const found = /^\d+$/.test(target) ? processes.find(Number(target)) : undefined;
  if (found !== undefined) {
    if (own.running().some(({ process }) => process === found.process)) return undefined;
    const { signal: life } = found.process;
    const over = Promise.withResolvers<undefined>();
    const tell = (): void => over.resolve(undefined);
    life.addEventListener("abort", tell, { once: true });
    try {
      await abortable(signal, over.promise);
    } finally {
      life.removeEventListener("abort", tell);
    }
    return 0;
  }
  const isThere = (): boolean => cpu.jobs().some(({ id }) => id === target);
  if (!isThere()) return undefined;
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const stop = cpu.onActivity(() => {
    if (!isThere()) resolve(undefined);
  });
  try {
    await abortable(signal, promise);
  } finally {
    stop();
  }
  return 0;
}
