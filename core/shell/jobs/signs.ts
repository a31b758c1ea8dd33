/** The strip of a job as characters, which show without colour what each piece is. Pure. */
import type { PeerId } from "../../ports/network.ts";
import type { Cell, NodeFacts } from "./facts.ts";

const LETTERS = "abcdefghijklmnopqrstuvwxyz";

/** The letter of the node at this index of a job's list of nodes. */
export function letterOf(place: number): string {
  return LETTERS[place] ?? "*";
}

export interface Sign {
  readonly sign: string;
  /** The node whose colour it has. */
  readonly by: PeerId | undefined;
  readonly words: string;
}

export function signOf(
  { by, done, isRunning, hasCopies, hasFailed }: Cell,
  nodes: readonly Pick<NodeFacts, "peer" | "name">[],
): Sign {
  if (hasFailed) return { sign: "!", by: undefined, words: "failed" };
  const place = nodes.findIndex(({ peer }) => peer === by);
  const doneBy = {
    sign: letterOf(place < 0 ? LETTERS.length : place),
    by,
    words: `by ${nodes[place]?.name ?? "others"}`,
  };
  if (done >= 1) return doneBy;
  if (hasCopies) return { sign: "=", by: undefined, words: "running on several nodes" };
  if (isRunning) return { sign: "+", by: undefined, words: "running" };
  return done > 0 ? doneBy : { sign: ".", by: undefined, words: "open" };
}
