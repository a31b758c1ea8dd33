/**
 * One reconciliation of one map with one member, over a channel: both sides end with the union of what they had at its
 * beginning. May break off at any moment; what has come by then stays, and the next session goes on from there.
 *
 * Wire: messages in turn. The asker opens with the map's name, a cut-off time and its first ranges. Each turn is any
 * number of frames with entries, each answered by a credit so that few are under way, and then one frame with ranges,
 * which ends the turn. A turn with empty ranges asks nothing. When both sides have sent such a turn, they tell each
 * other whom they know (causal-context.ts), and the session is complete.
 *
 * Entries are sent when nothing is asked any more, in an order in which batches are whole on the other side at any
 * moment (newest-first.ts). The other side takes in each frame as one, together with the frames before it that are
 * marked `open`.
 */
import * as v from "valibot";
import { bytesOf, decode, encode, type Schema, momentOf, textOf } from "../base/codec.ts";
import { StarfishError, toStarfishError } from "../base/errors.ts";
import { Inbox } from "../net/links/inbox.ts";
import { type Clock, sleep, withDeadline } from "../ports/clock.ts";
import type { Channel } from "../ports/network.ts";
import { unpackVector, type Vector } from "./causal-context.ts";
import {
  CAUSAL_CONTEXT_MEMBERS_MAX,
  BATCH_BYTES_MAX,
  BATCH_ENTRY_BYTES,
  BATCH_SMALL_BYTES_MAX,
  CUTOFF_SKEW_MS_MAX,
  GOSSIP_SETTLED_MS,
  NEWS_ENTRIES_MIN,
  RECONCILE_ENTRIES_BYTES,
  RECONCILE_PATIENCE_MS,
  RECONCILE_RANGES_BYTES,
  RECONCILE_ROUNDS_MAX,
  RECONCILE_SESSION_MS,
  VALUE_BYTES_MAX,
  SWEEP_KEYS_MAX,
} from "./limits.ts";
import { DELETED } from "./entry.ts";
import type { LargePlaces } from "./large-batches.ts";
import { LARGE, NewestFirst, type Sending } from "./newest-first.ts";
import { type Keyed, Packer, unpack } from "./pack.ts";
import { answer, opening } from "./reconcile.ts";
import type { Replica } from "./replica.ts";
import { timeOf } from "./version.ts";

/** Longest name of a map. */
export const NAME_CHARS_MAX = 32;
/** Frames of entries that may be under way without credit: enough, given their size, to fill a fast and long path. */
const WINDOW = 4;
/** An honest side is sent each entry once, and what is written meanwhile once more. */
const SENDINGS_MAX = 3;
/** Keys that are noted in one turn of the event loop: some milliseconds. */
const NOTED_AT_ONCE = 20_000;
/** One answer's ranges may pass the bound by what the last of them adds. */
const RANGES_SLACK: number = 64 * 1024;
const FRAME_BYTES_MAX: number = Math.max(
  RECONCILE_ENTRIES_BYTES + VALUE_BYTES_MAX + 4_096,
  RECONCILE_RANGES_BYTES + RANGES_SLACK,
);
/** Frames that are taken in as one hold one batch, each with a version of its own. */
const OPEN_BYTES_MAX: number = BATCH_BYTES_MAX + 64 * 1024;
const OPEN_SMALL_BYTES_MAX: number = BATCH_SMALL_BYTES_MAX + 64 * 1024;
const VECTOR_BYTES_MAX: number = 12 * (CAUSAL_CONTEXT_MEMBERS_MAX + 1);

interface Hello {
  readonly map: string;
  /** Tombstones that end by then are left out by both sides; ms since 1970. */
  readonly cutoffMs: number;
  readonly ranges: Uint8Array;
  readonly vector: Uint8Array;
}

interface Frame {
  readonly entries?: Uint8Array | undefined;
  /** The entries of the next message belong with these. */
  readonly open?: true | undefined;
  /** One frame of entries was taken in. */
  readonly credit?: true | undefined;
  /** With the credit: the entries that its sender has outlived (replica.ts). Only their keys and versions count. */
  readonly outlived?: Uint8Array | undefined;
  /** Ends the turn. */
  readonly ranges?: Uint8Array | undefined;
  readonly vector?: Uint8Array | undefined;
}

