import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decode, encode } from "../../base/codec.ts";
import { isStarfishError, StarfishError } from "../../base/errors.ts";
import { peerIdOf } from "../../base/peer-id.ts";
import { realCrypto as crypto } from "../../platform/crypto.ts";
import type { KeyPair } from "../../ports/crypto.ts";
import {
  issue,
  outranks,
  read,
  swarmIdOf,
  verifyChain,
  verifyDelegation,
  type Chain,
  type Statement,
} from "./certificate.ts";
import { CHAIN_LENGTH_MAX, CLOCK_TOLERANCE_MS } from "../limits.ts";
import type { Role } from "../types.ts";
import * as v from "valibot";

const NOW = 1_800_000_000_000;
const DAY = 86_400_000;

function key(n: number): KeyPair {
  return crypto.keyPair(new Uint8Array(32).fill(n));
}

const root = key(1);
const inviter = key(2);
const second = key(3);
const node = key(4);
const stranger = key(5);
const swarm = swarmIdOf(root.publicKey);
const peer = peerIdOf(node.publicKey);

function certificate(issuer: KeyPair, subject: KeyPair, says: Partial<Statement> = {}): Uint8Array {
  return issue(crypto, issuer, {
    swarm: root.publicKey,
    subject: subject.publicKey,
    kind: "member",
    role: "member",
    notBeforeMs: NOW - DAY,
    notAfterMs: NOW + DAY,
    ...says,
  });
}

const delegated = certificate(root, inviter, { kind: "delegate", role: "admin", notAfterMs: NOW + 9 * DAY });
const redelegated = certificate(inviter, second, { kind: "delegate", notAfterMs: NOW + 5 * DAY });
const own = certificate(second, node, { notAfterMs: NOW + 7 * DAY });
const chain: Chain = [delegated, redelegated, own];

function refusal(shown: Chain, options: { swarm?: string; peer?: string; nowMs?: number } = {}): StarfishError {
  try {
    verifyChain(crypto, shown, options.swarm ?? swarm, options.peer ?? peer, options.nowMs ?? NOW);
  } catch (error) {
    if (error instanceof StarfishError) return error;
    throw error;
  }
  throw new Error("The chain was accepted");
}

describe("a chain that is right", () => {
  test("gives the member's role and the earliest end of all", () => {
    expect(verifyChain(crypto, chain, swarm, peer, NOW)).toEqual({ role: "member", notAfterMs: NOW + 5 * DAY });
  });

  test("may be one certificate, signed by the root", () => {
    const founder = [certificate(root, node, { role: "admin" })];
    expect(verifyChain(crypto, founder, swarm, peer, NOW).role).toBe("admin");
  });

  test("tolerates clocks that are wrong by a few minutes", () => {
    const end = NOW + 5 * DAY;
    expect(verifyChain(crypto, chain, swarm, peer, end + CLOCK_TOLERANCE_MS).role).toBe("member");
    expect(verifyChain(crypto, chain, swarm, peer, NOW - DAY - CLOCK_TOLERANCE_MS).role).toBe("member");
    expect(refusal(chain, { nowMs: end + CLOCK_TOLERANCE_MS + 1 }).message).toContain("expired");
  });
});

