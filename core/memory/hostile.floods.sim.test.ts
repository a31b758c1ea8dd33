/** Members that misbehave by doing too much of what is allowed, or anything at all. The others lose nothing by it. */
import { expect, test } from "vitest";
import * as v from "valibot";
import { HONEST_KEYS, intact, ranges, scene, victimOf, WRONG_SUM } from "../../test/sim/hostile.ts";
import { Mallory, type Talk } from "../../test/sim/mallory.ts";
import type { MapNode } from "../../test/sim/maps.ts";
import { storeEntries } from "../../test/sim/stored-entries.ts";
import { decode, encode } from "../base/codec.ts";
import { StarfishError } from "../base/errors.ts";
import { ACK_PROTOCOL } from "./acknowledge.ts";
import {
  AHEAD_MS_MAX,
  BATCH_BYTES_MAX,
  BATCH_SMALL_BYTES_MAX,
  BUDGET_OVERSHOOT,
  QUARANTINE_ENTRIES_MAX,
  RECONCILE_ASKED_MAX,
  RECONCILE_PATIENCE_MS,
  RECONCILE_SESSION_MS,
} from "./limits.ts";
import { DELETED } from "./entry.ts";
import { Packer } from "./pack.ts";
import { RECONCILE_PROTOCOL } from "./replicated-map.ts";
import { ALL, LIST, WANT } from "./ranges.ts";

const answerSchema = v.object({
  entries: v.optional(v.instance(Uint8Array)),
  ranges: v.optional(v.instance(Uint8Array)),
});
const missingSchema = v.array(v.number());

test("rounds and frames without end are ended", async () => {
  const mallory = await scene(4);
  const { swarm } = mallory;
  const nonsense: Record<string, (round: number) => Record<string, unknown>> = {
    "sums that never agree": (round) => ({ ranges: ranges({ ...WRONG_SUM, a: round }) }),
    "everything, again and again": () => ({ ranges: ranges({ to: undefined, kind: ALL }) }),
    "ids that nobody has": (round) => ({ ranges: ranges({ to: undefined, kind: WANT, ids: [round, round + 1] }) }),
    "lists of strangers": (round) => ({ ranges: ranges({ to: undefined, kind: LIST, ids: [round] }) }),
    "the same entry for ever": () => ({ entries: mallory.packed("same", { stamp: 5 }) }),
  };
  for (const [what, frame] of Object.entries(nonsense)) {
    const victim = victimOf(mallory);
    const faults = mallory.faultsAt(victim);
    const talk = await mallory.ask(victim, ranges(WRONG_SUM));
    let round = 0;
    const beganMs = swarm.world.nowMs;
    while (!talk.isOver) {
      await swarm.world.runUntil(() => talk.isOver || talk.answers.length > 0, { withinMs: 10_000, what });
      for (const answer of talk.answers.splice(0)) {
        const { entries, ranges: asked } = decode(answerSchema, answer);
        // Credit for what comes, so that nothing is held up.
        if (entries !== undefined) talk.channel.send(encode({ credit: true }));
        if (asked !== undefined || "entries" in frame(0)) talk.channel.send(encode(frame(round++)));
      }
    }
    expect(swarm.world.nowMs - beganMs, what).toBeLessThan(RECONCILE_SESSION_MS + 10_000);
    // Asking for everything costs the other side the most. The other attacks merely end after their time.
    if (what.startsWith("everything")) expect(mallory.faultsAt(victim)).toBeGreaterThan(faults);
  }
  await intact(mallory);
});

