/** Blocks and their CIDs: immutable bytes, named by their hash (https://github.com/multiformats/cid). */
import { CID } from "multiformats/cid";
import { create as createDigest } from "multiformats/hashes/digest";
import type { Bytes } from "../../base/bytes.ts";
import { equal } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";

export interface Block {
  readonly cid: CID;
  readonly bytes: Uint8Array;
}

/**
 * SHA-256 of each piece, 32 bytes each, in the same order; off this thread and several at once, where that is possible.
 */
export type Hash = (pieces: readonly Uint8Array[]) => Promise<readonly Uint8Array[]>;

/** Where blocks come from. */
export interface Blocks {
  /** The bytes of a block, which match its hash. Rejects with "not-found", "corrupt" or "unsupported". */
  get(cid: CID): Promise<Uint8Array>;
}

/** Codec of a block that is nothing but bytes. */
export const RAW = 0x55;
/** Codec of a block that links to others. */
export const DAG_PB = 0x70;
const SHA2_256 = 0x12;
const IDENTITY = 0x00;

export function cidOf(codec: number, digest: Bytes): CID {
  return CID.createV1(codec, createDigest(SHA2_256, digest));
}

/**
 * The CIDs of contents: version 1, in base 32, for a block of bytes or of links, with its SHA-256. 36 bytes are 58
 * characters. The first six are the same in all of them; the seventh and the last contain bits that do not belong to
 * the hash.
 */
const CONTENT_CID = /^baf(?:ybei|krei)[a-h][a-z2-7]{50}[aeimquy4]$/;

/** Whether this text is the CID of a content as this computer writes it; there is one text for each content. */
export function isContentCid(text: string): boolean {
  return CONTENT_CID.test(text);
}

/** A key for maps and sets that is the same for all versions and codecs in which a CID may be written. */
export function keyOf(cid: CID): string {
  return String.fromCharCode(...cid.multihash.bytes);
}

/** The bytes that an identity CID carries itself, or undefined for any other. */
export function inlineBytes(cid: CID): Uint8Array | undefined {
  return cid.multihash.code === IDENTITY ? cid.multihash.digest : undefined;
}

/** Whether the CID names its bytes by a hash that can be checked here. */
export function isHashKnown(cid: CID): boolean {
  return cid.multihash.code === SHA2_256 || cid.multihash.code === IDENTITY;
}

/** Throws "unsupported". */
export function checkHashKnown(cid: CID): void {
  if (isHashKnown(cid)) return;
  throw new StarfishError("unsupported", `The block ${cid.toString()} is named by a hash other than SHA-256`);
}

/** Whether bytes with this SHA-256 are those that the CID names. Throws "unsupported" if the CID uses another hash. */
export function checkDigest(cid: CID, digest: Bytes): void {
  checkHashKnown(cid);
  if (!equal(cid.multihash.digest, digest)) {
    throw new StarfishError("corrupt", `The bytes of the block ${cid.toString()} do not match its hash`);
  }
}
