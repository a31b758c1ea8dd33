/**
 * One outgoing transfer: it offers, sends as much as the other end has room for, and comes back with the same offer
 * when the link breaks. It holds a window of pieces that are not yet stored at the other end. If the other end has lost
 * earlier pieces, they are read from the source again.
 */
import { equal, toHex } from "../../base/bytes.ts";
import { cancelled, isStarfishError, StarfishError, throwIfAborted, toStarfishError } from "../../base/errors.ts";
import { Inbox as Messages } from "../../net/links/inbox.ts";
import { type Clock, sleep } from "../../ports/clock.ts";
import type { Channel, PeerId } from "../../ports/network.ts";
import type { Random } from "../../ports/random.ts";
import {
  CONTROL_BYTES_MAX,
  CONTROLS_MAX,
  PIECE_BYTES,
  PROGRESS_MS,
  RETRY_MAX_MS,
  RETRY_MIN_MS,
  WINDOW_BYTES,
} from "./limits.ts";
import { checkEntries, encodeManifest, type Told, toldOf } from "./manifest.ts";
import { contentBytes, FIRST_ROOT, type HashParts, type Piece, piecesOf } from "./pieces.ts";
import type { SendProgress, SendState, TransferInfo, TransferSource } from "./types.ts";
import {
  controlMessage,
  ID_BYTES,
  type OfferMessage,
  pieceMessage,
  readMessage,
  type ReceiverMessage,
  receiverSchema,
} from "./wire.ts";

const WINDOW_PIECES = WINDOW_BYTES / PIECE_BYTES;

/** The way to the other end. */
export interface Way {
  /** The present name of the other end. */
  name(): string;
  /** For how long a broken link is set up again while there is no progress. */
  readonly patienceMs: number;
  /** The same, as long as the other end has not said anything yet. */
  readonly firstMs: number;
  /** Rejects as `Net.open`. */
  open(signal: AbortSignal): Promise<Channel>;
}

export interface OutgoingParts extends HashParts {
  readonly way: Way;
  readonly clock: Clock;
  readonly random: Random;
}

export class Outgoing {
  readonly id: string;
  readonly peer: PeerId;
  readonly #parts: OutgoingParts;
  readonly #source: TransferSource;
  readonly #told: Told;
  readonly #offer: OfferMessage;
  readonly #manifest: Uint8Array;
  readonly #signal: AbortSignal;
  readonly #onProgress: (progress: SendProgress) => void;
  readonly #startedAtMs: number;

  #pieces: AsyncGenerator<Piece, void, undefined>;
  /** The number of the piece that is read next. */
  #read = 0;
  #isRead = false;
  /** How many pieces are stored at the other end, and their root. */
  #safe = 0;
  #safeRoot: Uint8Array = FIRST_ROOT;
  /** Pieces that were read and may not be stored at the other end yet. */
  #held: Piece[] = [];

  /** Bytes of the stream up to the last piece that was sent. */
  #bytes = 0;
  /** Settles when nothing is being read for a channel any more. */
  #sending: Promise<unknown> = Promise.resolve();
  /** The refusal with which the other end has ended it. */
  #refusal: StarfishError | undefined;
  #wake: () => void = () => {};

  #state: SendState = "linking";
  #hasPerson = false;
  #resumed = 0;
  #hasMet = false;
  #progressMs: number;
  #toldMs = -Infinity;

  private constructor(
    parts: OutgoingParts,
    peer: PeerId,
    source: TransferSource,
    manifest: Uint8Array,
    key: Uint8Array,
    options: { readonly signal: AbortSignal; readonly onProgress: (progress: SendProgress) => void },
  ) {
    const id = parts.random.bytes(ID_BYTES);
    this.id = toHex(id);
    this.peer = peer;
    this.#parts = parts;
    this.#source = source;
    this.#manifest = manifest;
    this.#told = toldOf(source.entries);
    this.#offer = { is: "offer", id, key, manifestBytes: manifest.length, ...this.#told };
    this.#signal = options.signal;
    this.#onProgress = options.onProgress;
    this.#startedAtMs = Math.round(parts.clock.now());
    this.#progressMs = parts.clock.monotonic();
    this.#pieces = this.#fromStart();
  }

  /** Throws "malformed" or "too-large" if the source's entries can't be sent. */
  static async of(
    parts: OutgoingParts,
    peer: PeerId,
    source: TransferSource,
    options: { readonly signal: AbortSignal; readonly onProgress: (progress: SendProgress) => void },
  ): Promise<Outgoing> {
    checkEntries(source.entries);
    const manifest = await encodeManifest(source.entries, parts.clock);
    const [key] = await parts.coder.hash([manifest]);
    if (key === undefined) throw new StarfishError("closed", "This node is closing");
    return new Outgoing(parts, peer, source, manifest, key, options);
  }

  get info(): TransferInfo {
    const { title, files, folders, totalBytes } = this.#told;
    return {
      id: this.id,
      direction: "out",
      peer: this.peer,
      name: this.#name,
      title,
      files,
      folders,
      state: this.#state,
      doneBytes: this.#contentBytes(this.#safe),
      totalBytes: totalBytes ?? undefined,
      startedAtMs: this.#startedAtMs,
    };
  }

