/** How soon a newcomer joins if it could reach nobody at first. */
import { expect, test } from "vitest";
import { Crowd } from "../../../test/sim/crowd.ts";
import { seeds } from "../../../test/sim/seeds.ts";
import { SimWorld } from "../../../test/sim/world.ts";

/** What membership promises of a heal; see membership.churn.sim.test.ts. */
const HEAL_MS = 5_000;

test.each(seeds(8, 100))("a newcomer that was cut off for half a minute is in within 5 s (seed %i)", async (seed) => {
  const world = new SimWorld({ seed, path: { loss: 0.02 } });
  const crowd = new Crowd(world);
  for (const name of ["m0", "m1", "m2"]) crowd.add({ name, kind: "node" });
  await crowd.settled();
  const addresses = crowd.addresses("m0");
  world.partition((from, to) => (from.name === "late") !== (to.name === "late"));
  crowd.add({ name: "late", kind: "tab" }, addresses);
  // Not the same for all: the heal comes at any moment between two attempts.
  await world.runFor(30_000 + world.random.real() * 10_000);
  expect(crowd.node("late").links.all()).toEqual([]);
  world.heal();
  expect(await crowd.settled(HEAL_MS)).toBeLessThan(HEAL_MS);
});
