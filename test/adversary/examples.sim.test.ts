/** Examples of harm that malicious members were once seen to do, one of each kind, judged by the rule of scene.ts. */
import { expect, test } from "vitest";
import { concat } from "../../core/base/bytes.ts";
import { encode } from "../../core/base/codec.ts";
import { CONTENT_BYTES_MAX, LIST_BYTES_MAX } from "../../core/disk/limits.ts";
import { listBytes } from "../../core/disk/code/shard-list.ts";
import { ASKS_MAX } from "../../core/io/devices/limits.ts";
import { DEVICE_PROTOCOL } from "../../core/io/devices/wire.ts";
import { DELETED } from "../../core/memory/entry.ts";
import { Packer } from "../../core/memory/pack.ts";
import type { PeerId } from "../../core/ports/network.ts";
import { Intruder } from "./intruder.ts";
import { keysOf } from "./map-keys.ts";
import { samplesOf } from "./samples.ts";
import { Scene } from "./scene.ts";

const YEARS_30_MS = 30 * 365 * 86_400_000;
/** By how much common time may differ from an honest clock. */
const OWN_MS_MAX = 5 * 60_000;

/** The nodes are honest before, during and after the attack, and after a restart. */
async function outlasts(scene: Scene, attack: (intruder: Intruder) => Promise<void> | void): Promise<void> {
  await scene.judgeWhole();
  await attack(await scene.intruder());
  await scene.judge();
  await scene.world.runFor(5_000);
  await scene.judgeWhole();
  await scene.restartAll();
  await scene.judgeWhole();
}

/** Sends entries in a few messages of reconciliation and by gossip, as fast as either goes. */
async function flood(scene: Scene, intruder: Intruder, map: string, packed: readonly Uint8Array[]): Promise<void> {
  for (let i = 0; i < packed.length; i += 100) {
    intruder.publish(`memory/${map}`, { entries: concat(packed.slice(i, i + 100)) });
    if (i % 1_000 === 0) await scene.world.runFor(200);
  }
}

test("contents that claim to be endless, or as large as can be, freeze nobody", async () => {
  const scene = await Scene.open(1);
  await outlasts(scene, async (intruder) => {
    const { cid } = await scene.content();
    const code = [1, 1, 1, 0];
    intruder.write("layout", `c/${cid}/endless`, { size: 2 ** 53 - 1, code, list: new Uint8Array(32) });
    const large = { sizeBytes: CONTENT_BYTES_MAX, code: { k: 8, n: 12, copies: 1 as const, wholes: 0 as const } };
    const sizeBytes = Math.min(LIST_BYTES_MAX, listBytes(large));
    for (let i = 0; i < 200; i++) {
      const value = { size: CONTENT_BYTES_MAX, code: [8, 12, 1, 0], list: { cid, sizeBytes } };
      intruder.write("layout", `c/${cid}/large${i}`, value);
      if (i % 20 === 0) await scene.world.runFor(100);
    }
  });
});

test("liars about the time, to a lone node and as three to each of two, move nobody's clock far", async () => {
  for (const [honest, liars] of [
    [1, 1],
    [2, 3],
  ] as const) {
    const scene = await Scene.open(honest, honest);
    for (let i = 0; i < liars; i++) {
      const liar = await Intruder.join(scene, `liar${i}`);
      liar.liesAboutTime(YEARS_30_MS);
    }
    await scene.world.runFor(120_000);
    for (const [i, { net, memory }] of scene.honest.entries()) {
      const nowMs = scene.machine(`h${i}`).ports.clock.now();
      // Clocks tell whole milliseconds.
      expect(Math.abs(net.correctedNow() - nowMs)).toBeLessThanOrEqual(OWN_MS_MAX + 1);
      const { stamp } = memory.set(`stamped/${i}`, 1);
      expect(Math.abs(stamp / 2_048 - nowMs)).toBeLessThanOrEqual(2 * OWN_MS_MAX);
    }
    await scene.judgeWhole();
    await scene.restartAll();
    await scene.judgeWhole();
  }
});

test("6,000 versions of one name keep nobody waiting", async () => {
  const scene = await Scene.open(3);
  await outlasts(scene, async (intruder) => {
    const content = await scene.content();
    const value = samplesOf(intruder.speaker("", content, "tree"))["core/disk/files/tree-value.ts#fileSchema"];
    const packed = Array.from({ length: 6_000 }, (_, i) => {
      const version = (intruder.nowMs * 2_048 + i).toString(36).padStart(11, "0") + "666".padStart(10, "0");
      return intruder.entry(`\0many\0f${version}`, value);
    });
    await flood(scene, intruder, "tree", packed);
  });
});

