/**
 * /proc: a directory for each process of this node's shells by number, and for each job of the swarm by id, on every
 * node, also when it is over. `map`s that are not jobs of the swarm, from here or for other nodes, are listed too.
 * `kill` and `wait` take the same numbers and ids.
 */
import type { Unsubscribe } from "../../../base/events.ts";
import type { Computer } from "../../../computer.ts";
import type { Cpu, JobInfo, JobState } from "../../../jobs/types.ts";
import { jobsNamed } from "../../jobs/find.ts";
import { statusOf } from "../../jobs/result.ts";
import { abortable } from "../../../ports/clock.ts";
import { oneLine } from "../../harmless.ts";
import type { RunningProcess } from "../../language/interpreter.ts";
import type { ShellSession } from "../../language/session.ts";
import { partOfPath, says, ViewTree, type DirectoryView, type View } from "../view.ts";
import { changesOf } from "../watching.ts";
import { ABOUT_CHARS_MAX, directory, zeroEnded } from "./files.ts";
import { swarmJobView } from "./job.ts";
import type { Processes } from "./processes.ts";

/** Directories listed in /proc: more than honest shells run at once. */
const LISTED_MAX = 4_096;

export interface ProcParts extends Pick<Computer, "cpu" | "jobs" | "net" | "clock" | "memory"> {
  readonly processes: Processes;
}

export function procTree(parts: ProcParts): ViewTree {
  const { cpu, jobs, net, processes } = parts;
  const list = (): ReadonlyMap<string, View> => {
    const all = new Map<string, View>();
    for (const running of processes.running()) all.set(String(running.process.pid), processView(running));
    for (const state of jobs.list()) {
      if (all.size >= LISTED_MAX) break;
      all.set(state.id, swarmJobView(state, parts));
    }
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
    const stops = [processes.onChange(tell), cpu.onActivity(tell), jobs.onChange(tell)];
    return () => {
      for (const stop of stops) stop();
    };
  };
  return new ViewTree({
    mount: "/proc",
    root: { kind: "directory", list },
    why: "what runs is shown as it is; 'kill ID' ends it",
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

/** A job of the swarm by its id, or the beginning of it. `kill` takes no titles, because anybody may choose a title. */
function byId(target: string, jobs: ProcParts["jobs"]): JobState | "ambiguous" | undefined {
  const [one, another] = jobsNamed(jobs, target).filter(({ id }) => id.startsWith(target));
  return another === undefined ? one : "ambiguous";
}

/**
 * `kill` for anything but a process of its own shell. Returns what is wrong, if anything; "unknown" if there is no such
 * thing.
 */
export function killOutside(target: string, signal: string, parts: ProcParts): string | undefined {
  const { cpu, jobs, net, processes } = parts;
  const found = /^\d+$/.test(target) ? processes.find(Number(target)) : undefined;
  if (found !== undefined) {
    if (signal !== "0") found.process.kill(signal);
    return undefined;
  }
  const isPausing = signal === "STOP" || signal === "TSTP" || signal === "CONT";
  const named = byId(target, jobs);
  if (named === "ambiguous") return `${target}: several jobs begin so; type more of the id`;
  if (named !== undefined) {
    if (isPausing) return `${target}: a job of the swarm can't be stopped, only ended`;
    if (named.outcome !== undefined) return `${target}: that job is over: ${named.state}`;
    if (signal !== "0") jobs.cancel(named.id);
    return undefined;
  }
  if (cpu.jobs().some(({ id }) => id === target)) {
    if (isPausing) return `${target}: a job of the swarm can't be stopped, only ended`;
    if (signal !== "0") cpu.cancel(target);
    return undefined;
  }
  const other = tasksOfOthers(cpu, net.self).get(target);
  if (other === undefined) return "unknown";
  const owner = net.member(other.peer)?.record.name ?? other.peer;
  return `${target}: that job is ${oneLine(owner)}'s, who can end it`;
}

/** `wait` for the same; undefined if there is no such thing. Resolves when it is over. */
export async function waitOutside(
  target: string,
  signal: AbortSignal,
  { cpu, jobs, processes }: ProcParts,
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
  const named = byId(target, jobs);
  if (named !== undefined && named !== "ambiguous") return await statusOf(jobs, named.id, signal);
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
