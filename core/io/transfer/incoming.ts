/**
 * One incoming transfer, over as many channels as it takes. Pieces are hashed and stored as they arrive, several at a
 * time, and acknowledged in order. A sender that exceeds its window, or sends pieces of other lengths, is cut off. A
 * sink decides where the pieces go: into the inbox (InboxSink), or to a waiting reader (LiveSink).
 */
import { equal } from "../../base/bytes.ts";
import { StarfishError, toStarfishError } from "../../base/errors.ts";
import { release } from "../../base/owned.ts";
import type { Inbox as Messages } from "../../net/links/inbox.ts";
import type { Channel } from "../../ports/network.ts";
import { CONTROL_BYTES_MAX, PIECE_BYTES, TRANSFER_BYTES_MAX, WINDOW_BYTES } from "./limits.ts";
import type { Item, NodeInbox } from "./inbox.ts";
import { FIRST_ROOT, type HashParts, nextRoot } from "./pieces.ts";
import type { LiveTarget } from "./types.ts";
import { refuse } from "./refusal.ts";
import { controlMessage, type OfferMessage, readMessage, type SenderMessage, senderSchema } from "./wire.ts";

const WINDOW_PIECES = WINDOW_BYTES / PIECE_BYTES;

export interface Sink {
  /** Where it is in the inbox, if it goes there. */
  readonly item?: Item;
  /** Called before each channel. After that, `pieces` tells where to resume. */
  resume(): Promise<void>;
  readonly pieces: number;
  readonly root: Uint8Array;
  /** Whether it is complete, so that nothing more belongs to it. */
  readonly isWhole: boolean;
  /** May be called for several pieces at a time. */
  store(index: number, bytes: Uint8Array, digest: Uint8Array): Promise<void>;
  /** Called for one piece after the other, when it is stored. */
  pass(index: number, bytes: Uint8Array, root: Uint8Array): Promise<void>;
  /**
   * The sender's contents differ from the stored ones. Rejects with "link-closed" if the person has to be asked again.
   */
  restart(offer: OfferMessage): Promise<void>;
  finish(totalBytes: number): Promise<void>;
  pause(): Promise<void>;
  /** Deletes all of it, as far as the sink can. */
  drop(error: StarfishError): Promise<void>;
}

export class InboxSink implements Sink {
  readonly item: Item;
  readonly #inbox: NodeInbox;

  constructor(inbox: NodeInbox, item: Item) {
    this.#inbox = inbox;
    this.item = item;
  }

  get pieces(): number {
    return this.item.pieces;
  }

  get root(): Uint8Array {
    return this.item.root;
  }

  get isWhole(): boolean {
    return this.item.record.isWhole;
  }

  resume(): Promise<void> {
    return this.#inbox.recall(this.item);
  }

  async store(index: number, bytes: Uint8Array, digest: Uint8Array): Promise<void> {
    await this.#inbox.put(this.item, index, bytes, digest);
  }

  async pass(index: number, bytes: Uint8Array, root: Uint8Array): Promise<void> {
    release(bytes);
    this.item.pieces = index + 1;
    this.item.root = root;
    await this.#inbox.advance(this.item);
  }

  restart(offer: OfferMessage): Promise<void> {
    return this.#inbox.restart(this.item, offer);
  }

  finish(totalBytes: number): Promise<void> {
    return this.#inbox.finish(this.item, totalBytes);
  }

  pause(): Promise<void> {
    return this.#inbox.pause(this.item);
  }

  drop(): Promise<void> {
    return this.#inbox.dropPartial(this.item);
  }
}

/** Passes on the contents, without the list of their single file. */
export class LiveSink implements Sink {
  readonly #target: LiveTarget;
  readonly #manifestBytes: number;
  pieces = 0;
  root: Uint8Array = FIRST_ROOT;
  readonly isWhole = false;

  constructor(target: LiveTarget, manifestBytes: number) {
    this.#target = target;
    this.#manifestBytes = manifestBytes;
  }

  async resume(): Promise<void> {}
  async store(): Promise<void> {}

