/** The strip of a job in signs: what a piece of it is shows without its colour. Pure. */
import type { PeerId } from "../../ports/network.ts";
import type { Cell, NodeFacts } from "./facts.ts";

const LETTERS = "abcdefghijklmnopqrstuvwxyz";

/** The letter of the node at this place of a job's list of nodes. */
export function letterOf(place: number): string {
  return LETTERS[place] ?? "*";
}

export interface Sign {
  readonly sign: string;
  /** Whose colour it has. */
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
