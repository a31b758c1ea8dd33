/**
 * A card: what a node publishes so that others can write to it. It has the node's mail key, and says whose node it is.
 * The node signs it, and the person signs the part about the person. So nobody can replace another's mail key, or claim
 * to be a node of somebody else. A card is in the node's member record and, for when the node is away, in the map
 * `people`. Pure.
 *
 * Wire: CBOR [body, signature]; the body is CBOR [format, peer, madeAtMs, name, mailKey, person]. Person is null or
 * [key, name, mailKey, signature], with a signature by the person's key over CBOR [peer, name, mailKey].
 */
import * as v from "valibot";
import { type Bytes, fromHex, toHex } from "../../base/bytes.ts";
import { bytesOf, check, decode, encode, lineOf, momentOf, type Schema, textOf } from "../../base/codec.ts";
import { isStarfishError } from "../../base/errors.ts";
import { CARD_BYTES_MAX } from "../../net/membership/record.ts";
import { isSignedBy, isStatementOf, signStatement } from "../../net/identity/statement.ts";
import type { Crypto, KeyPair } from "../../ports/crypto.ts";
import type { PeerId } from "../../ports/network.ts";
import { CARD_NAME_CHARS_MAX } from "./limits.ts";
import type { PersonId } from "./types.ts";

export interface Card {
  readonly peer: PeerId;
  /** Of two cards of one node the later one counts. */
  readonly madeAtMs: number;
  /** What the node is called. */
  readonly name: string;
  readonly mailKey: Uint8Array;
  readonly person: CardPerson | undefined;
  /** The signed bytes, as they are sent. */
  readonly wire: Uint8Array;
}

interface CardPerson {
  readonly id: PersonId;
  readonly name: string;
  readonly mailKey: Uint8Array;
}

const FORMAT = 1;
export const CARD_PURPOSE = "card 1";
const PERSON_PURPOSE = "person 1";
const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
const PEER_CHARS_MAX = 64;

const wireSchema = v.tuple([bytesOf(1, CARD_BYTES_MAX), bytesOf(SIGNATURE_BYTES)]);
const bodySchema = v.tuple([
  v.literal(FORMAT),
  textOf(PEER_CHARS_MAX),
  momentOf(),
  lineOf(CARD_NAME_CHARS_MAX),
  bytesOf(KEY_BYTES),
  v.nullable(v.tuple([bytesOf(KEY_BYTES), lineOf(CARD_NAME_CHARS_MAX), bytesOf(KEY_BYTES), bytesOf(SIGNATURE_BYTES)])),
]);

export interface CardSays {
  readonly peer: PeerId;
  readonly madeAtMs: number;
  readonly name: string;
  readonly mailKey: Bytes;
  readonly person: { readonly keys: KeyPair; readonly name: string; readonly mailKey: Bytes } | undefined;
}

/** A name in the form that cards have. */
export function cardName(name: string): string {
  return check(lineOf(CARD_NAME_CHARS_MAX), name.slice(0, CARD_NAME_CHARS_MAX).toWellFormed());
}

/** @param sign signs as the node */
export function makeCard(crypto: Crypto, sign: (purpose: string, body: Bytes) => Bytes, says: CardSays): Card {
  const { peer, madeAtMs, mailKey, person } = says;
  const name = cardName(says.name);
  const body = encode([FORMAT, peer, madeAtMs, name, mailKey, person === undefined ? null : personPart(crypto, says)]);
  const wire = encode([body, sign(CARD_PURPOSE, body)]);
  const told =
    person === undefined
      ? undefined
      : { id: toHex(person.keys.publicKey), name: person.name, mailKey: Uint8Array.from(person.mailKey) };
  return { peer, madeAtMs, name, mailKey: Uint8Array.from(mailKey), person: told, wire };
}

function personPart(crypto: Crypto, { peer, person }: CardSays): unknown {
  if (person === undefined) return null;
  const { keys, name, mailKey } = person;
  const said = encode([peer, name, mailKey]);
  return [keys.publicKey, name, mailKey, signStatement(crypto, keys.privateKey, PERSON_PURPOSE, said)];
}

/** The card, or the reason why it is invalid. */
export function readCard(crypto: Crypto, wire: Bytes): Card | { readonly why: string } {
  try {
    const [body, signature] = decode(wireSchema, wire);
    const [, peer, madeAtMs, name, mailKey, person] = decode(bodySchema, body);
    if (!isSignedBy(crypto, peer, CARD_PURPOSE, body, signature))
      return { why: "not signed by the node that it speaks of" };
    const card = { peer, madeAtMs, name, mailKey, wire: Uint8Array.from(wire) };
    if (person === null) return { ...card, person: undefined };
    const [key, personName, personMailKey, personSignature] = person;
    // Decoding has replaced control characters in a name, so a name that had some does not match its signature.
    const said = encode([peer, personName, personMailKey]);
    if (!isStatementOf(crypto, key, PERSON_PURPOSE, said, personSignature)) {
      return { why: "names a person who has not signed it" };
    }
    return { ...card, person: { id: toHex(key), name: personName, mailKey: personMailKey } };
  } catch (error) {
    if (isStarfishError(error, "malformed")) return { why: error.message };
    throw error;
  }
}

export function personKeyOf(person: PersonId): Uint8Array {
  return fromHex(person);
}

/** For the suite that sends the extremes of every schema (test/adversary). */
export const SCHEMAS: Readonly<Record<string, Schema<unknown>>> = { wireSchema, bodySchema };
