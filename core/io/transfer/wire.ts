/**
 * What two nodes say on a transfer's channel. Each message begins with a byte: 0 and a control message in CBOR, or 1
 * and a piece of the stream. The stream is the manifest (manifest.ts) and then the bytes of all files; all pieces but
 * the last have PIECE_BYTES.
 *
 *     sender                      receiver
 *     offer                   ->
 *                             <-  waiting          the person is being asked
 *                             <-  accept           how many pieces are here, and their root
 *     again                   ->                   the pieces at the receiver are not of this source: drop them
 *     pieces                  ->
 *                             <-  ack              how many are stored; WINDOW_BYTES more may be on their way
 *     end                     ->                   how many pieces and bytes there were, and their root
 *                             <-  done
 *
 * The root of pieces is a chain of hashes: r(0) = 32 zeros, r(i+1) = SHA-256(r(i) | SHA-256(piece i)). `refuse` ends it
 * from the receiver's side at any time, `cancel` from the sender's. A channel that closes without either is a broken
 * link: the sender comes back with the same offer.
 */
import * as v from "valibot";
import { bytesOf, check, decode, encode, integerOf, lineOf, momentOf, type Schema, textOf } from "../../base/codec.ts";
import type { Bytes } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";
import type { PeerId } from "../../ports/network.ts";
import type { Told } from "./manifest.ts";
import {
  ENTRIES_MAX,
  MANIFEST_BYTES_MAX,
  MESSAGE_CHARS_MAX,
  NAMES_TOLD_MAX,
  PIECE_BYTES,
  TOLD_CHARS_MAX,
  TRANSFER_BYTES_MAX,
} from "./limits.ts";

export const TRANSFER_PROTOCOL = "/starfish/transfer/1.0.0";

export const ID_BYTES = 16;
export const ROOT_BYTES = 32;
const PIECES_MAX = Math.ceil((TRANSFER_BYTES_MAX + MANIFEST_BYTES_MAX) / PIECE_BYTES);

/** Why a receiver ends a transfer. */
export const REFUSALS = [
  "refused",
  "timeout",
  "full",
  "busy",
  "cancelled",
  "io",
  "corrupt",
  "malformed",
  "closed",
] as const;
type Refusal = (typeof REFUSALS)[number];

const sizeSchema = integerOf(0, TRANSFER_BYTES_MAX);

/** What the sender wants to send. */
export interface OfferMessage {
  readonly is: "offer";
  /** The sender's name for this attempt. It is the same after a broken link. */
  readonly id: Uint8Array;
  /** SHA-256 of the manifest. */
  readonly key: Uint8Array;
  readonly manifestBytes: number;
  /** The size of all files together; null for a pipe. */
  readonly totalBytes: number | null;
  readonly files: number;
  readonly folders: number;
  readonly title: string;
  /** The first files, with their sizes. */
  readonly names: readonly (readonly [string, number | null])[];
}

export type SenderMessage =
  | OfferMessage
  | { readonly is: "again" }
  | { readonly is: "end"; readonly pieces: number; readonly totalBytes: number; readonly root: Uint8Array }
  | { readonly is: "cancel" };

export type ReceiverMessage =
  | { readonly is: "waiting"; readonly hasPerson: boolean }
  | { readonly is: "accept"; readonly pieces: number; readonly root: Uint8Array }
  | { readonly is: "ack"; readonly pieces: number }
  | { readonly is: "done" }
  | { readonly is: "refuse"; readonly code: Refusal; readonly message: string };

/** A node's record of a transfer in its inbox: the offer, and the progress. */
export interface InboxRecord extends Omit<OfferMessage, "is"> {
  readonly from: PeerId;
  readonly name: string;
  /** The pieces that were here when it was written, and their root. */
  readonly pieces: number;
  readonly root: Uint8Array;
  readonly isWhole: boolean;
  readonly startedAtMs: number;
  readonly touchedAtMs: number;
}

/** In the form that a title and names have after they were sent. */
const titleSchema: Schema<string> = lineOf(TOLD_CHARS_MAX);
const namesSchema: Schema<[string, number | null][]> = v.pipe(
  v.array(v.tuple([lineOf(TOLD_CHARS_MAX), v.nullable(sizeSchema)])),
  v.maxLength(NAMES_TOLD_MAX),
);

