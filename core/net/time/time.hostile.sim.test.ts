/** Members that lie about the time: how far they get with honest nodes, during the attack and after a restart. */
import { describe, expect, test } from "vitest";
import { joinLiar } from "../../../test/sim/liar.ts";
import { MapSwarm, type MapNode } from "../../../test/sim/maps.ts";
import { SimWorld } from "../../../test/sim/world.ts";
import { AHEAD_MS_MAX } from "../../memory/limits.ts";
import { OWN_MS_MAX } from "../limits.ts";

const YEARS_30_MS = 30 * 365 * 86_400_000;

/** What the machine's own clock says, which is right. */
function truth(node: MapNode): number {
  return node.machine.ports.clock.now();
}

function check(nodes: readonly MapNode[]): void {
  for (const node of nodes) {
    // Clocks tell whole milliseconds.
    expect(Math.abs(node.net.correctedNow() - truth(node))).toBeLessThanOrEqual(OWN_MS_MAX + 1);
    expect(node.net.clockTrouble()).toBeUndefined();
    const version = node.map.set(`by/${node.machine.name}`, truth(node));
    expect(version.stamp / 2048 - truth(node)).toBeLessThanOrEqual(AHEAD_MS_MAX + OWN_MS_MAX);
  }
}

describe.each([YEARS_30_MS, -YEARS_30_MS, 2 * OWN_MS_MAX - 1_000])("liars by %i ms", (lieMs) => {
  test("one to a lone node: it writes on, and after a restart its writes win", async () => {
    const swarm = new MapSwarm(new SimWorld({ seed: 1 }), { isKept: true });
    const [lone] = await swarm.found(1);
    if (lone === undefined) throw new Error("There is one node");
    await swarm.world.runFor(15_000);
    await joinLiar(swarm, "liar", lieMs, lone);
    await swarm.world.runFor(60_000);
    check([lone]);
    lone.map.set("before", 1);
    await swarm.settle(lone.map.sync().catch(() => undefined));
    swarm.crash("m0");
    await swarm.world.runFor(1_000);
    const again = await swarm.start({ name: "m0", kind: "node" });
    await swarm.world.runFor(20_000);
    check([again]);
    again.map.set("before", 2);
    await swarm.world.runFor(2 * AHEAD_MS_MAX);
    expect(again.map.get("before")).toBe(2);
  });

  test("three to each of two nodes: these stay linked, write on and agree, also after a restart", async () => {
    const swarm = new MapSwarm(new SimWorld({ seed: 2 }), { isKept: true });
    await swarm.found(2);
    await swarm.world.runFor(70_000);
    const [a, b] = swarm.nodes;
    if (a === undefined || b === undefined) throw new Error("There are two nodes");
    for (let i = 0; i < 6; i++) await joinLiar(swarm, `liar${i}`, lieMs, i % 2 === 0 ? a : b);
    await swarm.world.runFor(120_000);
    check(swarm.nodes);
    expect([a, b].map(({ net }) => net.links().some(({ peer }) => peer === a.net.self || peer === b.net.self))).toEqual(
      [true, true],
    );
    a.map.set("shared", "during");
    await swarm.equal(10_000);
    swarm.crash("m1");
    await swarm.world.runFor(5_000);
    const again = await swarm.start({ name: "m1", kind: "node" });
    await swarm.world.runFor(20_000);
    check(swarm.nodes);
    again.map.set("shared", "after");
    await swarm.world.runFor(2_000);
    expect(swarm.nodes.map(({ map }) => map.get("shared"))).toEqual(["after", "after"]);
    await swarm.world.runFor(2 * AHEAD_MS_MAX);
    expect(swarm.nodes.map(({ map }) => map.get("shared"))).toEqual(["after", "after"]);
  });
});