  async pass(index: number, bytes: Uint8Array, root: Uint8Array): Promise<void> {
    const skipped = Math.max(0, this.#manifestBytes - index * PIECE_BYTES);
    if (skipped < bytes.length) await this.#target.write(bytes.subarray(skipped));
    this.pieces = index + 1;
    this.root = root;
  }

  async restart(): Promise<void> {
    if (this.pieces > 0) throw new StarfishError("io", "What came has been passed on already: it can't begin anew");
  }

  async finish(): Promise<void> {}
  async pause(): Promise<void> {}
  async drop(): Promise<void> {}
}

export interface IncomingParts extends HashParts {
  readonly onProgress: () => void;
  /** Called when the sender says something that no honest sender says. */
  readonly onFault: (what: string) => void;
}

export class Incoming {
  readonly sink: Sink;
  readonly #parts: IncomingParts;
  readonly #over = Promise.withResolvers<void>();
  #offer: OfferMessage;
  /** The current channel. */
  #session: Session | undefined;
  #sessions: Promise<void> = Promise.resolve();
  #isOver = false;

  constructor(offer: OfferMessage, sink: Sink, parts: IncomingParts) {
    this.#offer = offer;
    this.sink = sink;
    this.#parts = parts;
    // Perhaps nobody waits for it.
    this.#over.promise.catch(() => {});
  }

  get offer(): OfferMessage {
    return this.#offer;
  }

  /** Resolves when it is complete; rejects with the error that ended it. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Whether a channel is open for it. */
  get isServing(): boolean {
    return this.#session !== undefined;
  }

  /** Goes on over this channel, and gives up another one that is still open. Never rejects. */
  async serve(offer: OfferMessage, channel: Channel, messages: Messages): Promise<void> {
    const before = this.#session;
    if (before !== undefined && !equal(this.#offer.id, offer.id))
      refuse(before.channel, new StarfishError("cancelled", "The same is being sent by another shell now"));
    before?.stop.abort(new StarfishError("link-closed", "The sender has come back on another channel"));
    const session: Session = { channel, messages, stop: new AbortController() };
    this.#session = session;
    this.#offer = offer;
    this.#sessions = this.#sessions.then(() => this.#serve(session));
    await this.#sessions;
  }

  /** This end does not want it any more. Resolves when all of it is deleted. */
  async end(error: StarfishError): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    const session = this.#session;
    if (session !== undefined) refuse(session.channel, error);
    session?.stop.abort(error);
    this.#over.reject(error);
    // A piece that is being written would remain on the disk; a live reader may never read on.
    if (!(this.sink instanceof LiveSink)) await this.#sessions;
    await this.sink.drop(error);
  }

  /** The link is gone; the received part is kept. */
  async pause(): Promise<void> {
    const ends = new StarfishError("link-closed", "This node ends");
    this.#session?.channel.abort(ends);
    this.#session?.stop.abort(ends);
    await this.#sessions;
  }

  async #finish(error: StarfishError | undefined): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    if (error === undefined) return this.#over.resolve();
    try {
      await this.sink.drop(error);
    } finally {
      this.#over.reject(error);
    }
  }

