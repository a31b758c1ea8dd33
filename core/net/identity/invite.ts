/**
 * Invites: the fragment of a link that lets a node in. It carries a delegation (a chain and the key it speaks for), the
 * sealing secret and a few bootstrap addresses; whoever holds it admits itself, and nobody has to be online for that.
 *
 * Text: `v2.` and the base64url of the short form (invite-compact.ts), 191 characters and about ten for each address.
 * For chains that have no short form, `v1.` and the base64url of CBOR [body, check]: body is CBOR [chain, key, secret,
 * addresses], check the first four bytes of its SHA-256. Both tell a link with a wrong letter from one that was cut
 * off.
 */
import * as v from "valibot";
import { equal, fromBase64Url, toBase64Url, type Bytes } from "../../base/bytes.ts";
import { bytesOf, decode, encode, textOf, type Schema } from "../../base/codec.ts";
import { StarfishError } from "../../base/errors.ts";
import type { Crypto } from "../../ports/crypto.ts";
import type { Address } from "../../ports/network.ts";
import { chainSchema, read, swarmIdOf, verifyDelegation, type Chain, type Standing, type When } from "./certificate.ts";
import { CHECK_BYTES, readCompact, SECRET_BYTES, writeCompact, WrongCheck, WrongLength } from "./invite-compact.ts";
import { inviteIn, isEmpty } from "./invite-text.ts";
import { ADDRESS_CHARS_MAX, INVITE_ADDRESSES_MAX, INVITE_CHARS_MAX } from "../limits.ts";
import type { SwarmId } from "../types.ts";

/** A key that may sign certificates, with the chain that says so. */
export interface Delegation {
  readonly chain: Chain;
  readonly privateKey: Uint8Array;
}

export interface Invite {
  readonly swarm: SwarmId;
  readonly delegation: Delegation;
  /** The secret from which the keys that seal gossip are derived. */
  readonly secret: Uint8Array;
  readonly addresses: readonly Address[];
}

const LONG_VERSION = 1;
const SHORT_VERSION = 2;

const wholeSchema = v.tuple([bytesOf(1, INVITE_CHARS_MAX), bytesOf(CHECK_BYTES)]);
const bodySchema = v.tuple([
  chainSchema,
  bytesOf(32),
  bytesOf(SECRET_BYTES),
  v.pipe(v.array(textOf(ADDRESS_CHARS_MAX)), v.maxLength(INVITE_ADDRESSES_MAX)),
]);

/**
 * The invite as text for a URL fragment, with as many of its addresses, in order, as fit into the given number of
 * characters. The text is longer if the invite has no short form, or needs more even without addresses.
 */
export function formatInvite(
  crypto: Crypto,
  invite: Omit<Invite, "swarm">,
  { charsMax = INVITE_CHARS_MAX }: { readonly charsMax?: number } = {},
): string {
  const { delegation, secret } = invite;
  const addresses = invite.addresses.filter(isAddress);
  const bytesMax = Math.floor((Math.max(0, charsMax - `v${SHORT_VERSION}.`.length) * 3) / 4);
  const short = writeCompact(crypto, { delegation, secret, addresses }, bytesMax);
  if (short !== undefined) return `v${SHORT_VERSION}.${toBase64Url(short)}`;
  const body = encode([delegation.chain, delegation.privateKey, secret, addresses.slice(0, INVITE_ADDRESSES_MAX)]);
  return `v${LONG_VERSION}.${toBase64Url(encode([body, checkOf(crypto, body)]))}`;
}

/**
 * The invite in a fragment, a link, or a text around a link, as mail programs leave it (invite-text.ts). Says nothing
 * yet about whether it still holds: see `checkInvite`. Throws StarfishError "bad-invite", with a message for the person
 * who has the link, or "version-mismatch".
 */
