/**
 * A swarm whose size swings, with the real code and real bytes: nothing is lost, and it is not coded anew at each turn.
 */
import { expect, test } from "vitest";
import { DiskSwarm } from "../../test/sim/contents.ts";
import { isLong, seeds } from "../../test/sim/seeds.ts";
import { SimWorld } from "../../test/sim/world.ts";
import type { ContentRef } from "./types.ts";
import { GET_PROTOCOL, PUT_PROTOCOL } from "./shards/wire.ts";

const KIB = 1024;
const SIZES = [20 * KIB, 300 * KIB, 900 * KIB];
/** Six devices and nine, in turn. */
const FEW = 6;
const MANY = 9;
const TURN_MS = 180_000;

/** Shard bytes that all nodes have sent, also those that are gone. */
function sentBytes(swarm: DiskSwarm): number {
  return [PUT_PROTOCOL, GET_PROTOCOL]
    .flatMap((protocol) => swarm.world.nodes.map(({ machine }) => machine.sentByProtocol.get(protocol)?.bytes ?? 0))
    .reduce((sum, bytes) => sum + bytes, 0);
}

test.each(seeds(1, 10))("between six and nine devices every few minutes, seed %i", async (seed) => {
  const swarm = new DiskSwarm(new SimWorld({ seed }));
  await swarm.grow(MANY);
  const all: [ContentRef, Uint8Array][] = [];
  for (const size of SIZES) {
    const bytes = swarm.bytes(size);
    all.push([await swarm.put(swarm.node("m1"), bytes), bytes]);
  }
  const contentBytes = SIZES.reduce((sum, size) => sum + size, 0);
  let movedBytes = 0;
  const turns = isLong ? 20 : 3;
  for (let turn = 0; turn < turns; turn++) {
    let before = sentBytes(swarm);
    const leavers = swarm.halfOf(MANY - FEW);
    for (const name of leavers) {
      swarm.crash(name);
      await swarm.world.runFor(5_000);
    }
    await swarm.world.runFor(TURN_MS);
    movedBytes += sentBytes(swarm) - before;
    await swarm.readsBack(swarm.nodes.slice(0, 2), all);
    before = sentBytes(swarm);
    // Two come back, and one stranger with them.
    for (const name of leavers.slice(1)) await swarm.settle(swarm.up({ name, kind: "node" }));
    await swarm.grow(1);
    await swarm.world.runFor(TURN_MS);
    movedBytes += sentBytes(swarm) - before;
    await swarm.readsBack(swarm.nodes.slice(-2), all);
  }
  const moved = movedBytes / contentBytes;
  console.log(`seed ${seed}: ${(moved / turns).toFixed(1)} times the content for each swing`);
  expect(moved / turns).toBeLessThan(3);
  for (const node of swarm.nodes) {
    const codes = [...node.layout.entries("l/")].length;
    expect(codes).toBeLessThanOrEqual(all.length + 1);
  }
  for (const name of swarm.halfOf()) swarm.crash(name);
  await swarm.readsBack(swarm.nodes, all);
});
