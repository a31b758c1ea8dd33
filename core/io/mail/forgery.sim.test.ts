/** A malicious member writes into the maps of mail and people. What it writes is refused, or shown as what it is. */
import { beforeEach, describe, expect, it } from "vitest";
import { concat, equal, utf8 } from "../../base/bytes.ts";
import { encode } from "../../base/codec.ts";
import type { Computer } from "../../computer.ts";
import type { ReplicatedMap } from "../../memory/types.ts";
import { signStatement } from "../../net/identity/statement.ts";
import { peerIdOf } from "../../base/peer-id.ts";
import type { Intruder } from "../../../test/adversary/intruder.ts";
import { Scene } from "../../../test/adversary/scene.ts";
import { isLong } from "../../../test/sim/seeds.ts";
import { makeCard, readCard } from "../people/card.ts";
import { type MailEntry, mailKey, readMail, receiptKey, signMail, signReceipt } from "./entries.ts";
import { writeLetter } from "./letter.ts";
import { MAILS_PER_SENDER_MAX } from "./limits.ts";
import type { Address, Mail } from "./types.ts";

const MINUTE_MS = 60_000;

let scene: Scene;
let mallory: Intruder;
/** The maps as she has them. */
let mails: ReplicatedMap;
let people: ReplicatedMap;
let [h0, h1, h2]: Computer[] = [];

beforeEach(async () => {
  scene = await Scene.open(1);
  mallory = await scene.intruder();
  [h0, h1, h2] = scene.honest;
  mails = await scene.settle(mallory.memory.map("mail", { isKept: true }));
  people = await scene.settle(mallory.memory.map("people", { isKept: true }));
  await until(
    () => people.count() >= 3 && scene.honest.every(({ mail }) => mail.correspondents().length >= 3),
    "cards",
  );
});

function honest(computer: Computer | undefined): Computer {
  if (computer === undefined) throw new Error("Three are honest");
  return computer;
}

function until(condition: () => boolean, what: string, withinMs = MINUTE_MS): Promise<number> {
  return scene.world.runUntil(condition, { withinMs, everyMs: 100, what });
}

function to(computer: Computer | undefined): Address {
  return { kind: "node", peer: honest(computer).net.self };
}

/** Signs whatever it is with her own key. */
function sign(purpose: string, body: Uint8Array): Uint8Array {
  return signStatement(scene.world.crypto, mallory.keys.privateKey, purpose, body);
}

async function sends(from: Computer | undefined, reader: Computer | undefined, text: string): Promise<string> {
  const { id, safe } = await scene.settle(honest(from).mail.send({ to: [to(reader)], text, subject: text }));
  await scene.settle(safe);
  await until(() => inbox(reader).some((mail) => mail.id === id && mail.state === "unread"), "it has arrived");
  return id;
}

function inbox(computer: Computer | undefined): ReturnType<Mail["inbox"]> {
  return honest(computer).mail.inbox();
}

/** Puts something on the disk that all can read, and returns its reference. */
async function stored(bytes: Uint8Array): Promise<{ cid: string; sizeBytes: number }> {
  async function* once(): AsyncGenerator<Uint8Array> {
    yield bytes;
  }
  return (await scene.settle(honest(h2).storage.put(once(), {}))).ref;
}

function writes(says: Omit<MailEntry, "id">): string {
  const { mail, wire } = signMail(scene.world.crypto, sign, says);
  mails.set(mailKey(mail.id), wire, { expiresInMs: MINUTE_MS * 60 });
  return mail.id;
}

function setAside(): number {
  return Math.min(...scene.honest.map(({ mail }) => mail.setAside));
}

