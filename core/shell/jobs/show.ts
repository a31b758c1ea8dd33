/** The output of `job` and `ps`. Loaded when one of them is first called. */
import { StarfishError } from "../../base/errors.ts";
import { contentBytes } from "../../jobs/spec.ts";
import type { JobState } from "../../jobs/types.ts";
import { bytesWords, count, dim, duration, table } from "../format.ts";
import { oneLine } from "../harmless.ts";
import type { RunningProcess } from "../language/interpreter.ts";
import { processesOf } from "../namespace/proc/processes.ts";
import { compose, joined, type Text } from "../styled.ts";
import type { CommandContext } from "../types.ts";
import { factsOf, type JobFacts, nameOf } from "./facts.ts";
import { findJob } from "./find.ts";
import { JOB_HEAD, jobRow, NODE_HEAD, nodeRows, strip, STRIP_LEGEND } from "./table.ts";
import { verifyWords } from "./verify-words.ts";
import { leftWords, percent, rateWords, troubleWords } from "./words.ts";

/** Throws "not-found", "ambiguous". */
export function showJob(wanted: string | undefined, isJson: boolean, context: CommandContext): Text {
  const { computer } = context;
  const state = wanted === undefined ? newest(computer.jobs.list()) : findJob(computer.jobs, wanted);
  const facts = factsOf(state, computer);
  return isJson ? asJson(facts, state) : asText(facts, state, context);
}

function newest([first]: readonly JobState[]): JobState {
  if (first !== undefined) return first;
  throw new StarfishError("not-found", "there are no jobs: try 'map primes --range 0..100000000 --detach'");
}

function asJson(facts: JobFacts, { spec, submittedAtMs, outcome, named, lacking }: JobState): string {
  const { combine, inputs, limits, verify, on, keepGoing } = spec;
  const result =
    outcome?.is === "done" ? { path: `/proc/${facts.id}/result`, bytes: contentBytes(outcome.result) } : null;
  const finishedAtMs = outcome?.finishedAtMs ?? null;
  const terms = { combine: combine.how, inputs: inputs.from, limits, verify, on, keepGoing };
  const fuelUsed = outcome?.is === "done" ? outcome.fuelUsed : undefined;
  return `${JSON.stringify({ ...facts, submittedAtMs, finishedAtMs, terms, result, fuelUsed, named, lacking })}\n`;
}

/** Cells of the strip if the output is not a terminal. */
const CELLS_DEFAULT = 72;
const CELLS_MAX = 120;

function asText(facts: JobFacts, state: JobState, context: CommandContext): Text {
  const { terminal } = context;
  const screen = terminal.stdout;
  const cells = Math.max(1, Math.min(CELLS_MAX, (screen?.columns ?? CELLS_DEFAULT + 2) - 2));
  const head = NODE_HEAD.map((title) => dim(title, screen));
  const nodes = facts.nodes.length === 0 ? "" : table([head, ...nodeRows(facts.nodes, screen)], screen?.columns);
  const lines: Text[] = [
    `${oneLine(facts.title)} (${facts.id})`,
    `${stateWords(facts, state, context)} Submitted by ${facts.isOwn ? "this node" : oneLine(facts.owner)}.`,
    progressWords(facts),
    troubleWords(facts),
    strip(state, facts, cells, screen),
    dim(STRIP_LEGEND, screen),
  ];
  const failures = facts.failures.map(
    ({ task, by, code, message }) =>
      `task ${task} failed on ${oneLine(nameOf(by, context.computer))}: ${code}: ${oneLine(message)}`,
  );
  const shown = [...lines.filter((line) => line !== ""), ...failures, ...verifyWords(state, context.computer)];
  return joined([...shown.map((line) => compose`${line}\n`), nodes]);
}

function stateWords({ elapsedMs }: JobFacts, { outcome, id }: JobState, { computer }: CommandContext): string {
  const time = duration(elapsedMs);
  if (outcome === undefined) return `Running for ${time}.`;
  if (outcome.is === "cancelled") return `Cancelled by ${oneLine(nameOf(outcome.by, computer))} after ${time}.`;
  if (outcome.is === "failed") return `Failed after ${time}.`;
  return `Done in ${time}: the result is /proc/${id}/result, ${bytesWords(contentBytes(outcome.result))}.`;
}

function progressWords(facts: JobFacts): string {
  const { done, total, running, ratePerSecond, remainingMs } = facts;
  const parts = [
    `${done} of ${total} tasks done (${percent(facts)})`,
    running > 0 ? `${running} running` : "",
    rateWords(ratePerSecond),
    leftWords(remainingMs),
  ];
  return parts.filter(Boolean).join(", ");
}

export function showProcesses(isAll: boolean, isJson: boolean, context: CommandContext): Text {
  const { computer } = context;
  const facts = computer.jobs.list().map((state) => factsOf(state, computer));
  const shown = isAll ? facts : facts.filter(({ state }) => state === "running");
  const processes = oncePerLine(processesOf(computer).running());
  if (isJson) return `${JSON.stringify({ jobs: shown, processes: processes.map(processJson) })}\n`;
  return psTable(shown, facts.length - shown.length, processes, context);
}

/** A line and its only stage are two processes with the same words; one of them is enough. */
export function oncePerLine(all: readonly RunningProcess[]): RunningProcess[] {
  const wordsOf = new Map(all.map(({ process }) => [process.pid, process.words.join(" ")]));
  return all.filter(({ process, parent }) => wordsOf.get(parent) !== process.words.join(" "));
}

function processJson({ process, parent, cwd }: RunningProcess): object {
  return { pid: process.pid, parent, words: process.words, stopped: process.isStopped, cwd };
}

function psTable(
  jobs: readonly JobFacts[],
  over: number,
  processes: readonly RunningProcess[],
  { terminal }: CommandContext,
): Text {
  const screen = terminal.stdout;
  const head = JOB_HEAD.map((title) => dim(title, screen));
  const list = jobs.length === 0 ? "" : table([head, ...jobs.map((facts) => jobRow(facts, screen))], screen?.columns);
  const none = jobs.length === 0 ? "No job runs in the swarm: try 'map primes --range 0..100000000 --detach'." : "";
  const rest =
    over === 0 ? "" : `${count(over, "job is over", "jobs are over")}: 'ps --all' lists ${over === 1 ? "it" : "them"}.`;
  const words = [none, rest].filter(Boolean).join(" ");
  const rows = processes.map(({ process }) => [
    String(process.pid),
    process.isStopped ? "stopped" : "running",
    oneLine(process.words.length === 0 ? "starfish" : process.words.join(" ")),
  ]);
  const here = table([["id", "state", "here"].map((title) => dim(title, screen)), ...rows], screen?.columns);
  return compose`${list}${words === "" ? "" : dim(`${words}\n`, screen)}${here}`;
}
