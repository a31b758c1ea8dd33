/** Requests between whole nodes: replies, refusals, deadlines, cancellation and bounds. */
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { ADD, adders, WAIT } from "../../../test/sim/adders.ts";
import { Swarm } from "../../../test/sim/nets.ts";
import { encode } from "../../base/codec.ts";
import { isStarfishError } from "../../base/errors.ts";
import { MESSAGE_BYTES_MAX, type Link } from "../../ports/network.ts";
import { DELIVER_PROTOCOL, FORWARD_PROTOCOL } from "./forward.ts";
import { HELLO_PROTOCOL } from "../links/admission.ts";
import { ASKED_PER_PEER_MAX, FAULTS_MAX, KEPT_CHANNEL_MS, KEPT_CHANNELS_MAX, SERVED_PER_PEER_MAX } from "../limits.ts";
import { PART_PROTOCOLS } from "../links/member-link.ts";
import { PING_PROTOCOL } from "../net.ts";

describe("a request", () => {
  test("gets its reply, from any member and from oneself", async () => {
    const { swarm } = await adders(1);
    const [a, c] = [swarm.net("a"), swarm.net("c")];
    expect(await swarm.settle(a.request(c.self, ADD, [2, 3], v.number()))).toBe(5);
    expect(await swarm.settle(c.request(a.self, ADD, [4, 3], v.number()))).toBe(7);
    expect(await swarm.settle(a.request(a.self, ADD, [1, 1], v.number()))).toBe(2);
  });

  test("fails with the handler's own code and message, or with nothing that is private", async () => {
    const { swarm } = await adders(2);
    const [a, c] = [swarm.net("a"), swarm.net("c")];
    const error = await swarm.failure(a.request(c.self, ADD, [2, 0], v.number()));
    expect(error).toMatchObject({ code: "no-cores", message: "Nothing to add" });
    const bug = await swarm.failure(a.request(c.self, ADD, [2, -1], v.number()));
    expect(bug.code).toBe("remote-failure");
    expect(bug.message).not.toMatch(/secret/);
    expect(swarm.world.journal.entries().some(({ event }) => event === "net.handler")).toBe(true);
  });

  test("that does not match never reaches the handler, and costs the link in the end", async () => {
    const { swarm, served } = await adders(3);
    const [a, c] = [swarm.net("a"), swarm.net("c")];
    for (let i = 0; i <= FAULTS_MAX; i++) {
      const error = await swarm.failure(a.request(c.self, ADD, ["two", 3], v.number()));
      expect(["malformed", "link-closed", "unreachable"]).toContain(error.code);
    }
    expect(served).toEqual([]);
    expect(c.links().some(({ peer }) => peer === a.self)).toBe(false);
  });

  test("with a reply that does not match is refused", async () => {
    const { swarm } = await adders(4);
    const error = await swarm.failure(swarm.net("a").request(swarm.net("c").self, ADD, [2, 3], v.string()));
    expect(error.code).toBe("malformed");
  });

  test("for what nobody serves, or to nobody, or too large, says so", async () => {
    const { swarm } = await adders(5);
    const [a, c] = [swarm.net("a"), swarm.net("c")];
    expect((await swarm.failure(a.request(c.self, "/no/1.0.0", 1, v.number()))).code).toBe("unknown-protocol");
    const nobody = new Swarm(99);
    const stranger = (await nobody.up("x")).self;
    expect((await swarm.failure(a.request(stranger, ADD, [1, 2], v.number()))).code).toBe("unreachable");
    const large = new Uint8Array(MESSAGE_BYTES_MAX);
    expect((await swarm.failure(a.request(c.self, ADD, large, v.number()))).code).toBe("too-large");
  });

  test("ends at its deadline, and the server hears of it", async () => {
    const { swarm, cancelled } = await adders(6);
    const [a, c] = [swarm.net("a"), swarm.net("c")];
    const error = await swarm.failure(a.request(c.self, WAIT, 60_000, v.number(), { timeoutMs: 1_000 }));
    expect(error).toMatchObject({ code: "timeout", retryable: true });
    await swarm.world.runUntil(() => cancelled.length === 1, { withinMs: 1_000 });
  });

  test("is cancelled at both ends", async () => {
    const { swarm, cancelled } = await adders(7);
    const [a, c] = [swarm.net("a"), swarm.net("c")];
    const controller = new AbortController();
    const asking = a.request(c.self, WAIT, 60_000, v.number(), { signal: controller.signal, timeoutMs: 120_000 });
    asking.catch(() => {});
    await swarm.world.runFor(1_000);
    controller.abort();
    expect((await swarm.failure(asking)).code).toBe("cancelled");
    await swarm.world.runUntil(() => cancelled.length === 1, { withinMs: 1_000 });
  });

  test("fails at once when the server dies", async () => {
    const { swarm } = await adders(8);
    const [a, c] = [swarm.net("a"), swarm.net("c")];
    const asking = a.request(c.self, WAIT, 60_000, v.number(), { timeoutMs: 120_000 });
    asking.catch(() => {});
    await swarm.world.runFor(1_000);
    swarm.crash("c");
    expect((await swarm.failure(asking)).code).toBe("link-closed");
  });

  test("beyond the bounds is refused as busy, and those within are served", async () => {
    const { swarm } = await adders(9);
    const [a, c] = [swarm.net("a"), swarm.net("c")];
    const outcomes = Array.from({ length: ASKED_PER_PEER_MAX + 20 }, () =>
      a.request(c.self, WAIT, 2_000, v.number(), { timeoutMs: 20_000 }).then(
        () => "served",
        (error: unknown) => (isStarfishError(error) ? error.code : error),
      ),
    );
    const results = await swarm.settle(Promise.all(outcomes));
    expect(results.filter((result) => result === "served").length).toBe(
      Math.min(ASKED_PER_PEER_MAX, SERVED_PER_PEER_MAX),
    );
    expect(results.filter((result) => result === "busy").length).toBe(20);
    expect(await swarm.settle(a.request(c.self, ADD, [2, 3], v.number()))).toBe(5);
  });
});

