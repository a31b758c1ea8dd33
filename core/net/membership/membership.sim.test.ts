/** Who knows of whom, and when: small swarms in which one thing happens at a time. */
import { describe, expect, test } from "vitest";
import { Crowd } from "../../../test/sim/crowd.ts";
import { isLong, seeds } from "../../../test/sim/seeds.ts";
import { SimWorld } from "../../../test/sim/world.ts";
import { encode } from "../../base/codec.ts";
import { utf8 } from "../../base/bytes.ts";
import { FAULTS_MAX } from "../limits.ts";
import { PART_PROTOCOLS } from "../links/member-link.ts";
import { LIFE_BYTES, readRecord, signRecord } from "./record.ts";
import { packIds } from "./rows.ts";
import { encodeSuspicion } from "./wire.ts";
import type { Member, MemberStatus } from "../types.ts";

async function crowd(seed: number, size: number, options: { throttled?: (i: number) => boolean } = {}): Promise<Crowd> {
  const crowd = new Crowd(new SimWorld({ seed, path: { loss: 0.02 } }));
  for (let i = 0; i < size; i++) {
    crowd.add({ name: `m${i}`, kind: i % 3 === 0 ? "node" : "tab", throttled: options.throttled?.(i) ?? false });
    await crowd.world.runFor(100);
  }
  await crowd.settled();
  await crowd.world.runFor(10_000);
  return crowd;
}

/** Runs until everyone else sees `name` as `status`, and returns how long that took. */
function seenAs(crowd: Crowd, peer: string, status: MemberStatus, withinMs: number): Promise<number> {
  const others = crowd.nodes.filter((node) => node.peer !== peer);
  const isSeen = (): boolean => others.every(({ membership }) => membership.member(peer)?.status === status);
  return crowd.world.runUntil(isSeen, {
    withinMs,
    everyMs: 20,
    what: `seen as ${status}`,
    describe: () => crowd.describe(),
  });
}

describe("a member that goes", () => {
  test.each(seeds(1, 3))("with a goodbye is gone at once (seed %i)", async (seed) => {
    const swarm = await crowd(seed, 20);
    const { peer } = swarm.node("m7");
    swarm.end("m7", "goodbye");
    await seenAs(swarm, peer, "gone", 1_500);
  });

  test.each(seeds(1, 3))("by a crash that closes its links is gone within 6 s (seed %i)", async (seed) => {
    const swarm = await crowd(seed, 20);
    const { peer } = swarm.node("m7");
    swarm.end("m7", "crash");
    await seenAs(swarm, peer, "gone", 6_000);
  });

  test.each(seeds(1, 3))("without a trace is gone within 10 s (seed %i)", async (seed) => {
    const swarm = await crowd(seed, 20, { throttled: (i) => i % 2 === 0 });
    const { peer } = swarm.node("m7");
    swarm.end("m7", "silent");
    await seenAs(swarm, peer, "gone", 10_000);
  });

  test("and the only one it knew goes with it: both are missed", async () => {
    const swarm = await crowd(4, 16);
    const { peer } = swarm.add({ name: "new", kind: "tab" }, ["sim:m0"]);
    await swarm.world.runUntil(() => swarm.node("m9").membership.member(peer) !== undefined, { withinMs: 3_000 });
    const first = swarm.node("m0").peer;
    swarm.end("new", "silent");
    swarm.end("m0", "silent");
    await seenAs(swarm, first, "gone", 10_000);
    await seenAs(swarm, peer, "gone", 20_000);
  });

  test("comes back as the same member, whatever its clock says", async () => {
    const swarm = await crowd(5, 10);
    const { peer } = swarm.node("m4");
    swarm.end("m4", "crash");
    await seenAs(swarm, peer, "gone", 6_000);
    swarm.world.node("m4").jumpClock(-3_600_000);
    swarm.restart("m4");
    await seenAs(swarm, peer, "awake", 5_000);
    await swarm.settled();
  });

  test("to sleep is asleep, not dead, and awake when it wakes", async () => {
    const swarm = await crowd(6, 10);
    const { peer, membership, machine } = swarm.node("m4");
    membership.update({ state: "asleep" });
    await seenAs(swarm, peer, "asleep", 1_000);
    swarm.world.freeze(machine);
    await swarm.world.runFor(60_000);
    await seenAs(swarm, peer, "asleep", 1);
    swarm.world.thaw(machine);
    membership.update({ state: "awake" });
    await seenAs(swarm, peer, "awake", 10_000);
    await swarm.settled();
  });
});

