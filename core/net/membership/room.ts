/**
 * Decides which members get a place in this node's table. A member can make any number of identities, sign records for
 * them and say that they are asleep, so that nobody expects to hear from them. Therefore members that are only reported
 * by others share what is left beside a reserve for members that come themselves. When that is full, each link that
 * reports members has an equal share of it. There are few places for members that are reported as asleep and were never
 * awake as far as this node knows, and these are dropped first. Pure.
 */
import type { PeerId } from "../../ports/network.ts";

/** Members that are awake or asleep at the same time. A digest of this many still fits into one message. */
export const MEMBERS_MAX = 5_000;
/**
 * Of these, members that are only reported by others. The rest is for members that come themselves: twice as many as a
 * node has links.
 */
const HEARSAY_MAX = 4_488;
/** Of these, members that were only ever reported as asleep: tabs that were frozen before this node came. */
export const SLEEPERS_MAX = 1_024;

/** A member that others have reported, and that this node has not met. */
export interface Ghost {
  readonly peer: PeerId;
  /** The peer over whose link it was first reported. */
  readonly by: PeerId;
  readonly isSleeper: boolean;
}

export class Room {
  /** By the peer that reported them, in the order in which they came. */
  readonly #sleepers = new Map<PeerId, Map<PeerId, Ghost>>();
  readonly #others = new Map<PeerId, Map<PeerId, Ghost>>();
  #sleeping = 0;
  #size = 0;

  /** The number of members that are only reported by others. */
  get size(): number {
    return this.#size;
  }

  /** Whether little room is left for members that others report. */
  get isCrowded(): boolean {
    return this.#size - this.#sleeping > HEARSAY_MAX * 0.9;
  }

  add(ghost: Ghost): void {
    const shelf = ghost.isSleeper ? this.#sleepers : this.#others;
    let told = shelf.get(ghost.by);
    if (told === undefined) shelf.set(ghost.by, (told = new Map()));
    if (told.has(ghost.peer)) return;
    told.set(ghost.peer, ghost);
    this.#size++;
    if (ghost.isSleeper) this.#sleeping++;
  }

  delete(ghost: Ghost): void {
    const shelf = ghost.isSleeper ? this.#sleepers : this.#others;
    const told = shelf.get(ghost.by);
    if (told?.delete(ghost.peer) !== true) return;
    if (told.size === 0) shelf.delete(ghost.by);
    this.#size--;
    if (ghost.isSleeper) this.#sleeping--;
  }

  /**
   * Asks for room for a member that comes itself (`by` is undefined) or of which the member `by` tells. True if there
   * is room, false if there is none, or the ghost that has to be evicted for it.
   */
  roomFor(living: number, by: PeerId | undefined, isSleeper: boolean): true | Ghost | false {
    if (by === undefined) return living < MEMBERS_MAX || this.#first() || false;
    if (isSleeper && this.#sleeping >= SLEEPERS_MAX) return this.#shareOf(this.#sleepers, by);
    if (this.#size < HEARSAY_MAX && living < MEMBERS_MAX) return true;
    if (isSleeper) return this.#shareOf(this.#sleepers, by);
    return newest(largest(this.#sleepers)) ?? this.#shareOf(this.#others, by);
  }

  /** The last members reported by the peer that has reported the most. They are asked whether they are there. */
  latest(count: number): PeerId[] {
    const told = largest(this.#others);
    return told === undefined ? [] : [...told.keys()].slice(-count);
  }

  #first(): Ghost | undefined {
    return newest(largest(this.#sleepers)) ?? newest(largest(this.#others));
  }

  /** The newest member reported by the link that has reported the most, if that is more than `by` has. */
  #shareOf(shelf: ReadonlyMap<PeerId, ReadonlyMap<PeerId, Ghost>>, by: PeerId): Ghost | false {
    const most = largest(shelf);
    if (most === undefined || most.size <= (shelf.get(by)?.size ?? 0) + 1) return false;
    return newest(most) ?? false;
  }
}

function largest(shelf: ReadonlyMap<PeerId, ReadonlyMap<PeerId, Ghost>>): ReadonlyMap<PeerId, Ghost> | undefined {
  let most: ReadonlyMap<PeerId, Ghost> | undefined;
  for (const told of shelf.values()) if (told.size > (most?.size ?? 0)) most = told;
  return most;
}

/** Members that came before an attacker stay. */
function newest(told: ReadonlyMap<PeerId, Ghost> | undefined): Ghost | undefined {
  return told === undefined ? undefined : [...told.values()].at(-1);
}