describe("requests that keep their channel", () => {
  /** Requests of a to c, and how many channels they have opened. */
  async function talk(seed: number): Promise<{
    swarm: Swarm;
    opened: () => number;
    ask: (protocol: string, request: unknown, signal?: AbortSignal) => Promise<number>;
  }> {
    const { swarm } = await adders(seed);
    const [a, c] = [swarm.net("a"), swarm.net("c")];
    const { network } = swarm.world.node("a").ports;
    const toC = network.links().find(({ peer }) => peer === c.self);
    if (toC === undefined) throw new Error("a is linked to c");
    let count = 0;
    const open = toC.open.bind(toC);
    toC.open = (protocol, options) => {
      if (protocol === ADD || protocol === WAIT) count++;
      return open(protocol, options);
    };
    const ask = (protocol: string, request: unknown, signal?: AbortSignal): Promise<number> =>
      a.request(c.self, protocol, request, v.number(), { keepAlive: true, signal });
    return { swarm, opened: () => count, ask };
  }

  test("share it, one after the other, also after one that failed", async () => {
    const { swarm, opened, ask } = await talk(40);
    for (let i = 1; i <= 20; i++) expect(await swarm.settle(ask(ADD, [i, i]))).toBe(2 * i);
    expect((await swarm.failure(ask(ADD, [1, 0]))).code).toBe("no-cores");
    expect(await swarm.settle(ask(ADD, [3, 4]))).toBe(7);
    expect(opened()).toBe(1);
  });

  test("have one each when they are many at once, of which some are kept", async () => {
    const { swarm, opened, ask } = await talk(41);
    const many = async (): Promise<number[]> =>
      swarm.settle(Promise.all(Array.from({ length: 10 }, (_, i) => ask(ADD, [i, 1]))));
    expect(await many()).toEqual(Array.from({ length: 10 }, (_, i) => i + 1));
    expect(opened()).toBe(10);
    await many();
    expect(opened()).toBe(20 - KEPT_CHANNELS_MAX);
  });

  test("leave none behind that nobody needs any more", async () => {
    const { swarm, opened, ask } = await talk(42);
    await swarm.settle(ask(ADD, [1, 2]));
    await swarm.world.runFor(KEPT_CHANNEL_MS - 1_000);
    await swarm.settle(ask(ADD, [1, 2]));
    expect(opened()).toBe(1);
    await swarm.world.runFor(KEPT_CHANNEL_MS + 1_000);
    expect(await swarm.settle(ask(ADD, [5, 2]))).toBe(7);
    expect(opened()).toBe(2);
  });

  test("never get the reply to one that was cancelled", async () => {
    const { swarm, opened, ask } = await talk(43);
    expect(await swarm.settle(ask(WAIT, 10))).toBe(10);
    const cancel = new AbortController();
    const cancelled = ask(WAIT, 3_000, cancel.signal);
    cancelled.catch(() => {});
    await swarm.world.runFor(1_000);
    cancel.abort();
    expect((await swarm.failure(cancelled)).code).toBe("cancelled");
    expect(await swarm.settle(ask(WAIT, 5_000))).toBe(5_000);
    expect(opened()).toBe(2);
  });
});

test("10,000 fuzzed messages from a member, over every protocol, crash nothing", async () => {
  const { swarm } = await adders(30);
  const { world } = swarm;
  const [a, c] = [swarm.net("a"), swarm.net("c")];
  const random = world.random.fork("fuzz");
  const protocols = [
    HELLO_PROTOCOL,
    ...Object.values(PART_PROTOCOLS),
    FORWARD_PROTOCOL,
    DELIVER_PROTOCOL,
    PING_PROTOCOL,
    ADD,
  ];
  const { network } = world.node("b").ports;
  const messages = 10_000;
  const perChannel = 10;
  for (let sent = 0; sent < messages;) {
    for (const peer of [a.self, c.self]) {
      const link = network.links().find((open) => open.peer === peer);
      const protocol = protocols[Math.floor(random.real() * protocols.length)] ?? "";
      sent += perChannel;
      attack(link, protocol).catch(() => {});
    }
    // Faults fade, so that this member is not simply shut out after the first few.
    await world.runFor(5_000);
  }
  async function attack(link: Link | undefined, protocol: string): Promise<void> {
    const channel = await link?.open(protocol);
    for (let i = 0; i < perChannel; i++) channel?.send(fuzz());
    if (random.real() < 0.5) channel?.end();
  }
  function fuzz(): Uint8Array {
    const bytes = random.bytes(Math.floor(random.real() ** 4 * 3_000));
    const kind = random.real();
    if (kind < 0.3) return bytes;
    if (kind < 0.6) return encode([bytes, kind, "text", { a: bytes }]);
    return encode({
      ok: kind < 0.8,
      versions: { min: 1, max: 1 },
      chain: [bytes],
      swarm: a.swarm,
      to: c.self,
      envelope: bytes,
    });
  }
  await world.runFor(60_000);
  expect(await swarm.settle(a.request(c.self, ADD, [2, 3], v.number()))).toBe(5);
  expect(await swarm.settle(c.request(a.self, ADD, [2, 3], v.number()))).toBe(5);
  expect(world.journal.entries().filter(({ level }) => level === "error")).toEqual([]);
  expect(world.journal.entries().some(({ event }) => event === "net.misbehaved")).toBe(true);
});
