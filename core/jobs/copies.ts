/**
 * Keeps each result of a job on two nodes. This node gives results that only it holds to one other node, on another
 * device, and keeps to that node as long as it is there. The node that takes copies says so in its own entry. When one
 * of the two leaves, the other notices that it is alone, and gives the results to a third.
 *
 * In a small swarm the node that ran a task gives a small result to half of the other devices. So whichever half of the
 * swarm leaves at once, the result stays, and only what was in flight is run again.
 *
 * In a large swarm only a few nodes take copies for a job, the first of those that may put the results together (ending.ts). So
 * these are soon asked for all results, where asking each node for its own would take longer than many a job.
 */
import { isStarfishError } from "../base/errors.ts";
import { hashOf, ranked } from "../base/rendezvous.ts";
import type { Net } from "../net/types.ts";
import type { Clock } from "../ports/clock.ts";
import type { PeerId } from "../ports/network.ts";
import { add, type Intervals, intersect, NONE, pieces, setOf, subtract, union } from "./intervals.ts";
import {
  COPY_AGAIN_MS,
  COPY_REFUSED_MS,
  COPY_SMALL_BYTES_MAX,
  HALF_BYTES_A_SECOND,
  HALF_DEVICES_MAX,
  OUTPUTS_PER_MESSAGE_MAX,
  PIECE_BYTES_MAX,
  RESULTS_TIMEOUT_MS,
} from "./limits.ts";
import type { Results } from "./results.ts";
import type { JobView } from "./view.ts";
import { heldSchema, RESULTS_PROTOCOL, sizeOnWire, type TaskOutput } from "./wire.ts";

export interface CopiesParts {
  readonly net: Net;
  readonly clock: Clock;
  readonly results: Results;
  /** Tasks whose results others hold. */
  readonly view: Pick<JobView, "held" | "holders">;
  /** Tasks that this node has run itself. */
  readonly ran: () => Intervals;
}

export class Copies {
  readonly #job: string;
  readonly #parts: CopiesParts;
  /** Results that were given away a moment ago; the other node's entry does not say so yet. */
  #given: { to: PeerId; tasks: Intervals; untilMs: number }[] = [];
  /** Results that are too large to be given to half of the devices. */
  #large: Intervals = NONE;
  readonly #refused = new Map<PeerId, number>();
  #isGiving = false;

  constructor(job: string, parts: CopiesParts) {
    this.#job = job;
    this.#parts = parts;
  }