  /** Resolves when all of it is stored at the other end. Rejects as `Transfer.send` does. */
  async run(): Promise<void> {
    try {
      for (let pauseMs = RETRY_MIN_MS; ; pauseMs = Math.min(2 * pauseMs, RETRY_MAX_MS)) {
        const safe = this.#safe;
        try {
          return await this.#attempt();
        } catch (error) {
          throwIfAborted(this.#signal);
          if (!this.#isBreak(error)) throw error;
        }
        if (this.#safe > safe) pauseMs = RETRY_MIN_MS;
        this.#enter("interrupted");
        await sleep(this.#parts.clock, pauseMs, { signal: this.#signal });
      }
    } finally {
      await this.#pieces.return();
      this.#held = [];
    }
  }

  get #name(): string {
    return this.#parts.way.name();
  }

  /**
   * Whether the error is a broken link that is to be set up again. False: the error itself is reported. Throws another
   * error to report instead, if trying again makes no sense any more.
   */
  #isBreak(error: unknown): boolean {
    if (error === this.#refusal) return false;
    const { patienceMs, firstMs } = this.#parts.way;
    const forMs = this.#parts.clock.monotonic() - this.#progressMs;
    if (isStarfishError(error, "unknown-protocol")) {
      // A node that has just started accepts links before it accepts transfers.
      if (this.#hasMet && forMs < patienceMs) return true;
      throw new StarfishError("unsupported", `${this.#name} runs a version that knows no transfers`, { cause: error });
    }
    if (!isBroken(error)) return false;
    // Two nodes that dial each other at once get two links, and one of them is closed: perhaps this one, during the
    // first message.
    if (!this.#hasMet) return isStarfishError(error, "link-closed") && forMs < firstMs;
    if (forMs < patienceMs) return true;
    throw new StarfishError(
      "unreachable",
      `${this.#name} has been out of reach for ${patienceMs / 60_000} minutes: what came is kept there for a day, and the same 'send' goes on`,
      { cause: error },
    );
  }

  /** One channel, from the offer to the end. */
  async #attempt(): Promise<void> {
    // A piece that is still being read for the former link has to be in `#held` before the next link begins.
    await this.#sending;
    const ended = new AbortController();
    const signal = AbortSignal.any([this.#signal, ended.signal]);
    const channel = await this.#parts.way.open(this.#signal);
    const messages = new Messages(channel, { bytesMax: CONTROL_BYTES_MAX, messagesMax: CONTROLS_MAX });
    try {
      channel.send(controlMessage(this.#offer));
      await this.#begin(channel, messages, signal);
      this.#enter("sending");
      const heard = this.#hear(messages, signal);
      const sent = this.#send(channel, signal);
      this.#sending = sent.catch(() => {});
      // Either ends the other: the receiver's refusal, or an error of reading.
      await Promise.race([heard, sent.then(() => heard)]);
      channel.end();
    } catch (error) {
      this.#leave(channel, error);
      throw error;
    } finally {
      ended.abort(new StarfishError("closed", "This link is done with"));
    }
  }

  /** Ends the channel. If the transfer is over, the other end is told not to wait for more. */
  #leave(channel: Channel, error: unknown): void {
    if (error === this.#refusal) return channel.end();
    const why = this.#signal.aborted ? cancelled(this.#signal) : error;
    const isOver = this.#signal.aborted ? isStarfishError(why, "cancelled") : !isBroken(why);
    if (!isOver) return channel.abort(toStarfishError(why, "closed"));
    channel.send(controlMessage({ is: "cancel" }));
    channel.end();
  }

  /** Resolves when the other end has accepted, and both ends are at the same piece. */
  async #begin(channel: Channel, messages: Messages, signal: AbortSignal): Promise<void> {
    for (;;) {
      const message = await this.#next(messages, signal);
      this.#hasMet = true;
      this.#touch();
      if (message.is === "waiting") {
        this.#hasPerson = message.hasPerson;
        this.#enter("waiting");
      } else if (message.is === "accept") {
        this.#enter("checking");
        if (await this.#goTo(message.pieces, message.root)) return;
        channel.send(controlMessage({ is: "again" }));
        return;
      } else {
        throw new StarfishError("malformed", "The other node sent an unexpected message about a transfer");
      }
    }
  }

  /**
   * Checks whether the stored pieces are the beginning of this source. Goes on after them if so, else from the first
   * piece.
   */
  async #goTo(pieces: number, root: Uint8Array): Promise<boolean> {
    if (pieces < this.#safe) this.#restart();
    for (const piece of this.#held) if (piece.index < pieces) this.#keepSafe(piece);
    this.#held = this.#held.filter(({ index }) => index >= pieces);
    const isPipe = this.#told.totalBytes === null;
    const isNew = this.#read === 0;
    // A pipe can't be read again if it turns out to be a different one.
    const there = isPipe && isNew ? 0 : pieces;
    while (this.#safe < there) {
      const piece = await this.#nextPiece();
      if (piece === undefined) break;
      this.#keepSafe(piece);
      this.#tell();
    }
    if (this.#safe === pieces && equal(this.#safeRoot, root)) {
      if (isNew) this.#resumed = pieces;
      return true;
    }
    this.#restart();
    return false;
  }

  #restart(): void {
    if (this.#read === 0) return;
    if (this.#told.totalBytes === null)
      throw new StarfishError("io", `${this.#name} has lost what came of the pipe, which can't be read again`);
    const before = this.#pieces;
    void before.return();
    this.#pieces = this.#fromStart();
    this.#read = 0;
    this.#isRead = false;
    this.#safe = 0;
    this.#safeRoot = FIRST_ROOT;
    this.#held = [];
  }

  #fromStart(): AsyncGenerator<Piece, void, undefined> {
    return piecesOf(this.#manifest, this.#source, this.#parts, this.#signal);
  }

  async #nextPiece(): Promise<Piece | undefined> {
    if (this.#isRead) return undefined;
    const { done, value } = await this.#pieces.next();
    if (done === true) {
      this.#isRead = true;
      return undefined;
    }
    this.#read++;
    return value;
  }

  #keepSafe({ index, root }: Piece): void {
    this.#safe = index + 1;
    this.#safeRoot = root;
  }

  async #send(channel: Channel, signal: AbortSignal): Promise<void> {
    for (const { bytes } of this.#held) channel.send(pieceMessage(bytes));
    for (;;) {
      while (this.#read - this.#safe >= WINDOW_PIECES) await this.#room(signal);
      throwIfAborted(signal);
      const piece = await this.#nextPiece();
      // The piece is held even if the link has gone meanwhile, because the source is not read again.
      if (piece !== undefined) {
        this.#held.push(piece);
        this.#bytes = piece.index * PIECE_BYTES + piece.bytes.length;
      }
      throwIfAborted(signal);
      if (piece === undefined) break;
      channel.send(pieceMessage(piece.bytes));
    }
    const root = this.#held.at(-1)?.root ?? this.#safeRoot;
    const totalBytes = this.#told.totalBytes ?? Math.max(0, this.#bytes - this.#manifest.length);
    channel.send(controlMessage({ is: "end", pieces: this.#read, totalBytes, root }));
  }

  /** Listens until "done". */
  async #hear(messages: Messages, signal: AbortSignal): Promise<void> {
    for (;;) {
      const message = await this.#next(messages, signal);
      this.#touch();
      if (message.is === "done") {
        this.#safe = this.#read;
        this.#tell(true);
        return;
      }
      if (message.is !== "ack" || message.pieces > this.#read)
        throw new StarfishError("malformed", "The other node sent an unexpected message about a transfer");
      for (const piece of this.#held) if (piece.index < message.pieces) this.#keepSafe(piece);
      this.#held = this.#held.filter(({ index }) => index >= message.pieces);
      this.#wake();
      this.#tell();
    }
  }

  /** Rejects with the refusal of the other end. */
  async #next(messages: Messages, signal: AbortSignal): Promise<Exclude<ReceiverMessage, { is: "refuse" }>> {
    const message = readMessage(receiverSchema, await messages.next(signal), CONTROL_BYTES_MAX);
    if (message instanceof Uint8Array) throw new StarfishError("malformed", "A receiver that sends");
    if (message.is !== "refuse") return message;
    this.#refusal = new StarfishError(message.code, message.message, { retryable: message.code === "busy" });
    throw this.#refusal;
  }

  async #room(signal: AbortSignal): Promise<void> {
    throwIfAborted(signal);
    await new Promise<void>((resolve) => {
      const go = (): void => {
        signal.removeEventListener("abort", go);
        resolve();
      };
      this.#wake = go;
      signal.addEventListener("abort", go, { once: true });
    });
  }

  #touch(): void {
    this.#progressMs = this.#parts.clock.monotonic();
  }

  #enter(state: SendState): void {
    this.#state = state;
    this.#tell(true);
  }

  #tell(isNow = false): void {
    const nowMs = this.#parts.clock.monotonic();
    if (!isNow && nowMs - this.#toldMs < PROGRESS_MS) return;
    this.#toldMs = nowMs;
    this.#onProgress({
      state: this.#state,
      doneBytes: this.#contentBytes(this.#safe),
      totalBytes: this.#told.totalBytes ?? undefined,
      resumedBytes: this.#contentBytes(this.#resumed),
      hasPerson: this.#hasPerson,
    });
  }

  #contentBytes(pieces: number): number {
    return contentBytes(pieces, this.#manifest.length, this.#told.totalBytes);
  }
}

/** Whether the error means that the link is gone, and not that the transfer is over. */
function isBroken(error: unknown): boolean {
  return (
    isStarfishError(error, "link-closed") || isStarfishError(error, "timeout") || isStarfishError(error, "unreachable")
  );
}
