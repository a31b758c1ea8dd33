/**
 * Payloads between this node and the nodes that ask it to work: assembled from pieces, or waiting to be fetched piece
 * by piece. They are bounded for each asker and in all, and dropped when nobody has touched them for a while.
 */
import { StarfishError } from "../base/errors.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { PeerId } from "../ports/network.ts";
import { BLOB_BYTES_MAX, BLOB_BYTES_PER_ASKER_MAX, BLOB_IDLE_MS, PIECE_BYTES_MAX } from "./limits.ts";
import type { PutRequest } from "./protocol.ts";

interface Blob {
  readonly asker: PeerId;
  readonly bytes: Uint8Array;
  /** How many bytes have arrived. */
  filled: number;
  touchedAtMs: number;
}

export class Blobs {
  readonly #clock: Clock;
  readonly #blobs = new Map<string, Blob>();
  #sweep: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Adds a piece. Throws "malformed" if it does not follow the one before, "busy" when there is no room. */
  put(asker: PeerId, piece: PutRequest): void {
    const key = keyOf(asker, piece.blob);
    if (piece.at === 0) this.#add(key, asker, new Uint8Array(this.#reserve(key, asker, piece.size)), 0);
    const blob = this.#blobs.get(key);
    if (blob === undefined) throw new StarfishError("malformed", "A piece without its beginning");
    if (piece.at !== blob.filled || piece.at + piece.bytes.length > blob.bytes.length) {
      throw new StarfishError("malformed", "A piece that does not follow the one before it");
    }
    blob.bytes.set(piece.bytes, piece.at);
    blob.filled += piece.bytes.length;
    blob.touchedAtMs = this.#clock.monotonic();
  }

  /** Takes a complete blob out; undefined if it is not there, or not complete. */
  take(asker: PeerId, name: string): Uint8Array | undefined {
    const key = keyOf(asker, name);
    const blob = this.#blobs.get(key);
    if (blob === undefined || blob.filled < blob.bytes.length) return undefined;
    this.#blobs.delete(key);
    return blob.bytes;
  }

  /** Keeps a complete blob for the asker to fetch. Throws "busy" when there is no room. */
  offer(asker: PeerId, name: string, bytes: Uint8Array): void {
    const key = keyOf(asker, name);
    this.#reserve(key, asker, bytes.length);
    this.#add(key, asker, bytes, bytes.length);
  }

  /** A piece of an offered blob. The blob is dropped after its last piece. Throws "not-found". */
  get(asker: PeerId, name: string, at: number): Uint8Array {
    const key = keyOf(asker, name);
    const blob = this.#blobs.get(key);
    if (blob === undefined || blob.filled < blob.bytes.length) {
      throw new StarfishError("not-found", "This payload is not here any more");
    }
    blob.touchedAtMs = this.#clock.monotonic();
    const piece = blob.bytes.slice(at, at + PIECE_BYTES_MAX);
    if (at + piece.length >= blob.bytes.length) this.#blobs.delete(key);
    return piece;
  }

  close(): void {
    this.#sweep?.cancel();
    this.#blobs.clear();
  }

  #add(key: string, asker: PeerId, bytes: Uint8Array, filled: number): void {
    this.#blobs.set(key, { asker, bytes, filled, touchedAtMs: this.#clock.monotonic() });
    this.#sweep ??= this.#clock.timer(BLOB_IDLE_MS, () => this.#forget());
  }

  #reserve(key: string, asker: PeerId, size: number): number {
    this.#blobs.delete(key);
    let all = size;
    let askers = size;
    for (const blob of this.#blobs.values()) {
      all += blob.bytes.length;
      if (blob.asker === asker) askers += blob.bytes.length;
    }
    if (all > BLOB_BYTES_MAX || askers > BLOB_BYTES_PER_ASKER_MAX) {
      throw new StarfishError("busy", "This node holds too many payloads for now", { retryable: true });
    }
    return size;
  }

  #forget(): void {
    const before = this.#clock.monotonic() - BLOB_IDLE_MS;
    for (const [key, blob] of this.#blobs) if (blob.touchedAtMs <= before) this.#blobs.delete(key);
    this.#sweep = this.#blobs.size === 0 ? undefined : this.#clock.timer(BLOB_IDLE_MS, () => this.#forget());
  }
}

function keyOf(asker: PeerId, name: string): string {
  return `${asker} ${name}`;
}
