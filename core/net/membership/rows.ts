/**
 * How members are named on the wire among members: six bytes of a hash of the PeerId, and six more if an incarnation is
 * meant. Two of 5,000 members share an id with a chance of 1 in 20 million; they would then be mixed up in digests and
 * suspicions until one of them restarts, and nothing worse.
 */
import { utf8 } from "../../base/bytes.ts";
import type { Crypto } from "../../ports/crypto.ts";
import type { PeerId } from "../../ports/network.ts";

/** 48 bits as a number. */
export type ShortId = number;

export interface Row {
  readonly id: ShortId;
  readonly incarnation: number;
}

const HALF = 2 ** 24;
const ID_BYTES = 6;
const ROW_BYTES = 12;

export function shortIdOf(crypto: Crypto, peer: PeerId): ShortId {
  return read48(crypto.sha256(utf8(peer)), 0);
}

export function packIds(ids: readonly ShortId[]): Uint8Array {
  const packed = new Uint8Array(ids.length * ID_BYTES);
  ids.forEach((id, i) => write48(packed, i * ID_BYTES, id));
  return packed;
}

/** Trailing bytes that are no whole id are ignored. */
export function unpackIds(packed: Uint8Array): ShortId[] {
  const ids: ShortId[] = [];
  for (let at = 0; at + ID_BYTES <= packed.length; at += ID_BYTES) ids.push(read48(packed, at));
  return ids;
}

export function packRows(rows: readonly Row[]): Uint8Array {
  const packed = new Uint8Array(rows.length * ROW_BYTES);
  rows.forEach((row, i) => {
    write48(packed, i * ROW_BYTES, row.id);
    write48(packed, i * ROW_BYTES + ID_BYTES, row.incarnation);
  });
  return packed;
}

export function unpackRows(packed: Uint8Array): Row[] {
  const rows: Row[] = [];
  for (let at = 0; at + ROW_BYTES <= packed.length; at += ROW_BYTES) {
    rows.push({ id: read48(packed, at), incarnation: read48(packed, at + ID_BYTES) });
  }
  return rows;
}

/** 32 bits that differ for different rows; their sums tell tables apart, though not against a forger. */
export function mixRow(id: ShortId, incarnation: number): number {
  let h = Math.imul(id % HALF, 0x9e3779b1) ^ Math.imul(Math.floor(id / HALF), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 15), 0xc2b2ae35) ^ (incarnation % HALF);
  h = Math.imul(h ^ (h >>> 13), 0x27d4eb2f) ^ Math.floor(incarnation / HALF);
  h = Math.imul(h ^ (h >>> 16), 0x165667b1);
  return (h ^ (h >>> 15)) >>> 0;
}

function read48(bytes: Uint8Array, at: number): number {
  let value = 0;
  for (let i = 0; i < 6; i++) value = value * 256 + (bytes[at + i] ?? 0);
  return value;
}

function write48(bytes: Uint8Array, at: number, value: number): void {
  let rest = value;
  for (let i = 5; i >= 0; i--) {
    bytes[at + i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
}
