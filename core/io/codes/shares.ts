/**
 * Places that members share. When all are taken, a member with fewer than others takes the newest place of the one with
 * the most. So nobody, with however many strangers of their own, keeps the others from their share.
 */
import { StarfishError } from "../../base/errors.ts";
import type { PeerId } from "../../ports/network.ts";
import { CARRIED_MAX, CARRIED_PER_MEMBER_MAX } from "./limits.ts";

interface Place {
  readonly dismiss: () => void;
}

export class Shares {
  readonly #places = new Map<PeerId, Set<Place>>();
  #size = 0;

  /** Returns the function that gives the place back. `dismiss` is called if it is taken away before. Throws "busy". */
  enter(member: PeerId, dismiss: () => void): () => void {
    const own = this.#places.get(member) ?? new Set<Place>();
    if (own.size >= CARRIED_PER_MEMBER_MAX) throw busy();
    if (this.#size >= CARRIED_MAX) {
      let most: readonly [PeerId, Set<Place>] | undefined;
      for (const one of this.#places) if (one[1].size > (most?.[1].size ?? own.size + 1)) most = one;
      const newest = most === undefined ? undefined : [...most[1]].at(-1);
      if (most === undefined || newest === undefined) throw busy();
      this.#leave(most[0], newest);
      newest.dismiss();
    }
    const place: Place = { dismiss };
    this.#places.set(member, own.add(place));
    this.#size++;
    return () => this.#leave(member, place);
  }

  #leave(member: PeerId, place: Place): void {
    const own = this.#places.get(member);
    if (own?.delete(place) !== true) return;
    if (own.size === 0) this.#places.delete(member);
    this.#size--;
  }
}

function busy(): StarfishError {
  return new StarfishError("busy", "This node carries as much for others as it can: try again in a while", {
    retryable: true,
  });
}
