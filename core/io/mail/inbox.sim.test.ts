/**
 * The inbox of a node that gets thousands of mails, on a map without a network. Times can't be asserted; so what is
 * counted is how much is done again for one change.
 */
import { expect, it } from "vitest";
import { peerIdOf } from "../../base/peer-id.ts";
import type { Contents } from "../../disk/types.ts";
import { signStatement } from "../../net/identity/statement.ts";
import { MemoryStore } from "../../platform/memory-store.ts";
import type { Age } from "../../ports/age.ts";
import type { Clock } from "../../ports/clock.ts";
import { sleep } from "../../ports/clock.ts";
import type { KeyPair } from "../../ports/crypto.ts";
import { silentLog } from "../../ports/log.ts";
import { mailViews } from "../../shell/namespace/mail/mail-views.ts";
import { ReplicaMap, TestTime } from "../../../test/fixtures/replica-map.ts";
import { isLong } from "../../../test/sim/seeds.ts";
import { SimWorld } from "../../../test/sim/world.ts";
import type { NodePeople } from "../people/people.ts";
// Fetched when it is needed: virtual time waits for no module.
import "./crowd.ts";
import { mailKey, signMail } from "./entries.ts";
import { Inbox } from "./inbox.ts";
import { Ledger } from "./ledger.ts";
import { writeLetter } from "./letter.ts";
import { FETCH_MS, INBOX_MAX } from "./limits.ts";
import type { Address } from "./types.ts";

const SENDERS = 20;
const CONTENT = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy";
const LONG_MS = 600_000;

/** A letter is its own seal here, and its content is found by its length. */
const openAge: Age = { publicKey: (secret) => secret, seal: (source) => source, open: (sealed) => sealed };

class Bench {
  readonly world = new SimWorld({ seed: 1 });
  readonly node = this.world.spawn({ name: "a", kind: "node" });
  readonly time = new TestTime();
  readonly map = new ReplicaMap(1, this.time);
  readonly self = this.keys(1);
  readonly letters = new Map<number, Uint8Array>();
  /** How often a name was looked up. */
  named = 0;
  arrived = 0;
  readonly known = new Set<string>();
  inbox: Inbox | undefined;

  keys(seed: number): KeyPair {
    return this.world.crypto.keyPair(this.world.crypto.sha256(Uint8Array.of(seed, seed >> 8)));
  }

  async open(): Promise<Inbox> {
    const { clock, random } = this.node.ports;
    const { crypto } = this.world;
    const sign = (purpose: string, body: Uint8Array): Uint8Array =>
      signStatement(crypto, this.self.privateKey, purpose, body);
    const readers = [{ address: this.address, secret: new Uint8Array(32), sign }];
    const people = {
      readers: () => readers,
      of: () => undefined,
      correspondent: (address: Address) => {
        this.named++;
        return { address, name: "somebody" };
      },
    } as unknown as NodePeople;
    const ledger = new Ledger({ map: this.map, clock, random, crypto, log: silentLog, concerns: () => false });
    const inbox = await Inbox.load({
      ...{ ledger, people, clock, age: openAge, log: silentLog, store: new MemoryStore() },
      contents: { read: ({ sizeBytes }: { sizeBytes: number }) => this.#read(sizeBytes, clock) } as unknown as Contents,
      secrets: () => [],
      isKnown: (sender) => this.known.has(sender),
      now: () => this.time.nowMs,
      onChange: () => {},
      onArrival: () => void this.arrived++,
      signal: new AbortController().signal,
    });
    ledger.onChange(({ mail }) => inbox.look(mail));
    ledger.start();
    return (this.inbox = inbox);
  }

  get address(): Address {
    return { kind: "node", peer: peerIdOf(this.self.publicKey) };
  }

  /** @param isThere whether somebody has its letter */
  write(keys: KeyPair, i: number, isThere = true): string {
    const { crypto } = this.world;
    const says = { from: peerIdOf(keys.publicKey), to: [this.address], sentAtMs: this.time.nowMs - 1_000_000 + i };
    const about = { subject: `subject ${i}`, text: "x".repeat(i), files: [], inReplyTo: undefined, news: undefined };
    const letter = writeLetter({ ...says, ...about });
    if (isThere) this.letters.set(letter.length, letter);
    const sign = (purpose: string, body: Uint8Array): Uint8Array =>
      signStatement(crypto, keys.privateKey, purpose, body);
    const contents = [{ cid: CONTENT, sizeBytes: letter.length }];
    const { mail, wire } = signMail(crypto, sign, { ...says, contents });
    this.map.set(mailKey(mail.id), wire);
    return mail.id;
  }

  async *#read(sizeBytes: number, clock: Clock): AsyncGenerator<Uint8Array> {
    const letter = this.letters.get(sizeBytes);
    if (letter === undefined) await sleep(clock, 10 * FETCH_MS);
    else yield letter;
  }

