/**
 * The handshake that makes a peer a member to us and us to it: `/starfish/hello/1.0.0`, three messages on one channel.
 *
 *   greeter -> host      hello: the versions it speaks, its swarm, its chain, its life
 *   host    -> greeter   answer: its own chain and life, or a refusal with code and reason
 *   greeter -> host      verdict: agreed, or a refusal
 *
 * Answer and verdict also contain the newest record that each side has of the other, and the verdict the greeter's own
 * record. In this way two nodes with one identity learn of each other (membership/twin.ts): anything else that is sent
 * to one of them may reach the other.
 *
 * The host shows nothing before the greeter has proved itself. The versions are read before anything else, leniently,
 * so that peers of other versions are told so whatever the rest of their hello looks like.
 */
import * as v from "valibot";
import { bytesOf, check, decode, encode, integerOf, lineOf, textOf, type Schema } from "../../base/codec.ts";
import { isStarfishError, StarfishError, toStarfishError, type ErrorCode } from "../../base/errors.ts";
import type { Crypto } from "../../ports/crypto.ts";
import type { Channel, PeerId } from "../../ports/network.ts";
import { chainSchema, verifyChain, type Chain, type Standing } from "../identity/certificate.ts";
import { Inbox } from "./inbox.ts";
import { ERROR_CHARS_MAX, HELLO_BYTES_MAX, HELLO_RECORD_BYTES_MAX } from "../limits.ts";
import type { SwarmClock } from "../time/swarm-clock.ts";
import type { SwarmId } from "../types.ts";

export const HELLO_PROTOCOL = "/starfish/hello/1.0.0";

export interface VersionRange {
  readonly min: number;
  readonly max: number;
}

/** The credentials that a node shows in a hello. */
export interface Pass {
  readonly swarm: SwarmId;
  readonly chain: Chain;
  readonly versions: VersionRange;
  /** Random, made at each start. It tells a peer that has restarted from one that was there all the time. */
  readonly life: Uint8Array;
}

export interface AdmissionPorts {
  readonly clock: SwarmClock;
  readonly crypto: Crypto;
  /** Absent if nobody keeps records. */
  readonly records?: HelloRecords | undefined;
}

/** The member records that travel in a hello. */
export interface HelloRecords {
  /** This node's own, as it travels. */
  own(): Uint8Array | undefined;
  /** The newest that is known of a peer. */
  of(peer: PeerId): Uint8Array | undefined;
  /** A member has told this one. Throws "malformed". */
  told(from: PeerId, record: Uint8Array): void;
}

/** How a handshake ended. Refused by "us": the peer failed; by "them": the peer finds fault with us. */
export type Outcome =
  | { readonly kind: "member"; readonly standing: Standing; readonly life: Uint8Array }
  | { readonly kind: "refused"; readonly by: "us" | "them"; readonly error: StarfishError };

const REFUSAL_CODES = [
  "not-a-member",
  "wrong-swarm",
  "version-mismatch",
  "bad-certificate",
  "malformed",
  "busy",
] as const;

export const LIFE_BYTES = 8;
/** The largest version number of the protocol that is accepted in a hello. */
const VERSION_MAX = 65_535;

const versionsSchema = v.object({
  versions: v.object({ min: integerOf(0, VERSION_MAX), max: integerOf(0, VERSION_MAX) }),
});
const passSchema = v.object({ swarm: textOf(64), chain: chainSchema, life: bytesOf(LIFE_BYTES) });
const refusalSchema = v.object({
  ok: v.literal(false),
  // A newer peer may have reasons that this one has no word for.
  code: v.fallback(v.picklist(REFUSAL_CODES), "not-a-member"),
  message: lineOf(ERROR_CHARS_MAX),
});
const recordsSchema = v.object({
  yours: v.optional(bytesOf(1, HELLO_RECORD_BYTES_MAX)),
  mine: v.optional(bytesOf(1, HELLO_RECORD_BYTES_MAX)),
});
const answerSchema = v.variant("ok", [
  v.object({ ok: v.literal(true), ...passSchema.entries, ...recordsSchema.entries }),
  refusalSchema,
]);
const verdictSchema = v.variant("ok", [v.object({ ok: v.literal(true), ...recordsSchema.entries }), refusalSchema]);
const anySchema: Schema<unknown> = v.unknown();

const INBOX = { bytesMax: HELLO_BYTES_MAX, messagesMax: 2 };

