/**
 * Verifies the results of one job: which tasks this node has to run, on which results enough devices have agreed, and
 * which nodes have given other answers. Each node works that out for itself, from what the others have signed
 * (entries.ts) and from the answers that it has compared with its own (ballot.ts).
 *
 * A result is verified when enough of the devices that are drawn for the task say that they agree on it. Each of them
 * has seen that many equal answers, its own among them. A node that has given another answer to such a task is named
 * when as many devices say so of the same task.
 */
import { type Bytes, toHex } from "../base/bytes.ts";
import { isStarfishError } from "../base/errors.ts";
import type { IdHash } from "../base/rendezvous.ts";
import type { Net } from "../net/types.ts";
import type { Clock } from "../ports/clock.ts";
import type { Crypto } from "../ports/crypto.ts";
import type { Log } from "../ports/log.ts";
import type { PeerId } from "../ports/network.ts";
import type { Random } from "../ports/random.ts";
import { Ballot } from "./ballot.ts";
import { digestOf } from "./digests.ts";
import { type Block, blocksOf, type Candidate, Draw, firstOfBlocks, seedOf } from "./draw.ts";
import type { Dispute, Votes } from "./entries.ts";
import { parallel } from "./gather.ts";
import {
  type Intervals,
  intersect,
  numbersOf,
  NONE,
  pack,
  sizeOf,
  subtract,
  take,
  union,
  unionAll,
  unpack,
} from "./intervals.ts";
import {
  ASKED_TASKS_BYTES_MAX,
  DIGEST_BYTES,
  DISPUTE_TASKS_MAX,
  DISPUTES_MAX,
  DRAWN_LATE_MS,
  LOOK_EVERY_MS,
  RESULTS_TIMEOUT_MS,
  SUMS_MAX,
  VERIFY_PARALLEL,
} from "./limits.ts";
import type { NamedNode } from "./types.ts";
import type { JobView, Worker } from "./view.ts";
import {
  openingsSchema,
  type OpeningWire,
  readOpenings,
  readSums,
  RESULTS_PROTOCOL,
  sumsSchema,
  type SumsWire,
} from "./wire.ts";

export interface VerifierParts {
  readonly net: Net;
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly random: Random;
  readonly log: Log;
  readonly view: JobView;
  /** Members that are there, with this node, and the cores that they have for this job. */
  readonly able: () => readonly Omit<Candidate, "failed">[];
  /** Tasks that can begin, and those that failed here. */
  readonly ready: () => Intervals;
  readonly failedHere: () => Intervals;
  /** How long a task takes, as far as is known. */
  readonly taskMs: () => number;
  /** Nodes that were named in other jobs. */
  readonly distrusted: () => ReadonlySet<PeerId>;
  /** Called when more is verified, or a node is named. */
  readonly onChange: () => void;
}

export interface VerifierOptions {
  readonly job: string;
  readonly total: number;
  /** Some of these tasks may never come. */
  readonly isGrowing: boolean;
  readonly runs: number;
  readonly agree: number;
}

export class Verifier {
  readonly #options: VerifierOptions;
  readonly #parts: VerifierParts;
  readonly #ballot: Ballot;
  readonly #blocks: readonly Block[];
  readonly #seeds = new Map<string, IdHash>();
  #draw: { readonly key: string; readonly draw: Draw } | undefined;
  /** When each candidate was first seen. */
  readonly #since = new Map<string, number>();
  /** For each node, the tasks that it agrees on and for which it was drawn when it said so. */
  readonly #counted = new Map<PeerId, Intervals>();
  readonly #named = new Map<PeerId, number>();
  #verified: Intervals = NONE;
  #isStale = true;
  readonly #asking = new Set<PeerId>();
  readonly #askedAtMs = new Map<PeerId, number>();

  constructor(options: VerifierOptions, parts: VerifierParts) {
    this.#options = options;
    this.#parts = parts;
    const { job, total, isGrowing } = options;
    const { net, crypto, random } = parts;
    this.#blocks = blocksOf(total, isGrowing);
    this.#ballot = new Ballot({ job, total, blocks: this.#blocks, self: net.self, crypto, random });
  }

  /** Tasks on whose results enough living devices agree. */
  verified(): Intervals {
    this.#refresh();
    return this.#verified;
  }

  /** Tasks for which this node is drawn. */
  drawn(): Intervals {
    return this.#drawNow().of(this.#parts.net.self);
  }

  /** Whether so many of its answers wait for other nodes that it should not go on. */
  get isFull(): boolean {
    return this.#ballot.isFull;
  }

