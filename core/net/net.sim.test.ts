/** Whole nodes on the simulated network: founding, joining, dying, coming back, and what strangers get. */
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { chain, say, Swarm } from "../../test/sim/nets.ts";
import { seeds } from "../../test/sim/seeds.ts";
import { text, utf8 } from "../base/bytes.ts";
import { isStarfishError, StarfishError } from "../base/errors.ts";
import { PART_PROTOCOLS } from "./links/member-link.ts";
import { PING_PROTOCOL } from "./net.ts";
import { FORWARD_PROTOCOL } from "./requests/forward.ts";
import type { MemberStatus, Net } from "./types.ts";

function statusOf(net: Net, of: Net): MemberStatus | undefined {
  return net.member(of.self)?.status;
}

describe("a swarm", () => {
  test("is founded by one node, who is its admin, alone and content", async () => {
    const swarm = new Swarm(1);
    const net = await swarm.up("a");
    await swarm.world.runFor(60_000);
    expect(net.role).toBe("admin");
    expect(net.members().map(say)).toEqual(["a:awake"]);
    expect(net.invite()).toMatch(/^v2\./);
    expect(await swarm.settle(net.ping(net.self))).toBeLessThan(5);
  });

  test.each(seeds(1, 3))(
    "grows by a chain of invites into one mesh, and survives its middle (seed %i)",
    async (seed) => {
      const swarm = await chain(seed);
      const [a, c] = [swarm.net("a"), swarm.net("c")];
      expect([a.role, c.role]).toEqual(["admin", "member"]);
      swarm.crash("b");
      const ms = await swarm.agreement(10_000);
      expect(ms).toBeLessThan(6_000);
      expect(await swarm.settle(a.ping(c.self))).toBeGreaterThan(0);
      const heard: string[] = [];
      c.subscribe("news", (payload, from) => heard.push(`${from === a.self} ${text(payload)}`));
      a.publish("news", utf8("still here"));
      await swarm.world.runUntil(() => heard.length === 1, { withinMs: 3_000 });
      expect(heard).toEqual(["true still here"]);
    },
  );

  test("takes a node back as the same, with its name, after a restart without the invite", async () => {
    const swarm = await chain(4);
    const before = swarm.net("b").self;
    swarm.net("b").update({ name: "bee" });
    await swarm.world.runFor(3_000);
    swarm.crash("b");
    await swarm.agreement(10_000);
    const again = await swarm.up("b", { name: undefined });
    expect(again.self).toBe(before);
    swarm.nets.delete("b");
    swarm.nets.set("bee", again);
    await swarm.agreement(10_000);
    expect(swarm.net("a").member(before)?.record.name).toBe("bee");
  });

  test("takes a node back that restarts before anyone has missed it, with its clock set back", async () => {
    const swarm = await chain(5);
    swarm.crash("b");
    swarm.world.node("b").jumpClock(-120_000);
    const b = await swarm.up("b");
    await swarm.world.runFor(5_000);
    await swarm.agreement(10_000);
    b.update({ coresLent: 3 });
    await swarm.world.runFor(3_000);
    expect(swarm.net("a").member(b.self)?.record.coresLent).toBe(3);
  });

  test("comes together again when all of it was down", async () => {
    const swarm = await chain(6);
    await swarm.world.runFor(90_000);
    for (const name of ["a", "b", "c"]) swarm.crash(name);
    await swarm.world.runFor(60_000);
    for (const name of ["c", "b", "a"]) await swarm.up(name);
    expect(await swarm.agreement(20_000)).toBeLessThan(20_000);
  });

  test("is looked for by its founder too, that was killed right after the first had joined", async () => {
    const swarm = new Swarm(11);
    const a = await swarm.up("a");
    const b = await swarm.up("b", { invite: a.invite() });
    await swarm.agreement(10_000);
    await swarm.world.runFor(2_000);
    const again = b.invite();
    for (const name of ["a", "b"]) swarm.crash(name);
    // Nobody looks for it, because nobody knows where it is now.
    await swarm.up("a");
    await swarm.world.runFor(2_000);
    expect(swarm.attempts.get("a")?.map((failure) => failure?.code)).toContain("unreachable");
    swarm.crash("a");
    // And what a person gives it comes first.
    await swarm.up("c", { invite: again });
    await swarm.world.runFor(2_000);
    expect((await swarm.up("a", { invite: swarm.net("c").invite() })).members().length).toBe(1);
    expect(await swarm.agreement(10_000)).toBeLessThan(10_000);
  });

  test("is looked for where it was last seen, when that could only be stored later", async () => {
    const swarm = new Swarm(12);
    const a = await swarm.up("a");
    const { store } = swarm.world.node("a").ports;
    const set = store.set.bind(store);
    let isFull = true;
    store.set = async (key, value) => {
      if (isFull) throw new StarfishError("io", "The disk is full");
      await set(key, value);
    };
    await swarm.up("b", { invite: a.invite() });
    await swarm.agreement(10_000);
    await swarm.world.runFor(10_000);
    isFull = false;
    await swarm.world.runFor(61_000);
    for (const name of ["a", "b"]) swarm.crash(name);
    await swarm.up("a");
    await swarm.world.runFor(2_000);
    expect(swarm.attempts.get("a")?.map((failure) => failure?.code)).toContain("unreachable");
  });

  test("hears a goodbye at once", async () => {
    const swarm = await chain(7);
    const [a, b] = [swarm.net("a"), swarm.net("b")];
    const leaving = b.leave();
    swarm.nets.delete("b");
    await swarm.world.runUntil(() => statusOf(a, b) === "gone", { withinMs: 500 });
    await swarm.settle(leaving);
    expect(a.member(b.self)?.record.state).toBe("left");
    expect((await swarm.failure(b.ping(a.self))).code).toBe("closed");
  });

  test("counts a sleeper as asleep until it says otherwise", async () => {
    const swarm = await chain(8);
    const [a, c] = [swarm.net("a"), swarm.net("c")];
    const { sent } = swarm.world.node("c").machine;
    const before = sent.messages;
    c.update({ state: "asleep" });
    // Browsers run nothing after the listeners of the event: by now it has to have been said.
    expect(sent.messages).toBeGreaterThan(before);
    await swarm.world.runUntil(() => statusOf(a, c) === "asleep", { withinMs: 3_000 });
    swarm.world.freeze("c");
    await swarm.world.runFor(60_000);
    expect(statusOf(a, c)).toBe("asleep");
    swarm.world.thaw("c");
    c.update({ state: "awake" });
    await swarm.agreement(20_000);
  });

  test("lives on among its tabs when its only node is gone, and links them anew", async () => {
    const swarm = new Swarm(9);
    const node = await swarm.up("node");
    for (const name of ["t1", "t2", "t3"]) await swarm.up(name, { invite: node.invite() }, "tab");
    await swarm.agreement(10_000);
    // Nodes need some time to have linked beyond the first.
    await swarm.world.runFor(10_000);
    swarm.crash("node");
    await swarm.agreement(10_000);
    const [one, two] = [swarm.net("t1"), swarm.net("t2")];
    expect(await swarm.settle(one.ping(two.self))).toBeGreaterThan(0);
  });

  test("waits for bootstrap addresses that come up later, and says how it goes", async () => {
    const swarm = new Swarm(10);
    const a = await swarm.up("a");
    const invite = a.invite();
    swarm.crash("a");
    const b = await swarm.up("b", { invite });
    await swarm.world.runFor(5 * 60_000);
    expect(b.members().length).toBe(1);
    expect(swarm.attempts.get("b")?.map((failure) => failure?.code)).toContain("unreachable");
    await swarm.up("a");
    await swarm.agreement(20_000);
    expect(swarm.attempts.get("b")?.at(-1)).toBeUndefined();
  });
});

