/**
 * A node's credentials in a swarm. A node gets them by founding a swarm, or makes them itself from an invite. They are
 * stored under the swarm's name: a node comes back as the same member, and a node that follows a link to another swarm
 * and back is a member of both.
 *
 * The founder keeps the swarm's root key. Every node keeps the delegation with which it was invited, and so may invite
 * others.
 */
import * as v from "valibot";
import { utf8, text } from "../../base/bytes.ts";
import { bytesOf, decode, encode, textOf, type Schema } from "../../base/codec.ts";
import { messageOf, StarfishError } from "../../base/errors.ts";
import type { Crypto, KeyPair } from "../../ports/crypto.ts";
import type { Log } from "../../ports/log.ts";
import type { Address } from "../../ports/network.ts";
import type { Random } from "../../ports/random.ts";
import type { Store } from "../../ports/store.ts";
import {
  chainSchema,
  issue,
  outranks,
  rootKeyOf,
  swarmIdOf,
  verifyChain,
  type Chain,
  type Standing,
} from "./certificate.ts";
import type { Identity } from "./identity.ts";
import { checkInvite, type Delegation, type Invite } from "./invite.ts";
import { derivedSecret, SECRET_BYTES } from "./invite-compact.ts";
import { ADDRESS_CHARS_MAX, FOUNDER_LIFETIME_MS, INVITE_LIFETIME_MS, KEPT_ADDRESSES_MAX } from "../limits.ts";
import type { SwarmId } from "../types.ts";

export interface Credentials {
  readonly swarm: SwarmId;
  /** From the root key to this node. */
  readonly chain: Chain;
  /** The secret from which the keys that seal gossip are derived. */
  readonly secret: Uint8Array;
  readonly delegation: Delegation;
  /** The addresses at which the swarm was last reached. */
  readonly addresses: readonly Address[];
  /** The root key's seed; the founder has it. */
  readonly root: Uint8Array | undefined;
}

export interface CredentialPorts {
  readonly store: Store;
  readonly crypto: Crypto;
}

const CURRENT_KEY = "net/swarm";
const keyOf = (swarm: SwarmId): string => `net/swarm/${swarm}`;

const keptSchema = v.object({
  chain: chainSchema,
  secret: bytesOf(SECRET_BYTES),
  delegation: chainSchema,
  delegationKey: bytesOf(32),
  addresses: v.pipe(v.array(textOf(ADDRESS_CHARS_MAX)), v.maxLength(KEPT_ADDRESSES_MAX)),
  root: v.optional(bytesOf(32)),
});

/** A new swarm with this node as its admin, and an invite that makes members. */
export function foundSwarm(crypto: Crypto, random: Random, identity: Identity, nowMs: number): Credentials {
  const seed = random.bytes(32);
  const root = crypto.keyPair(seed);
  const privateKey = random.bytes(32);
  return {
    swarm: swarmIdOf(root.publicKey),
    chain: founderChain(crypto, root, identity, nowMs),
    // Whoever holds the invite may have this secret, so it is derived from the invite's key. The link need not contain
    // it.
    secret: derivedSecret(crypto, privateKey),
    delegation: { chain: inviteChain(crypto, root, privateKey, nowMs), privateKey },
    addresses: [],
    root: seed,
  };
}

function founderChain(crypto: Crypto, root: KeyPair, identity: Identity, nowMs: number): Chain {
  const swarm = root.publicKey;
  const subject = identity.keys.publicKey;
  const notAfterMs = nowMs + FOUNDER_LIFETIME_MS;
  return [issue(crypto, root, { swarm, subject, kind: "member", role: "admin", notBeforeMs: nowMs, notAfterMs })];
}

function inviteChain(crypto: Crypto, root: KeyPair, privateKey: Uint8Array, nowMs: number): Chain {
  const swarm = root.publicKey;
  const subject = crypto.keyPair(privateKey).publicKey;
  // Whole seconds take less room in a link.
  const notBeforeMs = Math.floor(nowMs / 1000) * 1000;
  const notAfterMs = notBeforeMs + INVITE_LIFETIME_MS;
  return [issue(crypto, root, { swarm, subject, kind: "delegate", role: "member", notBeforeMs, notAfterMs })];
}

/** A member's credentials, signed by itself with the invite's key. Throws StarfishError "bad-invite". */
export function acceptInvite(crypto: Crypto, identity: Identity, invite: Invite, nowMs: number): Credentials {
  const { role, notAfterMs } = checkInvite(crypto, invite, nowMs);
  const { chain, privateKey } = invite.delegation;
  const own = issue(crypto, crypto.keyPair(privateKey), {
    swarm: rootKeyOf(invite.swarm),
    subject: identity.keys.publicKey,
    kind: "member",
    role,
    // The invite's own `notBeforeMs` holds for the whole chain. With this node's own time here, a clock that is ahead
    // would make a certificate that is not valid yet.
    notBeforeMs: 0,
    notAfterMs,
  });
  return {
    swarm: invite.swarm,
    chain: [...chain, own],
    secret: invite.secret,
    delegation: invite.delegation,
    addresses: invite.addresses,
    root: undefined,
  };
}

/** What the credentials are worth now. Throws as `verifyChain` does. */
export function standingOf(crypto: Crypto, identity: Identity, kept: Credentials, nowMs: number): Standing {
  return verifyChain(crypto, kept.chain, kept.swarm, identity.peer, nowMs);
}

