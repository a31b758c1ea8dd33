/**
 * A member's record as it travels: signed by the member, with the certificate chain that proves its role, so that
 * anyone can check it whoever brings it. About 700 bytes, most of them the chain.
 *
 * Wire: CBOR [body, signature, chain]; the body is CBOR [format, peer, incarnation, name, kind, device, host,
 * addresses, coresLent, coresBusy, startedAtMs, state, relayReason, life, rival, card], the signature Ed25519 over
 * RECORD_DOMAIN and the body's bytes as they came. Life is drawn at random at each start. Rival is the life in another
 * record of the same identity, which this record outdoes: a node that finds its own life there has a twin that runs.
 */
import * as v from "valibot";
import { concat, equal, utf8 } from "../../base/bytes.ts";
import { bytesOf, decode, encode, integerOf, lineOf, textOf, type Schema, momentOf } from "../../base/codec.ts";
import { StarfishError } from "../../base/errors.ts";
import { publicKeyOf } from "../../base/peer-id.ts";
import type { Crypto, KeyPair } from "../../ports/crypto.ts";
import { type Chain, chainSchema, earliestOf, verifyChain, type When } from "../identity/certificate.ts";
import { ADDRESS_CHARS_MAX } from "../limits.ts";
import type { MemberRecord, SwarmId } from "../types.ts";

/** The start of the node that the record is of, and another start of it that it has heard of. */
export interface Lives {
  readonly life: Uint8Array;
  readonly rival: Uint8Array | undefined;
}

export interface SignedRecord {
  readonly record: MemberRecord;
  readonly chain: Chain;
  /** The end of the chain's validity, ms since 1970. */
  readonly notAfterMs: number;
  /** What travels. */
  readonly wire: Uint8Array;
}

const FORMAT = 4;
export const RECORD_DOMAIN: Uint8Array = utf8("starfish member record 4\n");
const BODY_BYTES_MAX = 4_096;
export const RECORD_BYTES_MAX = 8_192;
/** Names are for people; a record is on every node. */
const NAME_CHARS_MAX = 64;
const DEVICE_CHARS_MAX = 128;
const REASON_CHARS_MAX = 200;
/** No two starts draw the same. */
export const LIFE_BYTES = 8;
/** What mail needs of a node (io/people/card.ts): two keys, two signatures and two names. */
export const CARD_BYTES_MAX = 640;
/** A few ways to reach a node are enough. */
const ADDRESSES_MAX = 8;
const CORES_MAX = 65_536;
/** Incarnations fit in the six bytes that digests give them: as ms since 1970, for 8,900 years. */
export const INCARNATION_MAX: number = 2 ** 48 - 1;

const wireSchema = v.tuple([bytesOf(1, BODY_BYTES_MAX), bytesOf(64), chainSchema]);
const bodySchema = v.tuple([
  v.literal(FORMAT),
  textOf(64),
  integerOf(0, INCARNATION_MAX),
  lineOf(NAME_CHARS_MAX),
  v.picklist(["tab", "node"]),
  lineOf(DEVICE_CHARS_MAX),
  lineOf(DEVICE_CHARS_MAX),
  v.pipe(v.array(textOf(ADDRESS_CHARS_MAX)), v.maxLength(ADDRESSES_MAX)),
  integerOf(0, CORES_MAX),
  integerOf(0, CORES_MAX),
  momentOf(),
  v.picklist(["awake", "asleep", "left"]),
  v.nullable(lineOf(REASON_CHARS_MAX)),
  bytesOf(LIFE_BYTES),
  v.nullable(bytesOf(LIFE_BYTES)),
  v.nullable(bytesOf(1, CARD_BYTES_MAX)),
]);

/** Signs what this node says of itself. Text beyond its bounds is cut. */
export function signRecord(
  crypto: Crypto,
  keys: KeyPair,
  chain: Chain,
  notAfterMs: number,
  says: MemberRecord,
  lives: Lives,
): SignedRecord {
  const record: MemberRecord = {
    ...says,
    name: says.name.slice(0, NAME_CHARS_MAX),
    device: says.device.slice(0, DEVICE_CHARS_MAX),
    host: says.host.slice(0, DEVICE_CHARS_MAX),
    addresses: says.addresses.filter((address) => address.length <= ADDRESS_CHARS_MAX).slice(0, ADDRESSES_MAX),
    relayReason: says.relayReason?.slice(0, REASON_CHARS_MAX),
    card: (says.card?.length ?? 0) > CARD_BYTES_MAX ? undefined : says.card,
  };
  const body = encode([
    FORMAT,
    record.peer,
    record.incarnation,
    record.name,
    record.kind,
    record.device,
    record.host,
    record.addresses,
    record.coresLent,
    record.coresBusy,
    record.startedAtMs,
    record.state,
    record.relayReason ?? null,
    lives.life,
    lives.rival ?? null,
    record.card ?? null,
  ]);
  const signature = crypto.sign(keys.privateKey, concat([RECORD_DOMAIN, body]));
  return { record, chain, notAfterMs, wire: encode([body, signature, chain]) };
}

/**
 * A record that has been read but not yet believed: whose it is and how new, before the cost of checking signatures.
 */
export interface UncheckedRecord {
  readonly says: Omit<MemberRecord, "role">;
  readonly lives: Lives;
  readonly body: Uint8Array;
  readonly signature: Uint8Array;
  readonly chain: Chain;
  readonly wire: Uint8Array;
}

/** Throws StarfishError "malformed". */
export function readRecord(wire: Uint8Array): UncheckedRecord {
  const [body, signature, chain] = decode(wireSchema, wire);
  const fields = decode(bodySchema, body);
  const [
    ,
    peer,
    incarnation,
    name,
    kind,
    device,
    host,
    addresses,
    coresLent,
    coresBusy,
    startedAtMs,
    state,
    reason,
    life,
    rival,
    card,
  ] = fields;
  return {
    says: {
      peer,
      incarnation,
      name,
      kind,
      device,
      host,
      addresses,
      coresLent,
      coresBusy,
      startedAtMs,
      state,
      relayReason: reason ?? undefined,
      card: card ?? undefined,
    },
    lives: { life, rival: rival ?? undefined },
    body,
    signature,
    chain,
    wire,
  };
}

/**
 * The record, if its chain proves a member and its signature is that member's. A chain that `known` has shown already
 * is not verified again. Throws StarfishError "bad-certificate", "wrong-swarm", "not-a-member" or "malformed".
 */
export function checkRecord(
  crypto: Crypto,
  swarm: SwarmId,
  unchecked: UncheckedRecord,
  when: When,
  known?: SignedRecord,
): SignedRecord {
  const { says, body, signature, chain, wire } = unchecked;
  const isKnown = known !== undefined && known.notAfterMs > earliestOf(when) && sameChain(known.chain, chain);
  const { role, notAfterMs } = isKnown
    ? { role: known.record.role, notAfterMs: known.notAfterMs }
    : verifyChain(crypto, chain, swarm, says.peer, when);
  if (!crypto.verify(publicKeyOf(says.peer), concat([RECORD_DOMAIN, body]), signature)) {
    throw new StarfishError("malformed", "A member's record bears a wrong signature");
  }
  return { record: { ...says, role }, chain: isKnown ? known.chain : chain, notAfterMs, wire };
}

function sameChain(a: Chain, b: Chain): boolean {
  return a.length === b.length && a.every((certificate, i) => equal(certificate, b[i] as Uint8Array));
}

/** For the suite that sends the extremes of every schema (test/adversary). */
export const SCHEMAS: Readonly<Record<string, Schema<unknown>>> = { wireSchema, bodySchema };
