/**
 * The content of a letter: everything that only its readers may see. It repeats what the entry says outside, so that
 * nobody can pass another's letter off as their own. Some letters are not mail for people: they bring a node news from
 * its person's other nodes (people/people.ts). Pure.
 */
import * as v from "valibot";
import { decode, encode, bytesOf, integerOf, lineOf, momentOf, type Schema, textOf } from "../../base/codec.ts";
import { StarfishError } from "../../base/errors.ts";
import { fromHex, toHex } from "../../base/bytes.ts";
import type { PeerId } from "../../ports/network.ts";
import { CARD_NAME_CHARS_MAX } from "../people/limits.ts";
import type { PersonNews } from "../people/people.ts";
import {
  FILE_BYTES_MAX,
  FILE_NAME_CHARS_MAX,
  FILES_MAX,
  READERS_MAX,
  SUBJECT_CHARS_MAX,
  TEXT_CHARS_MAX,
} from "./limits.ts";
import { type MailEntry, packAddress, sameAddress, unpackAddress } from "./entries.ts";
import type { Address, MailFile, MailId } from "./types.ts";

export interface Letter {
  readonly from: PeerId;
  readonly to: readonly Address[];
  readonly sentAtMs: number;
  readonly subject: string;
  readonly text: string;
  /** In the order of the contents after the letter. */
  readonly files: readonly MailFile[];
  readonly inReplyTo: MailId | undefined;
  /** Set if the letter is for the node and not for its person. */
  readonly news: PersonNews | undefined;
}

const FORMAT = 1;
const ID_BYTES = 16;
const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
const PEER_CHARS_MAX = 64;

const letterSchema = v.tuple([
  v.literal(FORMAT),
  textOf(PEER_CHARS_MAX),
  v.pipe(v.array(v.union([textOf(PEER_CHARS_MAX), bytesOf(KEY_BYTES)])), v.maxLength(READERS_MAX)),
  momentOf(),
  lineOf(SUBJECT_CHARS_MAX),
  textOf(TEXT_CHARS_MAX),
  v.pipe(v.array(v.tuple([lineOf(FILE_NAME_CHARS_MAX), integerOf(0, FILE_BYTES_MAX)])), v.maxLength(FILES_MAX)),
  v.nullable(bytesOf(ID_BYTES)),
  v.nullable(v.tuple([lineOf(CARD_NAME_CHARS_MAX), bytesOf(KEY_BYTES), bytesOf(KEY_BYTES), bytesOf(SIGNATURE_BYTES)])),
]);

export function writeLetter(letter: Letter): Uint8Array {
  const { from, to, sentAtMs, subject, text, files, inReplyTo, news } = letter;
  return encode([
    FORMAT,
    from,
    to.map(packAddress),
    sentAtMs,
    subject,
    text,
    files.map(({ name, sizeBytes }) => [name, sizeBytes]),
    inReplyTo === undefined ? null : fromHex(inReplyTo),
    news === undefined ? null : [news.name, news.seed, fromHex(news.before), news.signature],
  ]);
}

/** The letter, if it agrees with its entry. Throws "malformed". */
export function readLetter(bytes: Uint8Array, entry: MailEntry): Letter {
  const [, from, to, sentAtMs, subject, text, files, inReplyTo, news] = decode(letterSchema, bytes);
  const readers = to.map(unpackAddress);
  const isSame =
    from === entry.from &&
    sentAtMs === entry.sentAtMs &&
    readers.length === entry.to.length &&
    readers.every((reader, i) => sameAddress(reader, entry.to[i] as Address));
  if (!isSame) throw new StarfishError("malformed", "its letter was written by somebody else, or for others");
  if (files.length !== entry.contents.length - 1)
    throw new StarfishError("malformed", "it names other files than it has");
  return {
    from,
    to: readers,
    sentAtMs,
    subject,
    text,
    files: files.map(([name, sizeBytes]) => ({ name, sizeBytes })),
    inReplyTo: inReplyTo === null ? undefined : toHex(inReplyTo),
    news: news === null ? undefined : { name: news[0], seed: news[1], before: toHex(news[2]), signature: news[3] },
  };
}

/** For the suite that sends the extremes of every schema (test/adversary). */
export const SCHEMAS: Readonly<Record<string, Schema<unknown>>> = { letterSchema };