  /** The nodes that have disagreed, each with one of the tasks. */
  named(): NamedNode[] {
    this.#refresh();
    return [...this.#named].map(([peer, task]) => ({ peer, task }));
  }

  /** The number of devices that are there to run tasks, and are trusted. */
  devices(): number {
    const able = this.#trusted().filter(({ cores }) => cores > 0);
    return new Set(able.map(({ device }) => device)).size;
  }

  /** Tasks that failed on so many devices that the tasks are at fault. */
  failed(): Intervals {
    const devices = new Map<string, Intervals>();
    for (const { device, failed } of this.#trusted()) {
      devices.set(device, union(devices.get(device) ?? NONE, failed));
    }
    return unionAll([...devices.values()], this.#options.agree);
  }

  answer(task: number, output: Bytes, fuelUsed: number): void {
    this.#ballot.answer(task, digestOf(this.#parts.crypto, output, fuelUsed));
    this.changed();
  }

  /** Members, or what they say, have changed. */
  changed(): void {
    this.#isStale = true;
  }

  /** What to tell the others. */
  votes(): Votes {
    const commitments = this.#ballot.commit(this.verified(), this.#parts.clock.monotonic());
    const agreed = this.#agreed();
    const disputes: Dispute[] = [];
    for (const [peer, differ] of this.#ballot.differing()) {
      const tasks = firstOfBlocks(this.#blocks, intersect(differ, agreed), DISPUTE_TASKS_MAX);
      if (tasks.length > 0) disputes.push({ peer, tasks });
    }
    this.changed();
    return { commitments, agreed, disputes: disputes.slice(0, DISPUTES_MAX) };
  }

  /** Asks nodes that have committed to answers which this node could compare with its own. */
  look(signal: AbortSignal): void {
    const nowMs = this.#parts.clock.monotonic();
    for (const { worker, tasks } of this.#uncompared()) {
      const { peer } = worker;
      const isSoon = nowMs - (this.#askedAtMs.get(peer) ?? -Infinity) < LOOK_EVERY_MS;
      if (isSoon || this.#asking.has(peer) || this.#asking.size >= VERIFY_PARALLEL) continue;
      this.#asking.add(peer);
      this.#askedAtMs.set(peer, nowMs);
      void this.#ask(worker, tasks, signal).finally(() => this.#asking.delete(peer));
    }
  }

  /** Whether there are answers that this node could compare, and has not. */
  get hasUncompared(): boolean {
    return !this.#uncompared().next().done;
  }

  *#uncompared(): Generator<{ readonly worker: Worker; readonly tasks: Intervals }> {
    for (const worker of this.#parts.view.others()) {
      const committed = committedBy(worker);
      const tasks = subtract(intersect(committed, this.#ballot.committed), this.#ballot.compared(worker.peer));
      if (tasks.length > 0) yield { worker, tasks };
    }
  }

  async #ask({ peer, entry }: Worker, tasks: Intervals, signal: AbortSignal): Promise<void> {
    const { net, log } = this.#parts;
    const { job } = this.#options;
    try {
      const request = { op: "open", job, tasks: pack(tasks, ASKED_TASKS_BYTES_MAX) };
      const options = { signal, timeoutMs: RESULTS_TIMEOUT_MS, isCarried: true };
      const said = await net.request(peer, RESULTS_PROTOCOL, request, openingsSchema, options);
      const openings = readOpenings(said, this.#options.total);
      const count = this.#ballot.compare(peer, entry.votes?.commitments ?? [], openings);
      if (count === 0) return;
      // There may be more than one reply can carry.
      this.#askedAtMs.delete(peer);
      this.changed();
      this.#parts.onChange();
    } catch (error) {
      if (!isStarfishError(error)) throw error;
      if (!signal.aborted) log.write("debug", "jobs.verify", { job, peer, error: error.message });
    }
  }

  /**
   * Opens this node's answers to a node that has committed to its own, or if enough devices have given the same
   * already.
   */
  open(from: PeerId, wanted: Intervals): OpeningWire[] {
    const asker = this.#parts.view.others().find(({ peer }) => peer === from);
    const theirs = asker === undefined ? NONE : union(committedBy(asker), asker.entry.failed);
    const openings = this.#ballot.open(wanted, union(theirs, this.#agreed()));
    return openings.map(({ tasks, nonce, digests }) => [pack(tasks, Infinity), nonce, digests]);
  }

  /** Digests of results that enough others have given too, as this node has seen. */
  ownSums(wanted: Intervals): SumsWire {
    const tasks = take(this.shown(wanted), SUMS_MAX);
    const packed = pack(tasks, ASKED_TASKS_BYTES_MAX);
    return [packed, this.#digests(unpack(packed, this.#options.total))];
  }

  /** Those of these results that may be shown to other nodes, because enough devices have given them independently. */
  shown(wanted: Intervals): Intervals {
    return intersect(wanted, this.#agreed());
  }

  digestOf(output: Bytes, fuelUsed: number): string {
    return toHex(digestOf(this.#parts.crypto, output, fuelUsed));
  }

  /** The nodes that are worth asking for results, and for which tasks. */
  holders(): Map<PeerId, Intervals> {
    this.#refresh();
    const held = new Map<PeerId, Intervals>();
    for (const [peer, tasks] of this.#claims()) if (peer !== this.#parts.net.self) held.set(peer, tasks);
    return held;
  }

  /** Asks for the digests of these results, and returns those on which enough devices agree. */
  async sums(tasks: Intervals, signal: AbortSignal): Promise<ReadonlyMap<number, string>> {
    const said = new Map<number, Map<string, Set<string>>>();
    const count = (device: string, task: number, digest: string): void => {
      const digests = said.get(task) ?? new Map<string, Set<string>>();
      said.set(task, digests.set(digest, (digests.get(digest) ?? new Set<string>()).add(device)));
    };
    const devices = new Map(this.#trusted().map(({ id, device }) => [id, device]));
    const { self } = this.#parts.net;
    const claims = [...this.#claims()].map(([peer, claimed]) => ({ peer, tasks: intersect(claimed, tasks) }));
    for (const { peer, tasks: own } of claims) {
      if (peer !== self) continue;
      for (const task of numbersOf(own)) count(devices.get(peer) ?? peer, task, toHex(this.#ballot.digest(task)));
    }
    const others = claims.filter((claim) => claim.peer !== self && claim.tasks.length > 0);
    await parallel(VERIFY_PARALLEL, others, async ({ peer, tasks: theirs }) => {
      for await (const [task, digest] of this.#sumsOf(peer, theirs, signal)) {
        count(devices.get(peer) ?? peer, task, digest);
      }
    });
    const sums = new Map<number, string>();
    for (const [task, digests] of said) {
      for (const [digest, by] of digests) if (by.size >= this.#options.agree) sums.set(task, digest);
    }
    return sums;
  }

  async *#sumsOf(
    peer: PeerId,
    wanted: Intervals,
    signal: AbortSignal,
  ): AsyncGenerator<readonly [task: number, digest: string], void, undefined> {
    const { net } = this.#parts;
    const { job, total } = this.#options;
    const options = { signal, timeoutMs: RESULTS_TIMEOUT_MS, isCarried: true };
    try {
      for (let left = wanted; left.length > 0;) {
        const request = { op: "sums", job, tasks: pack(left, ASKED_TASKS_BYTES_MAX) };
        const { tasks, digests } = readSums(
          await net.request(peer, RESULTS_PROTOCOL, request, sumsSchema, options),
          total,
        );
        if (intersect(tasks, left).length === 0) return;
        let at = 0;
        for (const task of numbersOf(tasks)) yield [task, toHex(digests.subarray(at, (at += DIGEST_BYTES)))];
        left = subtract(left, tasks);
      }
    } catch (error) {
      // A node that does not answer does not count.
      if (!isStarfishError(error) || signal.aborted) throw error;
    }
  }

  #digests(tasks: Intervals): Bytes {
    const all = new Uint8Array(sizeOf(tasks) * DIGEST_BYTES);
    let at = 0;
    for (const task of numbersOf(tasks)) {
      all.set(this.#ballot.digest(task), at);
      at += DIGEST_BYTES;
    }
    return all;
  }

  #agreed(): Intervals {
    const devices = new Map(this.#trusted().map(({ id, device }) => [id, device]));
    return this.#ballot.agreed(this.#options.agree, (peer) => devices.get(peer));
  }

  /** Candidates that are there and have not been named. */
  #trusted(): Candidate[] {
    const { view, able, distrusted, failedHere, net } = this.#parts;
    const entries = new Map(view.others().map(({ peer, entry }) => [peer, entry]));
    const bad = distrusted();
    return able()
      .filter(({ id }) => !bad.has(id) && !this.#named.has(id))
      .map((candidate) => {
        const failed = candidate.id === net.self ? failedHere() : (entries.get(candidate.id)?.failed ?? NONE);
        return { ...candidate, failed };
      });
  }

  /** For each living node, the tasks that it says enough devices agree on, and for which it was drawn. */
  *#claims(): Generator<readonly [PeerId, Intervals]> {
    const { view, net } = this.#parts;
    const trusted = new Set(this.#trusted().map(({ id }) => id));
    for (const { peer, entry } of view.others()) {
      if (!trusted.has(peer)) continue;
      yield [peer, intersect(this.#counted.get(peer) ?? NONE, entry.votes?.agreed ?? NONE)];
    }
    if (trusted.has(net.self)) yield [net.self, intersect(this.#counted.get(net.self) ?? NONE, this.#agreed())];
  }

  #refresh(): void {
    if (!this.#isStale) return;
    this.#isStale = false;
    const { view, net } = this.#parts;
    const draw = this.#drawNow();
    const count = (peer: PeerId, agreed: Intervals): void => {
      this.#counted.set(peer, union(this.#counted.get(peer) ?? NONE, intersect(agreed, draw.of(peer))));
    };
    for (const { peer, entry } of view.others()) count(peer, entry.votes?.agreed ?? NONE);
    count(net.self, this.#agreed());
    const before = this.#named.size;
    this.#name();
    const devices = new Map(this.#trusted().map(({ id, device }) => [id, device]));
    this.#verified = byDevices(this.#claims(), devices, this.#options.agree);
    if (this.#named.size === before) return;
    // Other nodes are drawn instead of those that have been named.
    this.#isStale = true;
    this.#parts.onChange();
  }

  /** Names the nodes of which enough devices say that they have disagreed, all about the same task. */
  #name(): void {
    const { view, net } = this.#parts;
    const devices = new Map(this.#trusted().map(({ id, device }) => [id, device]));
    const claims = new Map(this.#claims());
    const accused = new Map<PeerId, [PeerId, Intervals][]>();
    const accuse = (by: PeerId, peer: PeerId, tasks: Intervals): void => {
      accused.set(peer, [...(accused.get(peer) ?? []), [by, intersect(tasks, claims.get(by) ?? NONE)]]);
    };
    for (const { peer: by, entry } of view.others()) {
      for (const { peer, tasks } of entry.votes?.disputes ?? []) accuse(by, peer, tasks);
    }
    for (const [peer, tasks] of this.#ballot.differing()) accuse(net.self, peer, tasks);
    for (const [peer, by] of accused) {
      if (this.#named.has(peer) || this.#named.size >= DISPUTES_MAX) continue;
      const [task] = byDevices(by, devices, this.#options.agree);
      if (task === undefined) continue;
      this.#named.set(peer, task);
      this.#parts.log.write("warn", "jobs.disagreed", { job: this.#options.job, peer, task });
    }
  }

  #drawNow(): Draw {
    const trusted = this.#trusted();
    const nowMs = this.#parts.clock.monotonic();
    for (const { id } of trusted) if (!this.#since.has(id)) this.#since.set(id, nowMs);
    const late = this.#late(trusted, nowMs);
    const candidates = trusted.filter(({ id }) => !late.has(id));
    const key = JSON.stringify(candidates);
    if (this.#draw?.key !== key) this.#draw = { key, draw: this.#drawOf(candidates) };
    return this.#draw.draw;
  }

  #drawOf(candidates: readonly Candidate[]): Draw {
    const { job, runs } = this.#options;
    const { crypto } = this.#parts;
    const seed = (id: string): IdHash => {
      const known = this.#seeds.get(id) ?? seedOf((message) => crypto.sha256(message), job, id);
      this.#seeds.set(id, known);
      return known;
    };
    return new Draw(this.#blocks, candidates, runs, seed);
  }

  /** Nodes that have brought nothing for long although they had something to do. */
  #late(trusted: readonly Candidate[], nowMs: number): ReadonlySet<string> {
    const { view, net, ready, taskMs } = this.#parts;
    const lateMs = Math.max(DRAWN_LATE_MS, 4 * taskMs());
    const workers = new Map(view.others().map((worker) => [worker.peer, worker]));
    const quiet = trusted.filter(({ id }) => {
      const lastMs = Math.max(this.#since.get(id) ?? nowMs, workers.get(id)?.progressAtMs ?? -Infinity);
      return id !== net.self && nowMs - lastMs > lateMs;
    });
    if (quiet.length === 0) return new Set();
    const all = this.#drawOf(trusted);
    const open = subtract(ready(), this.#verified);
    const isLate = ({ id, failed }: Candidate): boolean => {
      const done = union(workers.get(id)?.entry.held ?? NONE, failed);
      return subtract(intersect(all.of(id), open), done).length > 0;
    };
    return new Set(quiet.filter(isLate).map(({ id }) => id));
  }
}

function committedBy({ entry }: Worker): Intervals {
  return unionAll((entry.votes?.commitments ?? []).map(({ tasks }) => tasks));
}

/** The tasks that nodes on at least `least` devices name. */
function byDevices(
  said: Iterable<readonly [PeerId, Intervals]>,
  deviceOf: ReadonlyMap<string, string>,
  least: number,
): Intervals {
  const devices = new Map<string, Intervals>();
  for (const [peer, tasks] of said) {
    const device = deviceOf.get(peer);
    if (device !== undefined) devices.set(device, union(devices.get(device) ?? NONE, tasks));
  }
  return unionAll([...devices.values()], least);
}
