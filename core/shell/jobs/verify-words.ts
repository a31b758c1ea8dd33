/** What `job` and the end of `map` say about a verified job. */
import type { Computer } from "../../computer.ts";
import type { JobState } from "../../jobs/types.ts";
import { oneLine } from "../harmless.ts";
import { nameOf } from "./facts.ts";

/** The nodes that disagreed, and whether too few devices are there. */
export function verifyWords(
  { named, lacking }: Pick<JobState, "named" | "lacking">,
  computer: Pick<Computer, "net">,
): string[] {
  const words = named.map(({ peer, task }) => {
    const name = oneLine(nameOf(peer, computer));
    return `${name} gave other answers than the others, to task ${task} for one: none of its answers was taken`;
  });
  if (lacking === undefined) return words;
  const { devices, needed } = lacking;
  const there = devices === 0 ? "none is here" : devices === 1 ? "only 1 is here" : `only ${devices} are here`;
  return [...words, `It waits: ${needed} devices have to agree on each task, and ${there}`];
}