const offerEntries = {
  id: bytesOf(ID_BYTES),
  key: bytesOf(ROOT_BYTES),
  manifestBytes: integerOf(1, MANIFEST_BYTES_MAX),
  totalBytes: v.nullable(sizeSchema),
  files: integerOf(0, ENTRIES_MAX),
  folders: integerOf(0, ENTRIES_MAX),
  title: titleSchema,
  names: namesSchema,
};

const senderSchema: Schema<SenderMessage> = v.variant("is", [
  v.object({ is: v.literal("offer"), ...offerEntries }),
  v.object({ is: v.literal("again") }),
  v.object({
    is: v.literal("end"),
    pieces: integerOf(0, PIECES_MAX),
    totalBytes: sizeSchema,
    root: bytesOf(ROOT_BYTES),
  }),
  v.object({ is: v.literal("cancel") }),
]);

const receiverSchema: Schema<ReceiverMessage> = v.variant("is", [
  v.object({ is: v.literal("waiting"), hasPerson: v.boolean() }),
  v.object({ is: v.literal("accept"), pieces: integerOf(0, PIECES_MAX), root: bytesOf(ROOT_BYTES) }),
  v.object({ is: v.literal("ack"), pieces: integerOf(0, PIECES_MAX) }),
  v.object({ is: v.literal("done") }),
  v.object({ is: v.literal("refuse"), code: v.picklist(REFUSALS), message: lineOf(MESSAGE_CHARS_MAX) }),
]);

const recordSchema: Schema<InboxRecord> = v.object({
  from: textOf(64),
  name: lineOf(TOLD_CHARS_MAX),
  ...offerEntries,
  pieces: integerOf(0, PIECES_MAX),
  root: bytesOf(ROOT_BYTES),
  isWhole: v.boolean(),
  startedAtMs: momentOf(),
  touchedAtMs: momentOf(),
});

export { receiverSchema, recordSchema, senderSchema };

/** Whether the list of files agrees with what the offer told a person. No offer tells the size of a pipe. */
export function isAsOffered(told: Told, offer: Omit<OfferMessage, "is" | "id" | "key" | "manifestBytes">): boolean {
  const names = check(namesSchema, told.names);
  return (
    told.files === offer.files &&
    told.folders === offer.folders &&
    check(titleSchema, told.title) === offer.title &&
    names.length === offer.names.length &&
    names.every(([path, sizeBytes], at) => {
      const [offeredPath, offeredBytes] = offer.names[at] ?? [];
      return path === offeredPath && (sizeBytes === offeredBytes || offer.totalBytes === null);
    })
  );
}

const CONTROL = 0;
const PIECE = 1;
const PIECE_HEAD: Uint8Array = Uint8Array.of(PIECE);

export function controlMessage(message: SenderMessage | ReceiverMessage): readonly Bytes[] {
  return [Uint8Array.of(CONTROL), encode(message)];
}

/** Refers to the piece without copying it. */
export function pieceMessage(piece: Bytes): readonly Bytes[] {
  return [PIECE_HEAD, piece];
}

/** The content of a message: a piece, or a value of the schema. Throws "malformed", "too-large". */
export function readMessage<T>(schema: Schema<T>, message: Uint8Array, controlBytesMax: number): T | Uint8Array {
  const body = message.subarray(1);
  if (message[0] === PIECE) {
    if (body.length === 0) throw new StarfishError("malformed", "A piece of a transfer without bytes");
    if (body.length > PIECE_BYTES) throw new StarfishError("too-large", "A piece of a transfer that is too long");
    return body;
  }
  if (message[0] !== CONTROL)
    throw new StarfishError("malformed", "Neither a piece of a transfer nor a control message");
  if (body.length > controlBytesMax) throw new StarfishError("too-large", "A control message that is too long");
  return decode(schema, body);
}

/** For the test suite that sends extreme values of every schema (test/adversary). */
export const SCHEMAS: Readonly<Record<string, Schema<unknown>>> = { senderSchema, receiverSchema, recordSchema };
