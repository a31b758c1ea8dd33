/** The facts about a job that people are told, the same on every node: its progress, its nodes, its cost. */
import type { Computer } from "../../computer.ts";
import { intersect, type Intervals, NONE, sizeOf, union, within } from "../../jobs/intervals.ts";
import type { FailedTask, JobId, JobState } from "../../jobs/types.ts";
import { doneBy, NOBODY, partOf } from "../../jobs/who.ts";
import type { PeerId } from "../../ports/network.ts";
import { pacesOf } from "./pace.ts";

export interface NodeFacts {
  readonly peer: PeerId;
  readonly name: string;
  /** Tasks that count as done by this node. */
  readonly done: number;
  /** Tasks that it runs, or has claimed to run next. */
  readonly running: number;
  readonly ratePerSecond: number | undefined;
}

export interface JobFacts {
  readonly id: JobId;
  readonly title: string;
  readonly by: PeerId;
  readonly owner: string;
  readonly isOwn: boolean;
  readonly state: JobState["state"];
  readonly total: number;
  readonly done: number;
  readonly running: number;
  readonly failed: number;
  /** Tasks that more than one node has finished: second copies, and tasks that were run again after a loss. */
  readonly again: number;
  /** Tasks that more than one node runs now. */
  readonly copies: number;
  /** Until now, or until its end. */
  readonly elapsedMs: number;
  readonly ratePerSecond: number | undefined;
  readonly remainingMs: number | undefined;
  /** The node that did most comes first. */
  readonly nodes: readonly NodeFacts[];
  readonly failures: readonly FailedTask[];
}

export type FactsParts = Pick<Computer, "jobs" | "net" | "clock" | "memory">;

export function factsOf(state: JobState, computer: FactsParts): JobFacts {
  const { net, memory } = computer;
  const { id, spec, by, tasks, outcome, submittedAtMs } = state;
  const paces = pacesOf(computer);
  const ratePerSecond = paces.rate(state);
  const left = tasks.total - tasks.done - tasks.failed;
  const isKnown = ratePerSecond !== undefined && ratePerSecond > 0 && outcome === undefined;
  const endMs = outcome?.finishedAtMs ?? memory.now();
  const shares = outcome?.is === "done" ? outcome.shares : undefined;
  return {
    id,
    title: spec.title,
    by,
    owner: nameOf(by, computer),
    isOwn: by === net.self,
    state: state.state,
    total: tasks.total,
    done: tasks.done,
    running: tasks.running,
    failed: tasks.failed,
    again: shares?.again ?? sizeOf(doneBy(state.nodes).again),
    copies: sizeOf(copiesOf(state)),
    elapsedMs: Math.max(0, endMs - submittedAtMs),
    ratePerSecond,
    remainingMs: isKnown ? (left / ratePerSecond) * 1000 : undefined,
    nodes: nodesOf(state, computer),
    failures: state.failures,
  };
}

export function nameOf(peer: PeerId, { net }: Pick<Computer, "net">): string {
  return net.member(peer)?.record.name ?? "somebody who left";
}

/** For a job that is over, what its outcome says, which all nodes know. */
function nodesOf(state: JobState, computer: FactsParts): NodeFacts[] {
  const shares = state.outcome?.is === "done" ? state.outcome.shares : undefined;
  if (shares !== undefined) {
    return shares.nodes.map(({ peer, tasks }) => {
      return { peer, name: nameOf(peer, computer), done: tasks, running: 0, ratePerSecond: undefined };
    });
  }
  const { by } = doneBy(state.nodes);
  const isOver = state.outcome !== undefined;
  const all = [...state.nodes].map(([peer, { running }]) => ({
    peer,
    name: nameOf(peer, computer),
    done: sizeOf(by.get(peer) ?? NONE),
    running: isOver ? 0 : sizeOf(running),
    ratePerSecond: pacesOf(computer).rate(state, peer),
  }));
  // A node that only keeps copies for others does no part of the job.
  const atIt = all.filter(({ done, running }) => done + running > 0);
  return atIt.sort((a, b) => b.done - a.done || (a.name < b.name ? -1 : 1));
}

/** Tasks that more than one node runs. */
function copiesOf({ nodes, outcome }: JobState): Intervals {
  if (outcome !== undefined) return NONE;
  let once: Intervals = NONE;
  let twice: Intervals = NONE;
  for (const { running } of nodes.values()) {
    twice = union(twice, intersect(once, running));
    once = union(once, running);
  }
  return twice;
}

/** A piece of the strip that shows a job: the tasks [from, to). */
export interface Cell {
  readonly from: number;
  readonly to: number;
  /** The node that did most of the finished tasks in it. */
  readonly by: PeerId | undefined;
  /** The finished part, 0 to 1. */
  readonly done: number;
  readonly isRunning: boolean;
  /** Whether more than one node runs tasks of it. */
  readonly hasCopies: boolean;
  readonly hasFailed: boolean;
}

/** Splits the job into at most `count` equal pieces, in the order of its tasks. */
export function stripOf(state: JobState, count: number): Cell[] {
  const { total } = state.tasks;
  const { outcome } = state;
  const shares = outcome?.is === "done" ? outcome.shares : undefined;
  const { by } = doneBy(state.nodes);
  const copies = copiesOf(state);
  let running: Intervals = NONE;
  if (outcome === undefined) for (const node of state.nodes.values()) running = union(running, node.running);
  const pieces = Math.min(total, count);
  return Array.from({ length: pieces }, (_, i) => {
    const [from, to] = partOf(total, pieces, i);
    const own = shares === undefined ? mostIn(by, from, to) : kept(shares, i / pieces);
    return {
      from,
      to,
      by: own.by,
      done: outcome?.is === "done" ? 1 : own.size / (to - from),
      isRunning: within(running, from, to).length > 0,
      hasCopies: within(copies, from, to).length > 0,
      hasFailed: state.failures.some(({ task }) => task >= from && task < to),
    };
  });
}

function mostIn(
  by: ReadonlyMap<PeerId, Intervals>,
  from: number,
  to: number,
): { readonly by: PeerId | undefined; readonly size: number } {
  let size = 0;
  let most = 0;
  let found: PeerId | undefined;
  for (const [peer, tasks] of by) {
    const here = sizeOf(within(tasks, from, to));
    size += here;
    if (here > most) [most, found] = [here, peer];
  }
  return { by: found, size };
}

function kept(
  { nodes, parts }: { readonly nodes: readonly { readonly peer: PeerId }[]; readonly parts: Uint8Array },
  at: number,
): { readonly by: PeerId | undefined; readonly size: number } {
  const index = parts[Math.floor(at * parts.length)] ?? NOBODY;
  return { by: nodes[index]?.peer, size: 0 };
}
