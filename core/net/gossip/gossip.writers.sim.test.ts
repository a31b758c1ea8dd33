/**
 * Many members publish at once, while links and members go: at every moment the links that carry bodies connect all
 * members.
 */
import { describe, expect, test } from "vitest";
import { Crowd } from "../../../test/sim/crowd.ts";
import { seeds } from "../../../test/sim/seeds.ts";
import { SimWorld } from "../../../test/sim/world.ts";
import { utf8 } from "../../base/bytes.ts";
import { pick } from "../../ports/random.ts";

const SIZE = 25;
const LOOK_MS = 50;

async function crowd(seed: number): Promise<Crowd> {
  const crowd = new Crowd(new SimWorld({ seed }));
  for (let i = 0; i < SIZE; i++) {
    crowd.add({ name: `m${i}`, kind: i % 4 === 0 ? "node" : "tab" });
    await crowd.world.runFor(100);
  }
  await crowd.settled();
  await crowd.world.runFor(10_000);
  return crowd;
}

/** Whether links over which both ends push join all that run. */
function isJoined({ nodes }: Crowd): boolean {
  const pushed = new Map(nodes.map(({ peer, gossip }) => [peer, new Set(gossip.eager())]));
  const [first] = pushed.keys();
  const found = new Set(first === undefined ? [] : [first]);
  for (const peer of found) for (const to of pushed.get(peer) ?? []) if (pushed.get(to)?.has(peer)) found.add(to);
  return found.size === nodes.length;
}

/** Everyone publishes for a while. Returns the longest time for which those links did not connect all. */
async function longestGap(
  swarm: Crowd,
  perSecond: number,
  forMs: number,
  each: (atMs: number) => void,
): Promise<number> {
  const { world } = swarm;
  const random = world.random.fork("publishers");
  const endMs = world.nowMs + forMs;
  let [nextMs, joinedMs, gapMs] = [world.nowMs, world.nowMs, 0];
  for (let i = 0; world.nowMs < endMs;) {
    for (; nextMs <= world.nowMs; nextMs -= (1_000 / perSecond) * Math.log(1 - random.real()), i++) {
      pick(random, swarm.nodes)?.gossip.publish("news", utf8(`${i}`));
    }
    each(world.nowMs);
    await world.runFor(LOOK_MS);
    if (isJoined(swarm)) joinedMs = world.nowMs;
    gapMs = Math.max(gapMs, world.nowMs - joinedMs);
  }
  return gapMs;
}

describe("with 25 publishers the links that carry bodies", () => {
  test.each(seeds(1, 20))("join all members (seed %i)", async (seed) => {
    for (const perSecond of [5, 50]) {
      const swarm = await crowd(seed);
      expect(await longestGap(swarm, perSecond, 20_000, () => {})).toBeLessThan(300);
      // About one branch fewer than there are members: everyone is sent each body about once.
      const pushing = swarm.nodes.reduce((sum, { gossip }) => sum + gossip.eager().length, 0) / 2;
      expect(pushing).toBeLessThan(1.25 * SIZE);
    }
  });

  test.each(seeds(1, 20))(
    "join all again within a second when members crash and links close (seed %i)",
    async (seed) => {
      const swarm = await crowd(seed);
      const random = swarm.world.random.fork("faults");
      let nextMs = swarm.world.nowMs + 1_000;
      let faults = 0;
      const fault = (atMs: number): void => {
        if (atMs < nextMs) return;
        nextMs += 2_000;
        const node = pick(random, swarm.nodes);
        if (node === undefined) return;
        if (faults++ % 3 === 0) swarm.end(node.machine.name, "crash");
        else void pick(random, node.links.all())?.close();
      };
      expect(await longestGap(swarm, 20, 20_000, fault)).toBeLessThanOrEqual(1_000);
      expect(faults).toBeGreaterThan(8);
    },
  );
});
