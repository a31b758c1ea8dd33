/**
 * Transfers of this node, in both directions: who may send to it, what comes in and goes out now, and the inbox.
 * Everything is sent on channels of links. These are encrypted from end to end, even if another member relays them.
 * Nothing is sent in requests that members forward for each other, because these members could read it.
 */
import { assert } from "../../base/assert.ts";
import { equal, toHex } from "../../base/bytes.ts";
import { isStarfishError, messageOf, StarfishError, toStarfishError } from "../../base/errors.ts";
import { Listeners, type Unsubscribe } from "../../base/events.ts";
import { Inbox as Messages } from "../../net/links/inbox.ts";
import type { Net } from "../../net/types.ts";
import { type Clock, every, type Timer, withDeadline } from "../../ports/clock.ts";
import type { Coder } from "../../ports/coder.ts";
import type { Crypto } from "../../ports/crypto.ts";
import type { Log } from "../../ports/log.ts";
import type { Channel, PeerId } from "../../ports/network.ts";
import type { Random } from "../../ports/random.ts";
import type { ShardStore } from "../../ports/shard-store.ts";
import type { Store } from "../../ports/store.ts";
import { Answers, TRANSFER_ANSWERS } from "../devices/answers.ts";
import type { Answer, Devices } from "../devices/types.ts";
import { type Item, NodeInbox } from "./inbox.ts";
import type { Incoming, Sink } from "./incoming.ts";
import {
  CONTROL_BYTES_MAX,
  FIRST_MEETING_MS,
  FIRST_WORD_MS,
  INCOMING_MAX,
  INCOMING_PER_SENDER_MAX,
  OUTGOING_MAX,
  PIECE_BYTES,
  PROGRESS_MS,
  RESUME_MS,
  SWEEP_MS,
  WINDOW_BYTES,
} from "./limits.ts";
import { type Decision, offerOf, Offers, targetOf, type Waiter } from "./offers.ts";
import type { Outgoing, Way } from "./outgoing.ts";
import { refuse } from "./refusal.ts";
import type { Inbox, Offer, ReceiveOptions, SendOptions, Transfer, TransferInfo, TransferSource } from "./types.ts";
import { controlMessage, type OfferMessage, readMessage, senderSchema, TRANSFER_PROTOCOL } from "./wire.ts";

export interface TransferParts {
  readonly net: Net;
  readonly devices: Devices;
  readonly store: Store;
  readonly shards: ShardStore;
  readonly coder: Coder;
  readonly crypto: Crypto;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** Rejects with "io" if this node's store can't be read. */
export async function createTransfer(parts: TransferParts): Promise<Transfer> {
  const changed = new Changes(parts.clock);
  const inbox = await NodeInbox.load(parts, () => changed.now());
  return new NodeTransfer(parts, changed, inbox, await Answers.load(parts.store, TRANSFER_ANSWERS, parts.log));
}

/** Reports changes at once, and progress a few times a second. */
class Changes extends Listeners<void> {
  readonly #clock: Clock;
  #later: Timer | undefined;

  constructor(clock: Clock) {
    super();
    this.#clock = clock;
  }

  now(): void {
    this.#later?.cancel();
    this.#later = undefined;
    this.emit();
  }

  soon(): void {
    if (this.size > 0) this.#later ??= this.#clock.timer(PROGRESS_MS, () => this.now());
  }

  close(): void {
    this.#later?.cancel();
  }
}

interface Coming {
  readonly from: PeerId;
  readonly name: string;
  readonly incoming: Incoming;
  readonly startedAtMs: number;
  /** Whether a shell waits for it. */
  isAwaited: boolean;
  /** Ends it for that shell if its sender does not come back. */
  giveUp: Timer | undefined;
  /** For a shell that has joined it later: ends only that shell's waiting. */
  onGone: ((error: StarfishError) => void) | undefined;
}

/** The pieces of a window, and the control messages around them. */
const MESSAGES_MAX = WINDOW_BYTES / PIECE_BYTES + 4;

class NodeTransfer implements Transfer {
  readonly inbox: Inbox;
  readonly #inbox: NodeInbox;
  readonly #parts: TransferParts;
  readonly #answers: Answers;
  readonly #changed: Changes;
  readonly #offers: Offers;
  /** Transfers that are not complete yet, by id. */
  readonly #incoming = new Map<string, Coming>();
  readonly #outgoing = new Map<string, { readonly transfer: Outgoing; readonly stop: AbortController }>();
  /** Calls of `send`, also those that have not begun to send. */
  #sends = 0;
  /** The senders of transfers whose records are being written: these count like the transfers under way. */
  readonly #beginning = new Set<{ readonly from: PeerId }>();
  readonly #waiters = new Map<Waiter, PromiseWithResolvers<Coming>>();
  readonly #stops: Unsubscribe[];
  #isClosed = false;
  /** The code that takes transfers, once somebody has offered one. */
  #incomingCode: typeof import("./incoming.ts") | undefined;