const helloSchema: Schema<Hello> = v.object({
  map: textOf(NAME_CHARS_MAX),
  cutoffMs: momentOf(),
  ranges: bytesOf(0, FRAME_BYTES_MAX),
  vector: bytesOf(0, VECTOR_BYTES_MAX),
});
const frameSchema: Schema<Frame> = v.object({
  entries: v.optional(bytesOf(1, FRAME_BYTES_MAX)),
  open: v.optional(v.literal(true)),
  credit: v.optional(v.literal(true)),
  ranges: v.optional(bytesOf(0, FRAME_BYTES_MAX)),
  outlived: v.optional(bytesOf(1, FRAME_BYTES_MAX)),
  vector: v.optional(bytesOf(0, VECTOR_BYTES_MAX)),
});

export interface ExchangeResult {
  /** Entries that came here. */
  readonly received: number;
  /** How many entries came, and how many were sent, that gossip can't have been about to bring. */
  readonly newsIn: number;
  readonly newsOut: number;
  /** Whether anything differed. */
  readonly divergent: boolean;
}

export interface ExchangeOptions {
  readonly replica: Replica;
  readonly clock: Clock;
  /** The other side, as a writer. */
  readonly peer: number;
  readonly signal: AbortSignal;
  /** Stores what has come, before it is counted on. */
  readonly store: () => Promise<void>;
  readonly large: LargePlaces;
}

/** A channel on which a session is about to run, and its first message. */
export interface Incoming {
  readonly inbox: Inbox;
  readonly hello: Hello;
}

function inboxOf(channel: Channel): Inbox {
  return new Inbox(channel, { bytesMax: FRAME_BYTES_MAX + VECTOR_BYTES_MAX + 4_096, messagesMax: 4 * WINDOW });
}

/** Waits for the other side's hello. Rejects with "malformed", "timeout", "link-closed". */
export async function awaitHello(channel: Channel, clock: Clock, signal: AbortSignal): Promise<Incoming> {
  const inbox = inboxOf(channel);
  const message = await withDeadline(clock, RECONCILE_PATIENCE_MS, "The hello", (inner) => inbox.next(inner), {
    signal,
  });
  return { inbox, hello: decode(helloSchema, message) };
}

/**
 * Begins a session. Rejects with what ended it: "link-closed", "timeout", "malformed", "clock", "full", "cancelled".
 */
export async function ask(channel: Channel, map: string, options: ExchangeOptions): Promise<ExchangeResult> {
  const { replica } = options;
  const cutoffMs = Math.ceil(replica.now()) + CUTOFF_MARGIN_MS;
  const inbox = inboxOf(channel);
  await collect(cutoffMs, options);
  const session = new Exchange(channel, inbox, options, false);
  const ranges = opening(replica.table);
  channel.send(encode({ map, cutoffMs, ranges, vector: replica.causalContext.pack() } satisfies Hello));
  return session.run();
}

/** Answers one. Rejects as `ask`. */
export async function respond(channel: Channel, incoming: Incoming, options: ExchangeOptions): Promise<ExchangeResult> {
  const { hello, inbox } = incoming;
  const { replica } = options;
  if (Math.abs(hello.cutoffMs - replica.now()) > CUTOFF_SKEW_MS_MAX) {
    const error = new StarfishError("clock", "The two clocks are too far apart to reconcile", { retryable: true });
    channel.abort(error);
    throw error;
  }
  await collect(hello.cutoffMs, options);
  return new Exchange(channel, inbox, options, true).run(hello);
}

/**
 * Forgets the tombstones that both sides must have forgotten. Millions may end at one time, so other work has its turn
 * in between.
 */
async function collect(untilMs: number, { replica, clock, signal }: ExchangeOptions): Promise<void> {
  while (!replica.collect(untilMs, SWEEP_KEYS_MAX)) await sleep(clock, 0, { signal });
}

/** The clocks of both sides may be seconds apart. A moment this long before the asker's present has passed for both. */
const CUTOFF_MARGIN_MS = 5_000;

class Exchange {
  readonly #channel: Channel;
  readonly #inbox: Inbox;
  readonly #options: ExchangeOptions;
  readonly #beganMs: number;
  /** By the monotonic clock. */
  readonly #endsMs: number;
  readonly #packer = new Packer();
  readonly #lacking: NewestFirst;
  /** Frames that are open. */
  #opened: Keyed[] = [];
  #openedBytes = 0;
  /** Gives back the place of the large batch that is being taken in. */
  #place: (() => void) | undefined;
  /** The other side's causal context. */
  #theirs: Vector = new Map();
  /** This side's causal context, until it has been sent. */
  #ours: Uint8Array | undefined;
  #credits: number = WINDOW;
  #sent = 0;
  #received = 0;
  #newsIn = 0;
  #newsOut = 0;
  /** Keys of entries older than tombstones that the other side lacked. */
  readonly #oldOut: string[] = [];
  #refused = 0;
  #divergent = false;

