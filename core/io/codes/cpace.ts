/**
 * CPace: two ends that know the same few words agree on a key. An end that does not know the words learns only whether
 * one guess was right (https://datatracker.ietf.org/doc/draft-irtf-cfrg-cpace/, suite
 * CPACE-P256_XMD:SHA-256_SSWU_NU_-SHA256, with an initiator and a responder). The group comes from noble; this file
 * uses it as the draft says. Pure.
 */
import { p256, p256_hasher } from "@noble/curves/nist.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { type Bytes, concat, copyOf, utf8 } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";

/** The block size of SHA-256. */
const BLOCK_BYTES = 64;
/** A point with both coordinates (SEC 1, 2.3.3). */
export const SHARE_BYTES = 65;
/** Random bytes from which a scalar is made: enough to make it uniform (FIPS 186-5, A.2.1). */
export const SEED_BYTES = 48;
const DSI: Bytes = utf8("CPaceP256_XMD:SHA-256_SSWU_NU_");
const DST: Bytes = concat([DSI, utf8("_DST")]);
const DSI_ISK: Bytes = concat([DSI, utf8("_ISK")]);

export interface PaceInput {
  /** The secret of both ends: PRS in the draft. */
  readonly password: Bytes;
  /** The identities of both ends: CI in the draft. */
  readonly channel: Bytes;
  /** Identifies this run: sid in the draft. */
  readonly session: Bytes;
}

/** The message of an end, with its associated data. */
export interface PaceShare {
  readonly share: Bytes;
  readonly says: Bytes;
}

/** A secret scalar, big-endian, from SEED_BYTES random bytes. */
export function scalarOf(seed: Bytes): Uint8Array {
  return p256.utils.randomSecretKey(copyOf(seed));
}

/** The message of this end. */
export function shareOf(input: PaceInput, scalar: Bytes): Uint8Array {
  return generator(input).multiply(numberOf(scalar)).toBytes(false);
}

/**
 * The key: 32 bytes, which are the same at both ends if all their inputs are. Throws "malformed" if the other's share
 * is not a point.
 */
export function keyOf(
  { session }: Pick<PaceInput, "session">,
  scalar: Bytes,
  other: Bytes,
  [initiator, responder]: readonly [PaceShare, PaceShare],
): Uint8Array {
  const secret = withLengths([DSI_ISK, session, secretPoint(scalar, other)]);
  const transcript = [initiator, responder].map(({ share, says }) => withLengths([share, says]));
  return sha256(concat([secret, ...transcript]));
}

/** The x-coordinate of the point that both ends compute. Throws "malformed". */
export function secretPoint(scalar: Bytes, share: Bytes): Uint8Array {
  if (share.length !== SHARE_BYTES) throw noPoint();
  let point: typeof p256.Point.BASE;
  try {
    point = p256.Point.fromBytes(copyOf(share));
    point.assertValidity();
  } catch (error) {
    throw noPoint(error);
  }
  return point.multiply(numberOf(scalar)).toBytes(false).subarray(1, 33);
}

export function generatorString({ password, channel, session }: PaceInput): Uint8Array {
  const taken = withLengths([password]).length + withLengths([DSI]).length + 1;
  const padding = new Uint8Array(Math.max(0, BLOCK_BYTES - taken));
  return withLengths([DSI, password, padding, channel, session]);
}

export function generator(input: PaceInput): typeof p256.Point.BASE {
  return p256_hasher.encodeToCurve(generatorString(input), { DST });
}

function numberOf(scalar: Bytes): bigint {
  return p256.Point.Fn.fromBytes(copyOf(scalar));
}

/** Each part after its length in LEB128. */
function withLengths(parts: readonly Bytes[]): Uint8Array {
  return concat(parts.flatMap((part) => [leb128(part.length), part]));
}

function leb128(number: number): Uint8Array {
  const bytes: number[] = [];
  let left = number;
  do {
    bytes.push((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
    left >>>= 7;
  } while (left > 0);
  return Uint8Array.from(bytes);
}

function noPoint(cause?: unknown): StarfishError {
  return new StarfishError("malformed", "What came is no share of a key", { cause });
}
