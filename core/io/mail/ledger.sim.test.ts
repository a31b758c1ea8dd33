/**
 * The ledger on maps without a network: which contents count as referred to, in whatever order entries arrive, and what
 * exceeds the bounds.
 */
import { describe, expect, it } from "vitest";
import { peerIdOf } from "../../base/peer-id.ts";
import { signStatement } from "../../net/identity/statement.ts";
import type { Crypto, KeyPair } from "../../ports/crypto.ts";
import { sample } from "../../ports/random.ts";
import { silentLog } from "../../ports/log.ts";
import { ReplicaMap, TestTime } from "../../../test/fixtures/replica-map.ts";
import { isLong } from "../../../test/sim/seeds.ts";
import { SimWorld } from "../../../test/sim/world.ts";
import { type MailEntry, mailKey, type ReceiptEntry, receiptKey, signMail, signReceipt } from "./entries.ts";
import { Ledger } from "./ledger.ts";
import { MAIL_KEPT_MS, MAILS_PER_SENDER_MAX } from "./limits.ts";
import type { Address } from "./types.ts";

const CID = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy";
/** For the long run. */
const LONG_MS = 600_000;

class Bench {
  readonly world = new SimWorld({ seed: 1 });
  readonly time = new TestTime();
  readonly node = this.world.spawn({ name: "a", kind: "node" });
  readonly sender = this.keys(1);
  readonly readers = [this.keys(2), this.keys(3)];

  keys(seed: number): KeyPair {
    return this.world.crypto.keyPair(new Uint8Array(32).fill(seed));
  }

  /** Signatures that were checked. */
  checked = 0;

  ledger(map: ReplicaMap): Ledger {
    const { clock, random } = this.node.ports;
    const { crypto: real } = this.world;
    const crypto: Crypto = Object.assign(Object.create(real) as Crypto, {
      verify: (...signed: Parameters<Crypto["verify"]>) => {
        this.checked++;
        return real.verify(...signed);
      },
    });
    const parts = { map, clock, random, crypto, log: silentLog, concerns: () => true };
    const ledger = new Ledger(parts);
    ledger.start();
    return ledger;
  }

  get to(): Address[] {
    return this.readers.map(({ publicKey }) => ({ kind: "node", peer: peerIdOf(publicKey) }));
  }

  map(): ReplicaMap {
    return new ReplicaMap(1, this.time);
  }

  mail(ageMs = 0, keys: KeyPair = this.sender): { readonly mail: MailEntry; readonly wire: unknown } {
    return signMail(this.world.crypto, this.#signer(keys), {
      from: peerIdOf(keys.publicKey),
      to: this.to,
      contents: [{ cid: CID, sizeBytes: 300 }],
      sentAtMs: this.time.nowMs - ageMs,
    });
  }

  receipt(id: string, reader: number, state: ReceiptEntry["state"]): readonly [key: string, wire: unknown] {
    const keys = this.readers[reader] ?? this.sender;
    const wire = signReceipt(this.#signer(keys), { id, reader, state, atMs: this.time.nowMs });
    return [receiptKey(id, reader, state), wire];
  }

  #signer(keys: KeyPair): (purpose: string, body: Uint8Array) => Uint8Array {
    return (purpose, body) => signStatement(this.world.crypto, keys.privateKey, purpose, body);
  }
}

