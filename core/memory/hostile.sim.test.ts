/** Members that misbehave: admitted by an invite, they say what no honest node says. It is refused, and counted. */
import { expect, test } from "vitest";
import * as v from "valibot";
import { HONEST_KEYS, intact, ranges, scene, victimOf, WRONG_SUM } from "../../test/sim/hostile.ts";
import type { Mallory, Talk } from "../../test/sim/mallory.ts";
import type { MapNode } from "../../test/sim/maps.ts";
import { encode } from "../base/codec.ts";
import { toByteText } from "./byte-text.ts";
import { DELETED, Digester, EXPIRED } from "./entry.ts";
import { VALUE_BYTES_MAX } from "./limits.ts";
import { ALL, LIST } from "./ranges.ts";

const missingSchema = v.array(v.number());

/** An entry byte by byte: what the packer would not write. */
function raw(parts: {
  readonly flags?: number;
  readonly key?: readonly number[];
  readonly stamp?: readonly number[];
  readonly after?: readonly number[];
}): Uint8Array {
  const { flags = 0, key = [1, 107], stamp = [0, 0, 0, 0, 0, 1, 0], after = [1, 1] } = parts;
  return Uint8Array.of(flags, ...key, ...stamp, 6, 6, 6, 0, 0, 0, ...after);
}

const tooLarge = toByteText(new Uint8Array(VALUE_BYTES_MAX + 1));
/** Packed entries that are no entries. */
const BAD_ENTRIES: Readonly<Record<string, (mallory: Mallory) => Uint8Array>> = {
  "end too early": (mallory) => mallory.packed("k").subarray(0, -1),
  "an unknown flag": () => raw({ flags: 32 }),
  "an unknown state": () => raw({ flags: 3 }),
  "a key too large": (mallory) => mallory.packed("k".repeat(1_025)),
  "a key that is not UTF-8": () => raw({ key: [2, 0xc3, 0x28] }),
  "a key's length without an end": () => raw({ key: [0xff, 0xff, 0xff, 0xff, 0xff] }),
  "a value too large": (mallory) => mallory.packed("k", { value: tooLarge }),
  "a stamp beyond all time": () => raw({ stamp: [0, 0, 0, 0, 0, 0, 0xff] }),
  "no writer": () => raw({ flags: 16 }),
  "expired without a time": () => raw({ flags: EXPIRED, after: [8, 1, 2, 3, 4, 5, 6, 7, 8] }),
  "expired with half a hash": (mallory) => mallory.packed("k", { state: EXPIRED, value: "four", expiresAtMs: 1 }),
  "expired before all time": (mallory) => mallory.packed("k", { expiresAtMs: 0 }),
  "deleted, and expires": (mallory) => mallory.packed("k", { state: DELETED, value: "", expiresAtMs: 5 }),
};

test("entries that are none are refused and counted, whichever way they come", async () => {
  const mallory = await scene(1);
  const { swarm } = mallory;
  for (const [what, make] of Object.entries(BAD_ENTRIES)) {
    for (const [way, victim] of swarm.nodes.entries()) {
      const before = mallory.faultsAt(victim);
      // Faults that are long past are forgiven, so that each is counted on its own.
      await swarm.world.runFor(60_000);
      if (way === 0) {
        const talk = await mallory.ask(victim, ranges(WRONG_SUM));
        talk.channel.send(encode({ entries: make(mallory) }));
        await mallory.untilOver(talk, 2_000);
      } else if (way === 1) {
        const failure = await swarm.failure(mallory.request(victim, make(mallory), missingSchema));
        expect(["malformed", "too-large"], what).toContain(failure.code);
      } else if (make(mallory).length < VALUE_BYTES_MAX) {
        mallory.gossip(make(mallory));
        const what = "what was gossiped is counted";
        await swarm.world.runUntil(() => mallory.faultsAt(victim) > before, { withinMs: 5_000, what });
      } else {
        continue;
      }
      expect(mallory.faultsAt(victim), `${what}, way ${way}`).toBeGreaterThan(before);
    }
  }
  expect(swarm.nodes.every(({ map }) => map.get("k") === undefined)).toBe(true);
  await intact(mallory);
});

