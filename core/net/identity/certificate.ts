/**
 * Certificates: signed statements that lead from a swarm's root key to a member's own key. Pure over the Crypto port.
 *
 * A chain is an array of certificates. The root key, which names the swarm, issues the first; the subject of each
 * certificate issues the next one. The last certificate makes its subject a member. The ones before it make delegates,
 * who may sign within their role and time. Each statement names its issuer, so that a chain that was cut or reordered
 * can be told from a forged one.
 *
 * Wire: a certificate is CBOR [statement, signature]; a statement is CBOR [format, swarm, issuer, subject, kind, role,
 * notBeforeMs, notAfterMs], its signature Ed25519 over STATEMENT_DOMAIN and the statement's bytes as they came, so that
 * nothing depends on one CBOR encoding.
 */
import { momentWords } from "../../base/moment.ts";
import * as v from "valibot";
import { concat, equal, fromBase64Url, toBase64Url, utf8, type Bytes } from "../../base/bytes.ts";
import { bytesOf, decode, encode, integerOf, type Schema } from "../../base/codec.ts";
import { StarfishError } from "../../base/errors.ts";
import { peerIdOf } from "../../base/peer-id.ts";
import type { Crypto, KeyPair } from "../../ports/crypto.ts";
import type { PeerId } from "../../ports/network.ts";
import { CHAIN_LENGTH_MAX, CLOCK_TOLERANCE_MS, STATEMENT_BYTES_MAX } from "../limits.ts";
import type { Role, SwarmId } from "../types.ts";

/** Encoded certificates, from the root's to the member's. */
export type Chain = readonly Uint8Array[];

type CertificateKind = "delegate" | "member";

