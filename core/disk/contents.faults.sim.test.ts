/** Faults on simulated nodes: no content is lost by them, and no fault is hidden. */
import { describe, expect, test } from "vitest";
import { answering, type DiskNode, DiskSwarm, type DiskSwarmOptions } from "../../test/sim/contents.ts";
import { seeds } from "../../test/sim/seeds.ts";
import { SimWorld } from "../../test/sim/world.ts";
import type { Net } from "../net/types.ts";
import { GET_PROTOCOL } from "./shards/wire.ts";

const KIB = 1024;
/** A put of a megabyte takes about so long. */
const KILLED_WITHIN_MS = 600;

async function swarmOf(count: number, seed: number, options: DiskSwarmOptions = {}): Promise<DiskSwarm> {
  const swarm = new DiskSwarm(new SimWorld({ seed }), options);
  await swarm.grow(count);
  return swarm;
}

async function* endless(swarm: DiskSwarm, onChunk: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  for (let taken = 0; ; taken += 256 * KIB) {
    onChunk(taken);
    yield swarm.bytes(256 * KIB);
  }
}

async function* of(...chunks: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

function entries({ layout }: DiskNode): string[] {
  return [...layout.entries("")].map(({ key }) => key).filter((key) => key.startsWith("c/") || key.startsWith("l/"));
}

describe("a fault", () => {
  test("a put that is cancelled leaves nothing", async () => {
    const swarm = await swarmOf(8, 1);
    const node = swarm.node("m2");
    const stop = new AbortController();
    const source = endless(swarm, (taken) => {
      if (taken >= 4096 * KIB) stop.abort();
    });
    const error = await swarm.failure(node.contents.put(source, { signal: stop.signal }));
    expect(error.code).toBe("cancelled");
    await swarm.world.runFor(2_000);
    expect([swarm.storedBytes, ...swarm.nodes.map(entries)]).toEqual([0, ...swarm.nodes.map(() => [])]);
  });

  test("a put whose source fails says so and leaves nothing", async () => {
    const swarm = await swarmOf(3, 2);
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield swarm.bytes(900 * KIB);
      throw new Error("The host's file can't be read");
    }
    const error = await swarm.failure(swarm.node("m1").contents.put(broken(), {}));
    expect([error.code, error.message]).toEqual(["io", "The host's file can't be read"]);
    await swarm.world.runFor(2_000);
    expect(swarm.storedBytes).toBe(0);
  });

  test("whoever is killed in the middle of a put has stored nothing that anything names", async () => {
    const swarm = await swarmOf(5, 3);
    const dying = swarm.node("m4");
    let taken = 0;
    void dying.contents.put(
      endless(swarm, (bytes) => {
        taken = bytes;
      }),
      {},
    );
    await swarm.world.runUntil(() => taken > 12_000 * KIB, { withinMs: 60_000 });
    swarm.crash("m4");
    expect(swarm.storedBytes).toBeGreaterThan(0);
    for (const node of swarm.nodes) expect(entries(node).filter((key) => key.startsWith("c/"))).toEqual([]);
    // The lease runs out, and what it held is collected two days later; not before m4 is forgotten.
    await swarm.world.runFor(30 * 60_000);
    for (const node of swarm.nodes) expect(entries(node)).toEqual([]);
  });

  test("whenever a putter is killed, what an entry names can be read", async () => {
    /** Of each moment: contents that have an entry then, and whether there were shards. */
    const seen: { readonly entries: number; readonly hasShards: boolean }[] = [];
    for (const seed of seeds(10, 100)) {
      const swarm = await swarmOf(5, seed);
      const { contents, machine } = swarm.node("m1");
      for (const size of [900 * KIB, 30 * KIB, 400 * KIB]) void contents.put(of(swarm.bytes(size)), {}).catch(() => {});
      await swarm.world.runFor(machine.ports.random.real() * KILLED_WITHIN_MS);
      swarm.crash("m1");
      await swarm.world.runFor(10_000);
      for (const node of swarm.nodes) {
        for (const { key, value } of node.layout.entries("c/")) {
          const ref = { cid: key.split("/")[1] ?? "", sizeBytes: (value as { size: number }).size };
          expect(await swarm.read(node, ref)).toHaveLength(ref.sizeBytes);
        }
      }
      seen.push({ entries: swarm.node("m0").layout.count("c/"), hasShards: swarm.storedBytes > 0 });
    }
    if (seen.length === 1) return;
    expect(seen.some(({ entries, hasShards }) => entries === 0 && hasShards)).toBe(true);
    expect(seen.some(({ entries }) => entries > 0)).toBe(true);
  });

  test("bytes that were flipped on a disk are found, read around and repaired", async () => {
    const swarm = await swarmOf(5, 4);
    const bytes = swarm.bytes(1500 * KIB);
    const ref = await swarm.put(swarm.node("m0"), bytes);
    const { disk, machine } = swarm.node("m1");
    const ids = [...machine.ports.shards.ids()].map(({ id }) => id);
    for (const id of ids) disk.flip(id, machine.ports.random);
    await swarm.readsBack(swarm.nodes, [[ref, bytes]]);
    // The scrubber finds damage that no read has met.
    await swarm.world.runUntil(() => swarm.node("m1").contents.use().damaged === ids.length, {
      withinMs: 1_000_000,
      everyMs: 500,
      what: "all damage is found",
    });
    await swarm.world.runUntil(() => ids.every((id) => machine.ports.shards.has(id)), {
      withinMs: 60_000,
      everyMs: 500,
      what: "all shards are back",
    });
    expect((await swarm.settle(swarm.node("m0").contents.stat(ref))).safety).toBe("safe");
  });

  test("a peer that serves wrong bytes is found out, and read around", async () => {
    let isLying = false;
    let lies = 0;
    const lie = (net: Net): Net =>
      answering(net, GET_PROTOCOL, async (serve) => {
        const reply = await serve();
        if (!isLying) return reply;
        lies++;
        return (reply as (Uint8Array | null)[]).map((shard) => shard?.map((byte) => byte ^ 1) ?? null);
      });
    const swarm = await swarmOf(6, 5, { wrap: (net, { name }) => (name === "m3" ? lie(net) : net) });
    const bytes = swarm.bytes(2_100 * KIB);
    const ref = await swarm.put(swarm.node("m0"), bytes);
    isLying = true;
    await swarm.readsBack(swarm.nodes, [[ref, bytes]]);
    expect(lies).toBeGreaterThan(0);
  });

  test("a full device is passed over; where all are full the put says so and leaves nothing", async () => {
    const swarm = new DiskSwarm(new SimWorld({ seed: 6 }));
    await swarm.grow(6, (index) => ({ quotaBytes: index < 2 ? 2_500 * KIB : 6_000 * KIB }));
    const put: [Awaited<ReturnType<DiskSwarm["put"]>>, Uint8Array][] = [];
    const before = (): number => swarm.storedBytes;
    for (let i = 0; i < 3; i++) {
      const bytes = swarm.bytes(700 * KIB);
      put.push([await swarm.put(swarm.node("m5"), bytes), bytes]);
    }
    const error = await swarm.failure(
      swarm.node("m5").contents.put(
        endless(swarm, () => {}),
        {},
      ),
      300_000,
    );
    expect(error.code).toBe("full");
    await swarm.world.runFor(2_000);
    const stored = before();
    const bytes = put.reduce((sum, [, { length }]) => sum + length, 0);
    expect(stored / bytes).toBeLessThan(4.6);
    await swarm.readsBack(swarm.nodes, put);
  });

  test("both halves of a cut swarm read all, write, and have both after they meet again", async () => {
    const swarm = await swarmOf(8, 7);
    const old = swarm.bytes(1_200 * KIB);
    const ref = await swarm.put(swarm.node("m0"), old);
    const all: [typeof ref, Uint8Array][] = [[ref, old]];
    for (const parts of [4, 3]) {
      const sides = [swarm.nodes.filter((_, i) => i % 7 < parts), swarm.nodes.filter((_, i) => i % 7 >= parts)];
      swarm.world.partition(sides.map((side) => side.map(({ machine }) => machine)));
      await swarm.world.runUntil(
        () =>
          sides.every((side) =>
            side.every(({ net }) => net.members().filter(({ status }) => status === "awake").length === side.length),
          ),
        { withinMs: 120_000, everyMs: 100, what: "each side sees itself" },
      );
      const before = [...all];
      for (const side of sides) {
        await swarm.readsBack(side, before);
        const bytes = swarm.bytes(500 * KIB);
        all.push([await swarm.put(side[0] as DiskNode, bytes), bytes]);
      }
      swarm.world.heal();
      await swarm.acquainted(120_000);
      await swarm.world.runUntil(() => swarm.nodes.every(({ layout }) => layout.count("c/") >= all.length), {
        withinMs: 60_000,
        everyMs: 100,
        what: "all know all contents",
      });
      await swarm.readsBack(swarm.nodes, all);
      await swarm.until(all, ({ safety, survivesAny }) => safety === "safe" && survivesAny >= 4, 300_000);
    }
  });
});

