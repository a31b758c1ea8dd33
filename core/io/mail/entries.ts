/**
 * The entries of the map `mail`. `m/ID` is a mail, signed by the node that wrote it. `r/ID/READER/STATE` is a receipt,
 * signed by that reader: the mail has been delivered, read or deleted. An id is a hash of what is signed, so that
 * nothing else can take its place. All members can read these entries; they say nothing of a mail's content. Pure.
 *
 * Wire: [body, signature]. The body of a mail is CBOR [format, from, readers, contents, sentAtMs]; the first content is
 * the letter, the others are its files. The body of a receipt is CBOR [format, id, reader, state, atMs].
 */
import * as v from "valibot";
import { type Bytes, fromHex, toHex } from "../../base/bytes.ts";
import { bytesOf, check, decode, encode, integerOf, momentOf, type Schema, textOf } from "../../base/codec.ts";
import { isStarfishError } from "../../base/errors.ts";
import { isContentCid } from "../../disk/content/block.ts";
import type { ContentRef } from "../../disk/types.ts";
import { isSignedBy, isStatementOf } from "../../net/identity/statement.ts";
import type { Crypto } from "../../ports/crypto.ts";
import type { PeerId } from "../../ports/network.ts";
import { personKeyOf } from "../people/card.ts";
import { FILE_BYTES_MAX, FILES_MAX, READERS_MAX } from "./limits.ts";
import type { Address, MailId } from "./types.ts";

export interface MailEntry {
  readonly id: MailId;
  readonly from: PeerId;
  /** Without duplicates. */
  readonly to: readonly Address[];
  /** The letter, then the files. */
  readonly contents: readonly ContentRef[];
  readonly sentAtMs: number;
}

/** What a reader can say of a mail, each once. */
export const RECEIPTS = ["delivered", "read", "deleted"] as const;
export type ReceiptState = (typeof RECEIPTS)[number];

export interface ReceiptEntry {
  readonly id: MailId;
  /** The index of the reader among the mail's readers. */
  readonly reader: number;
  readonly state: ReceiptState;
  readonly atMs: number;
}

const FORMAT = 1;
export const MAIL_PURPOSE = "mail 1";
export const RECEIPT_PURPOSE = "mail receipt 1";
const ID_BYTES = 16;
const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
const CID_CHARS_MAX = 64;
const PEER_CHARS = 52;
/** 60 bytes for each reader and 80 for each content. */
const BODY_BYTES_MAX = 8_192;

const wireSchema = v.tuple([bytesOf(1, BODY_BYTES_MAX), bytesOf(SIGNATURE_BYTES)]);
const peerSchema = v.pipe(textOf(PEER_CHARS), v.length(PEER_CHARS));
/** A node is named by its PeerId, a person by the key. */
const addressSchema = v.union([peerSchema, bytesOf(KEY_BYTES)]);
const contentSchema = v.tuple([
  v.pipe(textOf(CID_CHARS_MAX), v.check(isContentCid, "no CID of a content")),
  integerOf(1, FILE_BYTES_MAX),
]);
const mailSchema = v.tuple([
  v.literal(FORMAT),
  peerSchema,
  v.pipe(
    v.array(addressSchema),
    v.minLength(1),
    v.maxLength(READERS_MAX),
    v.check((all) => new Set(all.map(keyOf)).size === all.length, "a reader twice"),
  ),
  v.pipe(v.array(contentSchema), v.minLength(1), v.maxLength(1 + FILES_MAX)),
  momentOf(),
]);
const receiptSchema = v.tuple([
  v.literal(FORMAT),
  bytesOf(ID_BYTES),
  integerOf(0, READERS_MAX - 1),
  v.picklist(RECEIPTS),
  momentOf(),
]);

function keyOf(address: string | Uint8Array): string {
  return typeof address === "string" ? address : toHex(address);
}

export function sameAddress(a: Address, b: Address): boolean {
  return a.kind === "node" ? b.kind === "node" && a.peer === b.peer : b.kind === "person" && a.person === b.person;
}

/** The form of an address in a letter and in a body. */
export function packAddress(address: Address): string | Uint8Array {
  return address.kind === "node" ? address.peer : personKeyOf(address.person);
}

export function unpackAddress(said: string | Uint8Array): Address {
  return typeof said === "string" ? { kind: "node", peer: said } : { kind: "person", person: toHex(said) };
}

export function mailKey(id: MailId): string {
  return `m/${id}`;
}

