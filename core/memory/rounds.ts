/**
 * When a map is reconciled, and with whom: with each new link, with a random link every few seconds (less and less
 * often, the longer nothing differs), and with a few others soon after news has come by reconciliation. A node that is
 * told news passes it on, and goes on as long as it finds nodes that do not know it. So news spreads as rumours do
 * (Demers et al., "Epidemic algorithms for replicated database maintenance", PODC 1987), and stops when everybody knows
 * it.
 */
import type { Semaphore } from "../base/semaphore.ts";
import { isStarfishError, messageOf, StarfishError } from "../base/errors.ts";
import { type Clock, type Timer, withDeadline } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { Channel, PeerId } from "../ports/network.ts";
import { pick, type Random, sample } from "../ports/random.ts";
import {
  RECONCILE_EVERY_MS,
  RECONCILE_EVERY_MS_MAX,
  RECONCILE_OPEN_MS,
  RECONCILE_SPREAD,
  RECONCILE_SPREAD_MS,
  RECONCILE_SPREAD_WIDE,
  WIDE_ENTRIES_MIN,
} from "./limits.ts";
import { ask, type Incoming, respond, type ExchangeOptions, type ExchangeResult } from "./exchange.ts";
import type { MapStat } from "./types.ts";

/**
 * The other end of a new link begins, if its id is the smaller one; in case it does not, this end does after this time.
 */
const OTHERS_TURN_MS = 300;
/**
 * Delay before an exchange that broke off is tried again. It doubles with each further failure in a row, up to
 * DOUBLED_MAX times.
 */
const AGAIN_MS = 1_000;
const DOUBLED_MAX = 6;
/** How soon a node looks again for a free place for a session, and whether the time is known. */
const FULL_MS = 50;
const UNREADY_MS = 100;

export interface RoundsPorts {
  readonly map: string;
  readonly self: PeerId;
  readonly links: () => readonly PeerId[];
  readonly open: (peer: PeerId, signal: AbortSignal) => Promise<Channel>;
  readonly misbehaved: (peer: PeerId, what: string) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Exchanges that run at once, of all maps of this node together. */
  readonly exchanges: Semaphore;
  readonly session: (peer: PeerId, signal: AbortSignal) => ExchangeOptions;
  readonly now: () => number;
  /** Whether the map can take part: it needs to know the time. */
  readonly isReady: () => boolean;
}

export class Rounds {
  readonly #ports: RoundsPorts;
  /** When each link's next session is due, by the monotonic clock; not all have one. */
  readonly #dueMs = new Map<PeerId, number>();
  readonly #busy = new Set<PeerId>();
  /** How many sessions that this node began broke off in a row. */
  readonly #failures = new Map<PeerId, number>();
  #known = new Set<PeerId>();
  readonly #ended = new AbortController();
  #timer: Timer | undefined;
  #everyMs: number = RECONCILE_EVERY_MS;
  /**
   * The interval is not lengthened again before this time: many sessions within a moment have all seen the same state.
   */
  #steadyUntilMs: number;
  #nextMs: number;
  #complete = 0;
  #divergent = 0;
  #brokenOff = 0;
  #entriesReceived = 0;
  #lastAtMs: number | undefined;
  #lastPeer: PeerId | undefined;

  constructor(ports: RoundsPorts) {
    this.#ports = ports;
    this.#steadyUntilMs = ports.clock.monotonic() + RECONCILE_EVERY_MS;
    this.#nextMs = ports.clock.monotonic() + ports.random.real() * RECONCILE_EVERY_MS;
    this.linksChanged();
    this.#arm();
  }

  stat(): MapStat["reconciliations"] {
    return {
      complete: this.#complete,
      divergent: this.#divergent,
      brokenOff: this.#brokenOff,
      entriesReceived: this.#entriesReceived,
      lastAtMs: this.#lastAtMs,
      lastPeer: this.#lastPeer,
    };
  }

