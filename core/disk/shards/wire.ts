/**
 * What nodes ask each other about shards. Requests and replies, several shards in one message.
 *
 *     put     shards, each with its hash -> for each "ok", "full", "busy" or "io"
 *     get     names -> for each its bytes, or nothing
 *     have    runs of stripes -> for each what is held of it: stripe (from the run's start) and shard, three bytes each
 *     drop    a layout, or one shard of it -> nothing. Refused while an entry wants the layout.
 *     sync    nothing -> nothing, once all that was put there before survives a power cut
 *     fetch   shards, or whole stripes -> for each "ok", "full", "busy" or "io", once the asked node has got it
 *             from others
 *     give    shards of stripes that the asked node holds whole, and their receivers -> for each of them as for put
 *     recheck a shard that came with wrong bytes -> nothing; the node that gave it compares it with the list, and
 *             drops it if it is damaged
 */
import * as v from "valibot";
import { bytesOf, integerOf, type Schema, textOf } from "../../base/codec.ts";
import { SHARDS_MAX, SHARD_BYTES_MAX } from "../../ports/coder.ts";
import type { PeerId } from "../../ports/network.ts";
import { DIGEST_BYTES } from "../content/limits.ts";
import type { Holdings, Shard, ShardName } from "./holdings.ts";
import {
  ASKED_STRIPES_MAX,
  ASKED_UNITS_MAX,
  LAYOUT_ID_CHARS_MAX,
  MESSAGE_SHARDS_MAX,
  STRIPES_MAX,
  UNIT_STRIPES,
} from "../limits.ts";

export const PUT_PROTOCOL = "/starfish/shards/put/1.0.0";
export const GET_PROTOCOL = "/starfish/shards/get/1.0.0";
export const HAVE_PROTOCOL = "/starfish/shards/have/1.0.0";
export const DROP_PROTOCOL = "/starfish/shards/drop/1.0.0";
export const SYNC_PROTOCOL = "/starfish/shards/sync/1.0.0";
export const FETCH_PROTOCOL = "/starfish/shards/fetch/2.0.0";
export const GIVE_PROTOCOL = "/starfish/shards/give/1.0.0";
export const RECHECK_PROTOCOL = "/starfish/shards/recheck/1.0.0";

const PUT_RESULTS = ["ok", "full", "busy", "io"] as const;
export type PutResult = (typeof PUT_RESULTS)[number];

/** A request to fetch a shard from other nodes. */
export interface FetchRequest extends ShardName {
  /** Number n stands for all data shards. */
  readonly shard: number;
  /** Nodes that are known to hold the shard, or the whole stripe. */
  readonly from: readonly PeerId[];
}

/** A request to a holder of the whole stripe: shards that it is to give to other nodes. */
export interface GiveRequest {
  readonly id: string;
  readonly stripe: number;
  readonly to: readonly { readonly shard: number; readonly node: PeerId }[];
}

/** A run of stripes of one layout. */
export interface StripeRun {
  readonly id: string;
  readonly from: number;
  readonly to: number;
}

const PEER_CHARS_MAX = 128;
/** More need not be known. */
export const SOURCES_MAX = 4;
/** Three bytes for each shard that is held. */
const HELD_BYTES = 3;

