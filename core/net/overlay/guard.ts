/**
 * Looks after members that nobody may be watching. A death is noticed at the other end of a link. A node that has lost
 * its only neighbours, or has just one, could die unnoticed. So the neighbours of a lost node check the nodes to which
 * it was linked. A node to which nobody around is linked is doubted, and has to answer. Pure.
 */
import { mixRow, type ShortId } from "../membership/rows.ts";

/** Waits until the other losses of the same moment, and new links of the nodes that are left, are known. */
const SETTLE_MS = 1_000;
/** Members at once whose neighbours are looked after; a great cut is met by calling the roll. */
const WARDS_MAX = 512;
/** How many of a lost node's neighbours look after each of the others: two, in case one of them is lost as well. */
const GUARDS = 2;

export class Guard {
  readonly #wards = new Map<ShortId, number>();

  /**
   * A neighbour is lost. `links` is whom it was linked to, `self` this node; `isHere` tells who of them is well.
   * This node takes charge of those for whom it ranks among the first.
   */
  lost(links: ReadonlySet<ShortId>, self: ShortId, isHere: (id: ShortId) => boolean, nowMs: number): void {
    const guards = [...links].filter((id) => id === self || isHere(id));
    for (const ward of links) {
      if (ward === self || this.#wards.has(ward) || this.#wards.size >= WARDS_MAX || !isHere(ward)) continue;
      const ownRank = mixRow(self, ward);
      let before = 0;
      for (const guard of guards) if (guard !== ward && guard !== self && mixRow(guard, ward) < ownRank) before++;
      if (before < GUARDS) this.#wards.set(ward, nowMs + SETTLE_MS);
    }
  }

  /** Those to look for now. */
  due(nowMs: number): ShortId[] {
    const due: ShortId[] = [];
    for (const [ward, dueMs] of this.#wards) {
      if (dueMs > nowMs) continue;
      due.push(ward);
      this.#wards.delete(ward);
    }
    return due;
  }
}

/** The swarm as a whole checks this many members a second at random, without a cause. */
export const AUDITS_PER_SECOND = 0.5;
