/**
 * The line before one code: who tries it next. Whoever knows the words needs only a moment; others may stall, or begin
 * again and again, without ever making a guess that would count. So each address has its turn, and an address that is
 * there already waits for those that are not. Whoever takes longer than a turn gives way to those who wait. Nobody is
 * counted as guessing for that, because then an interrupted connection would use up the guesses of the right person.
 */
import { StarfishError } from "../../base/errors.ts";
import { networkOf } from "../../base/waiting-room.ts";
import { abortable, type Clock, type Timer } from "../../ports/clock.ts";
import {
  MEETINGS_MAX,
  MEETINGS_OF_PLACE_MAX,
  TRIES_AT_ONCE,
  TRIES_EVERY_MS,
  TRIES_OF_PLACE_MAX,
  TURN_MS,
} from "./limits.ts";

const MINUTE_MS = 60_000;

interface Waiting {
  readonly place: string;
  readonly turn: PromiseWithResolvers<void>;
  readonly dismiss: (error: StarfishError) => void;
}

export class Line {
  readonly #clock: Clock;
  /** By place, in the order of their turns. */
  readonly #waiting = new Map<string, Waiting[]>();
  /** Those whose turn it is, and since when; the earliest first. */
  readonly #meeting = new Map<Waiting, number>();
  /** When the present minute began, and how often each place has come in it. */
  #minute: { readonly beganMs: number; readonly tries: Map<string, number> } | undefined;
  /** When the next turn may begin. */
  #paceMs = -Infinity;
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Waits for this stranger's turn. Returns the function that ends it. `dismiss` is called if it takes too long while
   * others wait. Rejects with "busy" and with the reason of the signal.
   */
  async enter(address: string, dismiss: (error: StarfishError) => void, signal: AbortSignal): Promise<() => void> {
    const place = networkOf(address);
    if (!this.#isInPace(place)) throw busy("This address has tried this code too often: wait a minute");
    const waiting: Waiting = { place, turn: Promise.withResolvers<void>(), dismiss };
    const others = this.#waiting.get(place) ?? [];
    this.#waiting.set(place, [...others, waiting]);
    this.#next();
    try {
      await abortable(signal, waiting.turn.promise);
    } catch (error) {
      this.#leave(waiting);
      throw error;
    }
    return () => this.#leave(waiting);
  }

  #isInPace(place: string): boolean {
    const nowMs = this.#clock.monotonic();
    if (this.#minute === undefined || nowMs - this.#minute.beganMs > MINUTE_MS)
      this.#minute = { beganMs: nowMs, tries: new Map() };
    const tries = (this.#minute.tries.get(place) ?? 0) + 1;
    this.#minute.tries.set(place, tries);
    return tries <= TRIES_OF_PLACE_MAX;
  }

  #leave(waiting: Waiting): void {
    this.#meeting.delete(waiting);
    const left = this.#waiting.get(waiting.place)?.filter((one) => one !== waiting) ?? [];
    if (left.length > 0) this.#waiting.set(waiting.place, left);
    else this.#waiting.delete(waiting.place);
    this.#next();
  }

  /** Begins as many turns as there can be now. */
  #next(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    while (this.#waiting.size > 0) {
      const nowMs = this.#clock.monotonic();
      if (nowMs < this.#paceMs) return this.#later(this.#paceMs - nowMs);
      const next = this.#meeting.size < MEETINGS_MAX ? this.#take() : undefined;
      if (next !== undefined) {
        this.#meeting.set(next, nowMs);
        this.#paceMs = Math.max(this.#paceMs, nowMs - TRIES_AT_ONCE * TRIES_EVERY_MS) + TRIES_EVERY_MS;
        next.turn.resolve();
        continue;
      }
      const [oldest] = this.#meeting;
      if (oldest === undefined) return;
      const [slow, beganMs] = oldest;
      if (nowMs < beganMs + TURN_MS) return this.#later(beganMs + TURN_MS - nowMs);
      this.#meeting.delete(slow);
      slow.dismiss(busy("Others try this code just now: try again in a while"));
    }
  }

  /** The next one of the place that has the fewest turns now. Its place goes to the end. */
  #take(): Waiting | undefined {
    const turns = new Map<string, number>();
    for (const { place } of this.#meeting.keys()) turns.set(place, (turns.get(place) ?? 0) + 1);
    let best: string | undefined;
    for (const place of this.#waiting.keys()) {
      const own = turns.get(place) ?? 0;
      if (own < MEETINGS_OF_PLACE_MAX && own < (best === undefined ? Infinity : (turns.get(best) ?? 0))) best = place;
    }
    if (best === undefined) return undefined;
    const [next, ...rest] = this.#waiting.get(best) ?? [];
    this.#waiting.delete(best);
    if (rest.length > 0) this.#waiting.set(best, rest);
    return next;
  }

  #later(ms: number): void {
    this.#timer = this.#clock.timer(ms, () => this.#next());
  }
}

function busy(message: string): StarfishError {
  return new StarfishError("busy", message, { retryable: true });
}