/** What she says after her hello, or in its place. */
const BAD_TALK: Readonly<Record<string, (mallory: Mallory, victim: MapNode) => Promise<Talk>>> = {
  "no CBOR": async (mallory, victim) => {
    const talk = await mallory.open(victim);
    talk.channel.send(Uint8Array.of(0xff, 1, 2));
    return talk;
  },
  "a frame for a hello": async (mallory, victim) => {
    const talk = await mallory.open(victim);
    talk.channel.send(encode({ credit: true }));
    return talk;
  },
  "a cut-off before all time": (mallory, victim) => mallory.ask(victim, ranges(WRONG_SUM), { cutoffMs: -1 }),
  "a vector cut short": (mallory, victim) => mallory.ask(victim, ranges(WRONG_SUM), { vector: new Uint8Array(13) }),
  "ranges of an unknown kind": (mallory, victim) => mallory.ask(victim, Uint8Array.of(128 | 7)),
  "ranges that do not ascend": (mallory, victim) =>
    mallory.ask(victim, ranges({ to: "b", kind: ALL }, { to: "a", kind: ALL })),
  "a bound that shares more than there is": (mallory, victim) => mallory.ask(victim, Uint8Array.of(ALL, 9, 0)),
  "something after the last range": (mallory, victim) => mallory.ask(victim, Uint8Array.of(128 | ALL, 128 | ALL)),
  "a list without end": (mallory, victim) => mallory.ask(victim, Uint8Array.of(128 | LIST, 0xff, 0xff, 0xff, 0x7f)),
  "a credit out of turn": async (mallory, victim) => {
    const talk = await mallory.ask(victim, ranges(WRONG_SUM));
    talk.channel.send(encode({ credit: true }));
    return talk;
  },
  "a frame that says nothing": async (mallory, victim) => {
    const talk = await mallory.ask(victim, ranges(WRONG_SUM));
    talk.channel.send(encode({}));
    return talk;
  },
  "a second hello": async (mallory, victim) => {
    const talk = await mallory.ask(victim, ranges(WRONG_SUM));
    talk.channel.send(encode({ map: "test", cutoffMs: 1, vector: new Uint8Array(0) }));
    return talk;
  },
  "more frames than may wait": async (mallory, victim) => {
    const talk = await mallory.open(victim);
    for (let i = 0; i < 100; i++) talk.channel.send(new Uint8Array(1));
    return talk;
  },
};

test.each(Object.entries(BAD_TALK))("a session is over and counted at once: %s", async (_, speak) => {
  const mallory = await scene(2);
  const victim = victimOf(mallory);
  const talk = await speak(mallory, victim);
  await mallory.untilOver(talk, 2_000);
  expect(mallory.faultsAt(victim)).toBeGreaterThan(0);
  await intact(mallory);
});

test("a value nested thousands of levels deep is read as the bytes that it is, and everything else as before", async () => {
  const mallory = await scene(12);
  const { swarm } = mallory;
  const deep = Uint8Array.from([...new Uint8Array(3_000).fill(0x81), 1]);
  mallory.gossip(mallory.packed("deep", { value: toByteText(deep) }));
  const has = (): boolean => swarm.nodes.every(({ map }) => map.entry("deep") !== undefined);
  await swarm.world.runUntil(has, { withinMs: 5_000, what: "all have it" });
  for (const { map } of swarm.nodes) {
    expect(map.get("deep")).toEqual(deep);
    expect([...map.entries()]).toHaveLength(HONEST_KEYS + 1);
  }
  await intact(mallory);
});

test("who goes on misbehaving loses the link, and the others don't", async () => {
  const mallory = await scene(3);
  const { swarm, net } = mallory;
  for (let i = 0; i < 40; i++) mallory.gossip(Uint8Array.of(255));
  await swarm.world.runUntil(() => net.links().length === 0, { withinMs: 30_000, what: "Mallory is linked to nobody" });
  for (const node of swarm.nodes) expect(node.net.links()).toHaveLength(2);
  await intact(mallory);
});

test("nobody is shown as expired what the others still have, nor as there what they have not", async () => {
  const mallory = await scene(8);
  const { swarm } = mallory;
  const [x, y] = swarm.nodes;
  if (x === undefined || y === undefined) throw new Error("There are three nodes");
  const digester = new Digester(x.net.secretFor("memory test", 8));
  const live = mallory.entry({ expiresAtMs: Math.floor(mallory.nowMs) + 3_600_000 });
  const early = digester.expired(live);
  const give = async (victim: MapNode, packed: Uint8Array): Promise<void> => {
    const talk = await mallory.ask(victim, ranges(WRONG_SUM));
    talk.channel.send(encode({ entries: packed }));
    talk.channel.send(encode({ ranges: new Uint8Array(0) }));
    talk.channel.end();
    await mallory.untilOver(talk, 2_000);
  };
  // Expired here and alive there, with one digest: reconciliation would never find it.
  await give(x, mallory.packed("k", early));
  await give(y, mallory.packed("k", live));
  await swarm.equal(90_000);
  for (const { map } of swarm.nodes) expect(map.get("k")).toBe(1);
  expect(x.map.stat().refused).toBe(1);
  await intact(mallory);
});
