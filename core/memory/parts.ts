/**
 * Batches that come by gossip in several messages: the parts wait here until all are there. Waiting parts hold nothing
 * up, since no key is reserved for them. If a part is lost, reconciliation brings the whole batch.
 *
 * Bounded for each member and in all. If a member exceeds its share, its batch that has waited longest since its last
 * part is dropped; if all together exceed the bound, that of all batches.
 */
import type { PeerId } from "../ports/network.ts";
import {
  PARTS_ASK_EVERY_MS,
  PARTS_BYTES_MAX,
  PARTS_BYTES_PER_MEMBER_MAX,
  PARTS_KEEP_MS,
  PARTS_PATIENCE_MS,
} from "./limits.ts";

/** Which part of which batch a message contains. */
export interface Part {
  /** The same for all parts, and for no others of that member at the time. */
  readonly id: number;
  readonly index: number;
  readonly count: number;
}

interface Waiting {
  readonly parts: (Uint8Array | undefined)[];
  missing: number;
  bytes: number;
  /** When the last part came, and its number among all parts that have come. */
  lastMs: number;
  lastNumber: number;
}

/** The rough cost of a waiting batch beyond the bytes of its parts: a flood of tiny parts is bounded too. */
const WAITING_COST_BYTES = 1_024;

interface Member {
  /** The longest without a part first. */
  readonly waiting: Map<number, Waiting>;
  bytes: number;
  /** When its missing entries were last asked for. */
  askedMs: number;
}

export class Parts {
  readonly #members = new Map<PeerId, Member>();
  #bytes = 0;
  #dropped = 0;
  #number = 0;

  /** Bytes that all waiting parts take. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Batches that were dropped because they never became whole, or because there was no room. */
  get dropped(): number {
    return this.#dropped;
  }

  /** All parts, in order, if this one was the last. A part that contradicts the parts before it is ignored. */
  add(from: PeerId, { id, index, count }: Part, packed: Uint8Array, nowMs: number): Uint8Array[] | undefined {
    if (index >= count) return undefined;
    let member = this.#members.get(from);
    if (member === undefined) {
      member = { waiting: new Map(), bytes: 0, askedMs: -Infinity };
      this.#members.set(from, member);
    }
    let one = member.waiting.get(id);
    if (one === undefined) {
      one = {
        parts: Array.from({ length: count }, () => undefined),
        missing: count,
        bytes: 0,
        lastMs: nowMs,
        lastNumber: 0,
      };
      member.waiting.set(id, one);
      this.#grow(member, one, WAITING_COST_BYTES);
    }
    if (one.parts.length !== count || one.parts[index] !== undefined) return undefined;
    one.parts[index] = packed;
    one.missing--;
    one.lastMs = nowMs;
    one.lastNumber = ++this.#number;
    member.waiting.delete(id);
    member.waiting.set(id, one);
    this.#grow(member, one, packed.length);
    if (one.missing > 0) {
      this.#keepWithin(member);
      return undefined;
    }
    this.#remove(from, member, id, one);
    return one.parts.flatMap((part) => part ?? []);
  }

  /** Drops what has waited for too long. Returns true if something is missing that has to be asked for. */
  sweep(nowMs: number): boolean {
    let isMissing = false;
    for (const [from, member] of this.#members) {
      for (const [id, one] of member.waiting) {
        if (nowMs - one.lastMs > PARTS_KEEP_MS) {
          this.#remove(from, member, id, one);
          this.#dropped++;
        } else if (nowMs - one.lastMs > PARTS_PATIENCE_MS && nowMs - member.askedMs > PARTS_ASK_EVERY_MS) {
          member.askedMs = nowMs;
          isMissing = true;
        }
      }
      if (member.waiting.size === 0 && nowMs - member.askedMs > PARTS_ASK_EVERY_MS) this.#members.delete(from);
    }
    return isMissing;
  }

  #grow(member: Member, one: Waiting, bytes: number): void {
    one.bytes += bytes;
    member.bytes += bytes;
    this.#bytes += bytes;
  }

  #keepWithin(member: Member): void {
    if (member.bytes > PARTS_BYTES_PER_MEMBER_MAX) this.#dropOldest(member);
    if (this.#bytes <= PARTS_BYTES_MAX) return;
    let oldest = member;
    for (const other of this.#members.values()) if (numberOf(other) < numberOf(oldest)) oldest = other;
    this.#dropOldest(oldest);
  }

  #dropOldest(member: Member): void {
    for (const [id, one] of member.waiting) {
      member.waiting.delete(id);
      this.#grow(member, one, -one.bytes);
      this.#dropped++;
      return;
    }
  }

  #remove(from: PeerId, member: Member, id: number, one: Waiting): void {
    member.waiting.delete(id);
    this.#grow(member, one, -one.bytes);
    if (member.waiting.size === 0 && member.askedMs === -Infinity) this.#members.delete(from);
  }
}

/** The number of its longest waiting batch. */
function numberOf({ waiting }: Member): number {
  for (const { lastNumber } of waiting.values()) return lastNumber;
  return Infinity;
}
