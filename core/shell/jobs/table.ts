/** Jobs in the terminal: rows of a listing, who does what, and a strip of a job's tasks. */
import type { JobState } from "../../jobs/types.ts";
import { dim, duration, paint } from "../format.ts";
import { oneLine } from "../harmless.ts";
import { joined, type Text } from "../styled.ts";
import type { TerminalInfo } from "../types.ts";
import { type JobFacts, type NodeFacts, stripOf } from "./facts.ts";
import { shortJobId } from "./find.ts";
import { letterOf, signOf } from "./signs.ts";
import { leftWords, percent, rateWords, STATES } from "./words.ts";

type Screen = TerminalInfo | undefined;

export const JOB_HEAD: readonly string[] = ["id", "state", "by", "done", "rate", "time", "job"];

export function jobRow(facts: JobFacts, screen: Screen): Text[] {
  const { id, state, by, owner, isOwn, done, total, ratePerSecond, remainingMs, elapsedMs, title } = facts;
  const isRunning = state === "running";
  return [
    shortJobId(id),
    STATES[state],
    paint(isOwn ? "★ you" : `● ${oneLine(owner)}`, by, screen),
    `${done}/${total} ${percent(facts)}`,
    isRunning ? rateWords(ratePerSecond) : "",
    isRunning && remainingMs !== undefined ? leftWords(remainingMs) : duration(elapsedMs),
    oneLine(title),
  ];
}

export const NODE_HEAD: readonly string[] = ["", "node", "done", "running", "rate"];

/** Each node's name with its letter in the strip. */
export function nodeRows(nodes: readonly NodeFacts[], screen: Screen): Text[][] {
  return nodes.map(({ peer, name, done, running, ratePerSecond }, i) => [
    paint(letterOf(i), peer, screen),
    paint(`● ${oneLine(name)}`, peer, screen),
    String(done),
    running === 0 ? "" : String(running),
    rateWords(ratePerSecond),
  ]);
}

/** The tasks in their order, a cell for a run of them, each with the letter of the node that did most of it. */
export function strip(state: JobState, facts: JobFacts, cells: number, screen: Screen): Text {
  const signs = stripOf(state, cells).map((cell) => signOf(cell, facts.nodes));
  return joined(
    signs.map(({ sign, by }) =>
      by === undefined ? (sign === "." ? dim(sign, screen) : sign) : paint(sign, by, screen),
    ),
  );
}

export const STRIP_LEGEND = "letters: who did it · + running · = on several nodes · ! failed · . open";