  linksChanged(): void {
    const links = new Set(this.#ports.links());
    for (const peer of this.#dueMs.keys()) if (!links.has(peer)) this.#dueMs.delete(peer);
    for (const peer of this.#failures.keys()) if (!links.has(peer)) this.#failures.delete(peer);
    for (const peer of links) {
      if (this.#known.has(peer)) continue;
      this.#want(peer, this.#ports.self < peer ? 0 : OTHERS_TURN_MS);
      this.#roundSoon();
    }
    this.#known = links;
  }

  /** There is news: reconciles soon with this many links other than `from`. */
  spread(count: number = RECONCILE_SPREAD_WIDE, from?: PeerId): void {
    this.#reconcileEvery(RECONCILE_EVERY_MS);
    const { random } = this.#ports;
    const others = [...this.#known].filter((peer) => peer !== from && !this.#dueMs.has(peer) && !this.#busy.has(peer));
    for (const peer of sample(random, others, count)) this.#want(peer, random.real() * RECONCILE_SPREAD_MS);
    this.#roundSoon();
  }

  /** Entries have changed. Others may have changed as well without gossip telling this node. */
  stirred(): void {
    const wasRare = this.#everyMs !== RECONCILE_EVERY_MS;
    this.#reconcileEvery(RECONCILE_EVERY_MS);
    if (wasRare) this.#roundWithin(0.5 + this.#ports.random.real());
  }

  /** Serves a session that a member has asked for. Never rejects. */
  async serve(peer: PeerId, channel: Channel, incoming: Incoming): Promise<void> {
    if (this.#ports.isReady()) await this.#run(peer, (options) => respond(channel, incoming, options));
    else channel.abort(new StarfishError("clock", "This node does not know the time yet", { retryable: true }));
  }

  stop(): void {
    this.#timer?.cancel();
    this.#ended.abort();
  }

  /** After news there may be more news, and members that have missed it. So the next round comes soon. */
  #roundSoon(): void {
    this.#roundWithin(0.25 + this.#ports.random.real() / 4);
  }

  /** Makes the next round due after that part of the usual time, unless it is due sooner. */
  #roundWithin(part: number): void {
    const soonMs = this.#ports.clock.monotonic() + RECONCILE_EVERY_MS * part;
    if (soonMs >= this.#nextMs) return;
    this.#nextMs = soonMs;
    this.#arm();
  }

  #want(peer: PeerId, delayMs: number): void {
    const atMs = this.#ports.clock.monotonic() + delayMs;
    this.#dueMs.set(peer, Math.min(atMs, this.#dueMs.get(peer) ?? Infinity));
    this.#arm();
  }

  /** Sets the timer for the link that is due first. A busy link is looked at again when its exchange is over. */
  #arm(atLeastMs = 0): void {
    if (this.#ended.signal.aborted) return;
    this.#timer?.cancel();
    let firstMs = this.#nextMs;
    for (const [peer, dueMs] of this.#dueMs) if (!this.#busy.has(peer)) firstMs = Math.min(firstMs, dueMs);
    const { clock } = this.#ports;
    this.#timer = clock.timer(Math.max(atLeastMs, firstMs - clock.monotonic()), () => this.#tick());
  }

  #tick(): void {
    if (!this.#ports.isReady()) return this.#arm(UNREADY_MS);
    const nowMs = this.#ports.clock.monotonic();
    if (nowMs >= this.#nextMs) {
      const peer = pick(this.#ports.random, [...this.#known]);
      if (peer !== undefined) this.#dueMs.set(peer, nowMs);
      this.#nextMs = nowMs + this.#everyMs * (0.75 + this.#ports.random.real() / 2);
    }
    for (const [peer, dueMs] of this.#dueMs) {
      if (dueMs > nowMs || this.#busy.has(peer)) continue;
      const release = this.#ports.exchanges.tryAcquire(1);
      if (release === undefined) return this.#arm(FULL_MS);
      this.#dueMs.delete(peer);
      void this.#ask(peer).finally(release);
    }
    this.#arm();
  }

  /** Reconciles at once, if there is a link to the member and a free place. Returns whether it was completed. */
  async reconcile(peer: PeerId): Promise<boolean> {
    const release = this.#known.has(peer) ? this.#ports.exchanges.tryAcquire(1) : undefined;
    if (release === undefined) return false;
    return await this.#ask(peer).finally(release);
  }

  async #ask(peer: PeerId): Promise<boolean> {
    const isWhole = await this.#run(peer, async (options) => {
      const { clock, open } = this.#ports;
      const opening = (inner: AbortSignal): Promise<Channel> => open(peer, inner);
      // A link that has gone silent may not have been given up yet.
      const channel = await withDeadline(clock, RECONCILE_OPEN_MS, "Opening a channel", opening, options);
      return ask(channel, this.#ports.map, options);
    });
    if (isWhole) this.#failures.delete(peer);
    else if (this.#known.has(peer)) this.#again(peer);
    return isWhole;
  }

  /**
   * Tries the peer again, later with each failure: it may have been cut off for a moment, or may lack the map, or the
   * time.
   */
  #again(peer: PeerId): void {
    const failures = this.#failures.get(peer) ?? 0;
    this.#failures.set(peer, Math.min(failures + 1, DOUBLED_MAX));
    this.#want(peer, AGAIN_MS * 2 ** failures * (1 + this.#ports.random.real()));
  }

  async #run(peer: PeerId, session: (options: ExchangeOptions) => Promise<ExchangeResult>): Promise<boolean> {
    this.#busy.add(peer);
    try {
      const result = await session(this.#ports.session(peer, this.#ended.signal));
      this.#count(peer, result);
      return true;
    } catch (error) {
      if (!isStarfishError(error)) throw error;
      this.#brokenOff++;
      this.#ports.log.write("debug", "memory.broken-off", { map: this.#ports.map, peer, error: messageOf(error) });
      if (error.code === "malformed" || error.code === "too-large") this.#ports.misbehaved(peer, error.message);
      // Trying at once again would find no more room.
      return error.code === "full";
    } finally {
      this.#busy.delete(peer);
      this.#arm();
    }
  }

  #count(peer: PeerId, { received, newsIn, newsOut, divergent }: ExchangeResult): void {
    this.#complete++;
    this.#lastAtMs = this.#ports.now();
    this.#lastPeer = peer;
    this.#entriesReceived += received;
    if (divergent) this.#divergent++;
    if (newsIn > 0) this.spread(newsIn < WIDE_ENTRIES_MIN ? RECONCILE_SPREAD : RECONCILE_SPREAD_WIDE, peer);
    else if (newsOut > 0) this.spread(1, peer);
    else if (!divergent && this.#ports.clock.monotonic() >= this.#steadyUntilMs)
      this.#reconcileEvery(2 * this.#everyMs);
  }

  #reconcileEvery(ms: number): void {
    this.#everyMs = Math.min(RECONCILE_EVERY_MS_MAX, ms);
    this.#steadyUntilMs = this.#ports.clock.monotonic() + this.#everyMs;
  }
}
