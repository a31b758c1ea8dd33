/** Pictures of people in a simulated world: who sees them, who can change them, and what a hostile member can do. */
import { encode as encodePng } from "fast-png";
import { beforeEach, describe, expect, it } from "vitest";
import { toHex } from "../../base/bytes.ts";
import type { Computer } from "../../computer.ts";
import type { ReplicatedMap } from "../../memory/types.ts";
import { peerIdOf } from "../../base/peer-id.ts";
import { signStatement } from "../../net/identity/statement.ts";
import type { Intruder } from "../../../test/adversary/intruder.ts";
import { isLong } from "../../../test/sim/seeds.ts";
import { Scene } from "../../../test/adversary/scene.ts";
import { MailLab } from "../../../test/sim/mail-lab.ts";
import { makeCard } from "./card.ts";
import { PICTURES_BYTES_MAX } from "./limits.ts";
import { pictureOf, signPicture } from "./picture.ts";

const MINUTE_MS = 60_000;

function png(grey: number): Uint8Array {
  return encodePng({ width: 20, height: 20, data: new Uint8Array(1_200).fill(grey), channels: 3 });
}

/** Random pixels can't be compressed: 13 KiB. */
function largePng(bytes: Uint8Array): Uint8Array {
  return encodePng({ width: 66, height: 66, data: bytes, channels: 3 });
}

describe("a person's picture", () => {
  it("is seen by all, changed on any of the person's nodes, kept over a new key, and taken away", async () => {
    const lab = await MailLab.of(["laptop", "phone", "ben"]);
    const [laptop, phone, ben] = ["laptop", "phone", "ben"].map((name) => lab.computer(name));
    if (laptop === undefined || phone === undefined || ben === undefined) throw new Error("Three are there");
    await lab.settle(laptop.people.setName("anna"));
    await lab.settle(phone.people.join(laptop.people.add().code));
    const id = (): string => laptop.people.self()?.id ?? "";
    const shows = async (computer: Computer, bytes: Uint8Array | undefined, what: string): Promise<void> => {
      const pictures = await lab.settle(computer.people.pictures());
      const isThere = (): boolean => String(pictures.of(id())?.bytes) === String(bytes);
      await lab.until(isThere, what, 2 * MINUTE_MS);
    };
    (await lab.settle(laptop.people.pictures())).set(png(1));
    // Others open the map later.
    await shows(ben, png(1), "ben sees it");
    (await lab.settle(phone.people.pictures())).set(png(2));
    await shows(ben, png(2), "ben sees the other one");
    await shows(laptop, png(2), "the laptop has it too");
    expect((await lab.settle(ben.people.pictures())).people()).toEqual([id()]);
    await expect(lab.settle(ben.people.pictures().then((pictures) => pictures.set(png(3))))).rejects.toMatchObject({
      code: "not-found",
    });
    const before = id();
    await lab.settle(laptop.people.remove(phone.net.self));
    expect(id()).not.toBe(before);
    await shows(ben, png(2), "it is still hers");
    (await lab.settle(laptop.people.pictures())).set(undefined);
    await shows(ben, undefined, "she has none any more");
    // It lasts over a restart of all who know it.
    (await lab.settle(laptop.people.pictures())).set(png(4));
    await shows(ben, png(4), "ben has the third");
    for (const name of ["laptop", "ben"]) lab.kill(name);
    await shows(await lab.up("ben"), png(4), "it was stored");
  });
});

