/**
 * How the parts of a swarm that was cut find each other again. The swarm as a whole tries a few addresses of its
 * missing members each second, whoever they are and wherever the cut is. So each node has little to do, and no
 * particular node is needed.
 */
import type { Random } from "../../ports/random.ts";
import type { Member } from "../types.ts";

/** Dials a second by the swarm as a whole: the first after a heal comes within half a second or so. */
const PROBES_PER_SECOND = 5;
/** One in this many attempts goes to a bootstrap address instead. */
const BOOTSTRAP_SHARE = 8;
/** Members lost within this time are tried as often as all lost before: most of what a cut took is among the latest. */
const RECENT_MS = 60_000;
/** A member that said goodbye is not part of a cut. It is tried now and then in case it came back alone. */
const LEFT_WEIGHT = 0.05;

export type Probe = { readonly kind: "member"; readonly member: Member } | { readonly kind: "bootstrap" };

export interface ProbeView {
  /** Members that may be there after all, and how long ago each was lost. */
  readonly missing: readonly { readonly member: Member; readonly agoMs: number }[];
  readonly awake: number;
  readonly links: number;
  readonly hasBootstrap: boolean;
}

/** Whom this node tries now, asked every `periodMs`; usually nobody. */
export function chooseProbe(random: Random, view: ProbeView, periodMs: number): Probe | undefined {
  const isAlone = view.links === 0;
  const chance = isAlone ? 1 : (PROBES_PER_SECOND * periodMs) / 1_000 / Math.max(1, view.awake);
  if (random.real() >= chance) return undefined;
  const candidates = view.missing.filter(({ member }) => member.record.addresses.length > 0);
  const wantsBootstrap = candidates.length === 0 ? isAlone : random.real() * BOOTSTRAP_SHARE < (isAlone ? 4 : 1);
  if (wantsBootstrap && view.hasBootstrap) return { kind: "bootstrap" };
  const weights = candidates.map(
    ({ member, agoMs }) => (member.record.state === "left" ? LEFT_WEIGHT : 1) / (RECENT_MS + agoMs),
  );
  let rest = random.real() * weights.reduce((sum, weight) => sum + weight, 0);
  for (const [i, { member }] of candidates.entries()) {
    rest -= weights[i] ?? 0;
    if (rest < 0) return { kind: "member", member };
  }
  return undefined;
}