describe("devices", () => {
  test("the tabs of one browser are one device, and take one shard of a stripe between them", async () => {
    const swarm = new DiskSwarm(new SimWorld({ seed: 20 }));
    await swarm.grow(3);
    await swarm.grow(3, (index) => ({ kind: "tab", device: "browser", name: `m${index}` }));
    const bytes = swarm.bytes(1_500 * KIB);
    const ref = await swarm.put(swarm.node("m4"), bytes);
    const stat = await swarm.settle(swarm.node("m0").contents.stat(ref));
    expect([stat.safety, stat.code, stat.holders.length]).toEqual(["safe", { k: 1, n: 4, copies: 1, wholes: 0 }, 4]);
    expect(swarm.storedBytes / bytes.length).toBeLessThan(4.6);
    for (const name of ["m3", "m4", "m5", "m1"]) swarm.crash(name);
    await swarm.readsBack(swarm.nodes, [[ref, bytes]]);
  });

  test("a tab with its few links puts in and gets 4 MiB among 64 nodes", async () => {
    const swarm = new DiskSwarm(new SimWorld({ seed: 21 }));
    await swarm.grow(64);
    const [tab] = await swarm.grow(1, () => ({ kind: "tab" }));
    const bytes = swarm.bytes(4_096 * KIB);
    const ref = await swarm.put(tab as DiskNode, bytes);
    for (const name of swarm.halfOf()) if (name !== "m64") swarm.crash(name);
    await swarm.readsBack([tab as DiskNode], [[ref, bytes]]);
  });
});

