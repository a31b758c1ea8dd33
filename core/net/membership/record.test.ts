import { describe, expect, test } from "vitest";
import { decode, encode } from "../../base/codec.ts";
import { StarfishError } from "../../base/errors.ts";
import { peerIdOf } from "../../base/peer-id.ts";
import { realCrypto as crypto } from "../../platform/crypto.ts";
import type { KeyPair } from "../../ports/crypto.ts";
import * as v from "valibot";
import { type Chain, issue, swarmIdOf } from "../identity/certificate.ts";
import { checkRecord, readRecord, signRecord, LIFE_BYTES } from "./record.ts";
import { RecordPace } from "./crisis.ts";
import { SelfRecord } from "./self.ts";
import type { MemberRecord, Role } from "../types.ts";

const NOW = 1_800_000_000_000;
const LIVES = { life: new Uint8Array(LIFE_BYTES), rival: undefined };
const key = (n: number): KeyPair => crypto.keyPair(new Uint8Array(32).fill(n));
const [root, node, other] = [key(1), key(2), key(3)];
const swarm = swarmIdOf(root.publicKey);

function chainOf(subject: KeyPair, role: Role = "member", notAfterMs: number = NOW + 1_000): Chain {
  return [
    issue(crypto, root, {
      swarm: root.publicKey,
      subject: subject.publicKey,
      kind: "member",
      role,
      notBeforeMs: 0,
      notAfterMs,
    }),
  ];
}

const record: MemberRecord = {
  peer: peerIdOf(node.publicKey),
  incarnation: NOW,
  name: "brave otter",
  kind: "tab",
  device: "laptop",
  host: "its-machine",
  role: "member",
  addresses: ["/ip4/127.0.0.1/tcp/1/ws"],
  coresLent: 3,
  coresBusy: 1,
  startedAtMs: NOW,
  state: "awake",
  relayReason: undefined,
  card: Uint8Array.of(1, 2, 3),
};

function refusal(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof StarfishError) return error.code;
    throw error;
  }
  return "accepted";
}

describe("a member's record", () => {
  test("comes back as it was signed, with the role that its chain proves", () => {
    const { wire } = signRecord(
      crypto,
      node,
      chainOf(node, "reader"),
      NOW + 1_000,
      { ...record, role: "admin" },
      LIVES,
    );
    const checked = checkRecord(crypto, swarm, readRecord(wire), NOW);
    expect(checked.record).toEqual({ ...record, role: "reader" });
    expect(checked.notAfterMs).toBe(NOW + 1_000);
    expect(wire.length).toBeLessThan(800);
  });

  test("is refused when it was altered, signed by another, or its chain is another's or has run out", () => {
    const { wire } = signRecord(crypto, node, chainOf(node), NOW, record, LIVES);
    const raised = Uint8Array.from(wire);
    const at = raised.findIndex((_, i) => new TextDecoder().decode(raised.subarray(i, i + 5)) === "brave");
    raised[at] = 0x42;
    expect(refusal(() => checkRecord(crypto, swarm, readRecord(raised), NOW))).toBe("malformed");
    const forged = signRecord(crypto, other, chainOf(node), NOW, record, LIVES).wire;
    expect(refusal(() => checkRecord(crypto, swarm, readRecord(forged), NOW))).toBe("malformed");
    const borrowed = signRecord(crypto, node, chainOf(other), NOW, record, LIVES).wire;
    expect(refusal(() => checkRecord(crypto, swarm, readRecord(borrowed), NOW))).toBe("bad-certificate");
    expect(refusal(() => checkRecord(crypto, swarm, readRecord(wire), NOW + 1e9))).toBe("bad-certificate");
    expect(refusal(() => checkRecord(crypto, swarmIdOf(other.publicKey), readRecord(wire), NOW))).toBe("wrong-swarm");
  });

  test("is verified in full again when the chain has changed, and spared that when it has not", () => {
    const known = signRecord(crypto, node, chainOf(node), NOW + 1_000, record, LIVES);
    const next = signRecord(crypto, node, chainOf(node), NOW, { ...record, incarnation: NOW + 1 }, LIVES);
    expect(checkRecord(crypto, swarm, readRecord(next.wire), NOW, known).chain).toBe(known.chain);
    const changed = signRecord(crypto, node, chainOf(other), NOW, { ...record, incarnation: NOW + 1 }, LIVES);
    expect(refusal(() => checkRecord(crypto, swarm, readRecord(changed.wire), NOW, known))).toBe("bad-certificate");
  });

  test("that breaks its bounds is malformed", () => {
    const { wire } = signRecord(crypto, node, chainOf(node), NOW, record, LIVES);
    const [, signature, chain] = decode(v.tuple([v.unknown(), v.unknown(), v.unknown()]), wire);
    const fieldsOf = (name: string): unknown[] => [
      ...[4, record.peer, NOW, name, "tab", "d", "h", [], 0, 0, 0, "awake", null],
      ...[LIVES.life, null, null],
    ];
    expect(readRecord(encode([encode(fieldsOf("n")), signature, chain])).says.name).toBe("n");
    const fields = fieldsOf("n".repeat(500));
    expect(refusal(() => readRecord(encode([encode(fields), signature, chain])))).toBe("malformed");
    expect(refusal(() => readRecord(wire.subarray(0, wire.length - 5)))).toBe("malformed");
    expect(refusal(() => readRecord(encode([new Uint8Array(10_000), signature, chain])))).toBe("malformed");
  });
});

