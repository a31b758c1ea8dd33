/** Which links there are: newcomers, introductions, prunes and the loss of those that everyone knew. */
import { describe, expect, test } from "vitest";
import { Crowd } from "../../../test/sim/crowd.ts";
import { seeds } from "../../../test/sim/seeds.ts";
import { SimWorld } from "../../../test/sim/world.ts";
import { encode } from "../../base/codec.ts";
import { isStarfishError } from "../../base/errors.ts";
import { abortable } from "../../ports/clock.ts";

async function crowd(seed: number, kinds: readonly ("node" | "tab")[]): Promise<Crowd> {
  const crowd = new Crowd(new SimWorld({ seed, path: { loss: 0.02 } }));
  for (const [i, kind] of kinds.entries()) {
    crowd.add({ name: `m${i}`, kind }, i === 0 ? [] : ["sim:m0"]);
    await crowd.world.runFor(100);
  }
  await crowd.settled();
  return crowd;
}

const oneNode = (tabs: number): ("node" | "tab")[] => ["node", ...Array.from({ length: tabs }, () => "tab" as const)];

describe("a newcomer", () => {
  test.each(seeds(1, 3))(
    "with one link to a busy node is meshed with tabs within 4 s, directly (seed %i)",
    async (seed) => {
      const swarm = await crowd(seed, oneNode(30));
      await swarm.world.runFor(20_000);
      const { links } = swarm.add({ name: "new", kind: "tab" }, ["sim:m0"]);
      await swarm.world.runUntil(() => links.all().length >= 6, { withinMs: 4_000, what: "six links" });
      for (const link of links.all()) expect(link.path().kind).toBe("direct");
    },
  );

  test("makes a small swarm complete", async () => {
    const swarm = await crowd(4, oneNode(7));
    await swarm.world.runUntil(() => swarm.nodes.every(({ links }) => links.all().length === 7), { withinMs: 5_000 });
  });

  test("without WebRTC is a member all the same, by relayed links", async () => {
    const swarm = await crowd(5, oneNode(5));
    const { links } = swarm.add({ name: "new", kind: "tab", relayReason: "no WebRTC in this browser" }, ["sim:m0"]);
    await swarm.world.runUntil(() => links.all().length === 6, { withinMs: 6_000 });
    expect(links.all().filter((link) => link.path().kind === "relayed").length).toBe(5);
  });
});

describe("the mesh", () => {
  test.each(seeds(1, 2))("stays within its degrees, and no link is missing its other end (seed %i)", async (seed) => {
    const swarm = await crowd(seed, oneNode(50));
    await swarm.world.runFor(60_000);
    const degrees = swarm.nodes.map(({ links }) => links.all().length);
    expect(Math.min(...degrees)).toBeGreaterThanOrEqual(6);
    expect(Math.max(...degrees)).toBeLessThanOrEqual(12);
    const mean = degrees.reduce((sum, degree) => sum + degree, 0) / degrees.length;
    expect(mean).toBeGreaterThan(7);
    expect(mean).toBeLessThan(10);
    const byPeer = new Map(swarm.nodes.map((node) => [node.peer, node]));
    const halves = swarm.nodes.flatMap(({ links, peer }) =>
      links.all().filter((link) => byPeer.get(link.peer)?.links.get(peer) === undefined),
    );
    // One that is made or closed at this moment is known to one end first.
    await swarm.world.runFor(2_000);
    const isHalf = ({ peer: far }: (typeof halves)[number], near: string): boolean =>
      byPeer.get(far)?.links.get(near) === undefined;
    for (const { links, peer } of swarm.nodes) {
      expect(links.all().filter((link) => halves.includes(link) && isHalf(link, peer))).toEqual([]);
    }
    // Links that are pruned are missed by nobody. A path that loses packets may stall long enough for a suspicion now
    // and then, which its subject refutes.
    const entries = swarm.world.journal.entries();
    const suspects = entries.filter(({ fields }) => fields["status"] === "suspect").map(({ fields }) => fields["peer"]);
    expect(new Set(suspects).size).toBeLessThanOrEqual(2);
    expect(entries.filter(({ fields }) => fields["status"] === "gone")).toEqual([]);
  });

  test.each([300, 2_200])(
    "does not give up its one living link because it still counts silent ones, %i ms after a cut",
    async (sinceMs) => {
      const swarm = await crowd(8, oneNode(30));
      await swarm.world.runFor(20_000);
      const one = swarm.nodes.find(({ machine, links }) => machine.name !== "m0" && links.all().length > 6);
      const other = swarm.nodes.find((node) => node.machine.name !== "m0" && one?.links.get(node.peer) !== undefined);
      if (one === undefined || other === undefined) throw new Error("Nobody has links to spare");
      const pair = new Set([one.machine.name, other.machine.name]);
      swarm.cut((name) => (pair.has(name) ? 1 : 0));
      // Nothing comes over the other links any more, and nobody is suspected yet.
      await swarm.world.runFor(sinceMs);
      expect(one.links.all().length).toBeGreaterThan(6);
      other.links.get(one.peer)?.send("overlay", encode({ prune: "ask" }));
      await swarm.world.runFor(1_500);
      expect(one.links.get(other.peer)).toBeDefined();
    },
  );

  test("goes on without the node that everyone came by, and links tabs anew", async () => {
    const swarm = await crowd(6, oneNode(24));
    await swarm.world.runFor(30_000);
    swarm.end("m0", "crash");
    await swarm.settled(6_000);
    const pairs = swarm.nodes.flatMap((a) =>
      swarm.nodes.filter((b) => b !== a && a.links.get(b.peer) === undefined).map((b) => [a, b] as const),
    );
    expect(pairs.length).toBeGreaterThan(0);
    for (const [a, b] of pairs.slice(0, 30)) {
      const link = await swarm.world.settle(a.overlay.connect(b.peer), { withinMs: 5_000 });
      expect(link.path().kind).toBe("direct");
    }
  });

  test("keeps a link while it is used", async () => {
    const swarm = await crowd(7, oneNode(40));
    await swarm.world.runFor(30_000);
    const a = swarm.node("m5");
    const b = swarm.nodes.find((node) => node !== a && a.links.get(node.peer) === undefined);
    if (b === undefined) throw new Error("Somebody is not linked to m5");
    await swarm.world.settle(a.overlay.connect(b.peer), { withinMs: 5_000 });
    for (let i = 0; i < 12; i++) {
      await swarm.world.runFor(5_000);
      a.overlay.touch(b.peer);
      expect(a.links.get(b.peer)).toBeDefined();
    }
  });
});

