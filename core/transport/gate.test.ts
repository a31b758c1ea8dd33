import { peerIdFromString } from "@libp2p/peer-id";
import { describe, expect, it } from "vitest";
import { peerIdOf } from "../base/peer-id.ts";
import { Gate } from "./gate.ts";

const [a, b, c] = [1, 2, 3].map((seed) => peerIdOf(new Uint8Array(32).fill(seed))) as [string, string, string];
const id = peerIdFromString;

describe("the gate", () => {
  it("lets anybody connect while there is room, and nobody use it as a relay", () => {
    const rules = new Gate((peer) => peer === a).rules();
    expect(rules.denyDialPeer?.(id(a))).toBe(false);
    expect(rules.denyDialPeer?.(id(b))).toBe(true);
    expect(rules.denyInboundRelayReservation?.(id(a))).toBe(true);
    expect(rules.denyOutboundRelayedConnection?.(id(a), id(b))).toBe(true);
    expect(rules.denyInboundRelayedConnection?.(id(a), id(b))).toBe(true);
  });

  it("relays between the admitted, and takes what the admitted relay", () => {
    const gate = new Gate(() => true);
    const rules = gate.rules();
    gate.admit(a);
    expect(rules.denyOutboundRelayedConnection?.(id(a), id(b))).toBe(true);
    expect(rules.denyInboundRelayedConnection?.(id(a), id(c))).toBe(false);
    gate.admit(b);
    expect(rules.denyOutboundRelayedConnection?.(id(a), id(b))).toBe(false);
    gate.forget(b);
    expect(rules.denyOutboundRelayedConnection?.(id(a), id(b))).toBe(true);
  });

  it("refuses the expelled until they are admitted or their time is up", () => {
    const gate = new Gate(() => true);
    gate.admit(a);
    gate.expel(a, 60_000);
    expect([gate.isExpelled(a), gate.isAdmitted(a)]).toEqual([true, false]);
    gate.admit(a);
    expect(gate.isExpelled(a)).toBe(false);
    gate.expel(a, 0);
    expect(gate.isExpelled(a)).toBe(false);
  });

  it("remembers no more than a bounded number of the expelled", () => {
    const gate = new Gate(() => true);
    gate.expel(a, 60_000);
    for (let i = 0; i < 2_000; i++) gate.expel(`other ${i}`, 60_000);
    expect(gate.isExpelled(a)).toBe(false);
    expect(gate.isExpelled("other 1999")).toBe(true);
  });
});