/** The credentials of `swarm`, or of the swarm that this node was in last. Rejects with "io" if they are damaged. */
export async function loadCredentials(ports: CredentialPorts, swarm?: SwarmId): Promise<Credentials | undefined> {
  const { store } = ports;
  const current = await store.get(CURRENT_KEY);
  const name = swarm ?? (current === undefined ? undefined : text(current));
  const bytes = name === undefined ? undefined : await store.get(keyOf(name));
  if (name === undefined || bytes === undefined) return undefined;
  try {
    const { chain, secret, delegation, delegationKey, addresses, root } = decode(keptSchema, bytes);
    return {
      swarm: name,
      chain,
      secret,
      delegation: { chain: delegation, privateKey: delegationKey },
      addresses,
      root,
    };
  } catch (error) {
    throw new StarfishError("io", "The stored membership of this node is damaged", { cause: error });
  }
}

/** Keeps the credentials and makes their swarm the current one. */
export async function saveCredentials(ports: CredentialPorts, kept: Credentials): Promise<void> {
  const { swarm, chain, secret, delegation, addresses, root } = kept;
  const bytes = encode({
    chain,
    secret,
    delegation: delegation.chain,
    delegationKey: delegation.privateKey,
    addresses,
    ...(root && { root }),
  });
  await ports.store.set(keyOf(swarm), bytes);
  await ports.store.set(CURRENT_KEY, utf8(swarm));
}

/**
 * The credentials for a start. With an invite: those that are stored for its swarm, brought up to date by the invite;
 * if none are stored, new ones by accepting it. Without an invite: those of the last swarm; if there is none, a new
 * swarm is founded, or with `found: false` it rejects with "bad-invite". What is returned has been stored, or was made
 * from credentials that are stored. Rejects with "bad-certificate" if stored credentials have expired and can't be
 * renewed.
 */
export async function obtainCredentials(
  ports: CredentialPorts & { readonly random: Random; readonly log: Log },
  identity: Identity,
  invite: Invite | undefined,
  options: { readonly found: boolean; readonly nowMs: number },
): Promise<Credentials> {
  const { crypto } = ports;
  const { nowMs } = options;
  const kept = await loadCredentials(ports, invite?.swarm);
  const obtained =
    kept !== undefined
      ? { ...refresh(crypto, identity, kept, invite, nowMs), addresses: addressesOf(kept, invite) }
      : invite !== undefined
        ? acceptInvite(crypto, identity, invite, nowMs)
        : options.found
          ? foundSwarm(crypto, ports.random, identity, nowMs)
          : undefined;
  if (obtained === undefined) {
    throw new StarfishError(
      "bad-invite",
      "This node is in no swarm yet. Open it by an invite link, with the part after #",
    );
  }
  try {
    await saveCredentials(ports, obtained);
  } catch (error) {
    // For example on a full disk: the stored credentials will do for the next start as they did for this one.
    if (kept === undefined) throw error;
    ports.log.write("warn", "net.not-kept", { error: messageOf(error) });
  }
  return obtained;
}

/** The addresses to try first: those that a person has given are newer than the stored ones. */
function addressesOf(kept: Credentials, invite: Invite | undefined): Address[] {
  return [...new Set([...(invite?.addresses ?? []), ...kept.addresses])].slice(0, KEPT_ADDRESSES_MAX);
}

/** Kept credentials as they should be used now: the better certificate, the newer delegation and secret. */
function refresh(
  crypto: Crypto,
  identity: Identity,
  kept: Credentials,
  invite: Invite | undefined,
  nowMs: number,
): Credentials {
  if (kept.root !== undefined) return renewFounder(crypto, identity, kept, kept.root, nowMs);
  const renewed = attempt(() => acceptInvite(crypto, identity, invite ?? kept, nowMs));
  const before = attempt(() => standingOf(crypto, identity, kept, nowMs));
  if (renewed instanceof StarfishError) {
    if (before instanceof StarfishError) throw invite === undefined ? before : renewed;
    return kept;
  }
  if (before instanceof StarfishError) return renewed;
  const after = standingOf(crypto, identity, renewed, nowMs);
  const isBetter =
    outranks(after.role, before.role) || (after.role === before.role && after.notAfterMs > before.notAfterMs);
  return isBetter ? renewed : { ...renewed, chain: kept.chain };
}

/** The founder signs anew whatever has run out. */
function renewFounder(
  crypto: Crypto,
  identity: Identity,
  kept: Credentials,
  seed: Uint8Array,
  nowMs: number,
): Credentials {
  const root = crypto.keyPair(seed);
  const { privateKey } = kept.delegation;
  const isMember = !(attempt(() => standingOf(crypto, identity, kept, nowMs)) instanceof StarfishError);
  const mayInvite = !(attempt(() => checkInvite(crypto, kept, nowMs)) instanceof StarfishError);
  return {
    ...kept,
    chain: isMember ? kept.chain : founderChain(crypto, root, identity, nowMs),
    delegation: mayInvite ? kept.delegation : { chain: inviteChain(crypto, root, privateKey, nowMs), privateKey },
  };
}

/** The result, or the StarfishError that was thrown. */
function attempt<T>(work: () => T): T | StarfishError {
  try {
    return work();
  } catch (error) {
    if (error instanceof StarfishError) return error;
    throw error;
  }
}

/** For the suite that sends the extremes of every schema (test/adversary). */
export const SCHEMAS: Readonly<Record<string, Schema<unknown>>> = { keptSchema };