describe("a link on demand", () => {
  test("is dialled once for all who ask, and none of them waits for another's patience", async () => {
    const swarm = await crowd(8, oneNode(30));
    await swarm.world.runFor(20_000);
    const a = swarm.node("m5");
    const b = swarm.nodes.find((node) => node !== a && a.links.get(node.peer) === undefined);
    if (b === undefined) throw new Error("Somebody is not linked to m5");
    const impatient = new AbortController();
    const cancelled = a.overlay.connect(b.peer, { signal: impatient.signal }).catch((error: unknown) => error);
    const both = Promise.all([a.overlay.connect(b.peer), a.overlay.connect(b.peer)]);
    impatient.abort();
    expect(isStarfishError(await swarm.world.settle(cancelled, { withinMs: 10 }), "cancelled")).toBe(true);
    const [first, second] = await swarm.world.settle(both, { withinMs: 5_000 });
    expect(first).toBe(second);
  });

  test("waits for its turn where many are wanted at once", async () => {
    const swarm = await crowd(10, oneNode(40));
    await swarm.world.runFor(20_000);
    const { overlay, links, peer: self } = swarm.node("m5");
    const others = swarm.nodes.filter(({ peer }) => peer !== self && links.get(peer) === undefined);
    const dial = links.dial.bind(links);
    /** When those under way were begun; those of the last half second have their turn still. */
    const begun = new Set<{ readonly atMs: number }>();
    let most = 0;
    links.dial = (target, options) => {
      const own = { atMs: swarm.world.nowMs };
      begun.add(own);
      most = Math.max(most, [...begun].filter(({ atMs }) => own.atMs - atMs < 500).length);
      return dial(target, options).finally(() => begun.delete(own));
    };
    // One may fail: whoever was to introduce the two may just give up its link.
    const dials = Promise.allSettled(others.map(({ peer }) => overlay.connect(peer)));
    await swarm.world.settle(dials, { withinMs: 15_000 });
    expect(others.length).toBeGreaterThan(8);
    expect(most).toBe(8);
  });

  test("does not wait for dials that lead nowhere", async () => {
    const swarm = await crowd(10, oneNode(40));
    await swarm.world.runFor(20_000);
    const { overlay, links, peer: self } = swarm.node("m5");
    const others = swarm.nodes.filter(({ peer }) => peer !== self && links.get(peer) === undefined);
    const [reachable, ...lost] = others;
    if (reachable === undefined || lost.length < 16) throw new Error("m5 has few links of its own");
    const dial = links.dial.bind(links);
    links.dial = (target, options) =>
      target.peer === reachable.peer ? dial(target, options) : abortable(options.signal, new Promise(() => {}));
    for (const { peer } of lost.slice(0, 16)) overlay.connect(peer).catch(() => {});
    const link = await swarm.world.settle(overlay.connect(reachable.peer), { withinMs: 4_000 });
    expect(link.peer).toBe(reachable.peer);
  });

  test("to somebody who is gone is unreachable, soon", async () => {
    const swarm = await crowd(9, oneNode(10));
    const { peer } = swarm.node("m4");
    swarm.end("m4", "crash");
    await swarm.settled(6_000);
    const failure = swarm
      .node("m7")
      .overlay.connect(peer)
      .catch((error: unknown) => error);
    expect(isStarfishError(await swarm.world.settle(failure, { withinMs: 3_000 }), "unreachable")).toBe(true);
  });
});