test("sessions that stall leave room for those that do not, asked or asking", async () => {
  const mallory = await scene(5);
  const { swarm } = mallory;
  let stalled = 0;
  mallory.serve(() => void stalled++);
  const talks: Talk[] = [];
  for (const victim of swarm.nodes) {
    for (let i = 0; i < 2 * RECONCILE_ASKED_MAX; i++) talks.push(await mallory.open(victim));
  }
  const polite = await Mallory.join(swarm, "polite");
  for (const victim of swarm.nodes) {
    const talk = await polite.ask(victim, ranges(WRONG_SUM));
    await swarm.world.runUntil(() => talk.answers.length > 0, { withinMs: 500, what: "another is answered" });
  }
  const late = await swarm.start({ name: "late", kind: "tab" });
  await swarm.equal(3_000);
  expect(late.map.get("honest/7")).toBe(7);
  await swarm.world.runFor(RECONCILE_PATIENCE_MS + 1_000);
  expect(talks.every(({ isOver }) => isOver)).toBe(true);
  await swarm.world.runUntil(() => stalled > 0, { withinMs: 60_000, what: "somebody has asked Mallory" });
  await intact(mallory);
});

test("a session that is dripped along is over after its time", async () => {
  const mallory = await scene(6);
  const { swarm } = mallory;
  const victim = victimOf(mallory);
  const talk = await mallory.ask(victim, ranges(WRONG_SUM));
  const beganMs = swarm.world.nowMs;
  for (let i = 0; !talk.isOver; i++) {
    await swarm.world.runFor(RECONCILE_PATIENCE_MS - 1_000);
    talk.channel.send(encode({ entries: mallory.packed("drip", { stamp: i }) }));
  }
  expect(swarm.world.nowMs - beganMs).toBeLessThan(RECONCILE_SESSION_MS + RECONCILE_PATIENCE_MS);
  await intact(mallory);
});

test("a large batch is taken in one at a time from a member, and none that is larger than batches are", async () => {
  const mallory = await scene(15);
  const { swarm } = mallory;
  const victim = victimOf(mallory);
  const faults = mallory.faultsAt(victim);
  const value = "x".repeat(60_000);
  const drip = async (talk: Talk, name: string, bytes: number): Promise<void> => {
    for (let i = 0; i * 180_000 < bytes && !talk.isOver; i++) {
      const packer = new Packer();
      for (let j = 0; j < 3; j++) packer.add(`${name}/${i}/${j}`, mallory.entry({ stamp: 5, value }));
      talk.channel.send(encode({ entries: packer.take(), open: true }));
      await swarm.world.runFor(50);
    }
  };
  const talks: Talk[] = [];
  for (let i = 0; i < 3; i++) {
    const talk = await mallory.ask(victim, ranges(WRONG_SUM));
    talks.push(talk);
    await drip(talk, `${i}`, BATCH_SMALL_BYTES_MAX + 300_000);
  }
  expect(talks.map(({ isOver }) => isOver)).toEqual([false, true, true]);
  expect(mallory.faultsAt(victim)).toBe(faults);
  const polite = await Mallory.join(swarm, "polite");
  const other = await polite.ask(victim, ranges(WRONG_SUM));
  await drip(other, "polite", BATCH_SMALL_BYTES_MAX + 300_000);
  expect(other.isOver).toBe(false);
  for (const talk of talks) await drip(talk, "more", BATCH_BYTES_MAX);
  expect(talks.every(({ isOver }) => isOver)).toBe(true);
  expect(mallory.faultsAt(victim)).toBe(faults + 1);
  // Its place is free again.
  const again = await mallory.ask(victim, ranges(WRONG_SUM));
  await drip(again, "again", BATCH_SMALL_BYTES_MAX + 300_000);
  expect(again.isOver).toBe(false);
  await intact(mallory);
});

test("writes from the future wait outside the map, and no more of them than are allowed", async () => {
  const mallory = await scene(7);
  const { swarm } = mallory;
  const year = 365 * 24 * 3_600_000;
  for (let batch = 0; batch < 20; batch++) {
    const packer = new Packer();
    for (let i = 0; i < 2_000; i++) {
      const stamp = Math.floor(mallory.nowMs + AHEAD_MS_MAX + 60_000 + (i % 2) * year) * 2048 + batch;
      packer.add(`future/${batch}/${i}`, mallory.entry({ stamp }));
    }
    mallory.gossip(packer.take());
    await swarm.world.runFor(200);
  }
  for (const { map } of swarm.nodes) {
    expect(map.stat().quarantined).toBeGreaterThan(0);
    expect(map.stat().quarantined).toBeLessThanOrEqual(QUARANTINE_ENTRIES_MAX);
    expect(map.count("future/")).toBe(0);
  }
  await intact(mallory);
  // At the edge of what is let in, she can't push the others' clocks so far that they can't write.
  for (let i = 0; i < 20; i++) {
    mallory.gossip(mallory.packed("edge", { stamp: Math.floor(mallory.nowMs + 59_900) * 2048 }));
    await swarm.world.runFor(500);
    for (const { map } of swarm.nodes) map.set("mine", i);
  }
  await intact(mallory);
});

