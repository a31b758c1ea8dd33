/**
 * The causal context of this node's state: for each member, the latest moment whose whole state of that member is known
 * to be contained here. It grows with each complete reconciliation, which also brings the other side's context.
 *
 * After a separation longer than tombstones last, it tells entries that one side has deleted from entries that the
 * other side has written. Bounded: the members that were not heard of for the longest time are forgotten first.
 */
import type { Bytes } from "../base/bytes.ts";
import { CAUSAL_CONTEXT_MEMBERS_MAX } from "./limits.ts";
import { Reader } from "./pack.ts";

const ROW_BYTES = 12;
const WORD: number = 2 ** 32;

/** Members by the first 48 bits of their PeerId's hash, with ms since 1970. */
export type Vector = ReadonlyMap<number, number>;

export class CausalContext {
  readonly #atMs = new Map<number, number>();

  get size(): number {
    return this.#atMs.size;
  }

  atMs(member: number): number | undefined {
    return this.#atMs.get(member);
  }

  /** Notes a complete reconciliation with this member, which began at `atMs`. `theirs` is what it knew of others. */
  met(member: number, atMs: number, theirs: Vector, self: number): void {
    this.#raise(member, atMs);
    for (const [other, otherMs] of theirs) if (other !== self) this.#raise(other, Math.min(otherMs, atMs));
    if (this.#atMs.size <= CAUSAL_CONTEXT_MEMBERS_MAX) return;
    const oldest = [...this.#atMs].sort(([, x], [, y]) => x - y);
    for (const [other] of oldest.slice(0, this.#atMs.size - CAUSAL_CONTEXT_MEMBERS_MAX)) this.#atMs.delete(other);
  }

  /**
   * The latest moment at which this node had all that the sender's side had. The sender's side consists of the members
   * of which the sender knows more than this node does. Undefined if nothing is known.
   */
  common(sender: number, theirs: Vector): number | undefined {
    let latest = this.#atMs.get(sender);
    for (const [other, theirMs] of theirs) {
      const ourMs = this.#atMs.get(other);
      if (ourMs !== undefined && theirMs > ourMs) latest = Math.max(latest ?? 0, ourMs);
    }
    return latest;
  }

  pack(): Uint8Array {
    return packVector(this.#atMs);
  }

  clear(): void {
    this.#atMs.clear();
  }

  /** Takes in what `pack` gave before the node was restarted. */
  restore(vector: Vector): void {
    for (const [member, atMs] of vector) this.#raise(member, atMs);
  }

  #raise(member: number, atMs: number): void {
    if (atMs > (this.#atMs.get(member) ?? 0)) this.#atMs.set(member, atMs);
  }
}

function packVector(vector: Vector): Uint8Array {
  const packed = new Uint8Array(vector.size * ROW_BYTES);
  const view = new DataView(packed.buffer);
  let at = 0;
  for (const [member, atMs] of vector) {
    for (const [offset, value] of [
      [0, member],
      [6, Math.floor(atMs)],
    ] as const) {
      view.setUint32(at + offset, value % WORD, true);
      view.setUint16(at + offset + 4, Math.floor(value / WORD), true);
    }
    at += ROW_BYTES;
  }
  return packed;
}

/** Throws StarfishError "malformed". */
export function unpackVector(packed: Bytes): Vector {
  const reader = new Reader(packed);
  const vector = new Map<number, number>();
  while (!reader.done) vector.set(reader.uint48(), reader.uint48());
  return vector;
}