  /** Gives away the results that only this node holds. Rejects only for bugs of ours. */
  async give(signal: AbortSignal): Promise<void> {
    // A node that answers late does not keep the others waiting.
    await Promise.all([this.#giveAlone(signal), this.#giveToHalf(signal)]);
  }

  async #giveAlone(signal: AbortSignal): Promise<void> {
    if (this.#isGiving) return;
    this.#isGiving = true;
    try {
      // Results that come meanwhile are given the next time.
      const now = this.#alone();
      for (let left = now; left.length > 0 && !signal.aborted; left = intersect(now, this.#alone())) {
        const [partner] = this.#keepers();
        if (partner === undefined) return;
        await this.#giveTo(partner, this.#batch(left), signal);
      }
    } finally {
      this.#isGiving = false;
    }
  }

  #alone(): Intervals {
    const { results, view } = this.#parts;
    return subtract(subtract(results.held, view.held()), this.#givenTo());
  }

  /** The tasks whose results `peer` was given lately; without `peer`, those that any node was given. */
  #givenTo(peer?: PeerId): Intervals {
    const nowMs = this.#parts.clock.monotonic();
    this.#given = this.#given.filter(({ untilMs }) => untilMs > nowMs);
    const some = this.#given.filter(({ to }) => peer === undefined || to === peer);
    return some.reduce((all: Intervals, { tasks }) => union(all, tasks), NONE);
  }

  async #giveToHalf(signal: AbortSignal): Promise<void> {
    const { net, view, ran } = this.#parts;
    const deviceOf = (peer: PeerId): string => net.member(peer)?.record.device ?? peer;
    const partners = this.#partners();
    const devices = new Map(partners.toReversed().map((peer) => [deviceOf(peer), peer]));
    const each = partners.filter((peer) => devices.get(deviceOf(peer)) === peer);
    if (each.length >= HALF_DEVICES_MAX) return;
    // Together with this node's own device, these are more than half of all devices.
    const half = each.slice(0, Math.floor((each.length + 1) / 2));
    const bytesMax = Math.floor(HALF_BYTES_A_SECOND / Math.max(1, half.length));
    const give = async (peer: PeerId): Promise<void> => {
      const held = union(view.holders().get(peer) ?? NONE, this.#givenTo(peer));
      const batch = this.#batch(subtract(subtract(ran(), held), this.#large), bytesMax, COPY_SMALL_BYTES_MAX);
      if (batch.length > 0) await this.#giveTo(peer, batch, signal);
    };
    const isAsked = (peer: PeerId): boolean =>
      this.#given.some(({ to, untilMs }) => to === peer && untilMs === Infinity);
    await Promise.all(half.filter((peer) => !isAsked(peer)).map(give));
  }

  /** The node to which this one gives all its results, and those that take its place if it can't. */
  #keepers(): PeerId[] {
    const partners = this.#partners();
    if (partners.length < HALF_DEVICES_MAX) return partners;
    const first = new Set(
      finishers(this.#parts.net, partners, this.#job).slice(0, Math.ceil(Math.sqrt(partners.length))),
    );
    return [...partners.filter((peer) => first.has(peer)), ...partners.filter((peer) => !first.has(peer))];
  }

  /** Nodes that can be given copies, the best first. */
  #partners(): PeerId[] {
    const { net, clock } = this.#parts;
    const nowMs = clock.monotonic();
    const self = net.member(net.self)?.record;
    const others = net
      .members()
      .filter(({ status, isSelf }) => status === "awake" && !isSelf)
      .filter(({ record }) => record.device !== self?.device)
      .filter(({ record }) => (this.#refused.get(record.peer) ?? 0) <= nowMs);
    const order = ranked(
      others.map(({ record }) => record.peer),
      hashOf(net.self).a ^ hashOf(this.#job).a,
    );
    // A node on another machine is better than another process of this one.
    const isElsewhere = (peer: PeerId): boolean => net.member(peer)?.record.host !== self?.host;
    return [...order.filter(isElsewhere), ...order.filter((peer) => !isElsewhere(peer))];
  }

  async #giveTo(partner: PeerId, results: readonly TaskOutput[], signal: AbortSignal): Promise<void> {
    const { net, clock } = this.#parts;
    const giving = { to: partner, tasks: tasksOf(results), untilMs: Infinity };
    this.#given.push(giving);
    try {
      const request = { op: "hold", job: this.#job, results };
      const options = { signal, timeoutMs: RESULTS_TIMEOUT_MS, isCarried: true };
      const held = await net.request(partner, RESULTS_PROTOCOL, request, heldSchema, options);
      const tasks = tasksOf(results.slice(0, held));
      this.#given.push({ to: partner, tasks, untilMs: clock.monotonic() + COPY_AGAIN_MS });
      if (held < results.length) this.#refused.set(partner, clock.monotonic() + COPY_REFUSED_MS);
    } catch (error) {
      if (!isStarfishError(error)) throw error;
      this.#refused.set(partner, clock.monotonic() + COPY_REFUSED_MS);
    } finally {
      this.#given = this.#given.filter((each) => each !== giving);
    }
  }

  /**
   * The results of the first of these tasks: at most `bytesMax` bytes in all (but at least one result), and none that
   * is larger than `eachBytesMax`.
   */
  #batch(tasks: Intervals, bytesMax = PIECE_BYTES_MAX, eachBytesMax = Infinity): TaskOutput[] {
    const batch: TaskOutput[] = [];
    let bytes = 0;
    for (const [from, to] of pieces(tasks)) {
      for (let task = from; task < to; task++) {
        const held = this.#parts.results.get(task);
        if (held === undefined) continue;
        const { output, fuelUsed } = held;
        if (sizeOnWire(output) > eachBytesMax) {
          this.#large = add(this.#large, task);
          continue;
        }
        bytes += sizeOnWire(output);
        if (batch.length > 0 && (bytes > bytesMax || batch.length >= OUTPUTS_PER_MESSAGE_MAX)) return batch;
        batch.push([task, output, fuelUsed]);
      }
    }
    return batch;
  }
}

/** In which order nodes are to put the results of a job together: Node.js nodes before tabs. */
export function finishers(net: Net, peers: readonly PeerId[], job: string): PeerId[] {
  const order = ranked(peers, hashOf(job).b);
  const isTab = (peer: PeerId): boolean => net.member(peer)?.record.kind === "tab";
  return [...order.filter((peer) => !isTab(peer)), ...order.filter(isTab)];
}

function tasksOf(results: readonly TaskOutput[]): Intervals {
  return setOf(results.map(([task]) => task));
}
