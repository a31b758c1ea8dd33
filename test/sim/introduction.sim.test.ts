/** Who reaches whom through an introducer in the simulated network, directly or relayed. */
import { describe, expect, it } from "vitest";
import { isStarfishError } from "../../core/base/errors.ts";
import type { Link } from "../../core/ports/network.ts";
import type { MachineOptions } from "./life.ts";
import type { SimNode } from "./node.ts";
import { SimWorld, type WorldOptions } from "./world.ts";

interface Scene {
  readonly world: SimWorld;
  readonly hub: SimNode;
  readonly a: SimNode;
  readonly b: SimNode;
}

/** Two tabs that are linked to one node. */
async function scene(options: Partial<WorldOptions> = {}, tab: Partial<MachineOptions> = {}): Promise<Scene> {
  const world = new SimWorld({ seed: 1, ...options });
  const hub = world.spawn({ name: "hub", kind: "node" });
  const a = world.spawn({ name: "a", kind: "tab", ...tab });
  const b = world.spawn({ name: "b", kind: "tab" });
  void hub.ports.network;
  for (const one of [a, b]) {
    await world.settle(one.ports.network.dial({ addresses: ["sim:hub"] }), { withinMs: 10_000 });
  }
  await world.runFor(1000);
  return { world, hub, a, b };
}

function meet({ world, hub, a, b }: Scene): Promise<Link> {
  const dial = a.ports.network.dial({ peer: b.peer, addresses: [], introducers: [hub.peer] });
  return world.settle(dial, { withinMs: 60_000 });
}

function admitBoth({ hub, a, b }: Scene): void {
  hub.ports.network.admit(a.peer);
  hub.ports.network.admit(b.peer);
}

const isUnreachable = (error: unknown): boolean => isStarfishError(error, "unreachable");

describe("introduction", () => {
  it("links two tabs directly, and the link outlives the introducer", async () => {
    const all = await scene();
    admitBoth(all);
    const link = await meet(all);
    expect(link.path()).toEqual({ kind: "direct", transport: "simulated" });
    all.world.crash(all.hub);
    await all.world.runFor(60_000);
    expect(all.a.ports.network.links()).toEqual([link]);
  });

  it("serves newcomers for some seconds, then members only", async () => {
    expect((await meet(await scene())).path().kind).toBe("direct");
    const late = await scene();
    await late.world.runFor(10_000);
    await expect(meet(late)).rejects.toSatisfy(isUnreachable);
    late.hub.ports.network.admit(late.a.peer);
    await expect(meet(late)).rejects.toSatisfy(isUnreachable);
    late.hub.ports.network.admit(late.b.peer);
    await meet(late);
  });

  it("relays where a tab has no direct links, says why, and ends with the relay", async () => {
    const all = await scene({}, { relayReason: "no WebRTC in this browser" });
    admitBoth(all);
    const link = await meet(all);
    const { peer } = all.hub;
    expect(link.path()).toEqual({
      kind: "relayed",
      transport: "simulated",
      via: peer,
      reason: "no WebRTC in this browser",
    });
    all.b.ports.network.handle("/test", (channel) => channel.onMessage(() => {}));
    const channel = await all.world.settle(link.open("/test"), { withinMs: 1000 });
    channel.send(new Uint8Array(1000));
    await all.world.runFor(1000);
    expect(all.hub.machine.forwarded).toEqual({ messages: 1, bytes: 1000 });
    let closed = false;
    link.onClose(() => (closed = true));
    all.world.crash(all.hub);
    await all.world.runFor(1000);
    expect(closed).toBe(true);
  });

  it("relays as a last resort when the direct path is cut", async () => {
    const all = await scene();
    admitBoth(all);
    const isCut = new Set(["a", "b"]);
    all.world.partition((from, to) => isCut.has(from.name) && isCut.has(to.name));
    expect((await meet(all)).path().kind).toBe("relayed");
  });

  it("relays between networks that have no direct path", async () => {
    const all = await scene({ direct: () => false });
    admitBoth(all);
    expect((await meet(all)).path().kind).toBe("relayed");
  });

  it("works through a tab as well", async () => {
    const all = await scene();
    admitBoth(all);
    await meet(all);
    const c = all.world.spawn({ name: "c", kind: "tab" });
    all.hub.ports.network.admit(c.peer);
    await all.world.settle(c.ports.network.dial({ addresses: ["sim:hub"] }), { withinMs: 10_000 });
    await all.world.runFor(1000);
    const { network } = c.ports;
    await all.world.settle(network.dial({ peer: all.a.peer, addresses: [], introducers: [all.hub.peer] }), {
      withinMs: 10_000,
    });
    await all.world.runFor(1000);
    all.a.ports.network.admit(c.peer);
    all.a.ports.network.admit(all.b.peer);
    all.world.crash(all.hub, { silent: true });
    const dial = network.dial({ peer: all.b.peer, addresses: [], introducers: [all.a.peer] });
    expect((await all.world.settle(dial, { withinMs: 10_000 })).path().kind).toBe("direct");
  });
});
