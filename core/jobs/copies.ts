/**
 * Keeps each result of a job on two nodes. This node gives results that only it holds to one other node, on another
 * device, and keeps to that node as long as it is there. The node that takes copies says so in its own entry. When one
 * of the two leaves, the other notices that it is alone, and gives the results to a third.
 */
import { isStarfishError } from "../base/errors.ts";
import { hashOf, ranked } from "../base/rendezvous.ts";
import type { Net } from "../net/types.ts";
import type { Clock } from "../ports/clock.ts";
import type { PeerId } from "../ports/network.ts";
import { add, type Intervals, NONE, pieces, subtract, union } from "./intervals.ts";
import {
  COPY_AGAIN_MS,
  COPY_REFUSED_MS,
  OUTPUTS_PER_MESSAGE_MAX,
  PIECE_BYTES_MAX,
  RESULTS_TIMEOUT_MS,
} from "./limits.ts";
import type { Results } from "./results.ts";
import { heldSchema, RESULTS_PROTOCOL, sizeOnWire, type TaskOutput } from "./wire.ts";

export interface CopiesParts {
  readonly net: Net;
  readonly clock: Clock;
  readonly results: Results;
  /** Tasks whose results others hold. */
  readonly heldByOthers: () => Intervals;
}

export class Copies {
  readonly #job: string;
  readonly #parts: CopiesParts;
  /** Results that were given away a moment ago; the other node's entry does not say so yet. */
  #given: { tasks: Intervals; untilMs: number }[] = [];
  readonly #refused = new Map<PeerId, number>();
  #isGiving = false;

  constructor(job: string, parts: CopiesParts) {
    this.#job = job;
    this.#parts = parts;
  }

  /** Gives away the results that only this node holds. Rejects only for bugs of ours. */
  async give(signal: AbortSignal): Promise<void> {
    if (this.#isGiving) return;
    this.#isGiving = true;
    try {
      for (let left = this.#alone(); left.length > 0 && !signal.aborted; left = this.#alone()) {
        const partner = this.#partner();
        if (partner === undefined) return;
        await this.#giveTo(partner, left, signal);
      }
    } finally {
      this.#isGiving = false;
    }
  }

  #alone(): Intervals {
    const { clock, results, heldByOthers } = this.#parts;
    const nowMs = clock.monotonic();
    this.#given = this.#given.filter(({ untilMs }) => untilMs > nowMs);
    const given = this.#given.reduce((all: Intervals, { tasks }) => union(all, tasks), NONE);
    return subtract(subtract(results.held, heldByOthers()), given);
  }

  #partner(): PeerId | undefined {
    const { net, clock } = this.#parts;
    const nowMs = clock.monotonic();
    const self = net.member(net.self)?.record;
    const others = net
      .members()
      .filter(({ status, isSelf }) => status === "awake" && !isSelf)
      .filter(({ record }) => record.device !== self?.device)
      .filter(({ record }) => (this.#refused.get(record.peer) ?? 0) <= nowMs);
    // A node on another machine is better than another process of this one.
    const elsewhere = others.filter(({ record }) => record.host !== self?.host);
    const peers = (elsewhere.length > 0 ? elsewhere : others).map(({ record }) => record.peer);
    return ranked(peers, hashOf(net.self).a ^ hashOf(this.#job).a)[0];
  }

  async #giveTo(partner: PeerId, tasks: Intervals, signal: AbortSignal): Promise<void> {
    const { net, clock } = this.#parts;
    const results = this.#batch(tasks);
    try {
      const request = { op: "hold", job: this.#job, results };
      const options = { signal, timeoutMs: RESULTS_TIMEOUT_MS, isCarried: true };
      const held = await net.request(partner, RESULTS_PROTOCOL, request, heldSchema, options);
      let given: Intervals = NONE;
      for (const [task] of results.slice(0, held)) given = add(given, task);
      this.#given.push({ tasks: given, untilMs: clock.monotonic() + COPY_AGAIN_MS });
      if (held < results.length) this.#refused.set(partner, clock.monotonic() + COPY_REFUSED_MS);
    } catch (error) {
      if (!isStarfishError(error)) throw error;
      this.#refused.set(partner, clock.monotonic() + COPY_REFUSED_MS);
    }
  }

  #batch(tasks: Intervals): TaskOutput[] {
    const batch: TaskOutput[] = [];
    let bytes = 0;
    for (const [from, to] of pieces(tasks)) {
      for (let task = from; task < to; task++) {
        const held = this.#parts.results.get(task);
        if (held === undefined) continue;
        const { output, fuelUsed } = held;
        bytes += sizeOnWire(output);
        if (batch.length > 0 && (bytes > PIECE_BYTES_MAX || batch.length >= OUTPUTS_PER_MESSAGE_MAX)) return batch;
        batch.push([task, output, fuelUsed]);
      }
    }
    return batch;
  }
}
