/**
 * Failure detection on one link, and how far this node may trust its own sense of time. Pure.
 *
 * Every message over a link is a sign of life. A link that has been quiet for a while is pinged; the peer answers even
 * when its timers are throttled, because answers depend on messages alone. Time counts only while this node itself is
 * running: after a gap in its own ticks (a frozen tab, a loaded machine) no more than CREDIT_MS_MAX is counted as
 * others' silence.
 */

/** How often links are looked at. Half of the ping interval, so that throttling to a second costs little. */
export const TICK_MS = 500;
/**
 * A link that was quiet for this long is pinged with the next tick: every second and a half or so, by whichever end is
 * first.
 */
const PING_MS = 1_200;
/**
 * If a link stays quiet for this long although it was pinged, its peer is suspected. Two pings may get lost while a
 * path stalls.
 */
const SILENT_MS = 2_500;
const PINGS_MIN = 2;
/**
 * Where answers take long, silence begins only this many round trips after the first ping. Forty nodes on two cores
 * answer after a second, and each suspicion makes work for all.
 */
const SILENT_ROUND_TRIPS = 4;
const SILENT_MS_MAX = 10_000;
/** The most that one tick adds to anybody's silence: the interval of a throttled tab's ticks, and a bit. */
export const CREDIT_MS_MAX = 1_200;

/** Weight of a new sample in the smoothed round trip (RFC 6298 takes an eighth; pings are rarer than packets). */
const RTT_GAIN = 0.25;

export class LinkWatch {
  #heardMs: number;
  #isProven = false;
  #pings = 0;
  #rttMs: number | undefined;
  /** Suspected for its silence on this link, at this incarnation. */
  accusedAt: number | undefined;
  /** Since when the peer's table has differed from ours. */
  differsSinceMs: number | undefined;

  constructor(nowMs: number) {
    this.#heardMs = nowMs;
  }

  /** Time is that of the caller's running, without the gaps in which it did not. */
  quietMs(nowMs: number): number {
    return nowMs - this.#heardMs;
  }

  get roundTripMs(): number | undefined {
    return this.#rttMs;
  }

  /**
   * Whether something has arrived over it. Before that, silence tells nothing about its peer, which may not know the
   * link yet.
   */
  get isProven(): boolean {
    return this.#isProven;
  }

  heard(nowMs: number): void {
    this.#isProven = true;
    this.#heardMs = nowMs;
    this.#pings = 0;
  }

  /** The other end has measured, or we have. */
  measured(rttMs: number): void {
    this.#rttMs = this.#rttMs === undefined ? rttMs : this.#rttMs + RTT_GAIN * (rttMs - this.#rttMs);
  }

  /** The action that is due for this link now. Silence is tolerated `factor` times as long as usual. */
  tick(nowMs: number, factor: number): "nothing" | "ping" | "silent" {
    const quietMs = this.quietMs(nowMs);
    if (quietMs < PING_MS) return "nothing";
    const slowMs = Math.min(SILENT_MS_MAX, PING_MS + SILENT_ROUND_TRIPS * (this.#rttMs ?? 0));
    if (quietMs >= Math.max(SILENT_MS * factor, slowMs) && this.#pings >= PINGS_MIN) return "silent";
    this.#pings++;
    return "ping";
  }
}

/** If a tick is this late, this node itself is slow. It is more than a throttled tab's second and its jitter. */
const LATE_MS = 2_500;
const SCORE_MAX = 4;
/** A point is forgiven if no other comes for this long. */
const FORGIVE_MS = 10_000;

/**
 * Lifeguard's local health: a node whose own ticks were late is slower to suspect others. Unlike there, being suspected
 * does not count here: after each cut everybody is suspected, and then just these nodes would be slowest to notice the
 * next cut.
 */
export class LocalHealth {
  #score = 0;
  #changedMs = 0;

  /** By how much longer than usual this node waits before it believes the worst of others. */
  get factor(): number {
    return 1 + this.#score / SCORE_MAX;
  }

  tick(gapMs: number, nowMs: number): void {
    if (gapMs > LATE_MS) {
      this.#score = Math.min(SCORE_MAX, this.#score + 1);
      this.#changedMs = nowMs;
    } else if (this.#score > 0 && nowMs - this.#changedMs > FORGIVE_MS) {
      this.#score--;
      this.#changedMs = nowMs;
    }
  }
}
