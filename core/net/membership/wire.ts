/** The wire format of membership: frames on a link, and the bodies that are broadcast in them. */
import * as v from "valibot";
import type { Bytes } from "../../base/bytes.ts";
import { bytesOf, decode, encode, integerOf, type Schema, momentOf } from "../../base/codec.ts";
import { TREE_FIELDS, type TreeFrame } from "../gossip/wire.ts";
import { PART_MESSAGE_BYTES_MAX } from "../limits.ts";
import { RECORD_BYTES_MAX } from "./record.ts";
import { packIds, packRows, type Row, type ShortId, unpackIds, unpackRows } from "./rows.ts";
import { RANK_MAX, TIME_MS_MAX, type TimeTold } from "../time/neighbours.ts";

/** A moment by the asker's clock, which comes back in the answer, and the hash of the sender's table. */
type Beat = readonly [atMs: number, hash: number];

export interface MemberFrame extends TreeFrame {
  readonly ping?: Beat | undefined;
  readonly pong?: Beat | undefined;
  /** Smoothed round trip as the sender measures it, ms: spares the other end its own pings. */
  readonly rtt?: number | undefined;
  /** With a ping: its answer shall tell the time. */
  readonly asksTime?: true | undefined;
  /** With the answer to such a ping. */
  readonly time?: TimeTold | undefined;
  /** Rows of the living; answered by what differs. */
  readonly digest?: Uint8Array | undefined;
  readonly records?: Uint8Array[] | undefined;
  /** Ids of whose records are asked for. */
  readonly want?: Uint8Array | undefined;
  /** Rows of members that are alive for the receiver and gone for the sender. */
  readonly gone?: Uint8Array | undefined;
}

const HASH_MAX: number = 2 ** 32 - 1;
const RECORDS_MAX = 1_024;
/** A day in ms: no round trip takes longer. */
const RTT_MS_MAX = 86_400_000;

const beatSchema = v.tuple([momentOf(), integerOf(0, HASH_MAX)]);
const packed = v.optional(bytesOf(0, PART_MESSAGE_BYTES_MAX));

export const frameSchema: Schema<MemberFrame> = v.object({
  ...TREE_FIELDS,
  ping: v.optional(beatSchema),
  pong: v.optional(beatSchema),
  rtt: v.optional(integerOf(0, RTT_MS_MAX)),
  asksTime: v.optional(v.literal(true)),
  time: v.optional(v.tuple([integerOf(0, TIME_MS_MAX), integerOf(0, RANK_MAX)])),
  digest: packed,
  records: v.optional(v.pipe(v.array(bytesOf(1, RECORD_BYTES_MAX)), v.maxLength(RECORDS_MAX))),
  want: packed,
  gone: packed,
});

/** The bodies that are broadcast. */
export type MemberBody =
  | { readonly kind: "record"; readonly wire: Uint8Array }
  | { readonly kind: "suspicion"; readonly by: ShortId; readonly rows: readonly Row[] }
  /** Many members went silent at once: let everyone say that they are here. */
  | { readonly kind: "roll"; readonly by: ShortId };

const KINDS = { record: 0, suspicion: 1, roll: 2 } as const;
const bodySchema = v.tuple([integerOf(0, 2), bytesOf(1, PART_MESSAGE_BYTES_MAX), bytesOf(0, PART_MESSAGE_BYTES_MAX)]);

const NOTHING = new Uint8Array(0);

/** The same record gives the same bytes wherever it is encoded, so that trees know it by its id. */
export function encodeRecordBody(wire: Uint8Array): Uint8Array {
  return encode([KINDS.record, wire, NOTHING]);
}

/** `sequence` tells equal suspicions of one accuser apart. */
export function encodeSuspicion(by: ShortId, rows: readonly Row[], sequence: number): Uint8Array {
  return encode([KINDS.suspicion, packIds([by, sequence]), packRows(rows)]);
}

export function encodeRoll(by: ShortId, sequence: number): Uint8Array {
  return encode([KINDS.roll, packIds([by, sequence]), NOTHING]);
}

/** Throws StarfishError "malformed". */
export function decodeBody(bytes: Bytes): MemberBody {
  const [kind, first, second] = decode(bodySchema, bytes);
  if (kind === KINDS.record) return { kind: "record", wire: first };
  const by = unpackIds(first)[0] ?? 0;
  return kind === KINDS.suspicion ? { kind: "suspicion", by, rows: unpackRows(second) } : { kind: "roll", by };
}

/** For the suite that sends the extremes of every schema (test/adversary). */
export const SCHEMAS: Readonly<Record<string, Schema<unknown>>> = { frameSchema, bodySchema };
