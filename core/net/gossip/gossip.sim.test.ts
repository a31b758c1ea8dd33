/** Gossip over real links and overlays of a simulated swarm. */
import { describe, expect, test } from "vitest";
import { Crowd } from "../../../test/sim/crowd.ts";
import { seeds } from "../../../test/sim/seeds.ts";
import { SimWorld } from "../../../test/sim/world.ts";
import { text, utf8 } from "../../base/bytes.ts";
import { encode } from "../../base/codec.ts";
import { isStarfishError } from "../../base/errors.ts";
import { PART_PROTOCOLS } from "../links/member-link.ts";
import { PAYLOAD_BYTES_MAX } from "./gossip.ts";

async function crowd(seed: number, size: number): Promise<Crowd> {
  const crowd = new Crowd(new SimWorld({ seed, path: { loss: 0.02 } }));
  for (let i = 0; i < size; i++) {
    crowd.add({ name: `m${i}`, kind: i % 4 === 0 ? "node" : "tab" });
    await crowd.world.runFor(100);
  }
  await crowd.settled();
  await crowd.world.runFor(10_000);
  return crowd;
}

/** Counts of each payload, by receiver. */
function listen(crowd: Crowd, topic: string): Map<string, Map<string, number>> {
  const received = new Map<string, Map<string, number>>();
  for (const { machine, gossip } of crowd.nodes) {
    const counts = new Map<string, number>();
    received.set(machine.name, counts);
    gossip.subscribe(topic, (payload, from) => {
      const key = `${crowd.nodes.find(({ peer }) => peer === from)?.machine.name ?? from}: ${text(payload).slice(0, 40)}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    });
  }
  return received;
}

describe("gossip", () => {
  test.each(seeds(1, 3))("reaches every member once, from many publishers at a time (seed %i)", async (seed) => {
    const swarm = await crowd(seed, 40);
    const received = listen(swarm, "news");
    for (let round = 0; round < 10; round++) {
      for (const name of ["m3", "m17", "m31"]) swarm.node(name).gossip.publish("news", utf8(`${round}`));
      await swarm.world.runFor(100);
    }
    await swarm.world.runFor(5_000);
    for (const [name, counts] of received) {
      expect(counts.size).toBe(["m3", "m17", "m31"].includes(name) ? 20 : 30);
      for (const count of counts.values()) expect(count).toBe(1);
    }
  });

  test("takes a few hundred ms, and about one copy for each member", async () => {
    const swarm = await crowd(4, 40);
    const received = listen(swarm, "news");
    const { gossip } = swarm.node("m5");
    for (let i = 0; i < 5; i++) {
      gossip.publish("news", utf8(`warm ${i}`));
      await swarm.world.runFor(1_000);
    }
    const bytes = (): number =>
      swarm.world.nodes.reduce(
        (sum, { machine }) => sum + (machine.sentByProtocol.get(PART_PROTOCOLS.gossip)?.bytes ?? 0),
        0,
      );
    const before = bytes();
    gossip.publish("news", new Uint8Array(10_000));
    const isThere = (): boolean => [...received.values()].filter((counts) => counts.size === 6).length === 39;
    const tookMs = await swarm.world.runUntil(isThere, { withinMs: 3_000, what: "everyone has it" });
    expect(tookMs).toBeLessThan(1_000);
    await swarm.world.runFor(3_000);
    expect((bytes() - before) / 10_000).toBeLessThan(1.3 * 39);
  });

  test("gets through while members die and links go", async () => {
    const swarm = await crowd(5, 40);
    const received = listen(swarm, "news");
    for (let round = 0; round < 8; round++) {
      swarm.node("m1").gossip.publish("news", utf8(`${round}`));
      swarm.end(`m${5 + 4 * round}`, round % 2 === 0 ? "crash" : "silent");
      await swarm.world.runFor(1_500);
    }
    await swarm.world.runFor(10_000);
    for (const { machine } of swarm.nodes) {
      if (machine.name === "m1") continue;
      const counts = received.get(machine.name);
      expect([machine.name, counts?.size]).toEqual([machine.name, 8]);
      for (const count of counts?.values() ?? []) expect(count).toBe(1);
    }
  });

  test("carries 64 KiB and refuses more", async () => {
    const swarm = await crowd(6, 6);
    const received = listen(swarm, "big");
    const { gossip } = swarm.node("m0");
    gossip.publish("big", new Uint8Array(PAYLOAD_BYTES_MAX));
    await swarm.world.runFor(3_000);
    expect([...received.values()].map((counts) => counts.size)).toEqual([0, 1, 1, 1, 1, 1]);
    let code = "";
    try {
      gossip.publish("big", new Uint8Array(PAYLOAD_BYTES_MAX + 1));
    } catch (error) {
      if (isStarfishError(error)) code = error.code;
    }
    expect(code).toBe("too-large");
  });

  test("keeps topics apart, and ends with the subscription", async () => {
    const swarm = await crowd(7, 4);
    const seen: string[] = [];
    const unsubscribe = swarm.node("m1").gossip.subscribe("a", (payload) => seen.push(text(payload)));
    swarm.node("m2").gossip.publish("b", utf8("other"));
    swarm.node("m2").gossip.publish("a", utf8("first"));
    await swarm.world.runFor(2_000);
    unsubscribe();
    swarm.node("m2").gossip.publish("a", utf8("second"));
    await swarm.world.runFor(2_000);
    expect(seen).toEqual(["first"]);
  });

  test("that is forged or altered is dropped where it appears, and counted against its link", async () => {
    const swarm = await crowd(8, 12);
    const received = listen(swarm, "news");
    const liar = swarm.node("m3");
    const [link] = liar.links.all();
    for (let i = 0; i < 5; i++)
      link?.send("gossip", encode({ bodies: [encode(["news", new Uint8Array(100).fill(i)])] }));
    await swarm.world.runFor(3_000);
    for (const counts of received.values()) expect(counts.size).toBe(0);
    const faults = swarm.world.journal.entries().filter(({ event }) => event === "net.misbehaved");
    expect(faults.length).toBe(5);
    expect(new Set(faults.map(({ fields }) => fields["peer"]))).toEqual(new Set([liar.peer]));
  });
});
