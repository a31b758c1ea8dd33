/**
 * Decides when waiting messages are sent on a link: at once if the link has been quiet, else together with those that
 * come within FLUSH_MS. It never depends on a timer alone: every event of the owner may send. So a tab whose timers are
 * throttled to one a second still passes on at once what it receives.
 */
import type { Clock, Timer } from "../../ports/clock.ts";
import type { PeerId } from "../../ports/network.ts";

/** Short enough for people, even over a swarm's five hops; long enough to gather the messages of a burst. */
const FLUSH_MS = 25;

export class Flusher {
  readonly #clock: Clock;
  readonly #flush: (peer: PeerId) => void;
  readonly #sentMs = new Map<PeerId, number>();
  readonly #waiting = new Set<PeerId>();
  #timer: Timer | undefined;

  constructor(clock: Clock, flush: (peer: PeerId) => void) {
    this.#clock = clock;
    this.#flush = flush;
  }

  /** Something waits for these peers. */
  mark(peers: Iterable<PeerId>): void {
    for (const peer of peers) this.#waiting.add(peer);
  }

  /** A message has just been sent to the peer, for whatever reason. */
  sent(peer: PeerId): void {
    this.#sentMs.set(peer, this.#clock.monotonic());
    this.#waiting.delete(peer);
  }

  forget(peer: PeerId): void {
    this.#sentMs.delete(peer);
    this.#waiting.delete(peer);
  }

  /** Sends what is due. Call it at the end of whatever may have marked something. */
  settle(): void {
    if (this.#waiting.size === 0) return;
    const nowMs = this.#clock.monotonic();
    for (const peer of this.#waiting) {
      if (nowMs - (this.#sentMs.get(peer) ?? -Infinity) < FLUSH_MS) continue;
      this.#waiting.delete(peer);
      this.#flush(peer);
    }
    if (this.#waiting.size > 0 && this.#timer === undefined) {
      this.#timer = this.#clock.timer(FLUSH_MS, () => {
        this.#timer = undefined;
        this.settle();
      });
    }
  }

  stop(): void {
    this.#timer?.cancel();
    this.#waiting.clear();
  }
}
