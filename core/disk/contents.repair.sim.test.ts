/** Repair on simulated nodes: the promise comes back after deaths, and the code follows the swarm's size. */
import { describe, expect, test } from "vitest";
import { answering, type DiskNode, DiskSwarm, type DiskSwarmOptions } from "../../test/sim/contents.ts";
import { seeds } from "../../test/sim/seeds.ts";
import { SimWorld } from "../../test/sim/world.ts";
import type { Net } from "../net/types.ts";
import type { ContentRef } from "./types.ts";
import { GIVE_PROTOCOL, giveReplySchema, type GiveRequest, PUT_PROTOCOL } from "./shards/wire.ts";

const KIB = 1024;

async function swarmOf(count: number, seed: number, options: DiskSwarmOptions = {}): Promise<DiskSwarm> {
  const swarm = new DiskSwarm(new SimWorld({ seed }), options);
  await swarm.grow(count);
  return swarm;
}

async function fill(swarm: DiskSwarm, sizes: readonly number[]): Promise<[ContentRef, Uint8Array][]> {
  const all: [ContentRef, Uint8Array][] = [];
  for (const size of sizes) {
    const bytes = swarm.bytes(size);
    all.push([await swarm.put(swarm.nodes[all.length % swarm.nodes.length] as DiskNode, bytes), bytes]);
  }
  return all;
}