test("a million keys fill what is set aside for others and no more, and can be deleted", async () => {
  const bytesMax = 500_000;
  const mallory = await scene(9, { bytesMax });
  const { swarm } = mallory;
  const victim = victimOf(mallory);
  for (let batch = 0; batch < 100; batch++) {
    const talk = await mallory.ask(victim, ranges(WRONG_SUM));
    const packer = new Packer();
    const { stamp } = mallory.entry();
    for (let i = 0; i < 10_000; i++) packer.add(`flood/${batch}/${i}`, mallory.entry({ stamp: stamp - i }));
    talk.channel.send(encode({ entries: packer.take() }));
    talk.channel.send(encode({ ranges: new Uint8Array(0) }));
    await mallory.untilOver(talk, 20_000);
  }
  await swarm.world.runFor(5_000);
  for (const { map } of swarm.nodes) expect(map.stat().bytes).toBeLessThanOrEqual(BUDGET_OVERSHOOT * bytesMax);
  expect(victim.map.stat().refused).toBeGreaterThan(900_000);
  expect(() => victim.map.set("one more", 1)).toThrow("full");
  // Any member can make room again.
  for (const { map } of swarm.nodes) {
    for (const { key } of map.entries("flood/")) map.delete(key);
  }
  await swarm.world.runFor(30_000);
  expect(swarm.nodes.map(({ map }) => map.count("flood/"))).toEqual([0, 0, 0]);
  for (const { map } of swarm.nodes) for (let i = 0; i < HONEST_KEYS; i++) expect(map.get(`honest/${i}`)).toBe(i);
});

test("deletions of what never was leave room for all else, before and after a restart, and deletions count", async () => {
  const bytesMax = 400_000;
  const mallory = await scene(14, { bytesMax, isKept: true });
  const { swarm } = mallory;
  const victim = victimOf(mallory);
  const key = (i: number): string => `never/${i}/${"x".repeat(900)}`;
  const flood = async (from: number): Promise<void> => {
    for (let batch = 0; batch < 8; batch++) {
      const packer = new Packer();
      for (let i = 0; i < 150; i++)
        packer.add(key(from + batch * 150 + i), mallory.entry({ state: DELETED, value: "" }));
      const talk = await mallory.ask(victim, ranges(WRONG_SUM));
      talk.channel.send(encode({ entries: packer.take() }));
      talk.channel.send(encode({ ranges: new Uint8Array(0) }));
      await swarm.world.runFor(1_000);
      talk.channel.end();
    }
  };
  const nodes = (): readonly MapNode[] => swarm.nodes;
  const goOn = async (value: number): Promise<void> => {
    for (const { map } of nodes()) {
      map.set(`large/${value}`, "x".repeat(60_000));
      map.delete(`large/${value}`);
      map.set("going on", value);
    }
    await swarm.equal(30_000);
    for (const { map } of nodes()) expect([map.get("going on"), map.count("large/")]).toEqual([value, 0]);
  };
  await flood(0);
  expect(victim.map.stat().forgottenEarly).toBeGreaterThan(0);
  await goOn(1);
  await flood(10_000);
  await goOn(2);
  for (const { map } of nodes()) {
    const { bytes, tombstoneBytes } = map.stat();
    expect(bytes + tombstoneBytes).toBeLessThanOrEqual(BUDGET_OVERSHOOT * bytesMax);
  }
  await intact(mallory);
  // Such entries as an earlier version of this program has stored them.
  const entry = mallory.entry({ state: DELETED, value: "" });
  const old = Array.from({ length: 2_000 }, (_, i) => ({ key: key(20_000 + i), entry, heldAtMs: undefined }));
  const { machine } = victim;
  await swarm.settle(storeEntries(machine.ports.store, "test", old));
  swarm.crash(machine.name);
  await swarm.start({ name: machine.name, kind: "node" });
  await swarm.equal(60_000);
  await goOn(3);
});

