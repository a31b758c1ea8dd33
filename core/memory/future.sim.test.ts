/** What was stored with a clock that was far ahead: it waits, stops nobody from writing, and nothing of it is lost. */
import { expect, test } from "vitest";
import { MapSwarm, type MapNode } from "../../test/sim/maps.ts";
import { SimWorld } from "../../test/sim/world.ts";

const YEARS_30_MS = 30 * 365 * 86_400_000;
const FILES = 40;
/** All values together are more than is stored before the log is written anew. */
const VALUE = "x".repeat(60_000);

async function restarted(swarm: MapSwarm, jumpMs = 0): Promise<MapNode> {
  const { machine, map } = swarm.node("m0");
  await swarm.settle(map.sync());
  swarm.crash("m0");
  machine.jumpClock(jumpMs);
  const node = await swarm.start({ name: "m0", kind: "node" });
  await swarm.world.runFor(15_000);
  return node;
}

test("entries of 2056 wait after a restart with a right clock, and honest writes win", async () => {
  const swarm = new MapSwarm(new SimWorld({ seed: 1 }), { isKept: true });
  const [wrong] = await swarm.found(1, () => ({ skewMs: YEARS_30_MS }));
  if (wrong === undefined) throw new Error("There is one node");
  await swarm.world.runFor(15_000);
  for (let i = 0; i < FILES; i++) wrong.map.set(`file/${i}`, `${i}${VALUE}`);

  const right = await restarted(swarm, -YEARS_30_MS);
  expect([right.map.count("file/"), right.map.stat().quarantined]).toEqual([0, FILES]);
  const told = swarm.world.journal.entries().filter(({ event }) => event === "memory.future");
  expect(told.map(({ level, fields }) => [level, fields["entries"]])).toEqual([["warn", FILES]]);
  const version = right.map.set("file/0", "mine");
  expect(Math.abs(version.stamp / 2048 - right.machine.ports.clock.now())).toBeLessThan(1_000);
  // So much that what is stored is written anew, once and again.
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < FILES; i++) right.map.set(`other/${i}`, `${round}${VALUE}`);
    await swarm.settle(right.map.sync());
  }

  const again = await restarted(swarm);
  expect(again.map.get("file/0")).toBe("mine");
  expect(again.map.stat().quarantined).toBe(FILES - 1);

  const later = await restarted(swarm, YEARS_30_MS);
  expect(later.map.stat().quarantined).toBe(0);
  expect(later.map.get("file/0")).toBe("mine");
  for (let i = 1; i < FILES; i++) expect(later.map.get(`file/${i}`)).toBe(`${i}${VALUE}`);
});