/** What a certificate says. Keys are Ed25519 public keys. */
export interface Statement {
  /** The swarm's root key. */
  readonly swarm: Uint8Array;
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  readonly kind: CertificateKind;
  /** A member's role, or the highest that a delegate may give. */
  readonly role: Role;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** What a valid chain proves. */
export interface Standing {
  readonly role: Role;
  /** The earliest end of any certificate of the chain, ms since 1970. */
  readonly notAfterMs: number;
}

/**
 * The present time, ms since 1970: a moment, or the span between two clocks neither of which is trusted alone. A
 * certificate has run out only if it had run out at the beginning of the span.
 */
export type When = number | { readonly earliestMs: number; readonly latestMs: number };

export function earliestOf(when: When): number {
  return typeof when === "number" ? when : when.earliestMs;
}

function latestOf(when: When): number {
  return typeof when === "number" ? when : when.latestMs;
}

const FORMAT = 1;
/** A signature over this prefix means nothing anywhere else. */
export const STATEMENT_DOMAIN: Uint8Array = utf8("starfish certificate 1\n");

export const ROLES: readonly ["admin", "member", "reader", "worker"] = ["admin", "member", "reader", "worker"];

/** From the least to the most that a role may do. */
const RANKS: Readonly<Record<Role, number>> = { worker: 0, reader: 1, member: 2, admin: 3 };

/** Whether the one role may do more than the other. */
export function outranks(one: Role, other: Role): boolean {
  return RANKS[one] > RANKS[other];
}

const KEY = bytesOf(32);
/** The last moment that a JavaScript date can represent. */
const LATEST_MS = 8.64e15;
const statementSchema = v.tuple([
  v.literal(FORMAT, "This certificate has a format that this version does not know"),
  KEY,
  KEY,
  KEY,
  v.picklist(["delegate", "member"]),
  v.picklist(ROLES),
  integerOf(0, LATEST_MS),
  integerOf(0, LATEST_MS),
]);
const certificateSchema = v.tuple([bytesOf(1, STATEMENT_BYTES_MAX), bytesOf(64)]);

/** Schema of a chain inside a message: bounded, its certificates not yet read. */
export const chainSchema: Schema<Uint8Array[]> = v.pipe(
  v.array(bytesOf(1, STATEMENT_BYTES_MAX + 100)),
  v.maxLength(CHAIN_LENGTH_MAX, "The certificate chain is too long"),
);

export function swarmIdOf(root: Bytes): SwarmId {
  return toBase64Url(root);
}

/** The root public key. Throws StarfishError "malformed". */
export function rootKeyOf(swarm: SwarmId): Uint8Array {
  try {
    const key = fromBase64Url(swarm);
    if (key.length === 32) return key;
  } catch {
    // falls through to the error below
  }
  throw new StarfishError("malformed", "Not a swarm's name: it must be the base64url of 32 bytes");
}

/** A certificate signed by `issuer`, whose right to do so nobody has checked yet. */
export function issue(crypto: Crypto, issuer: KeyPair, says: Omit<Statement, "issuer">): Uint8Array {
  const statement = encodeStatement({ ...says, issuer: issuer.publicKey });
  return encode([statement, crypto.sign(issuer.privateKey, concat([STATEMENT_DOMAIN, statement]))]);
}

/** The certificate that says this, with a signature that was taken from it (`signatureOf`) and is not checked. */
export function restate(says: Statement, signature: Bytes): Uint8Array {
  return encode([encodeStatement(says), signature]);
}

/** Throws StarfishError "malformed". */
export function signatureOf(certificate: Bytes): Uint8Array {
  return parse(certificate).signature;
}

function encodeStatement(says: Statement): Uint8Array {
  const { swarm, issuer, subject, kind, role, notBeforeMs, notAfterMs } = says;
  return encode([FORMAT, swarm, issuer, subject, kind, role, notBeforeMs, notAfterMs]);
}

interface Certificate extends Statement {
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
}

function parse(bytes: Bytes): Certificate {
  const [signed, signature] = decode(certificateSchema, bytes);
  const [, swarm, issuer, subject, kind, role, notBeforeMs, notAfterMs] = decode(statementSchema, signed);
  return { swarm, issuer, subject, kind, role, notBeforeMs, notAfterMs, signed, signature };
}

/** What a certificate says, unverified. Throws StarfishError "malformed". */
export function read(bytes: Bytes): Statement {
  return parse(bytes);
}

function bad(message: string): StarfishError {
  return new StarfishError("bad-certificate", message);
}

/**
 * Checks what the chain proves about `peer` in `swarm` now. Throws StarfishError "not-a-member" (no certificate at
 * all), "wrong-swarm", or "bad-certificate" with a message that says what is wrong with it.
 */
export function verifyChain(crypto: Crypto, chain: Chain, swarm: SwarmId, peer: PeerId, when: When): Standing {
  const certificates = readChain(chain);
  const last = certificates.at(-1);
  if (last === undefined) throw new StarfishError("not-a-member", "No certificate was shown");
  checkLinks(certificates, rootKeyOf(swarm));
  if (last.kind !== "member") throw bad("The certificate chain is cut: the member's own certificate is missing");
  if (peerIdOf(last.subject) !== peer) {
    throw bad(`The certificate belongs to another node (${peerIdOf(last.subject)}, not ${peer})`);
  }
  return { role: last.role, notAfterMs: checkGenuine(crypto, certificates, when) };
}

/**
 * What a delegation allows: a chain that ends in the certificate of a delegate. Throws like `verifyChain`.
 */
export function verifyDelegation(crypto: Crypto, chain: Chain, swarm: SwarmId, delegate: Bytes, when: When): Standing {
  const certificates = readChain(chain);
  const last = certificates.at(-1);
  if (last === undefined) throw bad("The delegation is empty");
  checkLinks(certificates, rootKeyOf(swarm));
  if (last.kind !== "delegate") throw bad("A member's certificate may not sign others");
  if (!equal(last.subject, delegate)) throw bad("The delegation belongs to another key");
  return { role: last.role, notAfterMs: checkGenuine(crypto, certificates, when) };
}

function readChain(chain: Chain): Certificate[] {
  if (chain.length > CHAIN_LENGTH_MAX) {
    throw bad(`The certificate chain is too long (${chain.length}, at most ${CHAIN_LENGTH_MAX})`);
  }
  try {
    return chain.map(parse);
  } catch (error) {
    throw new StarfishError("bad-certificate", "The certificate cannot be read", { cause: error });
  }
}

/** Checks swarm, order, kinds and roles: everything that needs no signature. */
function checkLinks(certificates: readonly Certificate[], root: Bytes): void {
  for (const certificate of certificates) {
    if (!equal(certificate.swarm, root)) {
      throw new StarfishError("wrong-swarm", "The certificate is of another swarm");
    }
  }
  let issuer: Statement | undefined;
  for (const certificate of certificates) {
    if (!equal(certificate.issuer, issuer?.subject ?? root)) throw misplaced(certificates, certificate, root);
    if (issuer?.kind === "member") throw bad("The certificate is signed by a member that is no delegate");
    if (issuer !== undefined && outranks(certificate.role, issuer.role)) {
      throw bad(`The role "${certificate.role}" is above what its issuer may give ("${issuer.role}")`);
    }
    issuer = certificate;
  }
}

/** Why a certificate does not follow from the one before it. */
function misplaced(certificates: readonly Certificate[], found: Certificate, root: Bytes): StarfishError {
  const elsewhere =
    equal(found.issuer, root) || certificates.some((other) => other !== found && equal(other.subject, found.issuer));
  return elsewhere
    ? bad("The certificate chain is out of order")
    : bad("The certificate chain is cut: a link between the root key and the member is missing");
}

/** Checks signatures, then times, and returns the effective end. */
function checkGenuine(crypto: Crypto, certificates: readonly Certificate[], when: When): number {
  for (const { issuer, signed, signature } of certificates) {
    if (!crypto.verify(issuer, concat([STATEMENT_DOMAIN, signed]), signature)) {
      throw bad("The certificate's signature is wrong: it was altered or forged");
    }
  }
  const notAfterMs = Math.min(...certificates.map((certificate) => certificate.notAfterMs));
  const notBeforeMs = Math.max(...certificates.map((certificate) => certificate.notBeforeMs));
  const [earliestMs, latestMs] = [earliestOf(when), latestOf(when)];
  if (earliestMs > notAfterMs + CLOCK_TOLERANCE_MS) {
    throw bad(
      `The certificate expired on ${momentWords(notAfterMs)} (it is ${momentWords(earliestMs)} here). Ask for a new invite`,
    );
  }
  if (latestMs < notBeforeMs - CLOCK_TOLERANCE_MS) {
    throw bad(
      `The certificate is valid from ${momentWords(notBeforeMs)} on only (it is ${momentWords(latestMs)} here). Check the clocks of both sides`,
    );
  }
  return notAfterMs;
}

/** For the suite that sends the extremes of every schema (test/adversary). */
export const SCHEMAS: Readonly<Record<string, Schema<unknown>>> = { statementSchema, certificateSchema, chainSchema };
