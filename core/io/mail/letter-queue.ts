/**
 * Letters that are still to be fetched, and which one is next. Senders take turns, and one place is kept for a known
 * sender who has no letter under way, so that thousands of letters that nobody can fetch don't hold up those of others.
 * Senders whom this node knows come first; all others together have some places. Of one sender the latest letter is
 * first, since people look at that.
 */
import type { PeerId } from "../../ports/network.ts";
import { FETCHES_AT_ONCE, FETCHES_OF_ONE_MAX, FETCHES_OF_UNKNOWN_MAX } from "./limits.ts";

export interface Queued {
  readonly mail: { readonly from: PeerId };
  /** When it may be fetched, by this node's monotonic clock. */
  readonly fetchAtMs: number;
}

export class LetterQueue<T extends Queued> {
  readonly #isKnown: (sender: PeerId) => boolean;
  /** The letters of each sender, the latest last; senders in the order of their turns. */
  readonly #known = new Map<PeerId, T[]>();
  readonly #unknown = new Map<PeerId, T[]>();
  /** Letters that are being fetched, and whether their senders were unknown. */
  readonly #fetching = new Map<T, boolean>();

  constructor(isKnown: (sender: PeerId) => boolean) {
    this.#isKnown = isKnown;
  }

  add(letter: T): void {
    const { from } = letter.mail;
    const letters = this.#known.get(from) ?? this.#unknown.get(from);
    if (letters !== undefined) letters.push(letter);
    else (this.#isKnown(from) ? this.#known : this.#unknown).set(from, [letter]);
  }

  delete(letter: T): void {
    const { from } = letter.mail;
    for (const turns of [this.#known, this.#unknown]) {
      const letters = turns.get(from);
      const at = letters?.indexOf(letter) ?? -1;
      if (at >= 0) letters?.splice(at, 1);
      if (letters?.length === 0) turns.delete(from);
    }
  }

  /** The letter to fetch now, which leaves the queue; undefined if there is none, or no place for it. */
  take(nowMs: number): T | undefined {
    if (this.#fetching.size >= FETCHES_AT_ONCE) return undefined;
    // The last place is kept for a known sender who has no letter under way.
    if (this.#fetching.size === FETCHES_AT_ONCE - 1) return this.#takeOf(this.#known, nowMs, 1);
    const ofUnknown = [...this.#fetching.values()].filter(Boolean).length;
    return (
      this.#takeOf(this.#known, nowMs, FETCHES_OF_ONE_MAX) ??
      (ofUnknown < FETCHES_OF_UNKNOWN_MAX ? this.#takeOf(this.#unknown, nowMs, FETCHES_OF_ONE_MAX) : undefined)
    );
  }

  /** The letter has been fetched. If it is to be tried again later, the caller adds it again. */
  done(letter: T): void {
    this.#fetching.delete(letter);
  }

  /** Looks again for senders whom this node knows by now. */
  sort(): void {
    for (const [sender, letters] of this.#unknown) {
      if (!this.#isKnown(sender)) continue;
      this.#unknown.delete(sender);
      this.#known.set(sender, letters);
    }
  }

  /** @param ofOneMax how many places a sender may have then */
  #takeOf(turns: Map<PeerId, T[]>, nowMs: number, ofOneMax: number): T | undefined {
    for (const [sender, letters] of turns) {
      if (this.#placesOf(sender) >= ofOneMax) continue;
      const at = letters.findLastIndex(({ fetchAtMs }) => fetchAtMs <= nowMs);
      const letter = letters[at];
      if (letter === undefined) continue;
      letters.splice(at, 1);
      turns.delete(sender);
      if (letters.length > 0) turns.set(sender, letters);
      this.#fetching.set(letter, turns === this.#unknown);
      return letter;
    }
    return undefined;
  }

  #placesOf(sender: PeerId): number {
    let places = 0;
    for (const { mail } of this.#fetching.keys()) if (mail.from === sender) places++;
    return places;
  }
}
