/**
 * Virtual time. Events run one at a time, ordered by (time, sequence of posting); between two of them every promise
 * that the first one settled has run all its continuations. So a run is a function of what was posted, and repeats
 * exactly.
 *
 * Assumes that nothing in a simulated node waits for the real world (real timers, WebCrypto, workers): such an answer
 * would come at no particular virtual time.
 */
import { assert } from "../../core/base/assert.ts";
import { toHex } from "../../core/base/bytes.ts";
import { Mixer } from "./mixer.ts";

/** Something that happens at one moment. Posted at most once at a time. */
export abstract class SimEvent {
  timeMs = 0;
  sequence = 0;
  state: "idle" | "posted" | "cancelled" = "idle";
  abstract run(): void;
  /** Adds to the run's trace hash what distinguishes this event from others (kind, machine, bytes). */
  abstract trace(hash: Mixer): void;
}

/** An event that calls a function. */
export class Call extends SimEvent {
  readonly #what: string;
  readonly #call: () => void;

  constructor(what: string, call: () => void) {
    super();
    this.#what = what;
    this.#call = call;
  }

  run(): void {
    this.#call();
  }

  trace(hash: Mixer): void {
    hash.text(this.#what);
  }
}

/**
 * Most events per batch of macrotasks. Node drains all microtasks between two immediates, so it is correct to run one
 * event in each immediate. Posting immediates in batches saves the turn of the event loop that each would cost by
 * itself (80 ns instead of 1,300).
 */
const BATCH_MAX = 256;
/** A run begins with small batches, since what is left over of the last one is wasted. */
const BATCH_MIN = 4;

/**
 * Times are whole multiples of this: exact in binary, so that the difference of two is never a rounding error short.
 */
const TICKS_PER_MS = 1024;

/**
 * Cancelled events are dropped when their time comes, or earlier if there are more than this many and they are more
 * than half of all.
 */
const CANCELLED_MAX = 10_000;

export class Scheduler {
  readonly #hash: Mixer;
  readonly #trace: ((event: SimEvent) => void) | undefined;
  #heap: SimEvent[] = [];
  #sequence = 0;
  #cancelled = 0;
  #nowMs = 0;
  #events = 0;
  #running = false;

  constructor(options: { trace?: ((event: SimEvent) => void) | undefined } = {}) {
    this.#hash = new Mixer();
    this.#trace = options.trace;
  }

  /** Virtual milliseconds since the run began; has fractions. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Events run until now. */
  get events(): number {
    return this.#events;
  }

  /** Hash of all events until now: equal in two runs if and (almost certainly) only if they went alike. */
  traceHash(): string {
    return toHex(this.#hash.fork().digest(16));
  }

  /** Runs the event at `atMs`, or now if that is past, after all that was posted for that time before. */
  post(event: SimEvent, atMs: number): void {
    assert(event.state === "idle", "an event is posted once at a time");
    event.timeMs = atMs > this.#nowMs ? Math.ceil(atMs * TICKS_PER_MS) / TICKS_PER_MS : this.#nowMs;
    event.sequence = this.#sequence++;
    event.state = "posted";
    siftUp(this.#heap, this.#heap.push(event) - 1);
  }

  /** Calls `call` after `delayMs`. */
  after(delayMs: number, what: string, call: () => void): SimEvent {
    const event = new Call(what, call);
    this.post(event, this.#nowMs + delayMs);
    return event;
  }

  /** The event will not run. Does nothing if it has run, or was not posted. */
  cancel(event: SimEvent): void {
    if (event.state !== "posted") return;
    event.state = "cancelled";
    this.#cancelled++;
    if (this.#cancelled > CANCELLED_MAX && this.#cancelled * 2 > this.#heap.length) this.#compact();
  }

  /**
   * Runs events until the time is `untilMs` or `stop`, asked before each event, says true. Resolves to whether it did;
   * the time is then that of the last event, else `untilMs`. Rejects with what an event throws.
   */
  run(untilMs: number, stop: (nextMs: number) => boolean = () => false): Promise<boolean> {
    assert(!this.#running, "the scheduler runs already");
    this.#running = true;
    return new Promise((resolve, reject) => {
      let waiting = 0;
      let ended = false;
      const end = (settle: () => void): void => {
        ended = true;
        this.#running = false;
        settle();
      };
      const hop = (): void => {
        waiting--;
        if (ended) return;
        try {
          const nextMs = this.#peek()?.timeMs ?? Infinity;
          if (stop(Math.min(nextMs, untilMs))) return end(() => resolve(true));
          if (nextMs > untilMs) {
            this.#nowMs = Math.max(this.#nowMs, untilMs);
            return end(() => resolve(false));
          }
          this.#step();
        } catch (error) {
          return end(() => reject(error instanceof Error ? error : new Error(String(error))));
        }
        if (waiting === 0) postBatch();
      };
      let batch = BATCH_MIN;
      const postBatch = (): void => {
        waiting = batch;
        for (let i = 0; i < waiting; i++) setImmediate(hop);
        batch = Math.min(BATCH_MAX, 2 * batch);
      };
      postBatch();
    });
  }

  #step(): void {
    const event = pop(this.#heap);
    if (event === undefined) return;
    event.state = "idle";
    this.#nowMs = event.timeMs;
    this.#events++;
    this.#hash.number(event.timeMs);
    event.trace(this.#hash);
    this.#trace?.(event);
    event.run();
  }

  #peek(): SimEvent | undefined {
    for (;;) {
      const event = this.#heap[0];
      if (event?.state !== "cancelled") return event;
      pop(this.#heap);
      event.state = "idle";
      this.#cancelled--;
    }
  }

  #compact(): void {
    const kept: SimEvent[] = [];
    for (const event of this.#heap) {
      if (event.state === "cancelled") event.state = "idle";
      else siftUp(kept, kept.push(event) - 1);
    }
    this.#heap = kept;
    this.#cancelled = 0;
  }
}

function before(a: SimEvent, b: SimEvent): boolean {
  return a.timeMs < b.timeMs || (a.timeMs === b.timeMs && a.sequence < b.sequence);
}

function siftUp(heap: SimEvent[], from: number): void {
  const event = heap[from] as SimEvent;
  let i = from;
  while (i > 0) {
    const parentIndex = (i - 1) >> 1;
    const parent = heap[parentIndex] as SimEvent;
    if (!before(event, parent)) break;
    heap[i] = parent;
    i = parentIndex;
  }
  heap[i] = event;
}

function pop(heap: SimEvent[]): SimEvent | undefined {
  const top = heap[0];
  const event = heap.pop();
  if (event === undefined || heap.length === 0) return top;
  const length = heap.length;
  let i = 0;
  for (;;) {
    let childIndex = 2 * i + 1;
    if (childIndex >= length) break;
    let child = heap[childIndex] as SimEvent;
    if (childIndex + 1 < length) {
      const right = heap[childIndex + 1] as SimEvent;
      if (before(right, child)) {
        child = right;
        childIndex++;
      }
    }
    if (!before(child, event)) break;
    heap[i] = child;
    i = childIndex;
  }
  heap[i] = event;
  return top;
}
