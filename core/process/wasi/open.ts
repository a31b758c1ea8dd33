/** What descriptors refer to: streams, files, directories. Each collects small transfers into large ones. */
import { concat, copyOf } from "../../base/bytes.ts";
import type { Clock } from "../../ports/clock.ts";
import {
  COLLECT_MS,
  PIECE_BYTES,
  PIECES_IN_FLIGHT_MAX,
  READ_AHEAD_BYTES,
  REUSED_BYTES_MIN,
  STREAM_AHEAD_BYTES,
} from "../limits.ts";
import type { DirectoryName, Filetype } from "../messages.ts";
import { type Begun, type Channel, Unwind } from "./channel.ts";
import { ERRNO, WasiError } from "../../sandbox/wasi/errno.ts";

interface Common {
  readonly handle: number;
  readonly type: Filetype;
  rights: bigint;
  inheriting: bigint;
  flags: number;
}

export interface OpenDirectory extends Common {
  readonly is: "directory";
  /** The name under which it was preopened, if it was. */
  readonly preopen?: Uint8Array;
  entries?: readonly DirectoryName[];
}

/** A request for the next pieces of a stream. */
interface Taking {
  readonly done: Promise<void>;
  waits(): void;
}

export type Open = Stream | RegularFile | OpenDirectory;

/** A pipe, a terminal or a device: a stream of bytes. */
export class Stream implements Common {
  readonly is = "stream";
  readonly handle: number;
  readonly type: Filetype;
  rights: bigint;
  inheriting = 0n;
  flags = 0;
  readonly #channel: Channel;
  readonly #clock: Clock;
  #rest: Uint8Array<ArrayBuffer>[] = [];
  #restBytes = 0;
  /** Requests for pieces, the oldest first. */
  readonly #taking: Taking[] = [];
  #isOver = false;
  #isReleased = false;
  #readError: unknown;
  #collected: Uint8Array<ArrayBuffer> | undefined;
  /** Memory for the next bytes that are collected. */
  readonly #spare: Uint8Array<ArrayBuffer>[] = [];
  #collectedBytes = 0;
  #sentAtMs = Number.NEGATIVE_INFINITY;
  /** The oldest first. */
  readonly #inFlight = new Map<Promise<void>, Begun>();
  #writeError: unknown;

  constructor(channel: Channel, clock: Clock, handle: number, type: Filetype, rights: bigint) {
    this.#channel = channel;
    this.#clock = clock;
    this.handle = handle;
    this.type = type;
    this.rights = rights;
  }

  /** Whether there are bytes, or the end, or an error of reading. */
  get isReadable(): boolean {
    return this.#rest.length > 0 || this.#isOver || this.#readError !== undefined;
  }

  get restBytes(): number {
    return this.#restBytes;
  }

  /** Resolves when it is readable. Rejects only with Unwind. */
  async ready(): Promise<void> {
    while (!this.isReadable) {
      const [oldest = this.#take(false)] = this.#taking;
      oldest.waits();
      await oldest.done;
    }
  }

  #take(isAhead: boolean): Taking {
    const begun = this.#channel.begin({ is: "take", handle: this.handle }, { isAhead });
    const done = begun.answer.then(
      (pieces) => {
        this.#taking.shift();
        this.#took(pieces as Uint8Array<ArrayBuffer>[] | undefined);
      },
      (error: unknown) => {
        this.#taking.shift();
        if (error instanceof Unwind) throw error;
        this.#readError = error;
      },
    );
    // Who waits for it hears of its error; often nobody does.
    done.catch(() => {});
    const taking = { done, waits: () => begun.waits() };
    this.#taking.push(taking);
    return taking;
  }