describe("reading", () => {
  test("a range touches only the stripes that it needs", async () => {
    const swarm = await swarmOf(8, 8);
    const bytes = swarm.bytes(8 * 512 * KIB + 1000);
    const ref = await swarm.put(swarm.node("m0"), bytes);
    const [reader] = await swarm.grow(1);
    const node = reader as DiskNode;
    const before = node.machine.machine.received.bytes;
    const [from, to] = [3 * 256 * KIB - 10, 3 * 256 * KIB + 10];
    expect(await swarm.read(node, ref, { from, to })).toEqual(bytes.subarray(from, to));
    expect(node.machine.machine.received.bytes - before).toBeLessThan(2 * 256 * KIB + 64 * KIB);
    expect(await swarm.read(node, ref, { from: bytes.length - 5 })).toEqual(bytes.subarray(bytes.length - 5));
    expect(await swarm.read(node, ref, { from: 7, to: 7 })).toEqual(new Uint8Array(0));
  });

  test("what nobody has put is not found, and what too many have taken with them is lost", async () => {
    const swarm = await swarmOf(4, 9);
    const bytes = swarm.bytes(300 * KIB);
    const ref = await swarm.put(swarm.node("m0"), bytes);
    const nowhere = { ...ref, cid: "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy" };
    expect((await swarm.readFailure(swarm.node("m1"), nowhere)).code).toBe("not-found");
    for (const { disk, machine } of swarm.nodes) {
      for (const { id } of machine.ports.shards.ids()) disk.truncate(id, machine.ports.random);
    }
    expect((await swarm.readFailure(swarm.node("m1"), ref)).code).toBe("lost");
    expect((await swarm.settle(swarm.node("m1").contents.stat(ref))).safety).toBe("lost");
    // Whoever has it still puts it in again.
    expect(await swarm.put(swarm.node("m2"), bytes)).toEqual(ref);
    await swarm.readsBack(swarm.nodes, [[ref, bytes]]);
    expect((await swarm.settle(swarm.node("m1").contents.stat(ref))).safety).toBe("safe");
  });

  test("content that is there already is not stored again", async () => {
    const swarm = await swarmOf(5, 10);
    for (const size of [60 * KIB, 1_000 * KIB]) {
      const bytes = swarm.bytes(size);
      const ref = await swarm.put(swarm.node("m0"), bytes);
      const stored = swarm.storedBytes;
      expect(await swarm.put(swarm.node("m3"), bytes)).toEqual(ref);
      await swarm.world.runFor(2_000);
      expect(swarm.storedBytes).toBe(stored);
    }
  });

  test("what is kept is read without any other, until it is released", async () => {
    const swarm = await swarmOf(6, 11);
    const bytes = swarm.bytes(1_800 * KIB);
    const ref = await swarm.put(swarm.node("m0"), bytes);
    const keeper = swarm.node("m4");
    const before = keeper.disk.frames.size;
    await swarm.settle(keeper.contents.keep(ref));
    expect(keeper.contents.use().keptBytes).toBe(bytes.length);
    const others = swarm.nodes.filter((node) => node !== keeper);
    swarm.world.partition([[keeper.machine], others.map(({ machine }) => machine)]);
    await swarm.world.runFor(60_000);
    await swarm.readsBack([keeper], [[ref, bytes]]);
    swarm.world.heal();
    await swarm.acquainted(120_000);
    await swarm.settle(keeper.contents.release(ref));
    expect(keeper.disk.frames.size).toBe(before);
    await swarm.readsBack([keeper], [[ref, bytes]]);
  });

  test("what is kept and lies with nobody else any more stays when it is released", async () => {
    const swarm = await swarmOf(6, 13);
    const bytes = swarm.bytes(1_800 * KIB);
    const ref = await swarm.put(swarm.node("m0"), bytes);
    const keeper = swarm.node("m4");
    await swarm.settle(keeper.contents.keep(ref));
    // The others come back with empty disks and no room: the slots are still theirs, but hold nothing.
    for (const { machine, disk } of swarm.nodes.filter((node) => node !== keeper)) {
      const { name } = machine.machine;
      swarm.crash(name);
      disk.frames.clear();
      await swarm.settle(swarm.up({ name, kind: "node", quotaBytes: 1_000 }), 10_000);
    }
    await swarm.acquainted(120_000);
    await swarm.settle(keeper.contents.release(ref));
    await swarm.readsBack(swarm.nodes, [[ref, bytes]]);
  });

  test("a content whose list is lost is lost, and stat says so", async () => {
    const swarm = await swarmOf(3, 14);
    const bytes = swarm.bytes(40_000 * KIB);
    const ref = await swarm.put(swarm.node("m0"), bytes);
    const { layout, contents } = swarm.node("m1");
    expect((await swarm.settle(contents.stat(ref))).safety).toBe("safe");
    for (const { key } of [...layout.entries("c/")]) if (!key.startsWith(`c/${ref.cid}/`)) layout.delete(key);
    expect(await swarm.settle(contents.stat(ref))).toMatchObject({ safety: "lost", survivesAny: -1, lossChance: 1 });
  });

  test("an empty stream is content too", async () => {
    const swarm = await swarmOf(3, 12);
    const { ref } = await swarm.settle(swarm.node("m0").contents.put(of(), {}));
    expect(ref).toEqual({ cid: "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku", sizeBytes: 0 });
    expect(await swarm.read(swarm.node("m1"), ref)).toEqual(new Uint8Array(0));
  });
});
