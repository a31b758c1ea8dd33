/** Two nodes with one identity: a copied data directory, a machine restored from a snapshot. */
import { expect, test } from "vitest";
import { Swarm } from "../../../test/sim/nets.ts";
import { SeededRandom } from "../../../test/sim/random.ts";
import { seeds } from "../../../test/sim/seeds.ts";
import { createNet } from "../net.ts";
import type { Net, Twin } from "../types.ts";

/** What each net is told of a twin. */
function hear(net: Net): Twin[] {
  const told: Twin[] = [];
  net.onTwin((twin) => told.push(twin));
  return told;
}

async function copyStore(swarm: Swarm, from: string, to: string): Promise<void> {
  const [source, target] = [swarm.world.node(from).ports.store, swarm.world.node(to).ports.store];
  for (const key of await source.keys("")) {
    const value = await source.get(key);
    if (value !== undefined) await target.set(key, value);
  }
}

test.each(seeds(1, 5))("with a copied store: both are told, and the later one ends (seed %i)", async (seed) => {
  const swarm = new Swarm(seed);
  const a = await swarm.up("a");
  const b = await swarm.up("b", { invite: a.invite() });
  const first = await swarm.up("first", { invite: b.invite() });
  await swarm.agreement(10_000);
  const copy = swarm.world.spawn({ name: "copy", kind: "node" });
  await swarm.settle(copyStore(swarm, "first", "copy"));
  const toldFirst = hear(first);
  const second = await swarm.start(copy, { invite: a.invite() });
  expect(second.self).toBe(first.self);
  const toldSecond = hear(second);
  await swarm.world.runUntil(() => toldSecond.length > 0 && toldFirst.length > 0, {
    withinMs: 30_000,
    what: "both know",
  });
  expect(toldSecond.map(({ givesWay }) => givesWay)).toEqual([true]);
  expect(toldFirst.every(({ givesWay }) => !givesWay)).toBe(true);
  expect(toldSecond[0]?.message).toMatch(/started later and ends. Give it a data directory of its own/);
  expect(first.notices()).toHaveLength(1);
  expect(second.links()).toEqual([]);
  swarm.nets.delete("copy");
  // The one that stays is there for all, under its name, and stays so.
  await swarm.agreement(20_000);
  const changes: string[] = [];
  for (const net of [a, b]) net.onMember(({ member }) => changes.push(`${member.record.name}:${member.status}`));
  await swarm.world.runFor(60_000);
  expect(changes).toEqual([]);
  for (const net of [a, b]) expect(net.links().map(({ peer }) => peer)).toContain(first.self);
});

test("with a machine restored from a snapshot, randomness and all: one of the two ends", async () => {
  const swarm = new Swarm(9);
  const a = await swarm.up("a");
  const picture = async (name: string): Promise<Net> => {
    const machine = swarm.world.spawn({ name, kind: "node" });
    if (name !== "first") await swarm.settle(copyStore(swarm, "first", name));
    const { store, clock, crypto, log } = machine.ports;
    // The same seed in both: what each draws the other draws too.
    const random = new SeededRandom("picture");
    const starting = createNet({ kind: "node", found: false, name, invite: a.invite() })({
      ...{ store, clock, random, crypto, log },
      network: async (keys) => machine.networkAs(keys),
    });
    return swarm.settle(starting);
  };
  const nets = [await picture("first"), await picture("second")];
  const told = nets.map(hear);
  const oneEnds = (): boolean => told.some((twins) => twins.some(({ givesWay }) => givesWay));
  await swarm.world.runUntil(oneEnds, { withinMs: 30_000, what: "one gives way" });
  await swarm.world.runFor(20_000);
  expect(told.flat().filter(({ givesWay }) => givesWay)).toHaveLength(1);
  expect(told.every((twins) => twins.length > 0)).toBe(true);
  expect(a.members().filter(({ status }) => status === "awake")).toHaveLength(2);
});

test("a node that starts again is told of no twin, whatever its clock says", async () => {
  const swarm = new Swarm(7);
  const a = await swarm.up("a");
  await swarm.up("b", { invite: a.invite() });
  await swarm.agreement(10_000);
  for (const jumpMs of [-120_000, 120_000, -5_000]) {
    swarm.crash("b");
    swarm.world.node("b").jumpClock(jumpMs);
    const told = hear(await swarm.up("b", { invite: a.invite() }));
    await swarm.agreement(20_000);
    await swarm.world.runFor(30_000);
    expect(told).toEqual([]);
  }
});