describe("a member gone bad", () => {
  let scene: Scene;
  let mallory: Intruder;
  let map: ReplicatedMap;
  let anna: Computer;

  beforeEach(async () => {
    scene = await Scene.open(1);
    mallory = await scene.intruder();
    const [first] = scene.honest;
    if (first === undefined) throw new Error("Some are honest");
    anna = first;
    map = await scene.settle(mallory.memory.map("pictures", { isKept: true }));
    await scene.settle(anna.people.setName("anna"));
    await until(() => scene.honest.every(({ people }) => people.all().length === 1), "all know anna");
    (await scene.settle(anna.people.pictures())).set(png(1));
    await all((bytes) => String(bytes) === String(png(1)), "all see her picture");
    await until(() => map.entry(id()) !== undefined, "mallory too");
  });

  const id = (): string => anna.people.self()?.id ?? "";

  function until(condition: () => boolean, what: string, withinMs = 3 * MINUTE_MS): Promise<number> {
    return scene.world.runUntil(condition, { withinMs, everyMs: 100, what });
  }

  /** Waits until what all honest nodes show of anna is so. */
  async function all(isSo: (bytes: Uint8Array | undefined) => boolean, what: string): Promise<void> {
    const opened = await scene.settle(Promise.all(scene.honest.map(({ people }) => people.pictures())));
    await until(() => opened.every((pictures) => isSo(pictures.of(id())?.bytes)), what);
  }

  it("neither changes, nor removes, nor brings back a picture of somebody else", async () => {
    const old = map.get(id());
    (await scene.settle(anna.people.pictures())).set(png(2));
    const isNew = (bytes: Uint8Array | undefined): boolean => String(bytes) === String(png(2));
    await all(isNew, "all see the new one");
    const hers = signPicture(scene.world.crypto, mallory.keys, mallory.nowMs + 1_000, pictureOf(png(9)));
    const right = map.get(id());
    for (const [what, act] of Object.entries({
      "her own signature": () => map.set(id(), hers.wire),
      "what is no picture": () => map.set(id(), "a picture"),
      "an old one": () => map.set(id(), old),
      deletion: () => map.delete(id()),
    })) {
      act();
      const isBack = (): boolean => String(map.get(id())) === String(right);
      await until(isBack, `the entry is written again after ${what}`);
      await all(isNew, `all see the right one after ${what}`);
    }
  });

  it("gives nobody who has no node here a picture, and crowds no member's out with invented people", async () => {
    const { crypto, random } = scene.world.nodes[0]?.ports ?? mallory.machine.ports;
    const cards = await scene.settle(mallory.memory.map("people", { isKept: true }));
    const invented = (): { readonly key: string; readonly tell: () => void } => {
      const [node, person] = [crypto.keyPair(random.bytes(32)), crypto.keyPair(random.bytes(32))];
      const picture = pictureOf(largePng(random.bytes(66 * 66 * 3)));
      const sign = (purpose: string, body: Uint8Array): Uint8Array =>
        signStatement(crypto, node.privateKey, purpose, body);
      const mailKey = random.bytes(32);
      const peer = peerIdOf(node.publicKey);
      const says = { peer, madeAtMs: mallory.nowMs, name: "x", mailKey, person: { keys: person, name: "x", mailKey } };
      const key = toHex(person.publicKey);
      map.set(key, signPicture(crypto, person, mallory.nowMs, picture).wire, { expiresInMs: 60 * MINUTE_MS });
      const tell = (): void => void cards.set(peer, makeCard(crypto, sign, says).wire, { expiresInMs: 60 * MINUTE_MS });
      return { key, tell };
    };
    const alone = invented();
    await until(() => map.entry(alone.key) === undefined, "it is deleted");
    const opened = await scene.settle(Promise.all(scene.honest.map(({ people }) => people.pictures())));
    // A picture may come before the card that says whose it is. What stays invalid is deleted after ten seconds.
    const early = invented();
    await scene.world.runFor(3_000);
    early.tell();
    await until(() => opened.every((pictures) => pictures.of(early.key) !== undefined), "it is shown", 5_000);
    // The long run invents more people than there is room for.
    const count = isLong ? Math.ceil(PICTURES_BYTES_MAX / 13_000) + 20 : 20;
    const keys = Array.from({ length: count }, () => {
      const { key, tell } = invented();
      tell();
      return key;
    });
    await until(() => opened.every((pictures) => pictures.people().length > count / 2), "many are shown");
    // Some did not fit, and are deleted.
    const areSomeGone = (): boolean => keys.some((key) => map.entry(key) === undefined);
    if (isLong) await until(areSomeGone, "some are gone", 10 * MINUTE_MS);
    const [, ben] = scene.honest;
    if (ben === undefined) throw new Error("Some are honest");
    await scene.settle(ben.people.setName("ben"));
    (await scene.settle(ben.people.pictures())).set(largePng(random.bytes(66 * 66 * 3)));
    const bens = (): string => ben.people.self()?.id ?? "";
    await until(() => opened.every((pictures) => pictures.of(bens()) !== undefined), "all see ben's");
    await all((bytes) => String(bytes) === String(png(1)), "and anna's");
  });
});