  async #serve(session: Session): Promise<void> {
    const { channel, stop } = session;
    if (this.#isOver) return channel.abort(new StarfishError("closed", "The transfer is over"));
    let line: Line | undefined;
    try {
      await this.sink.resume();
      line = new Line(this.sink, this.#parts, channel);
      channel.send(controlMessage({ is: "accept", pieces: this.sink.pieces, root: this.sink.root }));
      await this.#receive(session, line, AbortSignal.any([line.failed, stop.signal]));
    } catch (error) {
      await line?.settled();
      await this.#ended(session, toStarfishError(error, "io"));
    } finally {
      if (this.#session === session) this.#session = undefined;
    }
  }

  async #receive({ channel, messages }: Session, line: Line, signal: AbortSignal): Promise<void> {
    for (;;) {
      // A piece that can't be stored ends it at once, not only when the next one arrives.
      const message = await messages.next(signal);
      const said = readMessage<SenderMessage>(senderSchema, message, CONTROL_BYTES_MAX);
      if (said instanceof Uint8Array) {
        this.#checkPiece(said, line);
        line.take(said);
      } else if (said.is === "again") {
        if (line.received !== this.sink.pieces) throw outOfPlace();
        await this.sink.restart(this.#offer);
        line.restart();
      } else if (said.is === "end") {
        await line.settled();
        const isRight = said.pieces === this.sink.pieces && equal(said.root, this.sink.root);
        if (!isRight) throw new StarfishError("corrupt", "What came is not what was sent: it is dropped");
        if (this.#offer.totalBytes !== null && said.totalBytes !== this.#offer.totalBytes) throw outOfPlace();
        const isPossible = Math.ceil((this.#offer.manifestBytes + said.totalBytes) / PIECE_BYTES) === said.pieces;
        if (!isPossible) throw outOfPlace();
        await this.sink.finish(said.totalBytes);
        await this.#finish(undefined);
        channel.send(controlMessage({ is: "done" }));
        return channel.end();
      } else if (said.is === "cancel") {
        throw new StarfishError("cancelled", "The sender has cancelled it");
      } else {
        throw outOfPlace();
      }
    }
  }

  /** Throws "malformed" if a piece does not have the expected length. */
  #checkPiece(bytes: Uint8Array, line: Line): void {
    const { manifestBytes, totalBytes } = this.#offer;
    const left = manifestBytes + (totalBytes ?? TRANSFER_BYTES_MAX) - line.received * PIECE_BYTES;
    const isLast = totalBytes === null && bytes.length < PIECE_BYTES;
    if (left <= 0 || line.isOver || this.sink.isWhole || !(isLast || bytes.length === Math.min(PIECE_BYTES, left)))
      throw outOfPlace();
    line.isOver = isLast;
  }

  async #ended({ channel, messages, stop }: Session, error: StarfishError): Promise<void> {
    if (this.#isOver) return;
    const isBroken = error.code === "link-closed" || (messages.closed.aborted && error.code !== "cancelled");
    if (isBroken) {
      if (!stop.signal.aborted) channel.abort(error);
      return await this.sink.pause();
    }
    if (error.code === "malformed" || error.code === "too-large") this.#parts.onFault(error.message);
    if (error.code === "cancelled") channel.end();
    else refuse(channel, error);
    await this.#finish(error);
  }
}

/** One channel. */
interface Session {
  readonly channel: Channel;
  readonly messages: Messages;
  readonly stop: AbortController;
}

/** The pieces of one channel on their way to the sink. */
class Line {
  readonly #sink: Sink;
  readonly #parts: IncomingParts;
  readonly #channel: Channel;
  readonly #failed = new AbortController();
  #passed: Promise<void> = Promise.resolve();
  /** The number of the next piece. */
  received: number;
  /** Whether the last piece of a pipe has arrived. */
  isOver = false;

  constructor(sink: Sink, parts: IncomingParts, channel: Channel) {
    this.#sink = sink;
    this.#parts = parts;
    this.#channel = channel;
    this.received = sink.pieces;
  }

  /** Aborts with the error of a piece that could not be stored. */
  get failed(): AbortSignal {
    return this.#failed.signal;
  }

  /** Resolves when all received pieces are stored, or one has failed. Never rejects. */
  settled(): Promise<void> {
    return this.#passed;
  }

  restart(): void {
    this.received = 0;
  }

  /** Throws "malformed" if it is beyond the window. */
  take(bytes: Uint8Array): void {
    const index = this.received++;
    if (index - this.#sink.pieces >= WINDOW_PIECES)
      throw new StarfishError("malformed", "The sender does not wait until there is room");
    const stored = this.#store(index, bytes);
    const before = this.#passed;
    this.#passed = this.#pass(before, stored, index, bytes);
  }

  async #store(index: number, bytes: Uint8Array): Promise<Uint8Array> {
    const [digest] = await this.#parts.coder.hash([bytes]);
    if (digest === undefined) throw new StarfishError("closed", "This node is closing");
    await this.#sink.store(index, bytes, digest);
    return digest;
  }

  async #pass(before: Promise<void>, stored: Promise<Uint8Array>, index: number, bytes: Uint8Array): Promise<void> {
    try {
      const digest = await stored;
      await before;
      if (this.failed.aborted) return;
      await this.#sink.pass(index, bytes, nextRoot(this.#parts.crypto, this.#sink.root, digest));
      this.#channel.send(controlMessage({ is: "ack", pieces: index + 1 }));
      this.#parts.onProgress();
    } catch (error) {
      await before;
      this.#failed.abort(toStarfishError(error, "io"));
    }
  }
}

function outOfPlace(): StarfishError {
  return new StarfishError("malformed", "The sender sent an unexpected message about a transfer");
}
