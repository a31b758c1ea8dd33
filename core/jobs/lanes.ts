/**
 * How a job sees a node that works for it: how many chunks the node may be given at once, and whether it is worth
 * asking now. Pure; times are monotonic milliseconds.
 */
import type { PeerId } from "../ports/network.ts";
import { BACKOFF_MAX_MS, BACKOFF_MIN_MS, PREFETCH_MAX } from "./limits.ts";

/** The weight of the newest chunk in the running mean of how long a node takes. */
const SMOOTHING = 0.3;

export class Lane {
  readonly peer: PeerId;
  /** The submitter's own cores. */
  readonly own: boolean;
  /** Cores that it lends; 0 while it is to get nothing new. */
  cores: number;
  /** Chunks that it runs now. */
  inFlight = 0;
  done = 0;
  /** Mean time from handing out a chunk to its result. */
  turnaroundMs: number | undefined;
  /** Chunks beyond its cores, so that the next one is there when one ends. */
  #prefetch = 1;
  #pausedUntilMs = 0;
  #pauseMs = BACKOFF_MIN_MS;

  constructor(peer: PeerId, own: boolean, cores: number) {
    this.peer = peer;
    this.own = own;
    this.cores = cores;
  }

  /** Whether a chunk would find a free core there, as far as is known here. */
  hasFreeCore(nowMs: number): boolean {
    return this.inFlight < this.cores && nowMs >= this.#pausedUntilMs;
  }

  hasRoom(nowMs: number): boolean {
    return this.cores > 0 && this.inFlight < this.cores + this.#prefetch && nowMs >= this.#pausedUntilMs;
  }

  /**
   * A result came. If its chunk did not have to wait there, a core may have been idle during the round trip, so one
   * more is sent ahead. If the chunk waited longer than it ran, it was sent too early, so one fewer is.
   */
  succeeded(tookMs: number, runMs: number, waitMs: number): void {
    this.done++;
    this.#pauseMs = BACKOFF_MIN_MS;
    this.turnaroundMs =
      this.turnaroundMs === undefined ? tookMs : this.turnaroundMs + SMOOTHING * (tookMs - this.turnaroundMs);
    if (this.own) return;
    const roundTripMs = tookMs - runMs - waitMs;
    if (waitMs < roundTripMs / 4) this.#prefetch = Math.min(PREFETCH_MAX, this.#prefetch + 1);
    else if (waitMs > runMs + roundTripMs) this.#prefetch = Math.max(1, this.#prefetch - 1);
  }

  /** The node failed, or is busy: it gets nothing for a while, longer each time. */
  failed(nowMs: number): void {
    if (nowMs < this.#pausedUntilMs) return;
    this.#pausedUntilMs = nowMs + this.#pauseMs;
    this.#pauseMs = Math.min(BACKOFF_MAX_MS, this.#pauseMs * 2);
    this.#prefetch = 1;
  }
}
