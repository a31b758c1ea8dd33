/** A job as `jobs` and reports print it. */
import type { Job, Jobs } from "./jobs.ts";
import { SIGNALS } from "./process.ts";

function stateWords({ status, process }: Job): string {
  if (status === undefined) return process.isStopped ? "Stopped" : "Running";
  if (status === 0) return "Done";
  const { endedBy } = process;
  if (endedBy === undefined || status !== 128 + (SIGNALS[endedBy] ?? 0)) return `Exit ${status}`;
  return SIGNAL_WORDS[endedBy] ?? `SIG${endedBy}`;
}

/** The C library's descriptions. */
const SIGNAL_WORDS: Readonly<Record<string, string>> = {
  HUP: "Hangup",
  INT: "Interrupt",
  QUIT: "Quit",
  KILL: "Killed",
  TERM: "Terminated",
  PIPE: "Broken pipe",
  ALRM: "Alarm clock",
  USR1: "User defined signal 1",
  USR2: "User defined signal 2",
};

export function jobLine(job: Job, { current, previous }: Jobs, isLong = false): string {
  const mark = job === current ? "+" : job === previous ? "-" : " ";
  const running = job.status === undefined && !job.process.isStopped ? " &" : "";
  return `[${job.number}]${mark} ${isLong ? `${job.process.pid} ` : " "}${stateWords(job).padEnd(isLong ? 22 : 23)} ${job.text}${running}\n`;
}