  constructor(parts: TransferParts, changed: Changes, inbox: NodeInbox, answers: Answers) {
    this.#parts = parts;
    this.#changed = changed;
    this.#inbox = inbox;
    this.inbox = inbox;
    this.#answers = answers;
    this.#offers = new Offers(parts.clock, () => changed.now());
    const sweep = every(parts.clock, SWEEP_MS, () => this.#sweep());
    this.#stops = [
      parts.net.accept(TRANSFER_PROTOCOL, (channel, from) => void this.#met(channel, from)),
      () => sweep.cancel(),
    ];
    this.#sweep();
  }

  // Going out

  async send(peer: PeerId, source: TransferSource, options: SendOptions = {}): Promise<void> {
    if (peer === this.#parts.net.self) throw new StarfishError("unsupported", "A node can't send to itself");
    if (this.#sends >= OUTGOING_MAX)
      throw new StarfishError("busy", `This node already sends ${OUTGOING_MAX} transfers`, { retryable: true });
    this.#sends++;
    try {
      await this.#send(peer, source, options);
    } finally {
      this.#sends--;
    }
  }

  async #send(peer: PeerId, source: TransferSource, options: SendOptions): Promise<void> {
    const { net } = this.#parts;
    const stop = new AbortController();
    const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal]);
    const onProgress: SendOptions["onProgress"] = (progress) => {
      options.onProgress?.(progress);
      this.#changed.soon();
    };
    const way: Way = {
      name: () => this.#nameOf(peer),
      patienceMs: RESUME_MS,
      firstMs: FIRST_MEETING_MS,
      open: (until) => net.open(peer, TRANSFER_PROTOCOL, { signal: until }),
    };
    const { Outgoing } = await import("./outgoing.ts");
    const transfer = await Outgoing.of({ ...this.#parts, way }, peer, source, { signal, onProgress });
    this.#outgoing.set(transfer.id, { transfer, stop });
    this.#changed.now();
    try {
      await transfer.run();
    } finally {
      this.#outgoing.delete(transfer.id);
      this.#changed.now();
    }
  }

  // Coming in

  offers(): readonly Offer[] {
    return this.#offers.list();
  }

  onOffer(listener: (offer: Offer) => void): Unsubscribe {
    return this.#offers.asked.add(listener);
  }

  async accept(id: string, { remember = true }: { readonly remember?: boolean } = {}): Promise<void> {
    const { from } = this.#offers.offer(id);
    this.#offers.decide(id, { into: undefined, waiter: undefined });
    if (remember) await this.answer(from, "allow");
  }

  async refuse(id: string, { remember = true }: { readonly remember?: boolean } = {}): Promise<void> {
    const { from } = this.#offers.offer(id);
    this.#offers.decide(id, remember ? this.#refusal() : this.#refusal("this"));
    if (remember) await this.answer(from, "refuse");
  }

  async receive(options: ReceiveOptions): Promise<TransferInfo> {
    const { from, into, remember = false, signal, onProgress } = options;
    const waiter: Waiter = { from, into };
    const taken = Promise.withResolvers<Coming>();
    taken.promise.catch(() => {});
    this.#waiters.set(waiter, taken);
    let coming: Coming | undefined;
    let joined: Coming | undefined;
    const stopped = Promise.withResolvers<never>();
    stopped.promise.catch(() => {});
    const stop = (): void => {
      const error = new StarfishError("cancelled", "The receiver has cancelled it");
      taken.reject(error);
      stopped.reject(error);
      // A transfer that had begun without this shell goes on without it.
      if (coming !== joined) void coming?.incoming.end(error);
    };
    signal.addEventListener("abort", stop, { once: true });
    let stopTelling: Unsubscribe = () => {};
    try {
      if (signal.aborted) stop();
      else if (!this.#offers.wait(waiter) && into === undefined) joined = this.#join(from);
      if (joined !== undefined) {
        joined.onGone = stopped.reject;
        this.#offers.leave(waiter);
        taken.resolve(joined);
      }
      coming = await taken.promise;
      const { incoming } = coming;
      if (remember) await this.answer(coming.from, "allow");
      const told = coming;
      const tell = (): void => onProgress?.(this.#infoOf(told));
      stopTelling = this.onChange(tell);
      if (joined !== undefined) tell();
      await Promise.race([incoming.over, stopped.promise]);
      return this.#infoOf(coming, true);
    } finally {
      stopTelling();
      if (joined !== undefined) this.#part(joined);
      signal.removeEventListener("abort", stop);
      this.#offers.leave(waiter);
      this.#waiters.delete(waiter);
    }
  }

  /** Joins a transfer that is coming in from that member (or from anybody) and for which no shell waits. */
  #join(from: PeerId | undefined): Coming | undefined {
    const joined = [...this.#incoming.values()].find(
      (one) => !one.isAwaited && !one.incoming.isOver && !one.incoming.sink.isWhole && (from ?? one.from) === one.from,
    );
    if (joined !== undefined) joined.isAwaited = true;
    return joined;
  }

  /** Undoes `#join`. */
  #part(joined: Coming): void {
    joined.isAwaited = false;
    joined.onGone = undefined;
    joined.giveUp?.cancel();
    if (!joined.incoming.isServing) this.#forget(joined);
  }

  list(): readonly TransferInfo[] {
    const going = [...this.#outgoing.values()].map(({ transfer }) => transfer.info);
    const live = [...this.#incoming.values()].filter(({ incoming }) => incoming.sink.item === undefined);
    return [...going, ...live.map((one) => this.#infoOf(one)), ...this.#inbox.partial(), ...this.#inbox.items()];
  }

  async cancel(id: string): Promise<void> {
    const going = this.#outgoing.get(id);
    const coming = this.#incoming.get(id);
    const item = this.#inbox.get(id);
    if (going !== undefined) going.stop.abort(new StarfishError("cancelled", "It was cancelled here"));
    else if (coming !== undefined)
      await coming.incoming.end(new StarfishError("cancelled", "The receiver has cancelled it"));
    else if (item !== undefined && !item.record.isWhole) await this.#inbox.drop(item);
    else throw new StarfishError("not-found", "No such transfer is under way");
  }

  answers(): ReadonlyMap<PeerId, Answer> {
    return this.#answers.all;
  }

  async answer(peer: PeerId, answer: Answer | undefined): Promise<void> {
    const stored = this.#answers.set(peer, answer);
    if (answer === "allow") this.#offers.acceptFiles(peer);
    if (answer === "refuse") this.#offers.refuseAll(this.#refusal(), peer);
    this.#changed.now();
    await stored;
  }

  onChange(listener: () => void): Unsubscribe {
    return this.#changed.add(listener);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const stop of this.#stops) stop();
    this.#changed.close();
    // Ends them like broken links: both ends may resume later.
    const ends = new StarfishError("closed", "This node ends");
    for (const { stop } of this.#outgoing.values()) stop.abort(ends);
    this.#offers.refuseAll(new StarfishError("link-closed", "This node ends"));
    await Promise.all([...this.#incoming.values()].map(({ incoming }) => incoming.pause()));
  }

  /** Reads the first message of a node that wants to send. Never rejects. */
  async #met(channel: Channel, from: PeerId): Promise<void> {
    const { clock, net, log } = this.#parts;
    const messages = new Messages(channel, { bytesMax: PIECE_BYTES + 1, messagesMax: MESSAGES_MAX });
    try {
      this.#incomingCode ??= await import("./incoming.ts");
      const first = await withDeadline(clock, FIRST_WORD_MS, "An offer", (signal) => messages.next(signal));
      const said = readMessage(senderSchema, first, CONTROL_BYTES_MAX);
      if (said instanceof Uint8Array || said.is !== "offer") throw new StarfishError("malformed", "No offer");
      await this.#offered(channel, messages, from, said);
    } catch (caught) {
      const error = toStarfishError(caught, "io");
      if (error.code === "malformed" || error.code === "too-large")
        net.misbehaved(from, `${TRANSFER_PROTOCOL}: ${error.message}`);
      if (messages.closed.aborted || error.code === "link-closed") return channel.abort(error);
      log.write("info", "transfer.refused", { from, code: error.code, message: error.message });
      refuse(channel, error);
    }
  }

  async #offered(channel: Channel, messages: Messages, from: PeerId, message: OfferMessage): Promise<void> {
    if (this.#answers.all.get(from) === "refuse") throw this.#refusal();
    const known = this.#known(from, message) ?? this.#there(from, message);
    if (known !== undefined) return await this.#serve(known, message, channel, messages);
    const name = this.#nameOf(from);
    let decision: Decision | undefined;
    const waiter = this.#offers.waiterFor(from);
    // A pipe waits for its reader, because nobody knows its length.
    const isTaken = this.#answers.all.get(from) === "allow" && message.totalBytes !== null;
    if (waiter !== undefined) decision = { into: targetOf(waiter, message), waiter };
    else if (isTaken) decision = { into: undefined, waiter: undefined };
    else {
      channel.send(controlMessage({ is: "waiting", hasPerson: this.#parts.devices.hasPerson }));
      const offer = offerOf(message, from, name, this.#inbox.hasRoomFor(message));
      decision = await this.#ask(offer, message, messages);
    }
    const coming = await this.#begin(from, name, message, decision);
    await this.#serve(coming, message, channel, messages);
  }

  /** Asks the person, as long as the sender is there. */
  async #ask(offer: Offer, message: OfferMessage, messages: Messages): Promise<Decision> {
    const left = new AbortController();
    const decided = new AbortController();
    const gone = (error: StarfishError): void => left.abort(error);
    messages.next(decided.signal).then(
      (said) => gone(endOf(said)),
      (error: unknown) => gone(toStarfishError(error, "link-closed")),
    );
    try {
      return await this.#offers.ask(offer, message, left.signal);
    } finally {
      decided.abort();
    }
  }

  /** The transfer that this offer continues; undefined if it is new. Throws "busy". */
  #known(from: PeerId, message: OfferMessage): Coming | undefined {
    for (const coming of this.#incoming.values())
      if (coming.from === from && equal(coming.incoming.offer.id, message.id)) return coming;
    const item = this.#inbox.find(from, message);
    if (item === undefined) return undefined;
    const running = this.#incoming.get(item.id);
    if (running !== undefined) return running;
    this.#checkRoom(from);
    return this.#add(item.id, from, item.record.name, message, this.#inboxSink(item), false);
  }

  /**
   * The same transfer is in the inbox already: its sender may have ended before it heard so. The sender reads its
   * source and finds that all is there, or that it is a different one. A shell that waits for a transfer gets it in any
   * case. Throws "busy".
   */
  #there(from: PeerId, message: OfferMessage): Coming | undefined {
    if (this.#offers.isAwaited(from)) return undefined;
    const item = this.#inbox.findWhole(from, message);
    if (item === undefined) return undefined;
    const running = this.#incoming.get(item.id);
    if (running !== undefined) return running;
    this.#checkRoom(from);
    return this.#add(item.id, from, item.record.name, message, this.#inboxSink(item), false);
  }

  /** Rejects with "busy", "full", "io". */
  async #begin(from: PeerId, name: string, message: OfferMessage, decision: Decision): Promise<Coming> {
    const { into, waiter } = decision;
    const taken = waiter === undefined ? undefined : this.#waiters.get(waiter);
    const place = { from };
    try {
      this.#checkRoom(from);
      this.#beginning.add(place);
      const sink: Sink =
        into === undefined
          ? this.#inboxSink(await this.#inbox.open(from, name, message))
          : new this.#code.LiveSink(into, message.manifestBytes);
      const coming = this.#add(toHex(message.id), from, name, message, sink, waiter !== undefined);
      taken?.resolve(coming);
      return coming;
    } catch (error) {
      taken?.reject(error);
      throw error;
    } finally {
      this.#beginning.delete(place);
    }
  }

  get #code(): typeof import("./incoming.ts") {
    assert(this.#incomingCode !== undefined, "an offer is read after the code that takes it has been fetched");
    return this.#incomingCode;
  }

  #inboxSink(item: Item): Sink {
    return new this.#code.InboxSink(this.#inbox, item);
  }

  #add(id: string, from: PeerId, name: string, message: OfferMessage, sink: Sink, isAwaited: boolean): Coming {
    const incoming = new this.#code.Incoming(message, sink, {
      ...this.#parts,
      onProgress: () => this.#changed.soon(),
      onFault: (what) => this.#parts.net.misbehaved(from, `${TRANSFER_PROTOCOL}: ${what}`),
    });
    const startedAtMs = Math.round(this.#parts.clock.now());
    const coming: Coming = { from, name, incoming, startedAtMs, isAwaited, giveUp: undefined, onGone: undefined };
    this.#incoming.set(id, coming);
    this.#changed.now();
    return coming;
  }

  async #serve(coming: Coming, message: OfferMessage, channel: Channel, messages: Messages): Promise<void> {
    const { incoming } = coming;
    coming.giveUp?.cancel();
    await incoming.serve(message, channel, messages);
    if (incoming.isOver || (!coming.isAwaited && !incoming.isServing)) this.#forget(coming);
    else if (coming.isAwaited) {
      coming.giveUp = this.#parts.clock.timer(RESUME_MS, () => {
        const error = new StarfishError("unreachable", "The sender is out of reach and does not come back");
        if (coming.onGone === undefined) void incoming.end(error);
        else coming.onGone(error);
        this.#forget(coming);
      });
    }
    this.#changed.now();
  }

  #forget(coming: Coming): void {
    for (const [id, one] of this.#incoming) if (one === coming) this.#incoming.delete(id);
  }

  /** Throws "busy". */
  #checkRoom(from: PeerId): void {
    const all = [...this.#incoming.values(), ...this.#beginning];
    const ofSender = all.filter((one) => one.from === from);
    if (this.#isClosed || ofSender.length >= INCOMING_PER_SENDER_MAX || all.length >= INCOMING_MAX)
      throw new StarfishError("busy", "That node receives too much already: try again in a while", {
        retryable: true,
      });
  }

  #infoOf({ from, name, incoming, startedAtMs }: Coming, isWhole = false): TransferInfo {
    const { offer, sink } = incoming;
    if (sink.item !== undefined) return this.#inbox.info(sink.item);
    const { title, files, folders, totalBytes, manifestBytes, id } = offer;
    const done = Math.max(0, sink.pieces * PIECE_BYTES - manifestBytes);
    return {
      id: toHex(id),
      direction: "in",
      peer: from,
      name,
      title,
      files,
      folders,
      state: isWhole ? "whole" : "receiving",
      doneBytes: Math.min(totalBytes ?? Infinity, done),
      totalBytes: totalBytes ?? undefined,
      startedAtMs,
    };
  }

  #nameOf(peer: PeerId): string {
    return this.#parts.net.member(peer)?.record.name ?? peer;
  }

  #refusal(what = "anything from this node"): StarfishError {
    const name = this.#nameOf(this.#parts.net.self);
    return new StarfishError("refused", `${name} does not want ${what}`);
  }

  #sweep(): void {
    this.#inbox.sweep().catch((error: unknown) => {
      if (!isStarfishError(error)) throw error;
      this.#parts.log.write("warn", "transfer.sweep", { error: messageOf(error) });
    });
  }
}

/** The sender has sent something before it was answered. Only "cancel" is allowed then: it takes the offer back. */
function endOf(said: Uint8Array): StarfishError {
  try {
    const message = readMessage(senderSchema, said, CONTROL_BYTES_MAX);
    if (!(message instanceof Uint8Array) && message.is === "cancel")
      return new StarfishError("cancelled", "The sender has taken it back");
  } catch (error) {
    return toStarfishError(error, "malformed");
  }
  return new StarfishError("malformed", "The sender did not wait for the answer");
}