describe("repair", () => {
  test.each(seeds(1, 10))(
    "after six of eight are killed and six fresh ones come, any six may go again, seed %i",
    async (seed) => {
      const swarm = await swarmOf(8, seed);
      const all = await fill(swarm, [5 * KIB, 100 * KIB, 300 * KIB, 1100 * KIB, 2048 * KIB]);
      for (let round = 0; round < 2; round++) {
        for (const name of swarm.halfOf(6)) swarm.crash(name);
        await swarm.readsBack(swarm.nodes, all);
        await swarm.grow(6);
        await swarm.until(all, ({ safety, survivesAny }) => safety === "safe" && survivesAny === 6, 60_000);
      }
      for (const name of swarm.halfOf(6)) swarm.crash(name);
      await swarm.readsBack(swarm.nodes, all);
    },
  );

  test("waits out a short absence, and moves nothing", async () => {
    const swarm = await swarmOf(8, 2);
    const all = await fill(swarm, [100 * KIB, 600 * KIB]);
    const before = swarm.storedBytes;
    swarm.crash("m3");
    await swarm.world.runFor(60_000);
    await swarm.settle(swarm.up({ name: "m3", kind: "node" }));
    await swarm.acquainted();
    await swarm.world.runFor(10_000);
    expect(swarm.storedBytes).toBe(before);
    expect(swarm.nodes.map(({ contents }) => contents.use().repaired)).toEqual(swarm.nodes.map(() => 0));
    await swarm.until(all, ({ safety }) => safety === "safe", 5_000);
  });

  test("gives the place of a device that stays away to a new one when its grace is over", async () => {
    const swarm = await swarmOf(4, 3, { graceMs: 20_000 });
    const all = await fill(swarm, [50 * KIB, 700 * KIB]);
    swarm.crash("m2");
    await swarm.grow(1);
    const tookMs = await swarm.until(all, ({ survivesAny }) => survivesAny === 3, 60_000);
    expect(tookMs).toBeGreaterThan(5_000);
    for (const name of swarm.halfOf(2)) swarm.crash(name);
    await swarm.readsBack(swarm.nodes, all);
  });

  test.each([
    { who: "who holds a shard", isWhole: false, factor: 1 },
    { who: "who holds all", isWhole: true, factor: 2 },
  ])("replaces $who for what that holds, and reads no more", async ({ isWhole, factor }) => {
    const swarm = await swarmOf(8, 6, { graceMs: 20_000 });
    // One stripe, and so one device that holds all of it.
    const all = await fill(swarm, [512 * KIB]);
    const [[ref]] = all as [[ContentRef, Uint8Array]];
    const node = swarm.node("m0");
    const { holders } = await swarm.settle(node.contents.stat(ref));
    const held = (name: string): number => {
      const device = swarm.node(name).net.member(swarm.node(name).net.self)?.record.device;
      return holders.find((holder) => holder.device === device)?.bytes ?? 0;
    };
    const leaver =
      ["m1", "m2", "m3", "m4", "m5", "m6", "m7"].find((name) => held(name) > 256 * KIB === isWhole) ?? "m0";
    expect(held(leaver)).toBe(factor * 256 * KIB);
    swarm.crash(leaver);
    const [fresh] = await swarm.grow(1);
    const moved = (): number => swarm.nodes.reduce((sum, { machine }) => sum + machine.machine.received.bytes, 0);
    const before = moved();
    await swarm.until(all, ({ survivesAny }) => survivesAny === 6, 60_000);
    expect([...(fresh as DiskNode).machine.ports.shards.ids()]).toHaveLength(factor);
    expect(moved() - before).toBeGreaterThan(factor * 256 * KIB);
    expect(moved() - before).toBeLessThan((factor + 0.5) * 256 * KIB);
    await swarm.readsBack(swarm.nodes, all);
  });

  test("who holds all gives each shard once, however many repairers ask for it", async () => {
    const swarm = await swarmOf(8, 8, { graceMs: 20_000 });
    const all = await fill(swarm, [512 * KIB]);
    const [[ref]] = all as [[ContentRef, Uint8Array]];
    const { holders } = await swarm.settle(swarm.node("m0").contents.stat(ref));
    const isWhole = ({ net }: DiskNode): boolean => {
      const device = net.member(net.self)?.record.device;
      return (holders.find((holder) => holder.device === device)?.bytes ?? 0) > 256 * KIB;
    };
    const leavers = swarm.nodes.filter((node) => !isWhole(node)).slice(-3);
    for (const { machine } of leavers) swarm.crash(machine.machine.name);
    const sent = (protocol: string): { readonly messages: number; readonly bytes: number } => {
      const each = swarm.nodes.flatMap(({ machine }) => machine.machine.sentByProtocol.get(protocol) ?? []);
      const sum = (of: "messages" | "bytes"): number => each.reduce((total, counters) => total + counters[of], 0);
      return { messages: sum("messages"), bytes: sum("bytes") };
    };
    // Before the others come: the first of them may be given its shard at once.
    const before = sent(PUT_PROTOCOL).bytes;
    await swarm.grow(3);
    await swarm.until(all, ({ survivesAny }) => survivesAny === 6, 60_000);
    expect(sent(GIVE_PROTOCOL).messages).toBeGreaterThan(0);
    expect(sent(PUT_PROTOCOL).bytes - before).toBeGreaterThan(3 * 256 * KIB);
    expect(sent(PUT_PROTOCOL).bytes - before).toBeLessThan(3.2 * 256 * KIB);
    await swarm.readsBack(swarm.nodes, all);
  });

  test.each([
    { what: "says that it gave, and did not", said: "ok" },
    { what: "is always too busy", said: "busy" },
  ])("goes around one who holds all and $what", async ({ said }) => {
    let asked = 0;
    const wrap = (net: Net): Net =>
      answering(net, GIVE_PROTOCOL, async (_, request) => {
        asked++;
        return (request as { readonly stripes: readonly GiveRequest[] }).stripes.map(({ to }) => to.map(() => said));
      });
    const swarm = await swarmOf(8, 9, { graceMs: 20_000, wrap });
    const all = await fill(swarm, [3 * 512 * KIB]);
    for (const name of swarm.halfOf(3)) swarm.crash(name);
    await swarm.grow(3);
    await swarm.until(all, ({ survivesAny }) => survivesAny === 6, 120_000);
    expect(asked).toBeGreaterThan(0);
    await swarm.readsBack(swarm.nodes, all);
  });

  test("nobody is made to give to who is no member, nor twice at once", async () => {
    const swarm = await swarmOf(8, 10);
    const [[ref]] = (await fill(swarm, [512 * KIB])) as [[ContentRef, Uint8Array]];
    const { holders } = await swarm.settle(swarm.node("m0").contents.stat(ref));
    const isWhole = ({ net }: DiskNode): boolean =>
      holders.some(({ device, bytes }) => device === net.member(net.self)?.record.device && bytes > 256 * KIB);
    const giver = swarm.nodes.find(isWhole) as DiskNode;
    const [asker, target] = swarm.nodes.filter((node) => node !== giver) as [DiskNode, DiskNode];
    const [entry] = asker.layout.entries("c/");
    const id = entry?.key.split("/").at(-1) ?? "";
    const shard = 6;
    const ask = (node: string): Promise<readonly (readonly string[])[]> => {
      const to = [0, 1, 2].map(() => ({ shard, node }));
      return swarm.settle(
        asker.net.request(giver.net.self, GIVE_PROTOCOL, { stripes: [{ id, stripe: 0, to }] }, giveReplySchema),
      );
    };
    const sent = (): number => giver.machine.machine.sentByProtocol.get(PUT_PROTOCOL)?.bytes ?? 0;
    const before = sent();
    expect(await ask("12D3KooWnobody")).toEqual([["busy", "busy", "busy"]]);
    expect(sent()).toBe(before);
    expect(await ask(target.net.self)).toEqual([["ok", "ok", "ok"]]);
    expect(await ask(target.net.self)).toEqual([["ok", "ok", "ok"]]);
    expect(sent() - before).toBeLessThan(1.1 * 256 * KIB);
  });

  test("what was written before one device held all is read and looked after as before", async () => {
    const swarm = await swarmOf(8, 7, { graceMs: 20_000 });
    const all = await fill(swarm, [700 * KIB]);
    const { layout } = swarm.node("m0");
    for (const { key } of [...layout.entries("c/")]) {
      const value = layout.get(key) as { readonly code: readonly number[] };
      layout.set(key, { ...value, code: value.code.slice(0, 3) });
    }
    await swarm.until(all, ({ code, safety }) => code?.wholes === 0 && safety === "safe", 10_000);
    for (const name of swarm.halfOf(2)) swarm.crash(name);
    await swarm.grow(2);
    await swarm.until(all, ({ survivesAny }) => survivesAny >= 4, 60_000);
    for (const name of swarm.halfOf(4)) swarm.crash(name);
    await swarm.readsBack(swarm.nodes, all);
  });

  test("codes anew as the swarm grows and shrinks, and drops what was before", async () => {
    const swarm = await swarmOf(1, 4);
    const all = await fill(swarm, [50 * KIB, 900 * KIB]);
    await swarm.grow(4);
    // A content that has no copy yet would be lost with its only device.
    await swarm.until(
      all,
      ({ safety, survivesAny, code }) => safety === "safe" && code?.n === 4 && survivesAny === 3,
      200_000,
    );
    for (const name of ["m0", "m3"]) swarm.crash(name);
    await swarm.readsBack(swarm.nodes, all);
    await swarm.until(all, ({ survivesAny }) => survivesAny >= 1, 200_000);
    for (const name of swarm.halfOf(1)) swarm.crash(name);
    await swarm.readsBack(swarm.nodes, all);
    await swarm.world.runFor(40 * 60_000);
    // Replaced layouts are gone after a while.
    const bytes = all.reduce((sum, [, { length }]) => sum + length, 0);
    expect(swarm.storedBytes / bytes).toBeLessThan(3.1);
    await swarm.readsBack(swarm.nodes, all);
  });

  test("a device that returns too late keeps what it has while there is room, and no longer", async () => {
    const swarm = new DiskSwarm(new SimWorld({ seed: 5 }), { graceMs: 20_000 });
    await swarm.grow(5);
    const all = await fill(swarm, [1_200 * KIB]);
    swarm.crash("m2");
    await swarm.grow(1);
    await swarm.until(all, ({ survivesAny }) => survivesAny === 3, 60_000);
    const { machine } = await swarm.settle(swarm.up({ name: "m2", kind: "node" }));
    const { shards } = machine.ports;
    const held = [...shards.ids()].length;
    await swarm.world.runFor(30_000);
    expect([...shards.ids()]).toHaveLength(held);
    shards.setQuota(shards.usage().usedBytes + 10 * KIB);
    await swarm.world.runUntil(() => [...shards.ids()].length < held, { withinMs: 1_300_000, everyMs: 1_000 });
    await swarm.readsBack(swarm.nodes, all);
    await swarm.until(all, ({ survivesAny }) => survivesAny >= 3, 300_000);
  });
});
