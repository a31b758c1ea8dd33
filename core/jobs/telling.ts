/**
 * Tells the others what this node does of a job: it writes the node's entry in the map `work` (entries.ts) about once a
 * second, and less often if many nodes do. A node that has run out of tasks writes sooner, since others may wait for
 * its last results.
 */
import { isStarfishError } from "../base/errors.ts";
import type { ReplicatedMap } from "../memory/types.ts";
import type { Net } from "../net/types.ts";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import { type WorkEntry, writeWork } from "./entries.ts";
import {
  IDLE_EVERY_MS,
  IDLE_EVERY_MS_MIN,
  LEASE_MS,
  TELL_EVERY_MS,
  TELL_EVERY_MS_MAX,
  TELL_EVERY_NODE_MS,
} from "./limits.ts";
import { workKey, workPurpose, type Writers } from "./view.ts";

interface TellingParts {
  readonly net: Net;
  readonly work: ReplicatedMap;
  readonly clock: Clock;
  readonly log: Log;
  readonly writers: Writers;
  /** How many others tell of the job. */
  readonly tellers: () => number;
}

export class Telling {
  readonly #job: string;
  readonly #parts: TellingParts;
  #isDirty = false;
  #toldAtMs = -Infinity;

  constructor(job: string, parts: TellingParts) {
    this.#job = job;
    this.#parts = parts;
  }

  /** Whether anything has been told of the job. */
  get hasTold(): boolean {
    return this.#toldAtMs !== -Infinity;
  }

  /** The more nodes tell, the less often each does. */
  get everyMs(): number {
    return Math.min(TELL_EVERY_MS_MAX, Math.max(TELL_EVERY_MS, TELL_EVERY_NODE_MS * this.#parts.tellers()));
  }

  /** The interval of a node without work. It is shorter, because others may wait for what it has done last. */
  get idleEveryMs(): number {
    return Math.min(IDLE_EVERY_MS, Math.max(IDLE_EVERY_MS_MIN, TELL_EVERY_NODE_MS * this.#parts.tellers()));
  }

  /** In how many ms a node without work may tell again. */
  get idleInMs(): number {
    return Math.max(0, this.#toldAtMs + this.idleEveryMs - this.#parts.clock.monotonic());
  }

  /** There is something new to tell. */
  change(): void {
    this.#isDirty = true;
  }

  /** Tells it, if it is time. */
  tell({ claimed, held, failed, ...rest }: Omit<WorkEntry, "votes">, votes: () => WorkEntry["votes"]): void {
    const { clock, work, writers, net, log } = this.#parts;
    const sinceMs = clock.monotonic() - this.#toldAtMs;
    const isNothing = !this.hasTold && claimed.length + held.length + failed.length === 0;
    const everyMs = claimed.length === 0 ? this.idleEveryMs : this.everyMs;
    if (isNothing || sinceMs < everyMs || (!this.#isDirty && sinceMs < TELL_EVERY_MS_MAX)) return;
    const entry = { claimed, held, failed, ...rest, votes: votes() };
    const sign = (statement: Uint8Array): Uint8Array => net.sign(workPurpose(this.#job), statement);
    try {
      work.set(workKey(this.#job, writers.numberOf(net.self)), writeWork(entry, sign), { expiresInMs: LEASE_MS });
      this.#isDirty = false;
      this.#toldAtMs = clock.monotonic();
    } catch (error) {
      // A clock that is not in line yet, or a full map: the next look tries again.
      if (!isStarfishError(error)) throw error;
      log.write("debug", "jobs.tell", { job: this.#job, error: error.message });
    }
  }
}
