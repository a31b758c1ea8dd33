/**
 * Acknowledgement: members are asked whether they hold what was written here, until more than half of the awake ones
 * have said yes. Each is asked by a message of its own, since a statement about another member proves nothing. Members
 * without a link are asked through a member that is linked to both, so that no links are made just for a question. A
 * member that holds a later write to the key counts as holding it. A kept map is stored before the answer.
 *
 * A member that lacks something gets it by reconciling, which keeps batches whole: at once if there is a link to it,
 * else from members to which it has links. It is asked again later.
 */
import * as v from "valibot";
import { bytesOf, integerOf, type Schema, textOf } from "../base/codec.ts";
import { isStarfishError, StarfishError } from "../base/errors.ts";
import type { Member, Net, RequestContext } from "../net/types.ts";
import { abortable, type Clock, sleep } from "../ports/clock.ts";
import type { PeerId } from "../ports/network.ts";
import { type Random, sample } from "../ports/random.ts";
import { DELETED } from "./entry.ts";
import {
  ACK_ASKED_MAX,
  ACK_BYTES_MAX,
  ACK_HOPE_MS,
  ACK_LOOK_MS,
  ACK_PARALLEL_MAX,
  ACK_PATIENCE_MS,
  ACK_REQUEST_MS,
  KEY_BYTES_MAX,
} from "./limits.ts";
import { type Keyed, Packer, unpack } from "./pack.ts";
import type { Replica } from "./replica.ts";
import { NAME_CHARS_MAX } from "./exchange.ts";

export const ACK_PROTOCOL = "/starfish/memory-ack/2.0.0";

export interface AckRequest {
  readonly map: string;
  /** Keys and versions that are asked for, without values. */
  readonly held: Uint8Array;
}

const PACKED_BYTES_MAX: number = ACK_BYTES_MAX + 3 * KEY_BYTES_MAX + 32;
export const ackRequestSchema: Schema<AckRequest> = v.object({
  map: textOf(NAME_CHARS_MAX),
  held: bytesOf(0, PACKED_BYTES_MAX),
});
/** A key takes at least three bytes, if the key before it has the same version. */
const ASKED_KEYS_MAX: number = Math.floor(PACKED_BYTES_MAX / 3);
/** Which of those asked for are missing, by number. */
const missingSchema: Schema<number[]> = v.pipe(v.array(integerOf(0, ASKED_KEYS_MAX)), v.maxLength(ASKED_KEYS_MAX));

/** Pause before members that could not be asked are asked again. */
const AGAIN_MS = 500;
const LOOK_MS = 50;

/** Answers a member's question. `store` stores what this node has taken in. */
export async function serveAck(
  request: AckRequest,
  { signal }: RequestContext,
  { replica, clock, store }: { replica: Replica; clock: Clock; store: () => Promise<void> },
): Promise<number[]> {
  const asked = unpack(request.held);
  const missing = (): number[] => asked.flatMap((keyed, i) => (holds(replica, keyed) ? [] : [i]));
  // Gossip may be bringing it at this moment.
  for (let waitedMs = 0; waitedMs < ACK_PATIENCE_MS && missing().length > 0; waitedMs += LOOK_MS) {
    await sleep(clock, LOOK_MS, { signal });
  }
  await store();
  return missing();
}

function holds(replica: Replica, { key, entry }: Keyed): boolean {
  const own = replica.table.head(key);
  return own !== undefined && (own.stamp > entry.stamp || (own.stamp === entry.stamp && own.writer >= entry.writer));
}

export interface AckPorts {
  readonly map: string;
  readonly net: Net;
  readonly clock: Clock;
  readonly random: Random;
  /** Brings a member to which there is a link what it lacks. False: that is not possible now. */
  readonly reconcile: (peer: PeerId) => Promise<boolean>;
}

/**
 * Resolves when more than half of the awake members hold these entries. Asks as many as are needed, and one more for
 * each that does not answer soon. Goes on until the signal aborts, with whose reason it then rejects.
 */
export async function acknowledge(entries: readonly Keyed[], ports: AckPorts, signal: AbortSignal): Promise<void> {
  const done = new AbortController();
  try {
    await new Poll(entries, ports, AbortSignal.any([signal, done.signal])).run();
  } finally {
    done.abort();
  }
}

class Poll {
  readonly #batches: readonly (readonly Keyed[])[];
  readonly #ports: AckPorts;
  readonly #signal: AbortSignal;
  readonly #held: Set<PeerId>;
  /**
   * As of the last look: how many more members have to hold the entries, and which ones to ask next (taken from the
   * end).
   */
  #needed = Infinity;
  #next: PeerId[] = [];
  #lookedMs = -Infinity;
  /** The members that are being asked, and since when; and those that have been asked since all were last tried. */
  readonly #asked = new Map<PeerId, number>();
  readonly #tried = new Set<PeerId>();
  #failure: { readonly error: unknown } | undefined;
  #wake: () => void = () => {};

  constructor(entries: readonly Keyed[], ports: AckPorts, signal: AbortSignal) {
    this.#batches = inBatches(entries);
    this.#ports = ports;
    this.#signal = signal;
    this.#held = new Set([ports.net.self]);
  }

