/**
 * The short form of an invite, for the chains that founders make: one certificate, which the root key has signed for
 * the invite's own key. Everything that follows from other fields is left out. The reader makes the certificate's
 * statement again from keys, role and times, and derives the sealing secret from the invite's key if the founder did
 * so.
 *
 *     1 byte     role (2 bits), whether a secret follows (1 bit), number of addresses (3 bits)
 *     32, 32     root public key, the invite's private key
 *     64         the root key's signature
 *     4, 4       valid from, valid until: seconds since 1970, big-endian
 *     (32)       the sealing secret, if it is not the derived one
 *     addresses  1 byte of kind, then IPv4 address and port (6 bytes), or length (2 bytes) and UTF-8 text
 *     4          the first bytes of the SHA-256 of all before
 */
import { concat, equal, text, utf8, type Bytes } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";
import type { Crypto } from "../../ports/crypto.ts";
import type { Address } from "../../ports/network.ts";
import { read, restate, ROLES, signatureOf, swarmIdOf, type Statement } from "./certificate.ts";
import { ADDRESS_CHARS_MAX, INVITE_ADDRESSES_MAX } from "../limits.ts";
import type { Invite } from "./invite.ts";

export const SECRET_BYTES = 32;
export const CHECK_BYTES = 4;

const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
const TIME_BYTES = 4;
const SECRET_FOLLOWS = 0b100;
/** The kinds of an address that are shorter than its text: what stands behind IPv4 address and port. */
const SHORT_KINDS = ["/ws", "/wss", ""] as const;
const TEXT_KIND = 255;

/** Thrown if the bytes end before the invite does, or continue after it. */
export class WrongLength extends Error {}
/** Thrown if the number of bytes is right, but some of them were changed. */
export class WrongCheck extends Error {}

/** The secret that gossip is sealed with, for a swarm whose founder has not chosen another one. */
export function derivedSecret(crypto: Crypto, privateKey: Bytes): Uint8Array {
  return crypto.derive(privateKey, "starfish sealing", SECRET_BYTES);
}

/**
 * The invite in its short form, with as many of its addresses, in order, as fit into the given number of bytes;
 * undefined if it has no short form.
 */
export function writeCompact(crypto: Crypto, invite: Omit<Invite, "swarm">, bytesMax: number): Uint8Array | undefined {
  const { delegation, secret } = invite;
  const [certificate, ...more] = delegation.chain;
  if (certificate === undefined || more.length > 0) return undefined;
  const says = read(certificate);
  if (!isWritable(says.notBeforeMs) || !isWritable(says.notAfterMs)) return undefined;
  const signature = signatureOf(certificate);
  const { publicKey } = crypto.keyPair(delegation.privateKey);
  if (!equal(restate(asFounded(says.swarm, publicKey, says), signature), certificate)) return undefined;
  const isDerived = equal(secret, derivedSecret(crypto, delegation.privateKey));
  const fixed = [
    says.swarm,
    delegation.privateKey,
    signature,
    timeBytes(says.notBeforeMs),
    timeBytes(says.notAfterMs),
    ...(isDerived ? [] : [secret]),
  ];
  let room = bytesMax - 1 - CHECK_BYTES - concat(fixed).length;
  const addresses: Uint8Array[] = [];
  for (const address of invite.addresses.map(addressBytes)) {
    if (address.length > room || addresses.length === INVITE_ADDRESSES_MAX) continue;
    addresses.push(address);
    room -= address.length;
  }
  const first = ROLES.indexOf(says.role) | (isDerived ? 0 : SECRET_FOLLOWS) | (addresses.length << 3);
  const body = concat([Uint8Array.of(first), ...fixed, ...addresses]);
  return concat([body, checkOf(crypto, body)]);
}