describe("a chain that is wrong says what is wrong", () => {
  test.each<[string, Chain, Parameters<typeof refusal>[1], string, RegExp]>([
    ["none", [], {}, "not-a-member", /No certificate/],
    ["expired", chain, { nowMs: NOW + 6 * DAY }, "bad-certificate", /expired/],
    ["not valid yet", chain, { nowMs: NOW - 2 * DAY }, "bad-certificate", /valid from/],
    ["of another swarm", chain, { swarm: swarmIdOf(stranger.publicKey) }, "wrong-swarm", /another swarm/],
    ["of another node", chain, { peer: peerIdOf(stranger.publicKey) }, "bad-certificate", /another node/],
    ["cut at its start", [redelegated, own], {}, "bad-certificate", /cut/],
    ["cut in its middle", [delegated, own], {}, "bad-certificate", /cut/],
    ["cut at its end", [delegated, redelegated], {}, "bad-certificate", /cut/],
    ["reordered", [redelegated, delegated, own], {}, "bad-certificate", /out of order/],
    ["reversed", [own, redelegated, delegated], {}, "bad-certificate", /out of order/],
    ["too long", [delegated, ...chain, own], {}, "bad-certificate", /too long/],
    ["unreadable", [Uint8Array.of(1, 2, 3)], {}, "bad-certificate", /cannot be read/],
    [
      "with a role above its issuer's",
      [delegated, redelegated, certificate(second, node, { role: "admin" })],
      {},
      "bad-certificate",
      /role "admin" is above/,
    ],
    [
      "signed by a member",
      [certificate(root, stranger), certificate(stranger, node)],
      {},
      "bad-certificate",
      /signed by a member/,
    ],
    [
      "signed by somebody else in the issuer's name",
      [certificate({ publicKey: root.publicKey, privateKey: stranger.privateKey }, node)],
      {},
      "bad-certificate",
      /signature/,
    ],
  ])("%s", (_, shown, options, code, message) => {
    const error = refusal(shown, options);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
  });

  test("a role raised by hand", () => {
    const [statement, signature] = decode(v.tuple([v.instance(Uint8Array), v.instance(Uint8Array)]), own);
    const fields = decode(v.array(v.unknown()), statement);
    fields[5] = "admin";
    expect(refusal([delegated, redelegated, encode([encode(fields), signature])]).message).toMatch(/role/);
    // Below a delegate that may give the role, the forgery shows by its signature alone.
    const [, hand] = decode(v.tuple([v.instance(Uint8Array), v.instance(Uint8Array)]), certificate(inviter, node));
    const raised = decode(
      v.array(v.unknown()),
      decode(v.tuple([v.instance(Uint8Array), v.unknown()]), certificate(inviter, node))[0],
    );
    raised[5] = "admin";
    expect(refusal([delegated, encode([encode(raised), hand])]).message).toMatch(/signature/);
  });
});

test("a delegation is checked like a chain, for its key", () => {
  const nowMs = NOW;
  expect(verifyDelegation(crypto, [delegated, redelegated], swarm, second.publicKey, nowMs).notAfterMs).toBe(
    NOW + 5 * DAY,
  );
  expect(() => verifyDelegation(crypto, chain, swarm, node.publicKey, nowMs)).toThrow(/may not sign/);
  expect(() => verifyDelegation(crypto, [delegated], swarm, second.publicKey, nowMs)).toThrow(/another key/);
  expect(() => verifyDelegation(crypto, [], swarm, second.publicKey, nowMs)).toThrow(/empty/);
});

describe("properties", () => {
  const role = fc.constantFrom<Role>("worker", "reader", "member", "admin");

  test("no chain gives more than any of its certificates, nor for longer", () => {
    const step = fc.record({ role, days: fc.integer({ min: 1, max: 1_000 }) });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: CHAIN_LENGTH_MAX }), (steps) => {
        const keys = steps.map((_, i) => key(100 + i));
        const made = steps.map((says, i) =>
          certificate(keys[i - 1] ?? root, keys[i] ?? node, {
            kind: i === steps.length - 1 ? "member" : "delegate",
            role: says.role,
            notAfterMs: NOW + says.days * DAY,
          }),
        );
        const last = keys.at(-1) ?? node;
        const isAllowed = steps.every((says, i) => i === 0 || !outranks(says.role, steps[i - 1]?.role ?? "admin"));
        if (!isAllowed) return refusal(made, { peer: peerIdOf(last.publicKey) }).code === "bad-certificate";
        const standing = verifyChain(crypto, made, swarm, peerIdOf(last.publicKey), NOW);
        expect(standing.notAfterMs).toBe(NOW + Math.min(...steps.map((says) => says.days)) * DAY);
        return standing.role === steps.at(-1)?.role;
      }),
      { numRuns: 40 },
    );
  });

  test("one changed byte anywhere is refused with a StarfishError", () => {
    const total = chain.reduce((sum, bytes) => sum + bytes.length, 0);
    fc.assert(
      fc.property(fc.nat(total - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        let offset = at;
        const altered = chain.map((bytes) => {
          const copy = bytes.slice();
          if (offset >= 0 && offset < copy.length) copy[offset] = (copy[offset] ?? 0) ^ flip;
          offset -= bytes.length;
          return copy;
        });
        refusal(altered);
      }),
      { numRuns: 300 },
    );
  });

  test("any bytes are read or refused, never worse", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        try {
          read(bytes);
        } catch (error) {
          if (!isStarfishError(error, "malformed")) throw error;
        }
      }),
    );
  });
});
