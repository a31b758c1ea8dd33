/** Jobs in words: state, progress and rate, the same in the terminal and on the page. Pure. */
import { count, duration } from "../format.ts";
import type { JobFacts } from "./facts.ts";

export const STATES: Readonly<Record<JobFacts["state"], string>> = {
  running: "running",
  done: "done",
  failed: "failed",
  cancelled: "cancelled",
};

/** "37%" of the whole; never 100% before the job is done. */
export function percent({ state, done, total }: Pick<JobFacts, "state" | "done" | "total">): string {
  if (state === "done") return "100%";
  return `${Math.min(99, Math.floor((100 * done) / total))}%`;
}

export function rateWords(ratePerSecond: number | undefined): string {
  if (ratePerSecond === undefined) return "";
  if (ratePerSecond >= 10) return `${Math.round(ratePerSecond)}/s`;
  return `${ratePerSecond.toFixed(ratePerSecond < 1 ? 2 : 1)}/s`;
}

/** "4.2 s left", or nothing if it can't be told. */
export function leftWords(remainingMs: number | undefined): string {
  return remainingMs === undefined ? "" : `${duration(Math.max(1000, remainingMs))} left`;
}

/** One line on tasks that may have been done more than once, and on failures. */
export function troubleWords({ again, copies, failed }: Pick<JobFacts, "again" | "copies" | "failed">): string {
  return [
    again > 0 ? `${count(again, "task")} run more than once` : "",
    copies > 0 ? `${count(copies, "task")} on several nodes now` : "",
    failed > 0 ? `${count(failed, "task")} failed` : "",
  ]
    .filter(Boolean)
    .join(", ");
}
