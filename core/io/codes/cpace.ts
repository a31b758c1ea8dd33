/**
 * CPace: two ends that know the same few words agree on a key, and who does not know them learns nothing but whether one
 * guess was right (https://datatracker.ietf.org/doc/draft-irtf-cfrg-cpace/, suite CPACE-P256_XMD:SHA-256_SSWU_NU_-SHA256, as
 * initiator and responder). The group is noble's; what is here is the draft's way of using it. Pure.
 */
import { p256, p256_hasher } from "@noble/curves/nist.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { type Bytes, concat, copyOf, utf8 } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";

/** SHA-256's block. */
const BLOCK_BYTES = 64;
/** A point with both coordinates (SEC 1, 2.3.3). */
export const SHARE_BYTES = 65;
/** Random bytes of which a scalar is made, as many as make it uniform (FIPS 186-5, A.2.1). */
export const SEED_BYTES = 48;
const DSI: Bytes = utf8("CPaceP256_XMD:SHA-256_SSWU_NU_");
const DST: Bytes = concat([DSI, utf8("_DST")]);
const DSI_ISK: Bytes = concat([DSI, utf8("_ISK")]);

export interface PaceInput {
  /** What both ends know and nobody else: PRS of the draft. */
  readonly password: Bytes;
  /** What both ends take each other for: CI. */
  readonly channel: Bytes;
  /** Of this run alone: sid. */
  readonly session: Bytes;
}

/** What an end sends, with what it says along. */
export interface PaceShare {
  readonly share: Bytes;
  readonly says: Bytes;
}

/** A secret scalar, big-endian, made of SEED_BYTES random bytes. */
export function scalarOf(seed: Bytes): Uint8Array {
  return p256.utils.randomSecretKey(copyOf(seed));
}

/** What this end sends. */
export function shareOf(input: PaceInput, scalar: Bytes): Uint8Array {
  return generator(input).multiply(numberOf(scalar)).toBytes(false);
}

/** The key: 32 bytes, the same at both ends if all that they put in is. Throws "malformed" where the other's share is no point. */
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

/** The x-coordinate of the point that both ends come to. Throws "malformed". */
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

/** Each after its length in LEB128. */
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
