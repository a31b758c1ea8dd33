/** Collecting on simulated nodes: what nobody wants goes, what somebody may want stays. */
import { expect, test } from "vitest";
import { DiskSwarm } from "../../test/sim/contents.ts";
import { SimWorld } from "../../test/sim/world.ts";

const KIB = 1024;
const HOUR_MS = 3_600_000;

async function swarmOf(count: number, seed: number): Promise<DiskSwarm> {
  const swarm = new DiskSwarm(new SimWorld({ seed }), { unreferencedKeptMs: HOUR_MS });
  await swarm.grow(count);
  return swarm;
}

test("what no source names is gone after its time, its list and all its shards; the rest stays", async () => {
  const swarm = await swarmOf(3, 1);
  const wanted = swarm.bytes(400 * KIB);
  const large = swarm.bytes(20_000 * KIB);
  const kept = swarm.bytes(90 * KIB);
  const ref = await swarm.put(swarm.node("m0"), wanted);
  const largeRef = await swarm.put(swarm.node("m1"), large);
  const keptRef = await swarm.put(swarm.node("m1"), kept);
  const unwanted = await swarm.put(swarm.node("m1"), swarm.bytes(500 * KIB));
  await swarm.settle(swarm.node("m2").contents.keep(keptRef));
  const references = new Set([ref.cid, largeRef.cid]);
  for (const { contents } of swarm.nodes)
    contents.addReferences(() => [...references, ...(contents === swarm.node("m2").contents ? [] : [keptRef.cid])]);
  await swarm.world.runFor(0.9 * HOUR_MS);
  expect(await swarm.read(swarm.node("m0"), unwanted)).toHaveLength(unwanted.sizeBytes);
  await swarm.world.runFor(1.7 * HOUR_MS);
  expect((await swarm.readFailure(swarm.node("m0"), unwanted)).code).toBe("not-found");
  await swarm.readsBack(swarm.nodes, [
    [ref, wanted],
    [largeRef, large],
    [keptRef, kept],
  ]);
  references.clear();
  await swarm.world.runFor(2.6 * HOUR_MS);
  await swarm.readsBack(swarm.nodes, [[keptRef, kept]]);
  expect(swarm.storedBytes).toBeLessThan(4.6 * kept.length);
});

test("nothing is collected while a member is missing that has not said goodbye", async () => {
  const swarm = await swarmOf(4, 2);
  const bytes = swarm.bytes(300 * KIB);
  const ref = await swarm.put(swarm.node("m0"), bytes);
  for (const { contents } of swarm.nodes) contents.addReferences(() => []);
  swarm.crash("m3");
  await swarm.world.runFor(3 * HOUR_MS);
  await swarm.readsBack(swarm.nodes, [[ref, bytes]]);
});
