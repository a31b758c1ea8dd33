/** One seed gives one run, event for event; another seed another one. */
import { describe, expect, it } from "vitest";
import { every } from "../../core/ports/clock.ts";
import { integer, pick } from "../../core/ports/random.ts";
import type { SimNode } from "./node.ts";
import { seeds } from "./seeds.ts";
import { SimWorld } from "./world.ts";

const NODES = 8;
const LIFE_MS = 20_000;

/** A program that dials, chats, stores and signs at random. */
function chat(node: SimNode, addresses: readonly string[]): void {
  const { network, clock, random, crypto, store, log } = node.ports;
  network.handle("/chat", (channel) => {
    channel.onMessage((message) => {
      if (message.length < 400 && random.real() < 0.5) channel.send(crypto.sign(node.keys.privateKey, message));
    });
    channel.onEnd(() => channel.end());
  });
  every(clock, 300, () => {
    void (async () => {
      try {
        const link = await network.dial({ addresses: [pick(random, addresses) ?? ""] });
        const channel = await link.open("/chat");
        const kept = (await store.get("last")) ?? random.bytes(10);
        channel.send(kept);
        channel.onMessage((message) => void store.set("last", message));
        if (random.real() < 0.3) channel.end();
        if (random.real() < 0.1) await link.close();
      } catch (error) {
        log.write("debug", "chat failed", { error: String(error) });
      }
    })();
  });
}

/** Runs a world in which machines crash, freeze and are cut off, all by chance, and gives its trace hash. */
async function scenario(seed: number): Promise<{ hash: string; events: number }> {
  const world = new SimWorld({ seed, path: { loss: 0.02 }, breakAfterMs: 3000 });
  const faults = world.random.fork("faults");
  const names = Array.from({ length: NODES }, (_, i) => `n${i}`);
  const addresses = names.map((name) => `sim:${name}`);
  for (const [i, name] of names.entries()) {
    chat(world.spawn({ name, kind: "node", skewMs: i * 100, throttled: i % 3 === 0 }), addresses);
  }
  while (world.nowMs < LIFE_MS) {
    await world.runFor(500 + integer(faults, 1000));
    const node = pick(faults, world.nodes);
    if (node === undefined) continue;
    const dice = faults.real();
    if (!node.running) chat(world.restart(node), addresses);
    else if (dice < 0.3) world.crash(node, { silent: faults.real() < 0.5 });
    else if (dice < 0.5) world.partition([names.filter(() => faults.real() < 0.5)]);
    else if (dice < 0.75) world.heal();
    else if (node.machine.frozen) world.thaw(node);
    else world.freeze(node);
  }
  return { hash: world.traceHash(), events: world.scheduler.events };
}

describe("runs", () => {
  it.each(seeds(3, 200))("repeat exactly from their seed (%i)", async (seed) => {
    const first = await scenario(seed);
    expect(first.events).toBeGreaterThan(1000);
    expect(await scenario(seed)).toEqual(first);
  });

  it("differ between seeds", async () => {
    const hashes = new Set<string>();
    for (let seed = 0; seed < 8; seed++) hashes.add((await scenario(seed)).hash);
    expect(hashes.size).toBe(8);
  });

  it("are not disturbed by real time that passes in between", async () => {
    const run = async (pause: boolean): Promise<string> => {
      const world = new SimWorld({ seed: 5 });
      for (const name of ["n0", "n1"]) chat(world.spawn({ name, kind: "node" }), ["sim:n0", "sim:n1"]);
      for (let i = 0; i < 20; i++) {
        await world.runFor(100);
        if (pause) await new Promise((resolve) => setTimeout(resolve, 2));
      }
      return world.traceHash();
    };
    expect(await run(true)).toBe(await run(false));
  });
});
