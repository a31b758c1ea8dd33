/** The wire format of the overlay. Members are named by their short ids, packed. */
import * as v from "valibot";
import { bytesOf, integerOf, type Schema } from "../../base/codec.ts";
import { PART_MESSAGE_BYTES_MAX } from "../limits.ts";
import { packIds, type ShortId, unpackIds } from "../membership/rows.ts";

export interface OverlayFrame {
  /** All links of the sender; replaces what it said before. */
  readonly links?: Uint8Array | undefined;
  readonly added?: Uint8Array | undefined;
  readonly removed?: Uint8Array | undefined;
  /** May this link go? Yes. No. It goes (the sender has no room). */
  readonly prune?: "ask" | "yes" | "no" | "must" | undefined;
  /**
   * The question: which of these members are you linked to, and which are your neighbours linked to? The number comes
   * back with the answer.
   */
  readonly ask?: readonly [question: number, ids: Uint8Array] | undefined;
  /** Pairs: a member that was asked for, and one that is linked to it. */
  readonly tell?: readonly [question: number, pairs: Uint8Array] | undefined;
}

/** More questions than a node asks in its life. */
const QUESTION_MAX: number = 2 ** 32 - 1;

const packed = bytesOf(0, PART_MESSAGE_BYTES_MAX);
const numbered = v.tuple([integerOf(0, QUESTION_MAX), packed]);

export const overlaySchema: Schema<OverlayFrame> = v.object({
  links: v.optional(packed),
  added: v.optional(packed),
  removed: v.optional(packed),
  prune: v.optional(v.picklist(["ask", "yes", "no", "must"])),
  ask: v.optional(numbered),
  tell: v.optional(numbered),
});

export interface Lead {
  /** The member that was asked for. */
  readonly id: ShortId;
  /** The members that are linked to it. */
  readonly linkedTo: ShortId;
}

export function packLeads(leads: readonly Lead[]): Uint8Array {
  return packIds(leads.flatMap(({ id, linkedTo }) => [id, linkedTo]));
}

export function unpackLeads(pairs: Uint8Array): Lead[] {
  const ids = unpackIds(pairs);
  const leads: Lead[] = [];
  for (let i = 0; i + 1 < ids.length; i += 2) leads.push({ id: ids[i] ?? 0, linkedTo: ids[i + 1] ?? 0 });
  return leads;
}

/** For the suite that sends the extremes of every schema (test/adversary). */
export const SCHEMAS: Readonly<Record<string, Schema<unknown>>> = { overlaySchema };