describe("a member gone bad", () => {
  it("writes no mail in another's name", async () => {
    const ref = await stored(utf8("sealed for nobody"));
    const id = writes({ from: honest(h0).net.self, to: [to(h1)], contents: [ref], sentAtMs: mallory.nowMs });
    await until(() => setAside() === 1, "it is set aside");
    expect(inbox(h1)).toEqual([]);
    // It does not use up anybody's space, because some node deletes it.
    await until(() => mails.entry(mailKey(id)) === undefined, "it is gone", 2 * MINUTE_MS);
    await until(() => setAside() === 0, "and counts no more");
  });

  it("passes another's letter off as her own only to be shown for it", async () => {
    const id = await sends(h0, h1, "for h1 alone");
    const entry = readMail(scene.world.crypto, mailKey(id), mails.get(mailKey(id)));
    if ("why" in entry) throw new Error(entry.why);
    const again = writes({ ...entry, from: mallory.net.self });
    await until(() => inbox(h1).some((mail) => mail.id === again && mail.state === "spoilt"), "it is shown as spoilt");
    const shown = inbox(h1).find((mail) => mail.id === again);
    expect(shown).toMatchObject({ from: mallory.net.self, subject: "", why: expect.stringContaining("somebody else") });
    await expect(scene.settle(honest(h1).mail.read(again))).rejects.toMatchObject({ code: "malformed" });
  });

  it("sends what is no letter, or another content than it says, and it is shown as spoilt", async () => {
    const age = mallory.machine.ports.age;
    const key = honest(h1).mail.correspondents().length > 0 ? readKey(h1) : new Uint8Array();
    const seal = async (bytes: Uint8Array): Promise<Uint8Array> => {
      async function* once(): AsyncGenerator<Uint8Array> {
        yield bytes;
      }
      return concat(await scene.settle(Array.fromAsync(age.seal(once(), [key]))));
    };
    const about = { from: mallory.net.self, to: [to(h1)], sentAtMs: mallory.nowMs };
    const noLetter = await stored(await seal(utf8("not CBOR at all")));
    const letter = {
      subject: "s",
      text: "",
      files: [{ name: "f", sizeBytes: 5 }],
      inReplyTo: undefined,
      news: undefined,
    };
    const right = await stored(await seal(writeLetter({ ...about, ...letter })));
    const shorter = await stored(await seal(utf8("four")));
    const ids = [
      writes({ ...about, contents: [noLetter] }),
      writes({ ...about, contents: [{ ...noLetter, sizeBytes: 2 ** 39 }] }),
      writes({ ...about, contents: [right] }),
    ];
    // Nobody has a content of that length under this CID. It looks the same as one that is out of reach.
    const absent = writes({ ...about, contents: [{ ...noLetter, sizeBytes: 10 }] });
    const good = writes({ ...about, contents: [right, shorter] });
    await until(() => ids.every((id) => inbox(h1).some((mail) => mail.id === id && mail.state === "spoilt")), "spoilt");
    await until(() => inbox(h1).some((mail) => mail.id === good && mail.state === "unread"), "the good one arrives");
    expect(inbox(h1)).toContainEqual(expect.objectContaining({ id: absent, state: "arriving" }));
    await expect(scene.settle(Array.fromAsync(honest(h1).mail.file(good, 0)))).rejects.toMatchObject({
      code: "malformed",
    });
  });

  it("gives no receipt for another, and takes none away", async () => {
    const id = await sends(h0, h1, "unread");
    const said = { id, reader: 0, state: "read", atMs: mallory.nowMs } as const;
    mails.set(receiptKey(id, 0, "read"), signReceipt(sign, said), { expiresInMs: MINUTE_MS });
    mails.set(receiptKey(id, 0, "deleted"), mails.get(receiptKey(id, 0, "delivered")), { expiresInMs: MINUTE_MS });
    mails.set(receiptKey(id, 7, "read"), signReceipt(sign, { ...said, reader: 7 }), { expiresInMs: MINUTE_MS });
    await until(() => setAside() === 3, "they are set aside");
    const delivery = (): unknown => honest(h0).mail.sent()[0]?.deliveries[0]?.state;
    expect(delivery()).toBe("delivered");
    expect(honest(h1).mail.unread()).toBe(1);
    await scene.settle(honest(h1).mail.read(id));
    await until(() => delivery() === "read", "it is read");
    mails.delete(receiptKey(id, 0, "read"));
    await until(() => honest(h1).memory.now() > 0 && mails.get(receiptKey(id, 0, "read")) === undefined, "it is gone");
    await until(() => mails.get(receiptKey(id, 0, "read")) !== undefined, "it is there again", 2 * MINUTE_MS);
    expect(delivery()).toBe("read");
  });

  it("ends nobody's mail: what she deletes or overwrites is there again, also for who comes later", async () => {
    const id = await sends(h0, h1, "kept");
    const key = mailKey(id);
    const right = encode(mails.get(key));
    const isRight = (): boolean => mails.get(key) !== undefined && equal(encode(mails.get(key)), right);
    mails.delete(key);
    await until(isRight, "it is there again after a deletion", 2 * MINUTE_MS);
    mails.set(key, "mine now", { expiresInMs: MINUTE_MS });
    await until(isRight, "and after it was overwritten", 2 * MINUTE_MS);
    mails.set(key, mails.get(key), { expiresInMs: 10 });
    await until(isRight, "and after its time was shortened", 2 * MINUTE_MS);
    expect(inbox(h1)).toMatchObject([{ id, state: "unread" }]);
    // The reader is restarted while the entry is gone; the other nodes write it again.
    scene.world.crash("h1");
    scene.bench.computers.delete("h1");
    mails.delete(key);
    await scene.bench.up("h1", { invite: scene.invite });
    h1 = scene.computer("h1");
    await until(() => inbox(h1).some((mail) => mail.id === id && mail.state === "unread"), "it arrives", 3 * MINUTE_MS);
  });

  it("fills nobody's room with thousands of mails", { timeout: isLong ? 3_600_000 : 60_000 }, async () => {
    const wanted = isLong ? 100_000 : MAILS_PER_SENDER_MAX + 60;
    const ref = await stored(utf8("sealed for nobody"));
    for (let i = 0; i < wanted; i++) {
      writes({ from: mallory.net.self, to: [to(h2)], contents: [ref], sentAtMs: mallory.nowMs - i });
      if (i % 100 === 0) await scene.world.runFor(500);
      if (i === wanted >> 1) await sends(h0, h2, "in the middle of it");
    }
    const kept = (): number => inbox(h2).filter(({ from }) => from === mallory.net.self).length;
    await until(() => kept() >= MAILS_PER_SENDER_MAX, "as many are kept as one may send", 5 * MINUTE_MS);
    await until(() => mails.count("m/") === MAILS_PER_SENDER_MAX + 1, "the rest is gone from the map", 60 * MINUTE_MS);
    expect(kept()).toBe(MAILS_PER_SENDER_MAX);
    await until(() => setAside() === 0, "and from what is set aside");
    await sends(h0, h1, "there is room for others");
    await scene.judge();
  });

  it("replaces nobody's mail key, nor brings an old one back, and is nobody's node", async () => {
    const { crypto } = scene.world;
    const victim = honest(h1).net.self;
    const own = people.get(victim);
    if (!(own instanceof Uint8Array)) throw new Error("h1 has told its card");
    const key = readKey(h1);
    const says = { peer: victim, madeAtMs: mallory.nowMs + 1_000, name: "h1", mailKey: new Uint8Array(32).fill(1) };
    const forged = makeCard(crypto, sign, { ...says, person: undefined });
    people.set(victim, forged.wire);
    // She claims to be another person: with that person's key, but her own signature.
    await scene.settle(honest(h0).people.setName("anna"));
    await until(() => honest(h1).people.all().length === 1, "anna is known");
    const anna = honest(h0).people.self();
    const theirs = { publicKey: Buffer.from(anna?.id ?? "", "hex"), privateKey: mallory.keys.privateKey };
    const person = { keys: theirs, name: "anna", mailKey: new Uint8Array(32).fill(2) };
    const self = peerIdOf(mallory.keys.publicKey);
    const passing = makeCard(crypto, sign, { ...says, peer: self, person });
    people.set(self, passing.wire);
    mallory.net.update({ card: passing.wire });
    await scene.world.runFor(5_000);
    expect(readCard(crypto, forged.wire)).toMatchObject({ why: expect.stringContaining("not signed by the node") });
    expect(readCard(crypto, passing.wire)).toMatchObject({
      why: expect.stringContaining("a person who has not signed"),
    });
    expect(honest(h1).people.all()).toMatchObject([{ name: "anna", nodes: [honest(h0).net.self] }]);
    expect(honest(h1).people.of(self)).toBeUndefined();
    // Mail goes to the right key, and is read.
    await sends(h0, h1, "to the right one");
    await until(
      () => people.get(victim) instanceof Uint8Array && equal(people.get(victim) as Uint8Array, own),
      "restored",
      2 * MINUTE_MS,
    );
    expect(equal(readKey(h1), key)).toBe(true);
    // A card that she has kept from the time when h1 had another name.
    honest(h1).net.update({ name: "renamed" });
    await until(
      () => people.get(victim) instanceof Uint8Array && !equal(people.get(victim) as Uint8Array, own),
      "renamed",
    );
    const renamed = people.get(victim);
    people.set(victim, own);
    await scene.world.runFor(5_000);
    expect(
      honest(h0)
        .mail.correspondents()
        .map(({ name }) => name),
    ).toContain("renamed");
    await until(
      () => people.get(victim) instanceof Uint8Array && equal(people.get(victim) as Uint8Array, renamed as Uint8Array),
      "the later one",
      2 * MINUTE_MS,
    );
  });
});

function readKey(computer: Computer | undefined): Uint8Array {
  const wire = people.get(honest(computer).net.self);
  const card = readCard(scene.world.crypto, wire instanceof Uint8Array ? wire : new Uint8Array());
  if ("why" in card) throw new Error(card.why);
  return card.mailKey;
}