export function receiptKey(id: MailId, reader: number, state: ReceiptState): string {
  return `r/${id}/${reader}/${state}`;
}

/** The prefix of the keys of a mail's receipts. */
export function receiptsOf(id: MailId): string {
  return `r/${id}/`;
}

/** @param sign signs as the node that writes it */
export function signMail(
  crypto: Crypto,
  sign: (purpose: string, body: Bytes) => Bytes,
  says: Omit<MailEntry, "id">,
): { readonly mail: MailEntry; readonly wire: unknown } {
  const contents = says.contents.map(({ cid, sizeBytes }) => [cid, sizeBytes]);
  const body = encode([FORMAT, says.from, says.to.map(packAddress), contents, says.sentAtMs]);
  return { mail: { ...says, id: idOf(crypto, body) }, wire: [body, sign(MAIL_PURPOSE, body)] };
}

/** @param sign signs as the reader */
export function signReceipt(sign: (purpose: string, body: Bytes) => Bytes, says: ReceiptEntry): unknown {
  const body = encode([FORMAT, fromHex(says.id), says.reader, says.state, says.atMs]);
  return [body, sign(RECEIPT_PURPOSE, body)];
}

/**
 * The mail under that key, or the reason why there is none.
 *
 * @param refused says why there is no room for a mail. It is asked before the signature is checked, which takes longer
 *   than everything else.
 */
export function readMail(
  crypto: Crypto,
  key: string,
  value: unknown,
  refused: (mail: MailEntry) => string | undefined = () => undefined,
): MailEntry | { readonly why: string } {
  return read(() => {
    const [body, signature] = check(wireSchema, value);
    const [, from, to, contents, sentAtMs] = decode(mailSchema, body);
    const id = idOf(crypto, body);
    if (key !== mailKey(id)) return { why: "its key belongs to another mail" };
    const refs = contents.map(([cid, sizeBytes]) => ({ cid, sizeBytes }));
    const mail: MailEntry = { id, from, to: to.map(unpackAddress), contents: refs, sentAtMs };
    const why = refused(mail);
    if (why !== undefined) return { why };
    if (!isSignedBy(crypto, from, MAIL_PURPOSE, body, signature)) return { why: "not signed by its sender" };
    return mail;
  });
}

/**
 * The receipt under that key, if one of the readers made it, or the reason why there is none; "waits" while its mail is
 * unknown.
 */
export function readReceipt(
  crypto: Crypto,
  key: string,
  value: unknown,
  mailOf: (id: MailId) => MailEntry | undefined,
): ReceiptEntry | "waits" | { readonly why: string } {
  return read(() => {
    const [body, signature] = check(wireSchema, value);
    const [, idBytes, reader, state, atMs] = decode(receiptSchema, body);
    const id = toHex(idBytes);
    if (key !== receiptKey(id, reader, state)) return { why: "its key belongs to another receipt" };
    const mail = mailOf(id);
    if (mail === undefined) return "waits" as const;
    const address = mail.to[reader];
    if (address === undefined || !isSignedAs(crypto, address, body, signature)) {
      return { why: "not signed by the reader that it speaks of" };
    }
    return { id, reader, state, atMs };
  });
}

/** The CIDs that an entry claims as a mail's contents, before its signature is checked. */
export function claimedContents(value: unknown): readonly string[] {
  const claimed = read(() => decode(mailSchema, check(wireSchema, value)[0])[3].map(([cid]) => cid));
  return Array.isArray(claimed) ? claimed : [];
}

function isSignedAs(crypto: Crypto, address: Address, body: Bytes, signature: Bytes): boolean {
  return address.kind === "node"
    ? isSignedBy(crypto, address.peer, RECEIPT_PURPOSE, body, signature)
    : isStatementOf(crypto, personKeyOf(address.person), RECEIPT_PURPOSE, body, signature);
}

function idOf(crypto: Crypto, body: Bytes): MailId {
  return toHex(crypto.sha256(body).subarray(0, ID_BYTES));
}

function read<T>(reading: () => T): T | { readonly why: string } {
  try {
    return reading();
  } catch (error) {
    if (isStarfishError(error, "malformed")) return { why: error.message };
    throw error;
  }
}

/** For the suite that sends the extremes of every schema (test/adversary). */
export const SCHEMAS: Readonly<Record<string, Schema<unknown>>> = { wireSchema, mailSchema, receiptSchema };