  /** `isAsked`: the other side has begun the session, and has not got this side's causal context yet. */
  constructor(channel: Channel, inbox: Inbox, options: ExchangeOptions, isAsked: boolean) {
    this.#channel = channel;
    this.#inbox = inbox;
    this.#options = options;
    this.#ours = isAsked ? options.replica.causalContext.pack() : undefined;
    this.#lacking = new NewestFirst(options.replica);
    this.#beganMs = options.replica.now();
    this.#endsMs = options.clock.monotonic() + RECONCILE_SESSION_MS;
  }

  /** `hello` is what the other side has begun with, if it did. */
  async run(hello?: Hello): Promise<ExchangeResult> {
    try {
      if (hello !== undefined) this.#theirs = unpackVector(hello.vector);
      await this.#converse(hello?.ranges);
      if (this.#refused > 0) throw new StarfishError("full", "Some entries found no room here");
      await this.#options.store();
      const { replica, peer } = this.#options;
      // The other side has these entries from now on, not since they were written. A newcomer, which knows nobody, does
      // not count.
      if (this.#theirs.size > 0) replica.joined(this.#oldOut);
      replica.causalContext.met(peer, this.#beganMs, this.#theirs, replica.self);
      this.#channel.end();
      return {
        received: this.#received,
        newsIn: this.#received >= NEWS_ENTRIES_MIN ? this.#received : this.#newsIn,
        newsOut: this.#newsOut,
        divergent: this.#divergent,
      };
    } catch (error) {
      this.#channel.abort(toStarfishError(error, "malformed"));
      throw error;
    } finally {
      this.#lacking.close();
      this.#place?.();
    }
  }

  async #converse(first: Uint8Array | undefined): Promise<void> {
    let asked = first ?? (await this.#turn());
    let hasSaidAll = false;
    for (let round = 0; round < RECONCILE_ROUNDS_MAX; round++) {
      const isAnswered = asked.length === 0;
      if (isAnswered && hasSaidAll) return;
      const { ranges, keys, isLate } = answer(this.#options.replica.table, asked);
      if (isLate) this.#lacking.addChanged();
      await this.#note(keys);
      hasSaidAll = ranges.length === 0;
      if (hasSaidAll) await this.#sendLacking();
      else this.#divergent = true;
      this.#send({ ranges });
      if (isAnswered) return this.#credited();
      asked = await this.#turn();
    }
    throw new StarfishError("malformed", "A reconciliation that does not end");
  }

  /** Waits until the other side has taken in the last frames, and has said which of their entries it has outlived. */
  async #credited(): Promise<void> {
    while (this.#credits < WINDOW) this.#credit(await this.#next());
  }

  /** What the other side lacks. */
  async #note(keys: Iterable<string>): Promise<void> {
    const { replica, clock, signal } = this.#options;
    for (const key of keys) {
      const { live, tombstones } = replica.table;
      if (++this.#sent > SENDINGS_MAX * (live + tombstones)) {
        throw new StarfishError("malformed", "What has been sent is asked for again and again");
      }
      this.#lacking.add(key);
      if (this.#sent % NOTED_AT_ONCE === 0) await sleep(clock, 0, { signal });
    }
  }

  async #sendLacking(): Promise<void> {
    const frames: Uint8Array[] = [];
    let next = this.#lacking.next();
    while (next !== undefined) {
      if (next === LARGE) {
        await this.#sendLarge();
        next = this.#lacking.next();
        continue;
      }
      // A frame of whole units, or one unit in as many as it takes, of one moment.
      let bytes = 0;
      do {
        bytes += bytesOfAll(next);
        this.#packAll(next, frames);
        next = this.#lacking.next();
      } while (next !== undefined && next !== LARGE && bytes + bytesOfAll(next) <= RECONCILE_ENTRIES_BYTES);
      await this.#sendFrames(frames);
    }
  }

  async #sendLarge(): Promise<void> {
    const { large, clock, signal } = this.#options;
    const release = await large.toSend(clock, signal);
    try {
      const frames: Uint8Array[] = [];
      const unit = this.#lacking.next(true);
      if (unit === undefined || unit === LARGE) return;
      this.#packAll(unit, frames);
      await this.#sendFrames(frames);
    } finally {
      release();
    }
  }

  #packAll(unit: readonly Sending[], frames: Uint8Array[]): void {
    for (const one of unit) {
      if (this.#packer.length + bytesOfAll([one]) > RECONCILE_ENTRIES_BYTES) frames.push(this.#packer.take());
      this.#pack(one);
    }
  }

  /** Sends the given frames, and what is left in the packer. */
  async #sendFrames(frames: Uint8Array[]): Promise<void> {
    frames.push(this.#packer.take());
    for (const [i, entries] of frames.entries()) await this.#sendPacked(entries, i < frames.length - 1);
    frames.length = 0;
  }

  #pack({ key, entry }: Sending): void {
    const { replica } = this.#options;
    const keyed: Keyed = { key, entry, heldAtMs: replica.table.heldAtMs(key) };
    this.#packer.add(key, entry, keyed.heldAtMs);
    if (this.#isNews(keyed)) this.#newsOut++;
    if (keyed.heldAtMs === undefined && replica.isOld(keyed)) this.#oldOut.push(key);
  }

  async #sendPacked(entries: Uint8Array, isOpen: boolean): Promise<void> {
    this.#divergent = true;
    while (this.#credits === 0) this.#credit(await this.#next());
    this.#credits--;
    this.#send(isOpen ? { entries, open: true } : { entries });
  }

  /** The other side's turn; gives its ranges. */
  async #turn(): Promise<Uint8Array> {
    for (;;) {
      const frame = await this.#next();
      if (frame.vector !== undefined) this.#theirs = unpackVector(frame.vector);
      if (frame.credit) this.#credit(frame);
      if (frame.entries !== undefined) this.#take(frame.entries, frame.open === true);
      if (frame.ranges !== undefined) return frame.ranges;
      if (frame.credit === undefined && frame.entries === undefined) {
        throw new StarfishError("malformed", "An empty frame");
      }
    }
  }

  #credit({ credit, outlived }: Frame): void {
    if (credit !== true || this.#credits >= WINDOW) throw new StarfishError("malformed", "A credit out of turn");
    this.#credits++;
    if (outlived !== undefined) this.#options.replica.outlived(unpack(outlived));
  }

  #take(packed: Uint8Array, isOpen: boolean): void {
    const { replica, peer } = this.#options;
    this.#divergent = true;
    for (const keyed of unpack(packed)) this.#opened.push(keyed);
    this.#openedBytes += packed.length;
    if (isOpen) {
      if (this.#openedBytes > OPEN_BYTES_MAX) throw new StarfishError("too-large", "A batch that is too large");
      if (this.#openedBytes > OPEN_SMALL_BYTES_MAX) this.#takePlace();
      return this.#send({ credit: true });
    }
    const entries = this.#opened;
    this.#opened = [];
    this.#openedBytes = 0;
    this.#place?.();
    this.#place = undefined;
    const origin = { sender: peer, vector: this.#theirs };
    const { applied, outlived, refused } = replica.receive(entries, origin, this.#refused > 0);
    this.#received += applied.length;
    this.#lacking.heard(applied.map(({ key }) => key));
    for (const keyed of applied) if (this.#isNews(keyed)) this.#newsIn++;
    this.#refused += refused;
    const packer = new Packer();
    for (const { key, entry } of outlived) {
      packer.add(key, { ...entry, state: DELETED, value: "", expiresAtMs: undefined });
    }
    this.#send({ credit: true, ...(packer.count === 0 ? {} : { outlived: packer.take() }) });
  }

  #takePlace(): void {
    this.#place ??= this.#options.large.toTake();
    if (this.#place === undefined) {
      throw new StarfishError("busy", "Enough large batches are being taken in", { retryable: true });
    }
  }

  #isNews({ entry }: Keyed): boolean {
    return timeOf(entry.stamp) < this.#beganMs - GOSSIP_SETTLED_MS;
  }

  #send(frame: Frame): void {
    const vector = this.#ours;
    this.#ours = undefined;
    this.#channel.send(encode(vector === undefined ? frame : { ...frame, vector }));
  }

  async #next(): Promise<Frame> {
    const { clock, signal } = this.#options;
    const wait = (inner: AbortSignal): Promise<Uint8Array> => this.#inbox.next(inner);
    const leftMs = this.#endsMs - clock.monotonic();
    // A flood of messages leaves no moment in which a timer could end the session.
    if (leftMs <= 0) throw new StarfishError("timeout", "A reconciliation that takes too long", { retryable: true });
    const patienceMs = Math.min(RECONCILE_PATIENCE_MS, leftMs);
    const message = await withDeadline(clock, patienceMs, "A reconciliation's next message", wait, { signal });
    return decode(frameSchema, message);
  }
}

function bytesOfAll(unit: readonly Sending[]): number {
  let bytes = 0;
  for (const { key, entry } of unit) bytes += key.length + entry.value.length + BATCH_ENTRY_BYTES;
  return bytes;
}

/** For the suite that sends the extremes of every schema (test/adversary). */
export const SCHEMAS: Readonly<Record<string, Schema<unknown>>> = { helloSchema, frameSchema };
