/**
 * What this node knows of who does what in one job: the entries of the map `work`, of members that are there. Results
 * that only dead nodes held count as not done, and tasks that dead nodes ran are free again.
 */
import type { Unsubscribe } from "../base/events.ts";
import { isSignedBy } from "../net/identity/statement.ts";
import { shortIdOf } from "../net/membership/rows.ts";
import type { Net } from "../net/types.ts";
import type { ReplicatedMap } from "../memory/types.ts";
import type { Clock } from "../ports/clock.ts";
import type { Crypto } from "../ports/crypto.ts";
import type { PeerId } from "../ports/network.ts";
import { type HasSigned, readWork, type WorkEntry } from "./entries.ts";
import { type Intervals, NONE, sizeOf, subtract, unionAll } from "./intervals.ts";

export interface Worker {
  readonly peer: PeerId;
  readonly entry: WorkEntry;
  /** When its entry last said something new, on this node's clock. */
  readonly progressAtMs: number;
}

/** Members by the writer number in their writes. */
export class Writers {
  readonly #net: Net;
  readonly #crypto: Crypto;
  readonly #peers = new Map<number, PeerId>();
  readonly #numbers = new Map<PeerId, number>();

  constructor(net: Net, crypto: Crypto) {
    this.#net = net;
    this.#crypto = crypto;
  }

  numberOf(peer: PeerId): number {
    const known = this.#numbers.get(peer);
    if (known !== undefined) return known;
    const number = shortIdOf(this.#crypto, peer);
    this.#numbers.set(peer, number);
    this.#peers.set(number, peer);
    return number;
  }

  peerOf(number: number): PeerId | undefined {
    const known = this.#peers.get(number);
    if (known !== undefined) return known;
    for (const { record } of this.#net.members()) this.numberOf(record.peer);
    return this.#peers.get(number);
  }
}

/** The radix of a node's number in a key. */
export const RADIX = 36;

export function workKey(job: string, writer: number): string {
  return `${job}/${writer.toString(RADIX)}`;
}

/** The purpose for which entries of a verified job are signed. */
export function workPurpose(job: string): string {
  return `work of job ${job}`;
}

export interface ViewParts {
  readonly net: Net;
  readonly work: ReplicatedMap;
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly writers: Writers;
}

interface Known {
  readonly entry: WorkEntry;
  readonly progressAtMs: number;
}

export class JobView {
  readonly #job: string;
  readonly #total: number;
  readonly #isSigned: boolean;
  readonly #parts: ViewParts;
  readonly #known = new Map<number, Known>();
  readonly #stop: Unsubscribe;
  #living: Worker[] | undefined;
  #held: Intervals | undefined;

  /** @param isSigned for a verified job; entries that are not signed are not believed */
  constructor(job: { id: string; total: number; isSigned: boolean }, parts: ViewParts, onChange: () => void) {
    this.#job = job.id;
    this.#total = job.total;
    this.#isSigned = job.isSigned;
    this.#parts = parts;
    const prefix = `${job.id}/`;
    for (const { key, value, version } of parts.work.entries(prefix)) this.#take(key, value, version.writer);
    const stops = [
      parts.work.watch(prefix, ({ key, entry, isLocal }) => {
        if (entry === undefined) this.#known.delete(parseInt(key.slice(prefix.length), RADIX));
        else this.#take(key, entry.value, entry.version.writer);
        this.#living = this.#held = undefined;
        if (!isLocal) onChange();
      }),
      parts.net.onMember(() => {
        this.#living = this.#held = undefined;
      }),
    ];
    this.#stop = () => {
      for (const stop of stops) stop();
    };
  }

  /** The other members that are there and take part in the job. */
  others(): readonly Worker[] {
    return (this.#living ??= this.#find());
  }

  /** The holders whose results count now: by node, the tasks. */
  holders(): Map<PeerId, Intervals> {
    return new Map(this.others().map(({ peer, entry }) => [peer, entry.held]));
  }

  /** Tasks whose results others hold. */
  held(): Intervals {
    return (this.#held ??= unionAll(this.others().map(({ entry }) => entry.held)));
  }

  /** Tasks that failed for good: on two nodes (this one counts), or on all nodes that there are. */
  failed(own: Intervals, isAlone: boolean): Intervals {
    return unionAll([own, ...this.others().map(({ entry }) => entry.failed)], isAlone ? 1 : 2);
  }

  /** All other nodes that have told of the job, also those that have left since. */
  known(): [peer: PeerId, entry: WorkEntry][] {
    return [...this.#known].flatMap(([number, { entry }]) => {
      const peer = this.#parts.writers.peerOf(number);
      return peer === undefined || peer === this.#parts.net.self ? [] : [[peer, entry]];
    });
  }

  close(): void {
    this.#stop();
  }

  #take(key: string, value: unknown, writer: number): void {
    const number = parseInt(key.slice(this.#job.length + 1), RADIX);
    // A node speaks for itself only.
    if (number !== writer || key !== workKey(this.#job, number)) return;
    const entry = readWork(value, this.#total, this.#isSigned ? this.#signerOf(number) : undefined);
    if (entry === undefined) return;
    const before = this.#known.get(number);
    const isNews =
      before === undefined ||
      sizeOf(subtract(entry.held, before.entry.held)) > 0 ||
      sizeOf(subtract(entry.claimed, before.entry.claimed)) > 0 ||
      entry.combined !== before.entry.combined ||
      sizeOf(subtract(entry.votes?.agreed ?? NONE, before.entry.votes?.agreed ?? NONE)) > 0;
    const progressAtMs = isNews ? this.#parts.clock.monotonic() : before.progressAtMs;
    this.#known.set(number, { entry, progressAtMs });
  }

  #signerOf(number: number): HasSigned {
    const { crypto, writers } = this.#parts;
    const peer = writers.peerOf(number);
    return (statement, signature) =>
      peer !== undefined && isSignedBy(crypto, peer, workPurpose(this.#job), statement, signature);
  }

  #find(): Worker[] {
    const { net, writers } = this.#parts;
    return [...this.#known].flatMap(([number, { entry, progressAtMs }]) => {
      const peer = writers.peerOf(number);
      const member = peer === undefined || peer === net.self ? undefined : net.member(peer);
      const isThere = member?.status === "awake" || member?.status === "suspect";
      return peer === undefined || !isThere ? [] : [{ peer, entry, progressAtMs }];
    });
  }
}
