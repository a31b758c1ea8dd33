/** Jobs of the swarm that somebody at this node waits for or is about to submit; leaving now would end or lose them. */
import type { Computer } from "../../computer.ts";

const waiting = new WeakMap<object, number>();

/** Holds until the returned function is called. */
export function held({ jobs }: Pick<Computer, "jobs">): () => void {
  waiting.set(jobs, (waiting.get(jobs) ?? 0) + 1);
  return () => waiting.set(jobs, (waiting.get(jobs) ?? 1) - 1);
}

export function isHeld({ jobs }: Pick<Computer, "jobs">): boolean {
  return (waiting.get(jobs) ?? 0) > 0;
}