describe("a member that stays", () => {
  test("changes its record, and everyone learns of it", async () => {
    const swarm = await crowd(7, 20);
    const { peer, membership } = swarm.node("m4");
    membership.update({ name: "calm crab", coresLent: 3 });
    const isKnown = (): boolean =>
      swarm.nodes.every((node) => {
        const record = node.membership.member(peer)?.record;
        return record?.name === "calm crab" && record.coresLent === 3;
      });
    await swarm.world.runUntil(isKnown, { withinMs: 2_000, what: "all know the new name" });
  });

  test("and is suspected says so, and is never held for dead", async () => {
    const swarm = await crowd(8, 20);
    const { peer } = swarm.node("m4");
    const deaths: string[] = [];
    for (const { membership, machine } of swarm.nodes) {
      membership.onMember(({ member }) => {
        if (member.status === "gone") deaths.push(`${machine.name} on ${member.record.name}`);
      });
    }
    for (let round = 0; round < 5; round++) {
      swarm.node("m9").membership.doubt([peer]);
      await swarm.world.runFor(5_000);
    }
    expect(deaths).toEqual([]);
    await seenAs(swarm, peer, "awake", 100);
  });

  test("is not suspected for a link that closes before anything has come over it", async () => {
    const swarm = await crowd(10, 20);
    const suspected: string[] = [];
    for (const { membership } of swarm.nodes) {
      membership.onMember(({ member }) => {
        if (member.status === "suspect") suspected.push(member.record.name);
      });
    }
    const answerer = swarm.node("m3");
    const dialler = swarm.nodes.find(({ links, peer }) => peer !== answerer.peer && !links.get(answerer.peer));
    if (dialler === undefined) throw new Error("Somebody is not linked to m3");
    let ups = 0;
    answerer.links.onUp((link) => {
      if (link.peer !== dialler.peer) return;
      ups++;
      void link.close();
    });
    const { signal } = new AbortController();
    const dial = dialler.links.dial({ peer: answerer.peer, addresses: ["sim:m3"] }, { signal }).catch(() => undefined);
    await swarm.world.settle(dial, { withinMs: 10_000 });
    await swarm.world.runFor(5_000);
    expect(ups).toBeGreaterThan(0);
    // The other end has heard from m3 by then.
    expect(suspected).not.toContain(dialler.machine.name);
  });

  test.each(seeds(1, 3))(
    "with its timers throttled, as half of all, is never held for dead (seed %i)",
    async (seed) => {
      const swarm = await crowd(seed, 24, { throttled: (i) => i % 2 === 1 });
      const deaths: string[] = [];
      for (const { membership, machine } of swarm.nodes) {
        membership.onMember(({ member }) => {
          if (member.status === "gone") deaths.push(`${machine.name} on ${member.record.name}`);
        });
      }
      await swarm.world.runFor(120_000);
      expect(deaths).toEqual([]);
    },
  );

  test("and was frozen without a word comes back to life, and nobody else is doubted for it", async () => {
    const swarm = await crowd(9, 20);
    const { machine, membership, peer } = swarm.node("m4");
    swarm.world.freeze(machine);
    await seenAs(swarm, peer, "gone", 12_000);
    await swarm.world.runFor(60_000);
    swarm.world.thaw(machine);
    await swarm.settled();
    expect(membership.awake().length).toBe(20);
  });
});

describe("a swarm that is cut", () => {
  test.each([
    ["in halves", (i: number) => i % 2],
    ["with all Node.js nodes on one side", (i: number) => (i % 3 === 0 ? 0 : 1)],
    ["with one member apart", (i: number) => (i === 0 ? 0 : 1)],
    ["in three", (i: number) => Math.floor(i / 8)],
  ])("%s: each part is the whole, and healed they agree within 5 s", async (_, line) => {
    const swarm = await crowd(10, 24);
    for (const turn of [0, 1]) {
      const side = (name: string): number =>
        turn === 0 ? line(Number(name.slice(1))) : Math.floor(Number(name.slice(1)) / 12);
      swarm.cut(side);
      const isRight = (): boolean =>
        swarm.nodes.every(({ membership, machine }) => {
          const own = swarm.nodes.filter((other) => swarm.side(other.machine.name) === swarm.side(machine.name));
          return (
            membership.awake().length === own.length &&
            own.every(({ peer }) => membership.member(peer)?.status !== "gone")
          );
        });
      await swarm.world.runUntil(isRight, {
        withinMs: 10_000,
        everyMs: 50,
        what: "each side is right",
        describe: () => swarm.describe(),
      });
      await swarm.world.runFor(20_000);
      swarm.heal();
      await swarm.settled(5_000);
      await swarm.world.runFor(20_000);
    }
  });
});

