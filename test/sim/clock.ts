/** A node's clock in virtual time. It can be skewed, drift, jump, and be throttled like a hidden tab's. */
import type { Clock, Timer } from "../../core/ports/clock.ts";
import type { Life, Machine } from "./life.ts";
import type { Mixer } from "./mixer.ts";
import { type Scheduler, SimEvent } from "./scheduler.ts";

/** Wall clock at virtual time zero: 2026-01-01 00:00 UTC. */
const EPOCH_MS = Date.UTC(2026, 0, 1);

/** Browsers align the timers of hidden pages to whole seconds. */
const THROTTLE_MS = 1000;

/** As in Node's setTimeout. It also prevents two timers that start each other from stopping time. */
const TIMER_MS_MIN = 1;

export class SimClock implements Clock {
  readonly #scheduler: Scheduler;
  readonly #machine: Machine;
  readonly #life: Life;
  readonly #startedMs: number;

  constructor(scheduler: Scheduler, machine: Machine, life: Life) {
    this.#scheduler = scheduler;
    this.#machine = machine;
    this.#life = life;
    this.#startedMs = scheduler.nowMs;
  }

  now(): number {
    return Math.floor(EPOCH_MS + this.#scheduler.nowMs * this.#machine.drift + this.#machine.skewMs);
  }

  monotonic(): number {
    return (this.#scheduler.nowMs - this.#startedMs) * this.#machine.drift;
  }

  timer(delayMs: number, fire: () => void): Timer {
    const event = new TimerEvent(this.#scheduler, this.#machine, this.#life, fire);
    let atMs = this.#scheduler.nowMs + Math.max(TIMER_MS_MIN, delayMs) / this.#machine.drift;
    if (this.#machine.throttled) atMs = Math.ceil(atMs / THROTTLE_MS) * THROTTLE_MS;
    this.#scheduler.post(event, atMs);
    return event;
  }
}

class TimerEvent extends SimEvent implements Timer {
  readonly #scheduler: Scheduler;
  readonly #machine: Machine;
  readonly #life: Life;
  #fire: (() => void) | undefined;

  constructor(scheduler: Scheduler, machine: Machine, life: Life, fire: () => void) {
    super();
    this.#scheduler = scheduler;
    this.#machine = machine;
    this.#life = life;
    this.#fire = fire;
  }

  run(): void {
    if (!this.#life.alive) return;
    if (this.#machine.frozen) {
      this.#machine.held.push(this);
      return;
    }
    this.#fire?.();
  }

  trace(hash: Mixer): void {
    hash.word(this.#machine.mark);
  }

  cancel(): void {
    this.#fire = undefined;
    this.#scheduler.cancel(this);
  }
}
