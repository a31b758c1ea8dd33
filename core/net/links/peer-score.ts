/** How peers behave: counts of faults that fade with time, and rates that bound what anyone may send us. */
import type { Clock } from "../../ports/clock.ts";
import type { PeerId } from "../../ports/network.ts";
import { SCORED_PEERS_MAX, FAULT_HALF_LIFE_MS, FAULTS_MAX } from "../limits.ts";

/** Faults by peer, halved every FAULT_HALF_LIFE_MS. Outlives links, so that reconnecting clears nobody's name. */
export class PeerScore {
  readonly #clock: Clock;
  readonly #faults = new Map<PeerId, { score: number; atMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts one fault. True when it was one too many; the count then begins anew. */
  fault(peer: PeerId): boolean {
    const atMs = this.#clock.monotonic();
    const before = this.#faults.get(peer);
    const score = 1 + (before ? before.score * 0.5 ** ((atMs - before.atMs) / FAULT_HALF_LIFE_MS) : 0);
    this.#faults.delete(peer);
    if (score > FAULTS_MAX) return true;
    const [oldest] = this.#faults.keys();
    if (oldest !== undefined && this.#faults.size >= SCORED_PEERS_MAX) this.#faults.delete(oldest);
    this.#faults.set(peer, { score, atMs });
    return false;
  }
}

/** A token bucket: `burst` at once, `perSecond` for as long as one likes. */
export class TokenBucket {
  readonly #clock: Clock;
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #atMs: number;

  constructor(clock: Clock, options: { readonly perSecond: number; readonly burst: number }) {
    this.#clock = clock;
    this.#perSecond = options.perSecond;
    this.#burst = options.burst;
    this.#tokens = options.burst;
    this.#atMs = clock.monotonic();
  }

  /** Takes `tokens` if they are there. */
  take(tokens: number): boolean {
    const nowMs = this.#clock.monotonic();
    this.#tokens = Math.min(this.#burst, this.#tokens + ((nowMs - this.#atMs) * this.#perSecond) / 1_000);
    this.#atMs = nowMs;
    if (this.#tokens < tokens) return false;
    this.#tokens -= tokens;
    return true;
  }
}