describe("a member that lies", () => {
  test("can't speak for others: a record it altered or made up goes nowhere and is counted", async () => {
    const swarm = await crowd(11, 8);
    const liar = swarm.node("m2");
    const victim = liar.links.all()[0];
    if (victim === undefined) throw new Error("The liar has links");
    const target = swarm.nodes.find(({ peer }) => peer === victim.peer);
    const forged = encode([
      encode([1, "12D3KooWnobody", 9, "x", "tab", "d", [], 0, 0, 0, "awake", null]),
      new Uint8Array(64),
      [],
    ]);
    const before = target?.membership.members().length;
    for (let i = 0; i < 3; i++) victim.send("members", encode({ bodies: [encode([0, forged, utf8("")])] }));
    victim.send("members", encode({ bodies: [utf8("rubbish")] }));
    victim.send("members", utf8("rubbish"));
    await swarm.world.runFor(2_000);
    expect(target?.membership.members().length).toBe(before);
    const faults = swarm.world.journal
      .entries()
      .filter(({ event, node }) => event === "net.misbehaved" && node === target?.machine.name);
    expect(faults.length).toBeGreaterThan(0);
  });

  test("can't use up what is taken in of others by records that it forges", async () => {
    const swarm = await crowd(14, 8);
    const liar = swarm.node("m2");
    const [to] = liar.links.all();
    const target = swarm.nodes.find(({ peer }) => peer === to?.peer);
    const victim = swarm.nodes.find((node) => node !== liar && node !== target);
    if (to === undefined || target === undefined || victim === undefined) throw new Error("Somebody is missing");
    const known = target.membership.member(victim.peer)?.record;
    const own = target.membership.recordOf(victim.peer);
    if (known === undefined || own === undefined) throw new Error("The target knows everyone");
    const { random, crypto } = liar.machine.ports;
    const { chain } = readRecord(own);
    for (let i = 1; i <= FAULTS_MAX; i++) {
      const says = { ...known, incarnation: known.incarnation + 1_000 * i };
      const lives = { life: random.bytes(LIFE_BYTES), rival: undefined };
      const forged = signRecord(crypto, liar.machine.keys, chain, Infinity, says, lives);
      to.send("members", encode({ records: [forged.wire] }));
    }
    await swarm.world.runFor(200);
    victim.membership.update({ name: "renamed" });
    await swarm.world.runUntil(() => target.membership.member(victim.peer)?.record.name === "renamed", {
      withinMs: 1_500,
      what: "the target has heard of the victim's change",
    });
  });

  test("is answered with everyone's record no more often than honest ones ask", async () => {
    const swarm = await crowd(15, 8);
    const liar = swarm.node("m2");
    const [to] = liar.links.all();
    const target = swarm.nodes.find(({ peer }) => peer === to?.peer);
    if (to === undefined || target === undefined) throw new Error("The liar has links");
    const sentBytes = (): number => target.machine.machine.sentByProtocol.get(PART_PROTOCOLS.members)?.bytes ?? 0;
    const before = sentBytes();
    const nobody = new Uint8Array(0);
    const all = packIds(liar.membership.members().map(({ record }) => liar.membership.idOf(record.peer)));
    for (let i = 0; i < 300; i++) {
      to.send("members", encode({ digest: nobody }));
      to.send("members", encode({ want: all }));
      await swarm.world.runFor(10);
    }
    const recordsBytes = 8 * (target.membership.recordOf(liar.peer)?.length ?? 0);
    expect(recordsBytes).toBeGreaterThan(2_000);
    // Thirty answers, and what it says besides; not six hundred.
    expect(sentBytes() - before).toBeLessThan(60 * recordsBytes);
    await swarm.settled();
  });

  test("and accuses everyone again as soon as they have answered brings nobody down", async () => {
    // Each accusation goes to everyone, so the cost grows with the square.
    const size = isLong ? 25 : 16;
    const swarm = await crowd(13, size);
    const liar = swarm.node("m2");
    const deaths: string[] = [];
    for (const { membership } of swarm.nodes) {
      membership.onMember(({ member }) => {
        if (member.status === "gone") deaths.push(member.record.name);
      });
    }
    const accused = new Map<string, number>();
    const isNew = ({ record, isSelf }: Member): boolean => !isSelf && accused.get(record.peer) !== record.incarnation;
    for (let round = 0; round < 240; round++) {
      const members = liar.membership.awake().filter(isNew);
      for (const { record } of members) accused.set(record.peer, record.incarnation);
      const rows = members.map(({ record }) => ({
        id: liar.membership.idOf(record.peer),
        incarnation: record.incarnation,
      }));
      // In the names of as many as make it run its least time.
      for (const by of rows.length > 0 ? [1, 2, 3, 4] : []) {
        const body = encodeSuspicion(by, rows, round);
        for (const link of liar.links.all()) link.send("members", encode({ bodies: [body] }));
      }
      await swarm.world.runFor(50);
    }
    expect(accused.size).toBe(size - 1);
    await swarm.world.runFor(5_000);
    expect(deaths).toEqual([]);
    await swarm.settled();
  });
});
