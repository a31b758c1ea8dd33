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
  /** Of the members that are there, by writer number, in the order of `#known`. */
  #living: Map<number, Worker> | undefined;
  #others: readonly Worker[] | undefined;
  /** What others held when it was last asked for, and what they have said since that they hold, too. */
  #held: Intervals | undefined;
  #added: Intervals[] = [];

  /**
   * @param isSigned for a verified job; entries that are not signed are not believed
   * @param onChange told what another node has said; undefined if it says nothing any more
   */
  constructor(
    job: { id: string; total: number; isSigned: boolean },
    parts: ViewParts,
    onChange: (entry: WorkEntry | undefined) => void,
  ) {
    this.#job = job.id;
    this.#total = job.total;
    this.#isSigned = job.isSigned;
    this.#parts = parts;
    const prefix = `${job.id}/`;
    for (const { key, value, version } of parts.work.entries(prefix)) this.#take(key, value, version.writer);
    const stops = [
      parts.work.watch(prefix, ({ key, entry, isLocal }) => {
        const said = entry === undefined ? undefined : this.#take(key, entry.value, entry.version.writer);
        if (entry === undefined) this.#drop(parseInt(key.slice(prefix.length), RADIX));
        if (!isLocal) onChange(said);
      }),
      // Who is there decides what counts. How busy a member is does not matter here, and changes often.
      parts.net.onMember(({ member, before }) => {
        if (member.status !== before) this.#forgetLiving();
      }),
    ];
    this.#stop = () => {
      for (const stop of stops) stop();
    };
  }

  /** The other members that are there and take part in the job. */
  others(): readonly Worker[] {
    return (this.#others ??= [...this.#there().values()]);
  }

  /** The holders whose results count now: by node, the tasks. */
  holders(): Map<PeerId, Intervals> {
    return new Map(this.others().map(({ peer, entry }) => [peer, entry.held]));
  }

  /** Tasks whose results others hold. */
  held(): Intervals {
    if (this.#held === undefined) this.#held = unionAll(this.others().map(({ entry }) => entry.held));
    else if (this.#added.length > 0) this.#held = unionAll([this.#held, ...this.#added]);
    this.#added = [];
    return this.#held;
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

  /** The entry, if it is possible and its node's own. */
  #take(key: string, value: unknown, writer: number): WorkEntry | undefined {
    const number = parseInt(key.slice(this.#job.length + 1), RADIX);
    // A node speaks for itself only.
    if (number !== writer || key !== workKey(this.#job, number)) return undefined;
    const entry = readWork(value, this.#total, this.#isSigned ? this.#signerOf(number) : undefined);
    if (entry === undefined) return undefined;
    const before = this.#known.get(number);
    const held = before === undefined ? entry.held : subtract(entry.held, before.entry.held);
    const isNews =
      before === undefined ||
      held.length > 0 ||
      subtract(entry.claimed, before.entry.claimed).length > 0 ||
      entry.combined !== before.entry.combined ||
      subtract(entry.votes?.agreed ?? NONE, before.entry.votes?.agreed ?? NONE).length > 0;
    const progressAtMs = isNews ? this.#parts.clock.monotonic() : before.progressAtMs;
    this.#known.set(number, { entry, progressAtMs });
    this.#renew(number, before?.entry, held);
    return entry;
  }

  /**
   * Every node in a large swarm hears a hundred entries a second, so what is known of the others is renewed only where
   * the entry differs.
   * @param held what the node holds now and did not hold before
   */
  #renew(number: number, before: WorkEntry | undefined, held: Intervals): void {
    const known = this.#known.get(number);
    const worker = this.#living?.get(number);
    if (known === undefined || worker === undefined || before === undefined) {
      this.#forgetLiving();
      return;
    }
    this.#living?.set(number, { peer: worker.peer, ...known });
    this.#others = undefined;
    if (sizeOf(known.entry.held) !== sizeOf(before.held) + sizeOf(held)) this.#held = undefined;
    else if (held.length > 0) this.#added.push(held);
  }

  #drop(number: number): void {
    if (this.#known.delete(number)) this.#forgetLiving();
  }

  #forgetLiving(): void {
    this.#living = this.#others = this.#held = undefined;
    this.#added = [];
  }

  #signerOf(number: number): HasSigned {
    const { crypto, writers } = this.#parts;
    const peer = writers.peerOf(number);
    return (statement, signature) =>
      peer !== undefined && isSignedBy(crypto, peer, workPurpose(this.#job), statement, signature);
  }

  #there(): Map<number, Worker> {
    const { net, writers } = this.#parts;
    this.#living ??= new Map(
      [...this.#known].flatMap(([number, { entry, progressAtMs }]): [number, Worker][] => {
        const peer = writers.peerOf(number);
        const member = peer === undefined || peer === net.self ? undefined : net.member(peer);
        const isThere = member?.status === "awake" || member?.status === "suspect";
        return peer === undefined || !isThere ? [] : [[number, { peer, entry, progressAtMs }]];
      }),
    );
    return this.#living;
  }
}