test("a member that says all is missing is asked now and then, and is not sent it by that", async () => {
  const mallory = await scene(10, { nodes: 1 });
  const victim = victimOf(mallory);
  let bytes = 0;
  let asked = 0;
  mallory.net.handle(ACK_PROTOCOL, v.object({ held: v.instance(Uint8Array) }), async (request) => {
    bytes += request.held.length;
    asked++;
    return Array.from({ length: 10_000 }, () => 0);
  });
  let sessions = 0;
  mallory.serve((talk) => {
    sessions++;
    talk.channel.abort(new StarfishError("busy", "Not now"));
  });
  victim.map.set("large", new Uint8Array(40_000));
  const failure = await mallory.swarm.failure(victim.map.sync());
  expect(failure.code).toBe("timeout");
  expect(asked).toBeGreaterThan(1);
  expect(asked).toBeLessThan(40);
  expect(sessions).toBeLessThan(60);
  // The value is in none of them.
  expect(bytes).toBeLessThan(40_000);
});

test("10,000 messages of noise, some of it almost right", async () => {
  const mallory = await scene(11);
  const { swarm, machine } = mallory;
  const { world } = swarm;
  const random = machine.ports.random;
  const noise = (length: number): Uint8Array => random.bytes(Math.floor(random.real() * length));
  /** A well-formed message with some bytes changed, or noise. */
  const bent = (bytes: Uint8Array): Uint8Array => {
    if (random.real() < 0.2) return noise(200);
    const changed = bytes.slice(0, random.real() < 0.3 ? Math.floor(random.real() * bytes.length) : undefined);
    for (let i = 0; i < 1 + random.real() * 3; i++) {
      if (changed.length > 0) changed[Math.floor(random.real() * changed.length)] = Math.floor(random.real() * 256);
    }
    return changed;
  };
  const entries = (): Uint8Array => {
    const packer = new Packer();
    // Far in the past, so that what gets through loses against all that is there.
    for (let i = 0; i < 3; i++) packer.add(`honest/${i}`, mallory.entry({ stamp: i, expiresAtMs: 7 + i }), 5);
    return packer.take();
  };
  const said = (): Uint8Array => ranges({ to: "honest/3", kind: LIST, ids: [1, 2] }, { ...WRONG_SUM, count: 70 });
  let sent = 0;
  while (sent < 10_000) {
    const victim = swarm.nodes[sent % 3];
    if (victim === undefined) throw new Error("There are three nodes");
    // She is kept out for some minutes again and again.
    if (!mallory.isLinkedTo(victim.net.self)) await world.runFor(1_000);
    const kind = random.real();
    if (kind < 0.4) {
      mallory.gossip(bent(entries()));
      sent++;
    } else if (kind < 0.6) {
      mallory.request(victim, bent(entries()), missingSchema).catch(() => {});
      sent++;
    } else {
      const opening = mallory.net.open(victim.net.self, RECONCILE_PROTOCOL);
      opening
        .then((channel) => {
          const hello = { map: "test", cutoffMs: Math.ceil(mallory.nowMs), ranges: said(), vector: new Uint8Array(0) };
          channel.send(random.real() < 0.3 ? bent(encode(hello)) : encode({ ...hello, ranges: bent(said()) }));
          for (let i = 0; i < 6; i++) {
            channel.send(
              random.real() < 0.3
                ? bent(encode({ entries: entries() }))
                : encode({ entries: bent(entries()), ranges: bent(said()) }),
            );
          }
        })
        .catch(() => {});
      sent += 7;
    }
    await world.runFor(20);
  }
  await world.runFor(60_000);
  const faults = swarm.nodes.map((node) => mallory.faultsAt(node));
  expect(Math.min(...faults)).toBeGreaterThan(50);
  await intact(mallory);
});
