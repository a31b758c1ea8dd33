/**
 * Passes the contents of a fetch to a consumer, which takes files and directories one after the other as they arrive.
 * Bytes arrive no faster than they are taken. Nothing is passed on before the list of names is complete and agrees with
 * the offer.
 */
import { type Bytes, equal } from "../../base/bytes.ts";
import { StarfishError, toStarfishError } from "../../base/errors.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Sink } from "../transfer/incoming.ts";
import { PIECE_BYTES } from "../transfer/limits.ts";
import { decodeManifest, toldOf } from "../transfer/manifest.ts";
import { FIRST_ROOT, type HashParts } from "../transfer/pieces.ts";
import type { TransferEntry } from "../transfer/types.ts";
import { isAsOffered, type OfferMessage } from "../transfer/wire.ts";
import type { FetchedEntry } from "./types.ts";

/**
 * Takes all entries in their order. Resolves when they are stored for good; rejects with the reason why they can't be.
 */
export type Consume = (entries: AsyncIterable<FetchedEntry>) => Promise<void>;

export interface ContentsSinkParts extends HashParts {
  readonly clock: Clock;
}

export class ContentsSink implements Sink {
  pieces = 0;
  root: Uint8Array = FIRST_ROOT;
  readonly isWhole = false;
  readonly #offer: OfferMessage;
  readonly #parts: ContentsSinkParts;
  readonly #consume: Consume;
  readonly #manifest: Uint8Array;
  readonly #flow = new Flow();
  #consumed: Promise<void> | undefined;

  constructor(offer: OfferMessage, parts: ContentsSinkParts, consume: Consume) {
    this.#offer = offer;
    this.#parts = parts;
    this.#consume = consume;
    this.#manifest = new Uint8Array(offer.manifestBytes);
  }

  async resume(): Promise<void> {}
  async store(): Promise<void> {}

  async pass(index: number, bytes: Uint8Array, root: Uint8Array): Promise<void> {
    const at = index * PIECE_BYTES;
    const listed = bytes.subarray(0, Math.max(0, this.#manifest.length - at));
    if (listed.length > 0) this.#manifest.set(listed, at);
    if (listed.length > 0 && at + listed.length === this.#manifest.length) await this.#begin();
    if (listed.length < bytes.length) await this.#flow.write(bytes.subarray(listed.length));
    this.pieces = index + 1;
    this.root = root;
  }

  async restart(): Promise<void> {
    if (this.pieces > 0) throw new StarfishError("io", "What came has been passed on already: it can't begin anew");
  }

  async finish(): Promise<void> {
    if (this.#consumed === undefined) throw new StarfishError("malformed", "It came without the list of its files");
    this.#flow.end();
    await this.#consumed;
  }

  async pause(): Promise<void> {}

  /** Makes the consumer fail, and waits until it has removed what is half-written. */
  async drop(why: StarfishError): Promise<void> {
    this.#flow.fail(why);
    await Promise.allSettled([this.#consumed]);
  }

  /** Throws "malformed", "corrupt". */
  async #begin(): Promise<void> {
    const [digest] = await this.#parts.coder.hash([this.#manifest]);
    if (digest === undefined || !equal(digest, this.#offer.key))
      throw new StarfishError("corrupt", "The list of its files is not the one that was offered");
    const entries = await decodeManifest(this.#manifest, this.#parts.clock);
    const told = toldOf(entries);
    if (!isAsOffered(told, this.#offer) || told.totalBytes !== this.#offer.totalBytes)
      throw new StarfishError("malformed", "The contents differ from the offer");
    this.#consumed = this.#consume(this.#entries(entries));
    this.#consumed.then(
      () => this.#flow.fail(new StarfishError("io", "Not all of it was taken")),
      (error: unknown) => this.#flow.fail(toStarfishError(error, "io")),
    );
  }

  async *#entries(entries: readonly TransferEntry[]): AsyncGenerator<FetchedEntry, void, undefined> {
    for (const { kind, path, sizeBytes, modifiedMs } of entries) {
      if (kind === "folder") {
        yield { kind, path, modifiedMs };
        continue;
      }
      const length = { left: sizeBytes ?? Infinity };
      yield { kind, path, sizeBytes, modifiedMs, content: this.#flow.take(length) };
      // Bytes that the consumer has not asked for.
      for await (const _ of this.#flow.take(length)) continue;
    }
    await this.#flow.ended();
  }
}

/** Passes bytes from a writer to a reader: the writer waits until they have been taken. */
class Flow {
  #waiting: { readonly bytes: Bytes; readonly taken: PromiseWithResolvers<void> } | undefined;
  /** Resolves the writer's wait for the bytes that were given out last. They count as taken when more is asked for. */
  #given: PromiseWithResolvers<void> | undefined;
  /** Bytes that were taken from the writer and not asked for yet. */
  #rest: Bytes | undefined;
  #wake: () => void = () => {};
  #isEnded = false;
  #error: StarfishError | undefined;

  write(bytes: Bytes): Promise<void> {
    if (this.#error !== undefined) return Promise.reject(this.#error);
    const taken = Promise.withResolvers<void>();
    this.#waiting = { bytes, taken };
    this.#wake();
    return taken.promise;
  }

  end(): void {
    this.#isEnded = true;
    this.#wake();
  }

  /** Makes both sides fail with this error, unless it is over. */
  fail(error: StarfishError): void {
    if (this.#isEnded) return;
    this.#error ??= error;
    this.#given?.reject(this.#error);
    this.#waiting?.taken.reject(this.#error);
    this.#wake();
  }

  /** Yields this many bytes; Infinity means all until the end. */
  async *take(length: { left: number }): AsyncGenerator<Uint8Array, void, undefined> {
    while (length.left > 0) {
      const chunk = await this.#next();
      if (chunk === undefined && length.left === Infinity) return;
      if (chunk === undefined) throw new StarfishError("corrupt", "The transfer ended too early");
      const part = chunk.subarray(0, length.left);
      if (part.length < chunk.length) this.#rest = chunk.subarray(part.length);
      length.left -= part.length;
      yield part;
    }
  }

  /** Throws "malformed" if more bytes arrive. */
  async ended(): Promise<void> {
    if ((await this.#next()) !== undefined) throw new StarfishError("malformed", "More came than had been offered");
  }

  async #next(): Promise<Bytes | undefined> {
    const rest = this.#rest;
    this.#rest = undefined;
    if (rest !== undefined) return rest;
    this.#given?.resolve();
    this.#given = undefined;
    while (this.#waiting === undefined) {
      if (this.#error !== undefined) throw this.#error;
      if (this.#isEnded) return undefined;
      await new Promise<void>((wake) => (this.#wake = wake));
    }
    const { bytes, taken } = this.#waiting;
    this.#waiting = undefined;
    this.#given = taken;
    return bytes;
  }
}