describe("the ledger", () => {
  it("refers to a mail until its last reader has deleted it, whatever comes first", async () => {
    const bench = new Bench();
    const map = bench.map();
    const ledger = bench.ledger(map);
    const { mail, wire } = bench.mail();
    map.set(...bench.receipt(mail.id, 0, "deleted"));
    await bench.world.runFor(2_000);
    expect([...ledger.references()]).toEqual([]);
    map.set(mailKey(mail.id), wire);
    // Before anybody has looked at it, too.
    expect([...ledger.references()]).toEqual([CID]);
    await bench.world.runFor(2_000);
    expect(ledger.receipt(mail.id, 0, "deleted")).toBeDefined();
    expect([...ledger.references()]).toEqual([CID]);
    map.set(...bench.receipt(mail.id, 1, "read"));
    await bench.world.runFor(2_000);
    expect([...ledger.references()]).toEqual([CID]);
    map.set(...bench.receipt(mail.id, 1, "deleted"));
    await bench.world.runFor(2_000);
    expect([...ledger.references()]).toEqual([]);
    expect(ledger.setAside).toBe(0);
  });

  it("refers to nothing whose time is over, whatever the map says of its expiry", async () => {
    const bench = new Bench();
    const map = bench.map();
    const ledger = bench.ledger(map);
    const { mail, wire } = bench.mail();
    // An entry that never expires, as somebody has written it.
    map.set(mailKey(mail.id), wire);
    await bench.world.runFor(2_000);
    expect(ledger.get(mail.id)).toEqual(mail);
    bench.time.nowMs += MAIL_KEPT_MS + 1;
    await bench.world.runFor(200_000);
    expect(ledger.get(mail.id)).toBeUndefined();
    expect([...ledger.references()]).toEqual([]);
    expect(map.entry(mailKey(mail.id))).toBeUndefined();
  });

  it("takes none from the future", async () => {
    const bench = new Bench();
    const map = bench.map();
    const ledger = bench.ledger(map);
    const { mail, wire } = bench.mail(-3_600_000);
    map.set(mailKey(mail.id), wire);
    await bench.world.runFor(2_000);
    expect(ledger.get(mail.id)).toBeUndefined();
    expect(ledger.setAside).toBe(1);
  });

  it("keeps the same of too many on all nodes, in whatever order they come, and of others all", async () => {
    const bench = new Bench();
    const all = Array.from({ length: MAILS_PER_SENDER_MAX + 30 }, (_, i) => bench.mail(i * 1_000));
    const other = bench.mail(5, bench.keys(9));
    const kept: string[][] = [];
    for (const seed of [1, 2]) {
      const map = bench.map();
      const ledger = bench.ledger(map);
      map.set(mailKey(other.mail.id), other.wire);
      for (const { mail, wire } of sample(bench.world.random.fork(`order ${seed}`), all))
        map.set(mailKey(mail.id), wire);
      await bench.world.runFor(120_000);
      expect(ledger.roomFor(peerIdOf(bench.sender.publicKey))).toBe(0);
      expect(ledger.get(other.mail.id)).toBeDefined();
      expect(map.count("m/")).toBe(MAILS_PER_SENDER_MAX + 1);
      kept.push(Array.from(ledger.all(), ({ id }) => id).toSorted());
    }
    expect(kept[0]).toEqual(kept[1]);
    // The earliest stay: a sender's further mails do not push out its earlier ones.
    expect(kept[0]).toContain(all.at(-1)?.mail.id);
    expect(kept[0]).not.toContain(all[0]?.mail.id);
  });

  it("checks no signature of what there is no room for, and those of others soon", { timeout: LONG_MS }, async () => {
    const bench = new Bench();
    const map = bench.map();
    const ledger = bench.ledger(map);
    const flood = isLong ? 100_000 : 1_500;
    for (let i = MAILS_PER_SENDER_MAX; i > 0; i--) {
      const { mail, wire } = bench.mail(i * 1_000);
      map.set(mailKey(mail.id), wire);
    }
    await bench.world.runUntil(() => ledger.roomFor(peerIdOf(bench.sender.publicKey)) === 0, { withinMs: 60_000 });
    bench.checked = 0;
    // As if signed by the sender; who has no room for the right ones either.
    const { wire } = bench.mail();
    const [, signature] = wire as [Uint8Array, Uint8Array];
    for (let i = 0; i < flood; i++) {
      const says = { from: peerIdOf(bench.sender.publicKey), to: bench.to, contents: [{ cid: CID, sizeBytes: i + 1 }] };
      const { mail, wire: made } = signMail(bench.world.crypto, () => signature, {
        ...says,
        sentAtMs: bench.time.nowMs,
      });
      map.set(mailKey(mail.id), made);
    }
    const honest = bench.mail(0, bench.keys(9));
    map.set(mailKey(honest.mail.id), honest.wire);
    await bench.world.runUntil(() => ledger.get(honest.mail.id) !== undefined, { withinMs: 60_000 });
    expect(bench.checked).toBe(1);
    await bench.world.runUntil(() => map.count("m/") === MAILS_PER_SENDER_MAX + 1, { withinMs: 3_600_000 });
    await bench.world.runUntil(() => ledger.setAside === 0, { withinMs: 60_000 });
    expect(bench.checked).toBeLessThan(10);
  });
});