/** Throws WrongLength, WrongCheck, or StarfishError "malformed" if the bytes are intact but not an invite. */
export function readCompact(crypto: Crypto, bytes: Uint8Array): Invite {
  const reader = new Reader(bytes);
  const [first = 0] = reader.take(1);
  const root = reader.take(KEY_BYTES);
  const privateKey = reader.take(KEY_BYTES);
  const signature = reader.take(SIGNATURE_BYTES);
  const notBeforeMs = timeOf(reader.take(TIME_BYTES));
  const notAfterMs = timeOf(reader.take(TIME_BYTES));
  const told = (first & SECRET_FOLLOWS) === 0 ? undefined : reader.take(SECRET_BYTES);
  const addresses = Array.from({ length: first >> 3 }, () => takeAddress(reader));
  const end = reader.at;
  const check = reader.take(CHECK_BYTES);
  if (reader.at !== bytes.length) throw new WrongLength();
  if (!equal(check, checkOf(crypto, bytes.subarray(0, end)))) throw new WrongCheck();
  const role = ROLES[first & 0b11];
  if (role === undefined || first >> 3 > INVITE_ADDRESSES_MAX) {
    throw new StarfishError("malformed", "This invite is damaged: no invite has such contents");
  }
  const { publicKey } = crypto.keyPair(privateKey);
  const certificate = restate(asFounded(root, publicKey, { role, notBeforeMs, notAfterMs }), signature);
  return {
    swarm: swarmIdOf(root),
    delegation: { chain: [certificate], privateKey },
    secret: told ?? derivedSecret(crypto, privateKey),
    addresses: addresses.map((each) => text(each)).filter((address) => address.length <= ADDRESS_CHARS_MAX),
  };
}

/** Builds a founder's invite from the fields that differ between invites. */
function asFounded(
  root: Uint8Array,
  subject: Uint8Array,
  { role, notBeforeMs, notAfterMs }: Pick<Statement, "role" | "notBeforeMs" | "notAfterMs">,
): Statement {
  return { swarm: root, issuer: root, subject, kind: "delegate", role, notBeforeMs, notAfterMs };
}

function checkOf(crypto: Crypto, body: Bytes): Uint8Array {
  return crypto.sha256(body).slice(0, CHECK_BYTES);
}

function timeBytes(ms: number): Uint8Array {
  const bytes = new Uint8Array(TIME_BYTES);
  new DataView(bytes.buffer).setUint32(0, ms / 1000);
  return bytes;
}

function timeOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer).getUint32(0) * 1000;
}

/** Whole seconds, and none after February 2106. */
function isWritable(ms: number): boolean {
  return ms % 1000 === 0 && ms / 1000 < 2 ** 32;
}

function addressBytes(address: Address): Uint8Array {
  const [, host = "", port = "", kind = ""] =
    /^\/ip4\/(\d+\.\d+\.\d+\.\d+)\/tcp\/(\d+)(|\/ws|\/wss)$/.exec(address) ?? [];
  const short = Uint8Array.of(
    SHORT_KINDS.findIndex((each) => each === kind),
    ...host.split(".").map(Number),
    Number(port) >> 8,
    Number(port) & 255,
  );
  if (short.length === 7 && shortAddress(short) === address) return short;
  const whole = utf8(address);
  return concat([Uint8Array.of(TEXT_KIND, whole.length >> 8, whole.length & 255), whole]);
}

function shortAddress([kind = 0, a = 0, b = 0, c = 0, d = 0, high = 0, low = 0]: Uint8Array): Address {
  return `/ip4/${a}.${b}.${c}.${d}/tcp/${high * 256 + low}${SHORT_KINDS[kind] ?? ""}`;
}

function takeAddress(reader: Reader): Uint8Array {
  const kind = reader.take(1);
  if (kind[0] !== TEXT_KIND) return utf8(shortAddress(concat([kind, reader.take(6)])));
  const [high = 0, low = 0] = reader.take(2);
  return reader.take(high * 256 + low);
}

class Reader {
  readonly #bytes: Uint8Array;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  take(count: number): Uint8Array {
    if (this.at + count > this.#bytes.length) throw new WrongLength();
    return this.#bytes.slice(this.at, (this.at += count));
  }
}
