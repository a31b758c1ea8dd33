/**
 * Requests between whole nodes that have no link of their own: the way round through a member that is linked to both.
 */
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { ADD, type Adders, adders, WAIT } from "../../../test/sim/adders.ts";
import { whole } from "../../base/bytes.ts";
import { DELIVER_PROTOCOL } from "./forward.ts";
import { FORWARD_BYTES_MAX } from "../limits.ts";

describe("without a link of their own", () => {
  /** c will have no link with a, so that b has to carry. */
  async function apart(seed: number): Promise<Adders> {
    const scene = await adders(seed);
    const { swarm } = scene;
    swarm.world.node("c").ports.network.expel(swarm.net("a").self, 3_600_000);
    await swarm.world.runUntil(
      () =>
        !swarm
          .net("a")
          .links()
          .some(({ peer }) => peer === swarm.net("c").self),
      { withinMs: 5_000 },
    );
    return scene;
  }

  test("members talk through a third, under their own names", async () => {
    const { swarm } = await apart(20);
    const [a, c] = [swarm.net("a"), swarm.net("c")];
    const askers: string[] = [];
    c.handle("/test/who/1.0.0", v.null(), async (_, { from }) => askers.push(from));
    expect(await swarm.settle(a.request(c.self, "/test/who/1.0.0", null, v.number()))).toBe(1);
    expect(askers).toEqual([a.self]);
    expect(await swarm.settle(a.ping(c.self))).toBeGreaterThan(0);
    expect((await swarm.failure(a.request(c.self, ADD, [2, 0], v.number()))).code).toBe("no-cores");
  });

  test("large requests and replies are refused with a word about it", async () => {
    const { swarm } = await apart(21);
    const [a, c] = [swarm.net("a"), swarm.net("c")];
    c.handle("/test/large/1.0.0", v.unknown(), async () => new Uint8Array(FORWARD_BYTES_MAX));
    const large = new Uint8Array(FORWARD_BYTES_MAX);
    for (const request of [large, null]) {
      const error = await swarm.failure(a.request(c.self, "/test/large/1.0.0", request, v.unknown()));
      expect(error.code).toBe("too-large");
      expect(error.message).toMatch(/direct link/);
    }
  });

  test("deadlines and cancellation reach the far end", async () => {
    const { swarm, cancelled } = await apart(22);
    const [a, c] = [swarm.net("a"), swarm.net("c")];
    expect((await swarm.failure(a.request(c.self, WAIT, 60_000, v.number(), { timeoutMs: 5_000 }))).code).toBe(
      "timeout",
    );
    await swarm.world.runUntil(() => cancelled.length === 1, { withinMs: 1_000 });
  });

  test("what is carried is served once, and nothing that was altered", async () => {
    const { swarm, served } = await apart(23);
    const [a, b, c] = [swarm.net("a"), swarm.net("b"), swarm.net("c")];
    // b keeps a copy of what it carries.
    const copies: unknown[] = [];
    const { network } = swarm.world.node("b").ports;
    const open = network.links().find(({ peer }) => peer === c.self);
    if (open === undefined) throw new Error("b is linked to c");
    const original = open.open.bind(open);
    open.open = async (protocol, options) => {
      const channel = await original(protocol, options);
      if (protocol !== DELIVER_PROTOCOL) return channel;
      const send = channel.send.bind(channel);
      channel.send = (message) => {
        copies.push(whole(message).slice());
        return send(message);
      };
      return channel;
    };
    expect(await swarm.settle(a.request(c.self, ADD, [2, 3], v.number()))).toBe(5);
    expect(copies.length).toBe(1);
    const [copy] = copies;
    if (!(copy instanceof Uint8Array)) throw new Error("There is a copy");
    const replay = async (bytes: Uint8Array): Promise<unknown> => {
      const channel = await original(DELIVER_PROTOCOL);
      return new Promise((resolve) => {
        channel.onMessage((message) => resolve(message));
        channel.onClose((error) => resolve(error));
        channel.send(bytes);
        channel.end();
      });
    };
    const reply = await swarm.settle(replay(copy));
    expect(new TextDecoder().decode(reply instanceof Uint8Array ? reply : undefined)).toMatch(/came twice/);
    for (let at = 20; at < copy.length; at += 37) {
      const altered = copy.slice();
      altered[at] = (altered[at] ?? 0) ^ 1;
      await swarm.settle(replay(altered));
    }
    expect(served).toEqual([5]);
    expect(b.members().length).toBe(3);
  });
});
