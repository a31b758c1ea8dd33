/**
 * Admission and conduct on the simulated network: who gets a link, who does not and why, and how a link is lost again.
 */
import { describe, expect, test } from "vitest";
import { SimWorld } from "../../../test/sim/world.ts";
import type { SimNode } from "../../../test/sim/node.ts";
import { utf8 } from "../../base/bytes.ts";
import { isStarfishError, StarfishError } from "../../base/errors.ts";
import type { Crypto, KeyPair } from "../../ports/crypto.ts";
import { greet, HELLO_PROTOCOL, LIFE_BYTES, type Pass } from "./admission.ts";
import { issue, swarmIdOf, type Chain, type Statement } from "../identity/certificate.ts";
import {
  CLOCK_TOLERANCE_MS,
  FAULTS_MAX,
  MISBEHAVED_MS,
  PART_MESSAGE_BYTES_MAX,
  REFUSED_MS,
  STRANGERS_MAX,
} from "../limits.ts";
import { createLinkTable, type LinkTable } from "./link-table.ts";
import type { AdmittedLink } from "./links.ts";
import type { LobbyPorts, Refusal } from "./lobby.ts";
import { PART_PROTOCOLS } from "./member-link.ts";
import { swarmClock } from "../time/swarm-clock.ts";
import { CommonTime } from "../time/time.ts";

const DAY = 86_400_000;

/** A swarm's keys, to sign whatever a test needs. */
class Authority {
  readonly root: KeyPair;
  readonly delegate: KeyPair;
  readonly swarm: string;
  readonly delegation: Uint8Array;
  readonly #crypto: Crypto;

  constructor(crypto: Crypto, seed: number) {
    this.#crypto = crypto;
    this.root = crypto.keyPair(new Uint8Array(32).fill(seed));
    this.delegate = crypto.keyPair(new Uint8Array(32).fill(seed + 100));
    this.swarm = swarmIdOf(this.root.publicKey);
    this.delegation = this.sign(this.root, this.delegate.publicKey, { kind: "delegate", notAfterMs: 1e14 });
  }

  sign(issuer: KeyPair, subject: Uint8Array, says: Partial<Statement> = {}): Uint8Array {
    const statement = { kind: "member", role: "member", notBeforeMs: 0, notAfterMs: 1e14, ...says } as const;
    return issue(this.#crypto, issuer, { swarm: this.root.publicKey, subject, ...statement });
  }

  chainFor(node: SimNode, says: Partial<Statement> = {}): Chain {
    return [this.delegation, this.sign(this.delegate, node.keys.publicKey, says)];
  }
}

interface Party {
  readonly node: SimNode;
  readonly table: LinkTable;
  readonly received: string[];
  readonly refusals: Refusal[];
  readonly ups: string[];
  readonly downs: string[];
}

/** The machine's ports, with a time that is its own clock's. */
function portsOf({ ports }: SimNode): LobbyPorts {
  return { ...ports, clock: swarmClock(ports.clock, new CommonTime(ports.clock, { hasOthers: false })) };
}

class Scene {
  readonly world: SimWorld;
  readonly authority: Authority;

  constructor(seed: number) {
    this.world = new SimWorld({ seed });
    this.authority = new Authority(this.world.crypto, 1);
  }

  party(name: string, pass: Partial<Pass> = {}, kind: "node" | "tab" = "node"): Party {
    return this.tableOn(this.world.spawn({ name, kind }), pass);
  }

  tableOn(node: SimNode, pass: Partial<Pass> = {}): Party {
    const { swarm } = this.authority;
    const shown: Omit<Pass, "life"> = {
      swarm,
      chain: this.authority.chainFor(node),
      versions: { min: 1, max: 1 },
      ...pass,
    };
    const party: Party = {
      node,
      table: createLinkTable(() => shown)(portsOf(node)),
      received: [],
      refusals: [],
      ups: [],
      downs: [],
    };
    party.table.onUp(({ peer }) => void party.ups.push(peer));
    party.table.onDown(({ peer }) => void party.downs.push(peer));
    party.table.onRefused((refusal) => void party.refusals.push(refusal));
    party.table.receive("members", (_, message) => void party.received.push(new TextDecoder().decode(message)));
    party.table.receive("gossip", () => {
      throw new StarfishError("malformed", "Not gossip");
    });
    return party;
  }