/** The dialler's part. Rejects with what ended the channel or the signal's reason; everything else is an outcome. */
export async function greet(
  channel: Channel,
  peer: PeerId,
  pass: Pass,
  ports: AdmissionPorts,
  signal: AbortSignal,
): Promise<Outcome> {
  const inbox = new Inbox(channel, INBOX);
  channel.send(encode(pass));
  return settle(channel, async () => {
    const answer = decode(answerSchema, await inbox.next(signal));
    if (!answer.ok) return refusedByThem(answer);
    const standing = judge(answer, peer, pass, ports);
    hear(answer, peer, ports);
    channel.send(encode({ ok: true, ...recordsFor(peer, ports), ...brief("mine", ports.records?.own()) }));
    channel.end();
    return { kind: "member", standing, life: answer.life };
  });
}

/** The part of the node that was dialled. Rejects like `greet`. */
export async function host(
  channel: Channel,
  peer: PeerId,
  pass: Pass,
  ports: AdmissionPorts,
  signal: AbortSignal,
): Promise<Outcome> {
  const inbox = new Inbox(channel, INBOX);
  return settle(channel, async () => {
    const hello = decode(anySchema, await inbox.next(signal));
    checkVersions(check(versionsSchema, hello).versions, pass.versions);
    const shown = check(passSchema, hello);
    const standing = judge(shown, peer, pass, ports);
    const { swarm, chain, life } = pass;
    channel.send(encode({ ok: true, swarm, chain, life, ...recordsFor(peer, ports) }));
    const verdict = decode(verdictSchema, await inbox.next(signal));
    channel.end();
    if (!verdict.ok) return refusedByThem(verdict);
    hear(verdict, peer, ports);
    return { kind: "member", standing, life: shown.life };
  });
}

function recordsFor(peer: PeerId, { records }: AdmissionPorts): { yours?: Uint8Array } {
  return brief("yours", records?.of(peer));
}

/** A record that is longer than there is room for is left out. */
function brief<K extends "yours" | "mine">(name: K, record: Uint8Array | undefined): { [key in K]?: Uint8Array } {
  const said: { [key in K]?: Uint8Array } = {};
  if (record !== undefined && record.length <= HELLO_RECORD_BYTES_MAX) said[name] = record;
  return said;
}

function hear(says: v.InferOutput<typeof recordsSchema>, peer: PeerId, { records }: AdmissionPorts): void {
  for (const record of [says.yours, says.mine]) if (record !== undefined) records?.told(peer, record);
}

/** Runs one side of the handshake. A fault of the peer is told to the peer and becomes an outcome. */
async function settle(channel: Channel, side: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await side();
  } catch (caught) {
    const error = toStarfishError(caught, "malformed");
    if (!isRefusal(error)) throw error;
    channel.send(encode({ ok: false, code: error.code, message: error.message.slice(0, ERROR_CHARS_MAX) }));
    channel.end();
    return { kind: "refused", by: "us", error };
  }
}

function isRefusal(error: StarfishError): boolean {
  return (REFUSAL_CODES as readonly ErrorCode[]).includes(error.code);
}

function refusedByThem(refusal: v.InferOutput<typeof refusalSchema>): Outcome {
  return { kind: "refused", by: "them", error: new StarfishError(refusal.code, refusal.message) };
}

/** What the peer's pass is worth. Throws what `verifyChain` throws, and "wrong-swarm". */
function judge(
  shown: { readonly swarm: SwarmId; readonly chain: Chain },
  peer: PeerId,
  own: Pass,
  { clock, crypto }: AdmissionPorts,
): Standing {
  if (shown.swarm !== own.swarm) {
    throw new StarfishError(
      "wrong-swarm",
      "The two nodes are of different swarms. Check that the link is the right one",
    );
  }
  return verifyChain(crypto, shown.chain, own.swarm, peer, clock.when());
}

function checkVersions(theirs: VersionRange, ours: VersionRange): void {
  if (theirs.max >= ours.min && theirs.min <= ours.max) return;
  throw new StarfishError(
    "version-mismatch",
    "The two nodes run versions of Starfish that can't talk to each other " +
      `(the dialler ${say(theirs)}, the dialled ${say(ours)}). Update the older one, or reload its page`,
  );
}

function say({ min, max }: VersionRange): string {
  return min === max ? `protocol ${min}` : `protocols ${min} to ${max}`;
}

/** Whether a refusal is the peer's fault. Another version, or too many links, is nobody's fault. */
export function isPunished(error: StarfishError): boolean {
  return !isStarfishError(error, "version-mismatch") && !isStarfishError(error, "busy");
}

/** For the suite that sends the extremes of every schema (test/adversary). */
export const SCHEMAS: Readonly<Record<string, Schema<unknown>>> = {
  anySchema,
  versionsSchema,
  passSchema,
  answerSchema,
  verdictSchema,
};