  #took(pieces: readonly Uint8Array<ArrayBuffer>[] | undefined): void {
    if (pieces === undefined) {
      this.#isOver = true;
      return;
    }
    for (const piece of pieces) {
      this.#rest.push(piece);
      this.#restBytes += piece.length;
    }
    this.#takeAhead();
  }

  /**
   * Asks for the next pieces while the program works on these, so that neither thread waits for the other. Bytes that
   * the program leaves go back for the next reader.
   */
  #takeAhead(): void {
    if (this.type !== "pipe" || this.#isOver || this.#readError !== undefined) return;
    if (this.#isReleased || this.#channel.isKilled) return;
    if (this.#taking.length === 0 && this.#restBytes < STREAM_AHEAD_BYTES) this.#take(true);
  }

  /** The bytes that are there, up to `length`. Undefined if there are none yet; empty at the end. */
  takeNow(length: number): Uint8Array<ArrayBuffer> | undefined {
    const rest = this.#rest[0];
    if (rest !== undefined) {
      const piece = rest.subarray(0, length);
      if (piece.length < rest.length) this.#rest[0] = rest.subarray(length);
      else this.#rest.shift();
      this.#restBytes -= piece.length;
      this.#takeAhead();
      return piece;
    }
    if (this.#readError !== undefined) {
      const error = this.#readError;
      this.#readError = undefined;
      throw error;
    }
    if (!this.#isOver) return undefined;
    // A terminal can be read again after its end (Ctrl-D), as in other systems.
    if (this.type === "terminal") this.#isOver = false;
    return new Uint8Array(0);
  }

  /** Stops reading; bytes that were read too far go back for the next reader. */
  async release(): Promise<void> {
    this.#isReleased = true;
    if (this.#taking.length > 0) {
      // Pieces on their way arrive before the answer to this request.
      await this.#giveBack([]);
      await Promise.all(this.#taking.map(({ done }) => done));
    }
    const rest = this.#rest;
    this.#rest = [];
    this.#restBytes = 0;
    if (rest.length > 0) await this.#giveBack(rest);
  }

  async #giveBack(pieces: readonly Uint8Array[]): Promise<void> {
    await this.#channel.call({ is: "give-back", handle: this.handle, bytes: concat(pieces) });
  }

  get hasRoom(): boolean {
    return this.#inFlight.size < PIECES_IN_FLIGHT_MAX || this.#writeError !== undefined;
  }

  /** Resolves when it has room. */
  async room(): Promise<void> {
    if (this.hasRoom) return;
    // Until half of them are taken: after a single one, the threads would wake each other for every piece.
    while (this.#inFlight.size > PIECES_IN_FLIGHT_MAX / 2 && this.#writeError === undefined) await this.#oneTaken();
  }

  /** Resolves when the node has taken one of the pieces in flight. */
  async #oneTaken(): Promise<void> {
    for (const oldest of this.#inFlight.values()) {
      oldest.waits();
      break;
    }
    await Promise.race(this.#inFlight.keys());
  }

  /** Copies the parts. Returns a promise if the program has to wait for room first. */
  write(parts: readonly Uint8Array[]): Promise<void> | undefined {
    this.#checkWritten();
    for (const part of parts) {
      for (let at = 0; at < part.length;) {
        const collected = (this.#collected ??= this.#spare.pop() ?? new Uint8Array(PIECE_BYTES));
        const some = part.subarray(at, at + PIECE_BYTES - this.#collectedBytes);
        collected.set(some, this.#collectedBytes);
        this.#collectedBytes += some.length;
        at += some.length;
        if (this.#collectedBytes === PIECE_BYTES) this.send();
      }
    }
    const isDue = this.type === "terminal" || this.#clock.monotonic() - this.#sentAtMs >= COLLECT_MS;
    if (isDue) this.send();
    if (this.hasRoom) return undefined;
    return this.room().then(() => this.#checkWritten());
  }

  #checkWritten(): void {
    if (this.#writeError === undefined) return;
    const error = this.#writeError;
    // Like SIGPIPE without a handler.
    if (error instanceof WasiError && error.errno === ERRNO.pipe) throw new Unwind("broken-pipe");
    throw error;
  }

  /** Sends what was collected. */
  send(): void {
    const collected = this.#collected;
    if (collected === undefined || this.#collectedBytes === 0) return;
    // A small piece is copied, so that the large buffer can be used for the next ones.
    const isWorthIt = this.#collectedBytes >= REUSED_BYTES_MIN;
    const whole = collected.subarray(0, this.#collectedBytes);
    const bytes = isWorthIt ? whole : copyOf(whole);
    if (isWorthIt) this.#collected = undefined;
    this.#collectedBytes = 0;
    this.#sentAtMs = this.#clock.monotonic();
    const request = { is: "give", handle: this.handle, bytes } as const;
    const begun = this.#channel.begin(request, { transfer: [bytes.buffer], isAhead: true });
    const sent: Promise<void> = begun.answer.then(
      (memory) => {
        this.#inFlight.delete(sent);
        if (memory instanceof Uint8Array) this.#spare.push(new Uint8Array(memory.buffer as ArrayBuffer));
      },
      (error: unknown) => {
        this.#inFlight.delete(sent);
        this.#writeError ??= error;
      },
    );
    this.#inFlight.set(sent, begun);
  }

  /** Resolves when everything that was written has been taken. */
  async drain(): Promise<void> {
    this.send();
    while (this.#inFlight.size > 0) await this.#oneTaken();
    this.#checkWritten();
  }
}

export class RegularFile implements Common {
  readonly is = "file";
  readonly type = "file" as const;
  readonly handle: number;
  rights: bigint;
  inheriting: bigint;
  flags: number;
  position = 0;
  readonly #channel: Channel;
  #ahead: { at: number; bytes: Uint8Array<ArrayBuffer> } | undefined;
  #behind: { at: number | undefined; parts: Uint8Array<ArrayBuffer>[]; length: number } | undefined;

  constructor(channel: Channel, handle: number, rights: bigint, inheriting: bigint, flags: number) {
    this.#channel = channel;
    this.handle = handle;
    this.rights = rights;
    this.inheriting = inheriting;
    this.flags = flags;
  }

  /** The bytes at that place, if they were read ahead; undefined if they have to be asked for. */
  readNow(at: number, length: number): Uint8Array<ArrayBuffer> | undefined {
    const ahead = this.#ahead;
    if (this.#behind !== undefined || ahead === undefined) return undefined;
    if (at < ahead.at || at >= ahead.at + ahead.bytes.length) return undefined;
    return ahead.bytes.subarray(at - ahead.at, at - ahead.at + length);
  }

  async read(at: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    await this.settle();
    const bytes = (await this.#channel.call({
      is: "read",
      handle: this.handle,
      offset: at,
      length: Math.max(length, READ_AHEAD_BYTES),
    })) as Uint8Array<ArrayBuffer>;
    this.#ahead = bytes.length === 0 ? undefined : { at, bytes };
    return bytes.subarray(0, length);
  }

  /**
   * Takes the bytes over. Returns a promise if collected bytes have to be sent first. Without `at` the bytes are
   * appended.
   */
  write(at: number | undefined, bytes: Uint8Array<ArrayBuffer>): Promise<void> | undefined {
    this.forget();
    const behind = this.#behind;
    const continues =
      behind === undefined ||
      (at === undefined ? behind.at === undefined : behind.at !== undefined && behind.at + behind.length === at);
    if (!continues) return this.settle().then(() => this.write(at, bytes));
    const next = behind ?? { at, parts: [], length: 0 };
    next.parts.push(bytes);
    next.length += bytes.length;
    this.#behind = next;
    return next.length >= READ_AHEAD_BYTES ? this.settle() : undefined;
  }

  get isUnsettled(): boolean {
    return this.#behind !== undefined;
  }

  /** Forgets what was read ahead, because it may have changed. */
  forget(): void {
    this.#ahead = undefined;
  }

  /** Resolves when all writes have reached the node. Rejects with the error of a write. */
  async settle(): Promise<void> {
    const behind = this.#behind;
    if (behind === undefined) return;
    this.#behind = undefined;
    const bytes = concat(behind.parts);
    await this.#channel.call({ is: "write", handle: this.handle, offset: behind.at, bytes }, [bytes.buffer]);
  }
}