const idSchema: Schema<string> = v.pipe(v.string(), v.maxLength(LAYOUT_ID_CHARS_MAX), v.regex(/^[a-z0-9]+$/));
const nameEntries = { id: idSchema, stripe: integerOf(0, STRIPES_MAX), shard: integerOf(0, SHARDS_MAX - 1) };
export const nameSchema: Schema<ShardName> = v.object(nameEntries);
const recipientSchema = v.object({ shard: nameEntries.shard, node: textOf(PEER_CHARS_MAX) });
export const giveSchema: Schema<{ stripes: readonly GiveRequest[] }> = v.object({
  stripes: v.pipe(
    v.array(
      v.object({
        id: idSchema,
        stripe: nameEntries.stripe,
        to: v.pipe(v.array(recipientSchema), v.maxLength(SHARDS_MAX)),
      }),
    ),
    v.maxLength(MESSAGE_SHARDS_MAX),
    v.check((stripes) => stripes.reduce((sum, { to }) => sum + to.length, 0) <= MESSAGE_SHARDS_MAX, "too many shards"),
  ),
});
export const fetchSchema: Schema<{ shards: readonly FetchRequest[] }> = v.object({
  shards: v.pipe(
    v.array(
      v.object({
        ...nameEntries,
        shard: integerOf(0, SHARDS_MAX),
        from: v.pipe(v.array(textOf(PEER_CHARS_MAX)), v.maxLength(SOURCES_MAX)),
      }),
    ),
    v.maxLength(MESSAGE_SHARDS_MAX),
  ),
});
export const putSchema: Schema<{ shards: readonly (ShardName & Shard)[] }> = v.object({
  shards: v.pipe(
    v.array(v.object({ ...nameEntries, sha256: bytesOf(DIGEST_BYTES), bytes: bytesOf(0, SHARD_BYTES_MAX) })),
    v.maxLength(MESSAGE_SHARDS_MAX),
  ),
});
/** The replies to put and fetch. */
export const putReplySchema: Schema<readonly PutResult[]> = v.pipe(
  v.array(v.picklist(PUT_RESULTS)),
  v.maxLength(MESSAGE_SHARDS_MAX),
);
export const giveReplySchema: Schema<readonly (readonly PutResult[])[]> = v.pipe(
  v.array(v.pipe(v.array(v.picklist(PUT_RESULTS)), v.maxLength(SHARDS_MAX))),
  v.maxLength(MESSAGE_SHARDS_MAX),
);
export const getSchema: Schema<{ shards: readonly ShardName[] }> = v.object({
  shards: v.pipe(v.array(nameSchema), v.maxLength(MESSAGE_SHARDS_MAX)),
});
export const getReplySchema: Schema<readonly (Uint8Array | null)[]> = v.pipe(
  v.array(v.nullable(bytesOf(0, SHARD_BYTES_MAX))),
  v.maxLength(MESSAGE_SHARDS_MAX),
);
export const haveSchema: Schema<{ runs: readonly StripeRun[] }> = v.object({
  runs: v.pipe(
    v.array(
      v.pipe(
        v.object({ id: idSchema, from: integerOf(0, STRIPES_MAX), to: integerOf(0, STRIPES_MAX) }),
        v.check(({ from, to }) => from < to && to - from <= UNIT_STRIPES, "no run of stripes of a unit"),
      ),
    ),
    v.maxLength(ASKED_UNITS_MAX),
    v.check((runs) => runs.reduce((sum, { from, to }) => sum + to - from, 0) <= ASKED_STRIPES_MAX, "too many stripes"),
  ),
});
export const haveReplySchema: Schema<readonly Uint8Array[]> = v.pipe(
  v.array(bytesOf(0, UNIT_STRIPES * SHARDS_MAX * HELD_BYTES)),
  v.maxLength(ASKED_UNITS_MAX),
);
/** For requests without contents, and replies without contents. */
export const nothingSchema: v.NullSchema<undefined> = v.null();
export const dropSchema: Schema<{ id: string }> = v.object({ id: idSchema });

/** What `holdings` has of a run: 3 bytes a shard: stripe offset (u16, little-endian), shard number (u8). */
export function heldOf(holdings: Holdings, { id, from, to }: StripeRun): Uint8Array {
  const held: number[] = [];
  for (let stripe = from; stripe < Math.min(to, from + UNIT_STRIPES); stripe++) {
    const offset = stripe - from;
    for (const shard of holdings.of(id, stripe)) held.push(offset & 255, offset >>> 8, shard);
  }
  return Uint8Array.from(held);
}

/** Calls back for each shard that `heldOf` has told of. */
export function readHeld(held: Uint8Array, from: number, tell: (stripe: number, shard: number) => void): void {
  for (let at = 0; at + HELD_BYTES <= held.length; at += HELD_BYTES) {
    tell(from + (held[at] ?? 0) + ((held[at + 1] ?? 0) << 8), held[at + 2] ?? 0);
  }
}

/** For the suite that sends the extremes of every schema (test/adversary). */
export const SCHEMAS: Readonly<Record<string, Schema<unknown>>> = {
  nameSchema,
  giveSchema,
  fetchSchema,
  putSchema,
  putReplySchema,
  giveReplySchema,
  getSchema,
  getReplySchema,
  haveSchema,
  haveReplySchema,
  dropSchema,
  nothingSchema,
};
