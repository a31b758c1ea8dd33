/**
 * A batch is whole everywhere: through gossip that is lost, doubled and late, reconciliation, cuts, and crashes in the
 * middle of receiving and storing, on kept maps. Batches of two keys and of hundreds of kilobytes, which overlap,
 * delete and expire. The checker looks at every state that is visible.
 */
import { describe, expect, test } from "vitest";
import * as v from "valibot";
import { BatchChecker } from "../../test/sim/batch-checker.ts";
import { lossyGossip } from "../../test/sim/lossy-gossip.ts";
import { MapSwarm, type MapNode } from "../../test/sim/maps.ts";
import { SeededRandom } from "../../test/sim/random.ts";
import { seeds } from "../../test/sim/seeds.ts";
import { SimWorld } from "../../test/sim/world.ts";
import { decode, encode } from "../base/codec.ts";
import { isStarfishError } from "../base/errors.ts";
import { BATCH_BYTES_MAX } from "./limits.ts";
import { Packer, unpack } from "./pack.ts";
import type { MapWrite } from "./types.ts";

const NODES = 6;
const KEYS = 120;
const STEPS = 80;

function someBatch(random: SeededRandom, value: number): MapWrite[] {
  const dice = random.real();
  const [count, bytes] =
    dice < 0.7 ? [2 + random.real() * 6, 20] : dice < 0.9 ? [3 + random.real() * 40, 4_000] : [8, 50_000];
  const keys = new Set<string>();
  while (keys.size < Math.floor(count)) keys.add(`k${Math.floor(random.real() ** 2 * KEYS)}`);
  return [...keys].map((key, i) => {
    const fate = i === 0 ? 1 : random.real();
    if (fate < 0.1) return { key, deleted: true };
    const filler = "x".repeat(random.real() * bytes);
    return { key, value: [value, filler], ...(fate < 0.15 ? { expiresInMs: 500 + random.real() * 20_000 } : {}) };
  });
}

class Story {
  readonly swarm: MapSwarm;
  readonly checker: BatchChecker = new BatchChecker();
  readonly #random: SeededRandom;
  #written = 0;

  constructor(seed: number) {
    const wrap = lossyGossip({ lost: 0.1, twice: 0.1, late: 0.2, lateMs: 1_500 });
    this.swarm = new MapSwarm(new SimWorld({ seed, path: { loss: 0.01 } }), { wrap, isKept: true });
    this.#random = new SeededRandom(`batches/${seed}`);
  }

  async found(): Promise<void> {
    for (const node of await this.swarm.found(NODES)) this.checker.watch(node);
  }

  async step(): Promise<void> {
    const { swarm } = this;
    const random = this.#random;
    const dice = random.real();
    const node = swarm.nodes[Math.floor(random.real() * swarm.nodes.length)];
    if (dice < 0.05) this.#cut();
    else if (dice < 0.09) swarm.world.heal();
    else if (dice < 0.13) await this.#restart();
    else if (node !== undefined) this.#write(node);
    await swarm.world.runFor(random.real() * 400);
    for (const one of swarm.nodes) this.checker.lookAtAll(one);
  }