  dial(from: Party, to: Party): Promise<AdmittedLink> {
    const target = { addresses: [`sim:${to.node.name}`] };
    return from.table.dial(target, { signal: new AbortController().signal });
  }

  async link(from: Party, to: Party): Promise<AdmittedLink> {
    const link = await this.world.settle(this.dial(from, to), { withinMs: 5_000 });
    await this.world.runUntil(() => to.table.get(from.node.peer) !== undefined, { withinMs: 1_000 });
    return link;
  }

  async refusal(from: Party, to: Party, withinMs = 15_000): Promise<StarfishError> {
    const outcome = await this.world.settle(
      this.dial(from, to).then(
        () => new Error("The dial was accepted"),
        (error: unknown) => error,
      ),
      { withinMs },
    );
    if (outcome instanceof StarfishError) return outcome;
    throw outcome;
  }
}

describe("members", () => {
  test("are admitted at both ends and exchange messages", async () => {
    const scene = new Scene(1);
    const [a, b] = [scene.party("a"), scene.party("b")];
    const link = await scene.link(a, b);
    expect(link).toMatchObject({ peer: b.node.peer, role: "member", inbound: false });
    link.send("members", utf8("hello"));
    b.table.get(a.node.peer)?.send("members", utf8("welcome"));
    await scene.world.runUntil(() => a.received.length === 1 && b.received.length === 1, { withinMs: 1_000 });
    expect([a.received, b.received]).toEqual([["welcome"], ["hello"]]);
    expect(await scene.world.settle(scene.dial(a, b), { withinMs: 1_000 })).toBe(link);
  });

  test.each([1, 2, 3, 4, 5])("who dial each other at the same moment have one link (seed %i)", async (seed) => {
    const scene = new Scene(seed);
    const [a, b] = [scene.party("a"), scene.party("b")];
    const both = Promise.all([scene.dial(a, b), scene.dial(b, a)]);
    await scene.world.settle(both, { withinMs: 5_000 });
    await scene.world.runFor(15_000);
    a.table.all()[0]?.send("members", utf8("1"));
    b.table.all()[0]?.send("members", utf8("2"));
    await scene.world.runFor(1_000);
    expect([a.received, b.received]).toEqual([["2"], ["1"]]);
    expect([a.table.all().length, b.table.all().length]).toEqual([1, 1]);
    expect([a.refusals, b.refusals]).toEqual([[], []]);
  });

  test("that crash and come back take the place of their stale link", async () => {
    const scene = new Scene(3);
    const a = scene.party("a");
    const b = scene.party("b");
    await scene.link(b, a);
    scene.world.crash(b.node, { silent: true });
    const again = scene.tableOn(scene.world.restart(b.node));
    const link = await scene.link(again, a);
    expect(a.table.all().length).toBe(1);
    link.send("members", utf8("I am back"));
    await scene.world.runUntil(() => a.received.includes("I am back"), { withinMs: 1_000 });
    expect(a.ups.length).toBe(2);
    expect(a.downs.length).toBe(1);
  });

  test("that start anew behind the same link are asked to dial again", async () => {
    const scene = new Scene(8);
    const [a, b] = [scene.party("a"), scene.party("b")];
    await scene.link(a, b);
    const { ports, peer } = b.node;
    const { swarm } = scene.authority;
    const helloAgain = async (life: Uint8Array): Promise<void> => {
      const link = ports.network.links()[0];
      const channel = await link?.open(HELLO_PROTOCOL);
      if (channel === undefined) throw new Error("There is a link");
      const pass = { swarm, chain: scene.authority.chainFor(b.node), versions: { min: 1, max: 1 }, life };
      await greet(channel, a.node.peer, pass, portsOf(b.node), new AbortController().signal);
    };
    await scene.world.settle(helloAgain(new Uint8Array(LIFE_BYTES)), { withinMs: 1_000 });
    await scene.world.runUntil(() => a.downs.length === 1 && b.downs.length === 1, { withinMs: 1_000 });
    await scene.link(b, a);
    expect(a.ups).toEqual([peer, peer]);
    expect(a.refusals).toEqual([]);
  });

  test("close in peace, with their last words delivered", async () => {
    const scene = new Scene(4);
    const [a, b] = [scene.party("a"), scene.party("b")];
    const link = await scene.link(a, b);
    link.send("members", utf8("goodbye"));
    await scene.world.settle(a.table.close(), { withinMs: 5_000 });
    await scene.world.runUntil(() => b.downs.length === 1, { withinMs: 1_000 });
    expect(b.received).toEqual(["goodbye"]);
    expect(a.downs).toEqual([b.node.peer]);
  });

  test("lose their link when their certificate runs out", async () => {
    const scene = new Scene(5);
    const a = scene.party("a");
    const node = scene.world.spawn({ name: "b", kind: "node" });
    const notAfterMs = node.ports.clock.now() + 60_000;
    const b = scene.tableOn(node, { chain: scene.authority.chainFor(node, { notAfterMs }) });
    await scene.link(b, a);
    await scene.world.runFor(CLOCK_TOLERANCE_MS);
    expect(a.downs).toEqual([]);
    await scene.world.runFor(2 * 60_000);
    expect(a.downs).toEqual([node.peer]);
    await scene.world.runFor(REFUSED_MS);
    expect((await scene.refusal(b, a)).message).toMatch(/expired/);
  });

  test("queue early channels until the hello is through", async () => {
    const scene = new Scene(6);
    const [a, b] = [scene.party("a"), scene.party("b")];
    const heard: string[] = [];
    b.table.accept("/early/1.0.0", (channel, link) => {
      channel.onMessage((message) => heard.push(`${link.role} ${new TextDecoder().decode(message)}`));
    });
    const sendEarly = async (): Promise<void> => {
      const link = await a.node.ports.network.dial({ addresses: ["sim:b"] });
      const channel = await link.open("/early/1.0.0");
      channel.send(utf8("first"));
    };
    await scene.world.settle(sendEarly(), { withinMs: 5_000 });
    await scene.world.runUntil(() => heard.length === 1, { withinMs: 5_000 });
    expect(heard).toEqual(["member first"]);
  });
});

describe("who is refused gets nothing, is told why, and is left alone", () => {
  const cases: [string, (scene: Scene, node: SimNode) => Partial<Pass>, string, RegExp][] = [
    ["no certificate", () => ({ chain: [] }), "not-a-member", /No certificate/],
    [
      "another swarm's",
      (scene, node) => {
        const other = new Authority(scene.world.crypto, 7);
        return { swarm: other.swarm, chain: other.chainFor(node) };
      },
      "wrong-swarm",
      /different swarms/,
    ],
    [
      "another swarm's under our swarm's name",
      (scene, node) => ({ chain: new Authority(scene.world.crypto, 7).chainFor(node) }),
      "wrong-swarm",
      /another swarm/,
    ],
    [
      "expired",
      (scene, node) => ({ chain: scene.authority.chainFor(node, { notAfterMs: node.ports.clock.now() - DAY }) }),
      "bad-certificate",
      /expired/,
    ],
    [
      "of another PeerId",
      (scene) => ({ chain: scene.authority.chainFor(scene.world.spawn({ name: "other", kind: "node" })) }),
      "bad-certificate",
      /another node/,
    ],
    [
      "a raised role",
      (scene, node) => ({ chain: scene.authority.chainFor(node, { role: "admin" }) }),
      "bad-certificate",
      /role "admin" is above/,
    ],
    ["a cut chain", (scene, node) => ({ chain: scene.authority.chainFor(node).slice(1) }), "bad-certificate", /cut/],
    [
      "a reordered chain",
      (scene, node) => ({ chain: scene.authority.chainFor(node).toReversed() }),
      "bad-certificate",
      /out of order/,
    ],
  ];

  test.each(cases)("%s", async (_, passOf, code, message) => {
    const scene = new Scene(10);
    const member = scene.party("member");
    const node = scene.world.spawn({ name: "guest", kind: "node" });
    const guest = scene.tableOn(node, passOf(scene, node));
    const error = await scene.refusal(guest, member);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
    expect(guest.refusals).toMatchObject([{ by: "them", peer: member.node.peer }]);
    expect(member.refusals).toMatchObject([{ by: "us", peer: node.peer }]);
    await scene.world.runFor(2_000);
    expect(member.node.ports.network.links()).toEqual([]);
    expect([member.ups, guest.ups]).toEqual([[], []]);
    expect((await scene.refusal(guest, member)).code).toBe("unreachable");
    await scene.world.runFor(REFUSED_MS);
    expect((await scene.refusal(guest, member)).code).toBe(code);
  });

  test.each(cases)("%s, shown by who was dialled", async (_, passOf, code) => {
    const scene = new Scene(11);
    const member = scene.party("member");
    const node = scene.world.spawn({ name: "host", kind: "node" });
    const host = scene.tableOn(node, passOf(scene, node));
    // The host refuses us if it believes in another swarm; otherwise we refuse it.
    expect((await scene.refusal(member, host)).code).toBe(code);
    await scene.world.runFor(2_000);
    expect([member.ups, host.ups]).toEqual([[], []]);
    expect(member.table.all()).toEqual([]);
  });

  test("channels of a stranger are held, bounded, and refused", async () => {
    const scene = new Scene(12);
    const member = scene.party("member");
    let accepted = 0;
    member.table.accept("/secret/1.0.0", () => accepted++);
    const stranger = scene.world.spawn({ name: "stranger", kind: "node" });
    const link = await scene.world.settle(stranger.ports.network.dial({ addresses: ["sim:member"] }), {
      withinMs: 1_000,
    });
    const ends: (StarfishError | undefined)[] = [];
    const knock = async (protocol: string): Promise<void> => {
      const channel = await link.open(protocol);
      channel.onClose((error) => ends.push(error));
      channel.send(utf8("let me in"));
    };
    for (const protocol of Object.values(PART_PROTOCOLS)) void knock(protocol);
    for (let i = 0; i < 50; i++) void knock("/secret/1.0.0");
    await scene.world.runUntil(() => ends.length === 53, { withinMs: 15_000 });
    expect(ends.every((error) => error !== undefined)).toBe(true);
    expect([accepted, member.received.length]).toEqual([0, 0]);
  });

  test("who says nothing is told nothing, keeps nobody out, and is gone after ten seconds", async () => {
    const scene = new Scene(13);
    const member = scene.party("member");
    const strangers = Array.from({ length: STRANGERS_MAX + 10 }, (_, i) =>
      scene.world.spawn({ name: `s${i}`, kind: "node" }),
    );
    let hellos = 0;
    for (const { ports } of strangers) {
      ports.network.handle(HELLO_PROTOCOL, () => hellos++);
      ports.network.dial({ addresses: ["sim:member"] }).catch(() => {});
    }
    await scene.world.runFor(2_000);
    expect(member.node.ports.network.links().length).toBe(STRANGERS_MAX);
    const friend = scene.party("friend");
    await scene.link(friend, member);
    await scene.world.runFor(10_000);
    expect(member.node.ports.network.links().map(({ peer }) => peer)).toEqual([friend.node.peer]);
    expect(hellos).toBe(0);
  });

  test("two that dial each other at once are linked, whoever each takes for the one who dialled", async () => {
    for (let seed = 20; seed < 40; seed++) {
      const scene = new Scene(seed);
      const [a, b] = [scene.party("a"), scene.party("b")];
      const both = Promise.all([scene.dial(a, b), scene.dial(b, a)]);
      await scene.world.settle(both, { withinMs: 1_000 });
      await scene.world.runFor(1_000);
      expect([a.table.all().length, b.table.all().length]).toEqual([1, 1]);
    }
  });
});

test("another version is told so at both ends, and nobody is punished", async () => {
  for (const versions of [
    { min: 2, max: 3 },
    { min: 0, max: 0 },
  ]) {
    const scene = new Scene(20);
    const now = scene.party("now");
    const other = scene.party("other", { versions });
    for (const [from, to] of [
      [now, other],
      [other, now],
    ] as const) {
      // Twice: the first attempt has cost nobody anything.
      for (let i = 0; i < 2; i++) {
        const error = await scene.refusal(from, to);
        expect(error.code).toBe("version-mismatch");
        expect(error.message).toMatch(/protocol 1.*protocols? (2 to 3|0)|protocols? (2 to 3|0).*protocol 1/);
        await scene.world.runFor(2_000);
      }
    }
    for (const { refusals } of [now, other]) {
      expect(refusals.map(({ error }) => error.code)).toEqual(Array.from({ length: 4 }, () => "version-mismatch"));
    }
  }
});

test("a peer that knows no hello is taken for another version", async () => {
  const scene = new Scene(21);
  const member = scene.party("member");
  const node = scene.world.spawn({ name: "mute", kind: "node" });
  void node.ports.network;
  const mute: Party = { ...member, node };
  expect((await scene.refusal(member, mute)).code).toBe("version-mismatch");
});

describe("a member that misbehaves", () => {
  async function pair(seed: number): Promise<{ scene: Scene; a: Party; b: Party; link: AdmittedLink }> {
    const scene = new Scene(seed);
    const [a, b] = [scene.party("a"), scene.party("b")];
    return { scene, a, b, link: await scene.link(a, b) };
  }

  test("by malformed messages loses its link, stays out for a while, and may come back", async () => {
    const { scene, a, b, link } = await pair(30);
    for (let i = 0; i <= FAULTS_MAX; i++) link.send("gossip", utf8("rubbish"));
    await scene.world.runUntil(() => b.downs.length === 1 && a.downs.length === 1, { withinMs: 5_000 });
    expect((await scene.refusal(a, b)).code).toBe("unreachable");
    await scene.world.runFor(MISBEHAVED_MS);
    await scene.link(a, b);
  });

  test("now and then keeps it: faults fade", async () => {
    const { scene, b, link } = await pair(31);
    for (let i = 0; i < 5 * FAULTS_MAX; i++) {
      link.send("gossip", utf8("rubbish"));
      await scene.world.runFor(10_000);
    }
    expect(b.downs).toEqual([]);
  });

  test("by flooding loses its link", async () => {
    const { scene, a, b, link } = await pair(32);
    let sent = 0;
    while (b.downs.length === 0 && sent < 50_000) {
      for (let i = 0; i < 100; i++, sent++) link.send("members", utf8("x"));
      await scene.world.runFor(10);
    }
    expect(b.downs).toEqual([a.node.peer]);
    expect(sent).toBeLessThan(10_000);
  });

  test("sends nothing oversized by accident, and is counted if it does", async () => {
    const { scene, a, b, link } = await pair(33);
    const oversized = new Uint8Array(PART_MESSAGE_BYTES_MAX + 1);
    expect(() => link.send("members", oversized)).toThrow(/bytes; at most/);
    const channel = await scene.world.settle(link.open(PART_PROTOCOLS.members), { withinMs: 1_000 });
    for (let i = 0; i <= FAULTS_MAX; i++) channel.send(oversized);
    await scene.world.runUntil(() => b.downs.length === 1, { withinMs: 5_000 });
    expect(b.received).toEqual([]);
    expect(a.node.running).toBe(true);
  });

  test("by opening channels without end loses its link", async () => {
    const { scene, b, link } = await pair(34);
    b.table.accept("/some/1.0.0", () => {});
    let opened = 0;
    while (b.downs.length === 0 && opened < 50_000) {
      for (let i = 0; i < 100; i++, opened++) link.open("/some/1.0.0").catch(() => {});
      await scene.world.runFor(10);
    }
    expect(b.downs.length).toBe(1);
  });
});

test("10,000 fuzzed hellos and messages crash nothing", async () => {
  const scene = new Scene(40);
  const { world } = scene;
  const target = scene.party("target");
  const bystander = scene.party("bystander");
  await scene.link(bystander, target);
  const random = world.random.fork("fuzz");
  const sample = (): Uint8Array => random.bytes(Math.floor(random.real() ** 3 * 5_000));
  for (let i = 0; i < 100; i++) {
    const stranger = world.spawn({ name: `fuzz${i}`, kind: "node" });
    stranger.ports.network.handle(HELLO_PROTOCOL, (channel) => channel.send(sample()));
    const attack = async (): Promise<void> => {
      const link = await stranger.ports.network.dial({ addresses: ["sim:target"] });
      const protocols = [HELLO_PROTOCOL, ...Object.values(PART_PROTOCOLS)];
      for (const protocol of protocols) {
        const channel = await link.open(protocol);
        for (let j = 0; j < 25; j++) channel.send(sample());
      }
    };
    await world.settle(
      attack().catch((error: unknown) => {
        if (!isStarfishError(error)) throw error;
      }),
      { withinMs: 30_000 },
    );
  }
  await world.runFor(60_000);
  expect(target.table.all().map(({ peer }) => peer)).toEqual([bystander.node.peer]);
  bystander.table.all()[0]?.send("members", utf8("still there?"));
  await world.runUntil(() => target.received.includes("still there?"), { withinMs: 1_000 });
  expect(world.journal.entries().filter(({ level }) => level === "error")).toEqual([]);
});