  async run(): Promise<void> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure.error;
      if (this.#needed <= 0 || this.#ports.clock.monotonic() - this.#lookedMs >= ACK_LOOK_MS) this.#look();
      if (this.#needed <= 0) return;
      this.#askMore();
      const hasAnswer = await this.#anAnswer();
      if (!hasAnswer && this.#next.length === 0) this.#tried.clear();
    }
  }

  /** Looks who is there: it takes n log n for n members, and so is not done with every answer. */
  #look(): void {
    const awake = this.#ports.net.members().filter(({ status }) => status === "awake" || status === "suspect");
    this.#needed = Math.floor(awake.length / 2) + 1 - awake.filter(({ record }) => this.#held.has(record.peer)).length;
    this.#next = this.#candidates(awake);
    this.#lookedMs = this.#ports.clock.monotonic();
  }

  #askMore(): void {
    const nowMs = this.#ports.clock.monotonic();
    // Members that take long are still waited for, but others are asked as well.
    let hopeful = [...this.#asked.values()].filter((sinceMs) => nowMs - sinceMs < ACK_HOPE_MS).length;
    while (hopeful < Math.min(this.#needed, ACK_PARALLEL_MAX) && this.#asked.size < ACK_ASKED_MAX) {
      const peer = this.#next.pop();
      if (peer === undefined) return;
      hopeful++;
      void this.#ask(peer);
    }
  }

  /**
   * The members to ask, taken from the end: first those with a link, which need no help of others, and after all others
   * those that are suspected to be gone.
   */
  #candidates(awake: readonly Member[]): PeerId[] {
    const { net, random } = this.#ports;
    const linked = new Set(net.links().map(({ peer }) => peer));
    const rank = ({ status, record }: Member): number =>
      (status === "awake" ? 0 : 2) + (linked.has(record.peer) ? 0 : 1);
    return sample(random, awake)
      .filter(({ record: { peer } }) => !this.#held.has(peer) && !this.#asked.has(peer) && !this.#tried.has(peer))
      .sort((x, y) => rank(y) - rank(x))
      .map(({ record }) => record.peer);
  }

  async #ask(peer: PeerId): Promise<void> {
    this.#asked.set(peer, this.#ports.clock.monotonic());
    this.#tried.add(peer);
    try {
      if (!(await gives(peer, this.#batches, this.#ports, this.#signal))) return;
      this.#held.add(peer);
      this.#needed--;
    } catch (error) {
      this.#failure ??= { error };
    } finally {
      this.#asked.delete(peer);
      this.#wake();
    }
  }

  /** Resolves with the next answer (true), or when there is no more hope that one comes soon. */
  async #anAnswer(): Promise<boolean> {
    const { clock } = this.#ports;
    const nowMs = clock.monotonic();
    const hopes = [...this.#asked.values()].map((sinceMs) => sinceMs + ACK_HOPE_MS - nowMs).filter((ms) => ms > 0);
    let late: () => void = () => {};
    const answered = new Promise<boolean>((resolve) => {
      this.#wake = () => resolve(true);
      late = () => resolve(false);
    });
    const timer = clock.timer(Math.min(AGAIN_MS, ...hopes), () => late());
    try {
      return await abortable(this.#signal, answered);
    } finally {
      timer.cancel();
    }
  }
}

/** Whether the member says that it holds them all now. */
async function gives(
  peer: PeerId,
  batches: readonly (readonly Keyed[])[],
  ports: AckPorts,
  signal: AbortSignal,
): Promise<boolean> {
  const { net, map, reconcile } = ports;
  const lacks = async (batch: readonly Keyed[]): Promise<boolean> => {
    const held = packed(batch);
    const missing = await net.request(peer, ACK_PROTOCOL, { map, held } satisfies AckRequest, missingSchema, {
      signal,
      timeoutMs: ACK_REQUEST_MS,
      keepAlive: true,
      isCarried: true,
    });
    return missing.length > 0;
  };
  try {
    let isReconciled = false;
    for (const batch of batches) {
      if (!(await lacks(batch))) continue;
      if (isReconciled || !(await reconcile(peer)) || (await lacks(batch))) return false;
      isReconciled = true;
    }
    return true;
  } catch (error) {
    if (signal.aborted || !isStarfishError(error)) throw error;
    return false;
  }
}

/** Without values. */
function packed(batch: readonly Keyed[]): Uint8Array {
  const packer = new Packer();
  for (const { key, entry } of batch) {
    packer.add(key, { ...entry, state: DELETED, value: "", expiresAtMs: undefined });
  }
  return packer.take();
}

/** Cut so that the keys of each batch stay within a request. */
function inBatches(entries: readonly Keyed[]): Keyed[][] {
  const batches: Keyed[][] = [];
  let bytes = Infinity;
  for (const keyed of entries) {
    const size = 3 * keyed.key.length + 32;
    if (bytes + size > ACK_BYTES_MAX) {
      batches.push([]);
      bytes = 0;
    }
    batches.at(-1)?.push(keyed);
    bytes += size;
  }
  return batches;
}

/** What `sync` rejects with when its time is over. */
export function notAcknowledged(timeoutMs: number): StarfishError {
  const message = `Not more than half of the members have it after ${timeoutMs / 1000} s. It is written here and goes on spreading.`;
  return new StarfishError("timeout", message, { retryable: true });
}

/** For the suite that sends the extremes of every schema (test/adversary). */
export const SCHEMAS: Readonly<Record<string, Schema<unknown>>> = { ackRequestSchema, missingSchema };