  #write({ map }: MapNode): void {
    const random = this.#random;
    try {
      // Several in one turn, so that they share a message of gossip.
      for (let left = random.real() < 0.3 ? 4 : 1; left > 0; left--) {
        if (random.real() < 0.2) map.set(`k${Math.floor(random.real() * KEYS)}`, ["alone", this.#written++]);
        else this.checker.write(map, someBatch(random, this.#written++));
      }
    } catch (error) {
      // A node that has just been cut off from the others' time may not write.
      if (!isStarfishError(error, "clock")) throw error;
    }
  }

  #cut(): void {
    const names = this.swarm.world.nodes.map(({ name }) => name);
    const shuffled = names.toSorted(() => this.#random.real() - 0.5);
    const at = 1 + Math.floor(this.#random.real() * (names.length - 1));
    this.swarm.world.partition([shuffled.slice(0, at), shuffled.slice(at)]);
  }

  /** A crash at any moment, and a new life some time later. */
  async #restart(): Promise<void> {
    const names = [...this.swarm.running.keys()].filter((name) => name !== "m0");
    const name = names[Math.floor(this.#random.real() * names.length)];
    if (name === undefined) return;
    this.swarm.crash(name, this.#random.real() < 0.5);
    await this.swarm.world.runFor(this.#random.real() * 3_000);
    this.checker.watch(await this.swarm.start({ name, kind: "node" }));
  }
}

describe("a batch is seen whole or not at all", () => {
  test.each(seeds(1, 200))("under loss, cuts and crashes (seed %i)", async (seed) => {
    const story = new Story(seed);
    await story.found();
    for (let i = 0; i < STEPS; i++) await story.step();
    story.swarm.world.heal();
    await story.swarm.equal(90_000);
    for (const node of story.swarm.nodes) story.checker.lookAtAll(node);
    const late = await story.swarm.start({ name: "late", kind: "node" });
    story.checker.watch(late);
    await story.swarm.equal(30_000);
    expect(story.checker.faults.slice(0, 3)).toEqual([]);
    expect(story.checker.looks).toBeGreaterThan(1_000);
  });

  test("and the checker notices gossip that brings a part", async () => {
    const swarm = new MapSwarm(new SimWorld({ seed: 3 }), {
      wrap: (net) =>
        new Proxy(net, {
          get(target, name) {
            const value: unknown = Reflect.get(target, name, target);
            if (name !== "subscribe") return typeof value === "function" ? (value.bind(target) as unknown) : value;
            const subscribe: typeof net.subscribe = (topic, receive) =>
              net.subscribe(topic, (payload, from) => receive(halved(payload), from));
            return subscribe;
          },
        }),
    });
    const checker = new BatchChecker();
    for (const node of await swarm.found(3)) checker.watch(node);
    checker.write(swarm.node("m0").map, [
      { key: "a", value: 1 },
      { key: "b", value: 1 },
    ]);
    await swarm.world.runFor(1_000);
    expect(checker.faults.length).toBeGreaterThan(0);
  });
});

const schema = v.object({ entries: v.instance(Uint8Array) });

function halved(payload: Uint8Array): Uint8Array {
  const packer = new Packer();
  const [first] = unpack(decode(schema, payload).entries);
  if (first !== undefined) packer.add(first.key, first.entry);
  return encode({ entries: packer.take() });
}

describe("batches", () => {
  const fill = (map: MapNode["map"], name: string, count: number, bytes: number): void =>
    map.batch(Array.from({ length: count }, (_, i) => ({ key: `${name}/${i}`, value: "x".repeat(bytes) })));
  const counts = (swarm: MapSwarm, name: string): Set<number> => {
    const seen = new Set<number>();
    for (const { map } of swarm.nodes) {
      map.watch(`${name}/`, () => seen.add(map.count(`${name}/`)));
    }
    return seen;
  };

  test("of 30 KiB in one turn, of 1 MiB, and of entries that gossip can't carry come in one piece", async () => {
    const swarm = new MapSwarm(new SimWorld({ seed: 5 }));
    await swarm.found(5);
    const seen = [counts(swarm, "x"), counts(swarm, "y"), counts(swarm, "large"), counts(swarm, "huge")];
    const { map } = swarm.node("m1");
    fill(map, "x", 30, 1_000);
    fill(map, "y", 30, 1_000);
    expect(await swarm.equal(2_000)).toBeLessThan(500);
    fill(map, "large", 1_000, 1_000);
    await swarm.equal(10_000);
    fill(map, "huge", 16, 60_000);
    await swarm.equal(10_000);
    expect(seen.map((sizes) => [...sizes])).toEqual([[30], [30], [1_000], [16]]);
  });

  test("come in one piece to a newcomer and over a cut, also where later writes have changed a part", async () => {
    const swarm = new MapSwarm(new SimWorld({ seed: 6 }));
    await swarm.found(4);
    swarm.world.partition([["m0", "m1"]]);
    await swarm.world.runFor(5_000);
    const checker = new BatchChecker();
    const { map } = swarm.node("m0");
    for (const node of swarm.nodes) checker.watch(node);
    for (let i = 0; i < 300; i++) {
      checker.write(
        map,
        ["a", "m", "z"].map((letter) => ({ key: `${letter}/${(i * 7) % 100}`, value: `${i}`.padEnd(1_000) })),
      );
    }
    swarm.world.heal();
    await swarm.equal(30_000);
    checker.watch(await swarm.start({ name: "late", kind: "tab" }));
    await swarm.equal(10_000);
    expect(checker.faults.slice(0, 3)).toEqual([]);
    expect(checker.looks).toBeGreaterThan(900);
  });

  test("of 8 MiB come in one piece to all at once, over a cut and to a newcomer, with what belongs to them", async () => {
    const swarm = new MapSwarm(new SimWorld({ seed: 9 }));
    await swarm.found(4);
    swarm.world.partition([["m0", "m1"]]);
    await swarm.world.runFor(5_000);
    const COUNT = 6_000;
    const faults: unknown[] = [];
    let looks = 0;
    const look = ({ map }: MapNode): void => {
      const [count, small, newer, after] = [
        map.count("large/"),
        map.get("small/7"),
        map.get("large/5"),
        map.get("after"),
      ];
      looks++;
      // Either all of the large batch is there, or the later one, which has two keys.
      const isWhole = count === COUNT ? small === "new" : small !== "new" && count === (newer === "newer" ? 1 : 0);
      if (!isWhole || (after === 1) !== (newer === "newer")) faults.push([count, small, newer, after]);
    };
    for (const node of swarm.nodes) node.map.watchAll(() => look(node));
    const { map } = swarm.node("m0");
    fill(map, "small", 20, 100);
    map.batch([
      ...Array.from({ length: COUNT }, (_, i) => ({ key: `large/${i}`, value: "x".repeat(1_300) })),
      { key: "small/7", value: "new" },
    ]);
    // A part of it is superseded while it travels.
    await swarm.world.runFor(100);
    map.batch([
      { key: "large/5", value: "newer" },
      { key: "after", value: 1 },
    ]);
    swarm.world.heal();
    await swarm.equal(60_000);
    const late = await swarm.start({ name: "late", kind: "tab" });
    late.map.watchAll(() => look(late));
    await swarm.equal(30_000);
    for (const node of swarm.nodes) look(node);
    expect(swarm.nodes.map((node) => node.map.count("large/"))).toEqual(Array.from({ length: 5 }, () => COUNT));
    expect(faults.slice(0, 3)).toEqual([]);
    expect(looks).toBeGreaterThan(12);
  });

  test("beyond 8 MiB are refused, and nothing is written", async () => {
    const swarm = new MapSwarm(new SimWorld({ seed: 7 }));
    const [{ map } = swarm.node("m0")] = await swarm.found(1);
    const code = (work: () => void): string => {
      try {
        work();
      } catch (error) {
        return isStarfishError(error) ? error.code : "another error";
      }
      return "none";
    };
    const bytes = 1_000;
    const fits = Math.floor(BATCH_BYTES_MAX / (bytes + 3 + 20 + "fits/1000".length));
    expect(code(() => fill(map, "fits", fits, bytes))).toBe("none");
    expect(code(() => fill(map, "much", BATCH_BYTES_MAX / bytes, bytes))).toBe("too-large");
    expect(map.count("much/")).toBe(0);
    expect(map.count()).toBe(fits);
  });

  test("with a key twice keep what was said last", async () => {
    const swarm = new MapSwarm(new SimWorld({ seed: 8 }));
    await swarm.found(2);
    for (const values of [
      [1, 2],
      [2, 1],
    ]) {
      swarm.node("m0").map.batch(values.map((value) => ({ key: "k", value })));
      await swarm.equal(2_000);
      for (const { map } of swarm.nodes) expect(map.get("k")).toBe(values[1]);
    }
  });
});
