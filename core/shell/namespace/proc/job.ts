/**
 * /proc/ID for a job of the swarm: its state, its nodes, its failures, and its result. Reading the result of a running
 * job waits for it, as reading a pipe does.
 */
import { contentBytes } from "../../../jobs/spec.ts";
import type { JobState } from "../../../jobs/types.ts";
import { oneLine } from "../../harmless.ts";
import { factsOf, nameOf, type FactsParts, type JobFacts } from "../../jobs/facts.ts";
import { resultOf } from "../../jobs/result.ts";
import { says, type DirectoryView, type FileView, type View } from "../view.ts";
import { ABOUT_CHARS_MAX, directory, zeroEnded } from "./files.ts";

const STATES: Readonly<Record<JobState["state"], string>> = {
  running: "R (running)",
  done: "Z (done)",
  failed: "X (failed)",
  cancelled: "X (cancelled)",
};

export function swarmJobView(state: JobState, parts: FactsParts): DirectoryView {
  const { title } = state.spec;
  // Computed when it is read, because a listing needs none of it.
  const facts = (): JobFacts => factsOf(state, parts);
  const files: (readonly [string, View])[] = [
    ["status", says(() => statusLines(state, facts(), parts).join("\n"))],
    ["cmdline", zeroEnded(["map", ...title.split(" ")])],
    ["nodes", linesOf(() => facts().nodes.map(nodeLine))],
    ["failures", linesOf(() => state.failures.map((failure) => failureLine(failure, parts)))],
    ["result", resultFile(state, parts)],
  ];
  return { ...directory(files, oneLine(`map ${title}`).slice(0, ABOUT_CHARS_MAX)), modifiedAtMs: state.submittedAtMs };
}

function statusLines(state: JobState, facts: JobFacts, parts: FactsParts): string[] {
  const { id, by, outcome, submittedAtMs, named, lacking } = state;
  const { done, total, running, failed, again, copies, elapsedMs, ratePerSecond, remainingMs } = facts;
  const lines = [
    `Name:\t${oneLine(facts.title)}`,
    `State:\t${STATES[state.state]}`,
    `Id:\t${id}`,
    "Kind:\tjob",
    `By:\t${oneLine(facts.owner)} (${by})`,
    `Submitted:\t${new Date(submittedAtMs).toISOString()}`,
    `Tasks:\t${done} of ${total} done, ${running} running, ${failed} failed`,
    `Nodes:\t${facts.nodes.length}`,
    `Again:\t${again}`,
    `Copies:\t${copies}`,
    `Elapsed:\t${Math.round(elapsedMs)} ms`,
  ];
  for (const { peer, task } of named) {
    lines.push(`Named:\t${oneLine(nameOf(peer, parts))} (${peer}) for task ${task}`);
  }
  if (lacking !== undefined) lines.push(`Lacking:\t${lacking.devices} of ${lacking.needed} devices`);
  if (outcome === undefined) {
    lines.push(`Rate:\t${ratePerSecond === undefined ? "unknown" : `${ratePerSecond.toFixed(1)} tasks/s`}`);
    lines.push(`Left:\t${remainingMs === undefined ? "unknown" : `${Math.round(remainingMs)} ms`}`);
  }
  if (outcome?.is === "done") lines.push(`Result:\t${contentBytes(outcome.result)} bytes`);
  if (outcome?.is === "failed") lines.push(`Why:\t${failureLine(outcome.failure, parts)}`);
  if (outcome?.is === "cancelled") lines.push(`Why:\tcancelled by ${oneLine(nameOf(outcome.by, parts))}`);
  return lines;
}

function nodeLine({ name, done, running, ratePerSecond }: JobFacts["nodes"][number]): string {
  return [oneLine(name), done, running, ratePerSecond?.toFixed(2) ?? "-"].join("\t");
}

function failureLine({ task, by, code, message }: JobFacts["failures"][number], parts: FactsParts): string {
  return `task ${task} on ${oneLine(nameOf(by, parts))}: ${code}: ${oneLine(message)}`;
}

function linesOf(lines: () => readonly string[]): FileView {
  return {
    kind: "file",
    text: () =>
      lines()
        .map((line) => `${line}\n`)
        .join(""),
  };
}

function resultFile({ id, outcome }: JobState, parts: FactsParts): FileView {
  return {
    kind: "file",
    ...(outcome?.is === "done" ? { sizeBytes: contentBytes(outcome.result), modifiedAtMs: outcome.finishedAtMs } : {}),
    stream: ({ signal }) => resultOf(parts, id, { signal }),
  };
}