describe("this node's own record", () => {
  const make = (): SelfRecord =>
    new SelfRecord(crypto, { keys: node, chain: chainOf(node), notAfterMs: NOW, record, life: LIVES.life });

  test("is paced: changes a second apart, load more slowly, goodbyes and refutations at once", () => {
    const self = make();
    expect(self.take(0, 10)?.record.incarnation).toBe(NOW + 1);
    expect(self.take(0, 10)).toBeUndefined();
    self.patch({ name: "calm crab" });
    expect(self.take(900, 10)).toBeUndefined();
    expect(self.take(1_000, 10)?.record.name).toBe("calm crab");
    self.patch({ coresBusy: 3 });
    expect(self.take(2_500, 10)).toBeUndefined();
    expect(self.take(3_000, 200)).toBeUndefined();
    expect(self.take(3_000, 10)?.record.coresBusy).toBe(3);
    self.patch({ card: Uint8Array.of(1, 2, 3) });
    expect(self.take(9_000, 10)).toBeUndefined();
    self.patch({ state: "left" });
    expect(self.take(3_001, 10)?.record.state).toBe("left");
    self.outdo(NOW + 100);
    expect(self.take(3_002, 10)?.record.incarnation).toBe(NOW + 101);
  });

  test("answers whoever says that it is gone within half a second, and less often than others take it in", () => {
    const self = make();
    const others = new RecordPace();
    let waitedMs = 0;
    for (let nowMs = 0, sinceMs = 0; nowMs < 60_000; nowMs += 10) {
      self.outdo(NOW);
      const said = self.take(nowMs, 10);
      if (said === undefined) continue;
      waitedMs = Math.max(waitedMs, nowMs - sinceMs);
      sinceMs = nowMs;
      expect(others.allows("a", nowMs)).toBe(true);
      others.spend("a", nowMs);
    }
    expect(waitedMs).toBe(500);
    // A change of state never waits.
    self.outdo(NOW);
    self.patch({ state: "left" });
    expect(self.take(59_991, 10)?.record.state).toBe("left");
  });

  test("does not change when nothing is new, and leaves room for another incarnation", () => {
    const self = make();
    self.take(0, 1);
    self.patch({ name: record.name, addresses: [...record.addresses] });
    expect(self.take(10_000, 1)).toBeUndefined();
    expect(self.outdo(2 ** 48 - 1)).toBe(false);
    expect(self.take(20_000, 1)).toBeUndefined();
  });
});