describe("who is not let in", () => {
  test("learns why: another version", async () => {
    const swarm = new Swarm(20);
    const a = await swarm.up("a");
    await swarm.up("b", { invite: a.invite(), versions: { min: 9, max: 9 } });
    await swarm.world.runFor(10_000);
    expect(swarm.attempts.get("b")?.map((failure) => failure?.code)).toContain("version-mismatch");
    expect(a.members().length).toBe(1);
  });

  test("learns why: an invite that has run out, or none", async () => {
    const swarm = new Swarm(21);
    const a = await swarm.up("a");
    const invite = a.invite();
    const late = swarm.world.spawn({ name: "late", kind: "tab", skewMs: 3 * 365 * 86_400_000 });
    await expect(swarm.start(late, { invite })).rejects.toThrow(/expired/);
    const lost = swarm.world.spawn({ name: "lost", kind: "tab" });
    await expect(swarm.start(lost, { found: false })).rejects.toThrow(/invite link/);
  });

  test("gets no request, no gossip in clear and no introduction", async () => {
    const swarm = await chain(22);
    const a = swarm.net("a");
    let served = 0;
    a.handle("/secret/1.0.0", v.unknown(), async () => served++);
    await swarm.up("outsider");
    swarm.nets.delete("outsider");
    const { network } = swarm.world.node("outsider").ports;
    const link = await swarm.settle(network.dial({ addresses: ["sim:a"] }));
    const ends: unknown[] = [];
    const knock = async (protocol: string): Promise<void> => {
      const channel = await link.open(protocol);
      channel.onMessage(() => ends.push("message"));
      channel.onClose((error) => ends.push(error?.code));
      channel.send(utf8("?"));
    };
    for (const protocol of ["/secret/1.0.0", PART_PROTOCOLS.gossip, FORWARD_PROTOCOL, PING_PROTOCOL]) {
      knock(protocol).catch((error: unknown) => ends.push(isStarfishError(error) ? error.code : error));
    }
    a.publish("news", utf8("for members"));
    await swarm.world.runFor(15_000);
    expect(ends).toEqual(ends.map(() => "link-closed"));
    expect(ends.length).toBe(4);
    expect(served).toBe(0);
    expect(a.members().length).toBe(3);
  });
});