test("keys with the highest stamp take no honest write away, nor hinder the next", async () => {
  const scene = await Scene.open(2);
  await outlasts(scene, async (intruder) => {
    const content = await scene.content();
    const speaker = intruder.speaker("", content, "tree");
    const value = samplesOf(speaker)["core/disk/files/tree-value.ts#fileSchema"];
    for (const key of keysOf("tree", speaker)) intruder.write("tree", key, value);
    for (const name of ["file1", "taken"]) {
      for (const digit of ["z", "0"]) {
        const version = digit === "z" ? `${(2 ** 53 - 1).toString(36)}${"z".repeat(10)}` : "0".repeat(21);
        intruder.write("tree", `\0${name}\0f${version}`, value);
        intruder.write("tree", `\0${name}\0d${version}`, {});
      }
    }
    await scene.world.runFor(1_000);
    for (const { files } of scene.honest) {
      await scene.settle(files.write("/taken/by/all", bytesOf(3)));
      expect(files.stat("/taken/by/all")?.sizeBytes).toBe(3);
    }
  });
});

test("values nested deep, and keys and values that a terminal would obey, are listed by all", async () => {
  const scene = await Scene.open(5);
  await outlasts(scene, async (intruder) => {
    for (const depth of [10, 1_000, 3_000, 30_000]) {
      const bytes = new Uint8Array(depth + 1).fill(0x81);
      bytes[depth] = 0;
      intruder.write("mem", `nested/${depth}`, 0, { value: String.fromCharCode(...bytes.subarray(0, 30_001)) });
    }
    const escape = "\u001b]0;owned\u0007\u001b[2J\u009b2J\u202e";
    intruder.write("mem", `escape/${escape}`, escape);
    intruder.write("mem", "escape/deep", { [escape]: [escape, { [escape]: escape }] });
    intruder.net.update({ name: escape, relayReason: escape });
  });
});

test("62,000 deletions in each map, of keys that never were, fill nothing", async () => {
  const scene = await Scene.open(4);
  await outlasts(scene, async (intruder) => {
    for (const map of ["mem", "tree", "layout"]) {
      for (let from = 0; from < 62_000; from += 500) {
        const packer = new Packer();
        const stamp = intruder.nowMs * 2_048;
        for (let i = from; i < from + 500; i++) {
          packer.add(`${"never/".repeat(8)}${i}`, {
            stamp,
            writer: 666,
            state: DELETED,
            value: "",
            expiresAtMs: undefined,
          });
        }
        intruder.publish(`memory/${map}`, { entries: packer.take() });
        if (from % 5_000 === 0) await scene.world.runFor(100);
      }
    }
  });
});

test("2,000 made-up members that are asleep, and as many addresses, keep no newcomer out and no node from answering", async () => {
  const scene = await Scene.open(6);
  await outlasts(scene, async (intruder) => {
    const victims = scene.honest.map(({ net }) => net.self);
    for (let from = 0; from < 2_000; from += 50) {
      const records = Array.from({ length: 50 }, (_, i) => {
        const n = from + i;
        const state = n % 10 === 0 ? "awake" : "asleep";
        return intruder.recordOf(intruder.someKeys(), state, [`/ip4/198.51.100.7/tcp/${1_024 + n}`]);
      });
      for (const victim of victims) await scene.settle(intruder.part(victim, "members", encode({ records })));
      await scene.world.runFor(100);
    }
    const { net } = await scene.bench.up("newcomer", { invite: scene.invite });
    await scene.acquainted();
    await scene.world.runUntil(() => net.links().length > 1, { withinMs: 20_000, what: "the newcomer is linked" });
    scene.bench.computers.delete("newcomer");
    scene.world.crash("newcomer");
  });
});

test("questions of members made up on the spot keep no other off a person's screen", async () => {
  const scene = await Scene.open(7, 2);
  const [owner, friend] = scene.honest;
  if (owner === undefined || friend === undefined) throw new Error("It takes two who are honest");
  const asked: PeerId[] = [];
  const received: string[] = [];
  owner.devices.attach({
    asked: ({ from }) => {
      asked.push(from);
      if (from === friend.net.self) void owner.devices.answer(from, "allow");
    },
    received: ({ text }) => received.push(text),
  });
  for (let i = 0; i <= ASKS_MAX; i++) {
    const liar = await Intruder.join(scene, `liar${i}`);
    liar.request(owner.net.self, DEVICE_PROTOCOL, { device: "notify", text: "look at me" });
    await scene.world.runFor(500);
  }
  expect(asked).toHaveLength(ASKS_MAX);
  await scene.settle(friend.devices.write(owner.net.self, "notify", "lunch"));
  expect(received).toEqual(["lunch"]);
  expect(owner.devices.questions().length).toBeLessThan(ASKS_MAX);
  await scene.judge();
});

async function* bytesOf(length: number): AsyncGenerator<Uint8Array> {
  yield new Uint8Array(length);
}
