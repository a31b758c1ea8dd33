/** The options that make a `map` a job of the swarm, and what they mean. */
import { StarfishError } from "../../base/errors.ts";
import type { Computer } from "../../computer.ts";
import { NODES_NAMED_MAX, RUNS_MAX } from "../../jobs/limits.ts";
import type { JobSpec } from "../../jobs/spec.ts";
import { FUEL_MAX } from "../../sandbox/limits.ts";
import { wholeNumber } from "../options.ts";
import { findMember } from "../who.ts";

export const TERMS = {
  detach: "flag",
  verify: "value",
  fuel: "value",
  "keep-going": "flag",
  reuse: "flag",
  on: "value",
} as const;

export interface Terms extends Pick<JobSpec, "verify" | "on" | "keepGoing" | "reuse"> {
  readonly isDetached: boolean;
  readonly fuel: number | undefined;
}

type Given = { readonly [Name in keyof typeof TERMS]?: string | true | undefined };

/** Undefined if none of them is given. Throws "usage", and the error of a node that is not found. */
export function termsOf(given: Given, { net }: Pick<Computer, "net">): Terms | undefined {
  const { detach, verify, fuel, on, reuse, "keep-going": keepGoing } = given;
  if ([detach, verify, fuel, on, reuse, keepGoing].every((value) => value === undefined)) return undefined;
  return {
    isDetached: detach === true,
    verify: typeof verify === "string" ? verifyOf(verify) : undefined,
    fuel: typeof fuel === "string" ? wholeNumber(fuel, "--fuel", 1, FUEL_MAX) : undefined,
    keepGoing: keepGoing === true ? true : undefined,
    reuse: reuse === true ? true : undefined,
    on: typeof on === "string" ? nodesOf(on, net) : undefined,
  };
}

function verifyOf(text: string): JobSpec["verify"] {
  const [, runs, agree] = (/^(\d+)\/(\d+)$/.exec(text) ?? []).map(Number);
  const isSound =
    runs !== undefined && agree !== undefined && runs >= 2 && runs <= RUNS_MAX && agree <= runs && 2 * agree > runs;
  if (isSound) return { runs, agree };
  throw new StarfishError(
    "usage",
    `--verify must be R/Q: R runs of each task, 2 to ${RUNS_MAX}, of which more than half agree, like 3/2, not '${text}'`,
  );
}

function nodesOf(text: string, net: Computer["net"]): JobSpec["on"] {
  const names = text.split(",").filter((name) => name !== "");
  if (names.length === 0 || names.length > NODES_NAMED_MAX)
    throw new StarfishError(
      "usage",
      `--on takes the names of 1 to ${NODES_NAMED_MAX} nodes, like amber-otter,brave-crab`,
    );
  return [...new Set(names.map((name) => findMember(net.members(), name).record.peer))];
}