export function parseInvite(crypto: Crypto, pasted: string): Invite {
  const found = inviteIn(pasted);
  if (found === undefined) throw noInvite(isEmpty(pasted));
  const { version, payloads } = found;
  const parse = version === LONG_VERSION ? parseLong : version === SHORT_VERSION ? parseShort : undefined;
  if (parse === undefined) {
    throw new StarfishError(
      "version-mismatch",
      "This link was made by another version of Starfish. Update and try again",
    );
  }
  const failures: StarfishError[] = [];
  for (const payload of payloads) {
    try {
      return parse(crypto, payload);
    } catch (error) {
      if (!(error instanceof StarfishError)) throw error;
      failures.push(error);
    }
  }
  // A reading with the right length and a wrong letter is most likely the one that was meant, so its error is reported.
  throw failures.find(({ message }) => message === WRONG_LETTER) ?? failures[0] ?? cutOff();
}

function parseShort(crypto: Crypto, payload: string): Invite {
  const bytes = decodeText(payload);
  try {
    return readCompact(crypto, bytes);
  } catch (error) {
    if (error instanceof WrongLength) throw cutOff();
    if (error instanceof WrongCheck) throw bad(WRONG_LETTER);
    throw new StarfishError("bad-invite", NO_INVITE, { cause: error });
  }
}

function parseLong(crypto: Crypto, payload: string): Invite {
  const [chain, privateKey, secret, addresses] = decodeBody(crypto, decodeText(payload));
  const [first] = chain;
  if (first === undefined) throw bad("This link lets nobody in: it has no key. Ask for a new one");
  return { swarm: swarmOf(first), delegation: { chain, privateKey }, secret, addresses };
}

/** What the invite allows now. Throws StarfishError "bad-invite" if nothing (expired, forged). */
export function checkInvite(crypto: Crypto, invite: Invite, when: When): Standing {
  const { chain, privateKey } = invite.delegation;
  try {
    return verifyDelegation(crypto, chain, invite.swarm, crypto.keyPair(privateKey).publicKey, when);
  } catch (error) {
    const why = error instanceof StarfishError ? error.message : "It is damaged";
    throw new StarfishError("bad-invite", `This link lets nobody in (any more). ${why}`, { cause: error });
  }
}

function decodeText(payload: string): Uint8Array {
  if (payload.length > INVITE_CHARS_MAX) {
    throw bad("This link is too long to be an invite. Copy it again, and nothing else");
  }
  if (!/^[\w-]*$/.test(payload)) {
    throw bad("This link has characters that don't belong in it. Copy the whole link again, and nothing else");
  }
  try {
    return fromBase64Url(payload);
  } catch {
    throw cutOff();
  }
}

function decodeBody(crypto: Crypto, whole: Bytes): v.InferOutput<typeof bodySchema> {
  let body: Uint8Array;
  let check: Uint8Array;
  try {
    [body, check] = decode(wholeSchema, whole);
  } catch {
    throw cutOff();
  }
  if (!equal(check, checkOf(crypto, body))) {
    throw bad(WRONG_LETTER);
  }
  try {
    return decode(bodySchema, body);
  } catch (error) {
    throw new StarfishError("bad-invite", NO_INVITE, { cause: error });
  }
}

function swarmOf(certificate: Uint8Array): SwarmId {
  try {
    return swarmIdOf(read(certificate).swarm);
  } catch (error) {
    throw new StarfishError("bad-invite", "This link's certificate cannot be read. Ask for a new one", {
      cause: error,
    });
  }
}

function checkOf(crypto: Crypto, body: Bytes): Uint8Array {
  return crypto.sha256(body).slice(0, CHECK_BYTES);
}

function isAddress(address: Address): boolean {
  return address.length <= ADDRESS_CHARS_MAX;
}

function bad(message: string): StarfishError {
  return new StarfishError("bad-invite", message);
}

function cutOff(): StarfishError {
  return bad("This link is cut off. Copy the whole link again, to its very end");
}

const WRONG_LETTER = "A letter of this link has changed on its way. Copy the whole link again";
const NO_INVITE = "This link is whole, but it is no invite. Ask for a new one";

function noInvite(hasNothing: boolean): StarfishError {
  return hasNothing
    ? bad("This link has no key in it. Ask for the whole link, with the part after #")
    : bad("This is no Starfish invite. An invite has a part that begins with #v2.");
}

/** For the suite that sends the extremes of every schema (test/adversary). */
export const SCHEMAS: Readonly<Record<string, Schema<unknown>>> = { wholeSchema, bodySchema };
