/**
 * Cuts a transfer's stream into pieces of PIECE_BYTES, each with the root of all pieces up to it (wire.ts). As much is
 * read as the entries say: a file that has become shorter meanwhile ends the transfer; the rest of a file that has
 * grown is left out.
 */
import { type Bytes, concat } from "../../base/bytes.ts";
import { StarfishError, throwIfAborted } from "../../base/errors.ts";
import type { Coder } from "../../ports/coder.ts";
import type { Crypto } from "../../ports/crypto.ts";
import { HASHED_AHEAD, PIECE_BYTES } from "./limits.ts";
import type { TransferSource } from "./types.ts";
import { ROOT_BYTES } from "./wire.ts";

export const FIRST_ROOT: Uint8Array = new Uint8Array(ROOT_BYTES);

/** The root of a list of pieces, from the root of all but the last and the hash of the last. */
export function nextRoot(crypto: Crypto, root: Bytes, digest: Bytes): Uint8Array {
  return crypto.sha256(concat([root, digest]));
}

/** The bytes of files in so many pieces. */
export function contentBytes(pieces: number, manifestBytes: number, totalBytes: number | null): number {
  return Math.min(totalBytes ?? Infinity, Math.max(0, pieces * PIECE_BYTES - manifestBytes));
}

export interface Piece {
  readonly index: number;
  readonly bytes: Bytes;
  /** The root of all pieces up to this one. */
  readonly root: Uint8Array;
}

export interface HashParts {
  readonly coder: Coder;
  readonly crypto: Crypto;
}

/** The pieces of a source from the first one; a few of them are hashed ahead. */
export async function* piecesOf(
  manifest: Bytes,
  source: TransferSource,
  { coder, crypto }: HashParts,
  signal: AbortSignal,
): AsyncGenerator<Piece, void, undefined> {
  const underWay: { readonly bytes: Bytes; readonly digest: Promise<Uint8Array[]> }[] = [];
  let index = 0;
  let root = FIRST_ROOT;
  const next = async (): Promise<Piece | undefined> => {
    const first = underWay.shift();
    if (first === undefined) return undefined;
    const [digest] = await first.digest;
    if (digest === undefined) throw new StarfishError("closed", "This node is closing");
    root = nextRoot(crypto, root, digest);
    return { index: index++, bytes: first.bytes, root };
  };
  for await (const bytes of cut(streamOf(manifest, source, signal))) {
    throwIfAborted(signal);
    const digest = coder.hash([bytes]);
    // A failure is noticed when it is awaited.
    digest.catch(() => {});
    underWay.push({ bytes, digest });
    if (underWay.length < HASHED_AHEAD) continue;
    const piece = await next();
    if (piece !== undefined) yield piece;
  }
  for (let piece = await next(); piece !== undefined; piece = await next()) yield piece;
}

/** The manifest, then the bytes of each file, as many as its entry says. */
async function* streamOf(
  manifest: Bytes,
  source: TransferSource,
  signal: AbortSignal,
): AsyncGenerator<Bytes, void, undefined> {
  yield manifest;
  for (const [index, { path, kind, sizeBytes }] of source.entries.entries()) {
    if (kind === "folder" || sizeBytes === 0) continue;
    let left = sizeBytes ?? Infinity;
    for await (const bytes of source.read(index, { signal })) {
      throwIfAborted(signal);
      const part = bytes.length > left ? bytes.subarray(0, left) : bytes;
      left -= part.length;
      if (part.length > 0) yield part;
      if (left === 0) break;
    }
    if (sizeBytes !== undefined && left > 0)
      throw new StarfishError("io", `${path} has become shorter since it was looked at: send it again`);
  }
}

/** Pieces of the same length, without copying if a chunk holds a whole one. */
async function* cut(chunks: AsyncIterable<Bytes>): AsyncGenerator<Bytes, void, undefined> {
  let parts: Bytes[] = [];
  let length = 0;
  for await (let chunk of chunks) {
    while (length + chunk.length >= PIECE_BYTES) {
      const rest = PIECE_BYTES - length;
      parts.push(chunk.subarray(0, rest));
      yield parts.length === 1 && parts[0] !== undefined ? parts[0] : concat(parts);
      chunk = chunk.subarray(rest);
      parts = [];
      length = 0;
    }
    if (chunk.length === 0) continue;
    // The source of a small chunk may use its buffer again.
    parts.push(chunk.length < PIECE_BYTES / 4 ? Uint8Array.from(chunk) : chunk);
    length += chunk.length;
  }
  if (length > 0) yield concat(parts);
}
