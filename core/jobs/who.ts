/** Who did what of a job: each task counts for one node, even if others ran it too or hold its result. Pure. */
import type { PeerId } from "../ports/network.ts";
import { intersect, type Intervals, NONE, sizeOf, subtract, union, within } from "./intervals.ts";
import { NODES_NAMED_MAX, WHO_PARTS } from "./limits.ts";
import type { JobShares } from "./types.ts";

export interface NodePart {
  /** Tasks whose results it holds. */
  readonly held: Intervals;
  /** Of these, copies of other nodes' results. */
  readonly copies: Intervals;
}

export interface Done {
  readonly by: ReadonlyMap<PeerId, Intervals>;
  /** Tasks that more than one node has finished. */
  readonly again: Intervals;
}

/** A result that exists only as a copy counts for its holder, because the node that ran the task is gone. */
export function doneBy(nodes: ReadonlyMap<PeerId, NodePart>): Done {
  const by = new Map<PeerId, Intervals>();
  let counted: Intervals = NONE;
  let again: Intervals = NONE;
  // All nodes count in the same order, and so come to the same result.
  const ordered = [...nodes].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [peer, { held, copies }] of ordered) {
    const ran = subtract(held, copies);
    again = union(again, intersect(counted, ran));
    by.set(peer, subtract(ran, counted));
    counted = union(counted, ran);
  }
  for (const [peer, { copies }] of ordered) {
    by.set(peer, union(by.get(peer) ?? NONE, subtract(copies, counted)));
    counted = union(counted, copies);
  }
  for (const [peer, tasks] of by) if (tasks.length === 0) by.delete(peer);
  return { by, again };
}

/** The summary that is kept with the job's outcome: few bytes, however many tasks there were. */
export function sharesOf(total: number, nodes: ReadonlyMap<PeerId, NodePart>): JobShares {
  const { by, again } = doneBy(nodes);
  const ordered = [...by].sort(([a, m], [b, n]) => sizeOf(n) - sizeOf(m) || (a < b ? -1 : 1)).slice(0, NODES_NAMED_MAX);
  const count = Math.min(total, WHO_PARTS);
  const parts = Uint8Array.from({ length: count }, (_, i) => {
    const [from, to] = partOf(total, count, i);
    let most = 0;
    let found = NOBODY;
    ordered.forEach(([, tasks], index) => {
      const size = sizeOf(within(tasks, from, to));
      if (size <= most) return;
      most = size;
      found = index;
    });
    return found;
  });
  return { nodes: ordered.map(([peer, tasks]) => ({ peer, tasks: sizeOf(tasks) })), parts, again: sizeOf(again) };
}

/** In `parts`: none of the named nodes. */
export const NOBODY = 255;

/** The tasks [from, to) of the i-th of `count` nearly equal parts. */
export function partOf(total: number, count: number, i: number): readonly [from: number, to: number] {
  return [Math.floor((total / count) * i), i === count - 1 ? total : Math.floor((total / count) * (i + 1))];
}
