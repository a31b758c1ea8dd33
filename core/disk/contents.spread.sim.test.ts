/**
 * Contents that were put on a single machine spread to machines that come later: once, for few bytes, and so that they
 * survive the loss of the first one.
 */
import { expect, test } from "vitest";
import { DiskSwarm } from "../../test/sim/contents.ts";
import { SimWorld } from "../../test/sim/world.ts";
import { SPREAD_AFTER_MS } from "./limits.ts";
import { GET_PROTOCOL, PUT_PROTOCOL } from "./shards/wire.ts";
import type { ContentRef } from "./types.ts";

const KIB = 1024;
const SIZES = [20 * KIB, 300 * KIB, 900 * KIB];

/** Shard bytes that all have sent. */
function sentBytes(swarm: DiskSwarm): number {
  return [PUT_PROTOCOL, GET_PROTOCOL]
    .flatMap((protocol) => swarm.world.nodes.map(({ machine }) => machine.sentByProtocol.get(protocol)?.bytes ?? 0))
    .reduce((sum, bytes) => sum + bytes, 0);
}

/** Plain copies with a spare device; a stripe whose whole copy moves; and a stripe of which all devices hold a part. */
test.each([
  { first: 4, second: 1 },
  { first: 8, second: 1 },
  { first: 12, second: 2 },
])("$first devices on one machine, then $second on another", async ({ first, second }) => {
  const swarm = new DiskSwarm(new SimWorld({ seed: 1 }));
  await swarm.grow(first, () => ({ host: "host-0" }));
  const all: [ContentRef, Uint8Array][] = [];
  for (const size of SIZES) {
    const bytes = swarm.bytes(size);
    all.push([await swarm.put(swarm.node("m0"), bytes), bytes]);
  }
  const survives = async (): Promise<number[]> => {
    const { contents } = swarm.node("m0");
    const stats = await swarm.settle(Promise.all(all.map(([ref]) => contents.stat(ref))));
    return stats.map(({ survivesAnyMachines }) => survivesAnyMachines);
  };
  await swarm.world.runFor(30_000);
  let before = sentBytes(swarm);
  await swarm.grow(second, () => ({ host: "host-1" }));
  // A tab that is opened and closed again would have moved nothing.
  await swarm.world.runFor(SPREAD_AFTER_MS / 2);
  expect(sentBytes(swarm) - before).toBe(0);
  expect(await survives()).toEqual([0, 0, 0]);
  await swarm.world.runFor(SPREAD_AFTER_MS + 30_000);
  expect(await survives()).toEqual([1, 1, 1]);
  const contentBytes = SIZES.reduce((sum, size) => sum + size, 0);
  const moved = (sentBytes(swarm) - before) / contentBytes;
  console.log(`${first} and ${second}: ${moved.toFixed(2)} times the content`);
  // The bytes of one copy, and headers.
  expect(moved).toBeLessThan(1.1);
  before = sentBytes(swarm);
  await swarm.world.runFor(180_000);
  expect(sentBytes(swarm) - before).toBe(0);

  // What is put now need not move.
  const bytes = swarm.bytes(200 * KIB);
  all.push([await swarm.put(swarm.node("m0"), bytes), bytes]);
  expect(await survives()).toEqual([1, 1, 1, 1]);
  for (let i = 0; i < first; i++) swarm.crash(`m${i}`);
  await swarm.readsBack(swarm.nodes, all);
});