  until(condition: () => boolean, what: string, withinMs = 600_000): Promise<number> {
    return this.world.runUntil(condition, { withinMs, everyMs: 50, what });
  }
}

it("does for one change what one mail takes, however many there are", { timeout: LONG_MS }, async () => {
  const bench = new Bench();
  const inbox = await bench.open();
  const senders = Array.from({ length: SENDERS }, (_, i) => bench.keys(100 + i));
  const count = isLong ? 10_000 : 800;
  const ids = Array.from({ length: count }, (_, i) => bench.write(senders[i % SENDERS] as KeyPair, i));
  await bench.until(() => inbox.unread() === count, "all have arrived");
  expect(bench.arrived).toBe(count);
  const views = mailViews({ inbox: () => inbox.list() } as unknown as Parameters<typeof mailViews>[0]);
  const tree = views.get("inbox");
  if (tree?.kind !== "directory") throw new Error("/mail/inbox is a directory");
  const before = await tree.list();
  expect(before.size).toBe(count);
  bench.named = 0;
  // The badge, the list and each path into the tree ask for all of it again and again.
  for (let i = 0; i < 100; i++) inbox.unread();
  expect(await tree.list()).toBe(before);
  expect(inbox.list()).toBe(inbox.list());
  expect(bench.named).toBe(0);
  await bench.world.settle(inbox.read(ids[7] ?? "", {}), { withinMs: 1_000 });
  expect(inbox.unread()).toBe(count - 1);
  expect(inbox.list()[7]).toMatchObject({ number: 8, state: "read" });
  expect(bench.named).toBeLessThan(10);
  inbox.remove(ids[8] ?? "");
  expect(inbox.list()).toHaveLength(count - 1);
  expect(bench.named).toBeLessThan(20);
});

it("fetches honest letters beside thousands that nobody has", { timeout: LONG_MS }, async () => {
  const bench = new Bench();
  const inbox = await bench.open();
  const [hostile, honest] = [bench.keys(5), bench.keys(6)];
  bench.known.add(peerIdOf(hostile.publicKey)).add(peerIdOf(honest.publicKey));
  for (let i = 0; i < 300; i++) bench.write(hostile, 2_000 + i, false);
  await bench.until(() => inbox.list().length === 300, "they are listed");
  for (let i = 0; i < 30; i++) bench.write(bench.keys(1_000 + i), 4_000 + i, false);
  for (let i = 0; i < 50; i++) bench.write(honest, i);
  // With all places taken for a minute each, the honest ones would be fetched after an hour.
  await bench.until(() => inbox.unread() === 50, "the honest ones are there", FETCH_MS / 2);
});

it("drops what strangers have sent if there is too much", { timeout: LONG_MS }, async () => {
  const bench = new Bench();
  const inbox = await bench.open();
  const honest = bench.keys(6);
  bench.known.add(peerIdOf(honest.publicKey));
  const ids = Array.from({ length: 20 }, (_, i) => bench.write(honest, i));
  await bench.until(() => inbox.unread() === ids.length, "the honest ones are there");
  const strangers = Array.from({ length: 30 }, (_, i) => bench.keys(1_000 + i));
  const flood = isLong ? 20_000 : 200;
  for (let i = 0; i < flood; i++) bench.write(strangers[i % strangers.length] as KeyPair, 5_000 + i, false);
  await bench.until(
    () => inbox.list().length >= Math.min(INBOX_MAX, flood + ids.length),
    "the inbox is full",
    3_600_000,
  );
  await bench.until(() => inbox.list().length <= INBOX_MAX, "what is too much is gone");
  const listed = new Set(inbox.list().map(({ id }) => id));
  expect(ids.filter((id) => !listed.has(id))).toEqual([]);
});
