/** Collecting on simulated nodes: contents that nobody wants are removed, those that somebody may want stay. */
import { expect, test } from "vitest";
import { type DiskNode, DiskSwarm } from "../../test/sim/contents.ts";
import { SeededRandom } from "../../test/sim/random.ts";
import { seeds } from "../../test/sim/seeds.ts";
import { SimWorld } from "../../test/sim/world.ts";
import type { ReplicatedMap } from "../memory/types.ts";
import { sleep } from "../ports/clock.ts";
import type { ContentRef } from "./types.ts";

const KIB = 1024;
const HOUR_MS = 3_600_000;
/** Several times as long as the collector waits between two looks; shorter than a put of the story may take, as its lease is. */
const KEPT_MS = HOUR_MS / 2;

async function swarmOf(count: number, seed: number): Promise<DiskSwarm> {
  const swarm = new DiskSwarm(new SimWorld({ seed }), { unreferencedKeptMs: KEPT_MS });
  await swarm.grow(count);
  return swarm;
}

test("what no source names is gone after its time, its list and all its shards; the rest stays", async () => {
  const swarm = await swarmOf(3, 1);
  const wanted = swarm.bytes(400 * KIB);
  const large = swarm.bytes(20_000 * KIB);
  const kept = swarm.bytes(90 * KIB);
  const ref = await swarm.put(swarm.node("m0"), wanted);
  const largeRef = await swarm.put(swarm.node("m1"), large);
  const keptRef = await swarm.put(swarm.node("m1"), kept);
  const unwanted = await swarm.put(swarm.node("m1"), swarm.bytes(500 * KIB));
  await swarm.settle(swarm.node("m2").contents.keep(keptRef));
  const references = new Set([ref.cid, largeRef.cid]);
  for (const { contents } of swarm.nodes)
    contents.addReferences(() => [...references, ...(contents === swarm.node("m2").contents ? [] : [keptRef.cid])]);
  await swarm.world.runFor(0.9 * KEPT_MS);
  expect(await swarm.read(swarm.node("m0"), unwanted)).toHaveLength(unwanted.sizeBytes);
  await swarm.world.runFor(1.7 * KEPT_MS);
  expect((await swarm.readFailure(swarm.node("m0"), unwanted)).code).toBe("not-found");
  await swarm.readsBack(swarm.nodes, [
    [ref, wanted],
    [largeRef, large],
    [keptRef, kept],
  ]);
  references.clear();
  await swarm.world.runFor(2.6 * KEPT_MS);
  await swarm.readsBack(swarm.nodes, [[keptRef, kept]]);
  expect(swarm.storedBytes).toBeLessThan(4.6 * kept.length);
});

test("an entry that somebody has deleted is written again at once where it is wanted, and its list's with it", async () => {
  const swarm = await swarmOf(3, 4);
  const bytes = swarm.bytes(20_000 * KIB);
  const ref = await swarm.put(swarm.node("m0"), bytes);
  swarm.node("m2").contents.addReferences(() => [ref.cid]);
  const { layout } = swarm.node("m1");
  const keys = [...layout.entries("c/")].map(({ key }) => key);
  expect(keys).toHaveLength(2);
  for (const key of keys) layout.delete(key);
  await swarm.world.runFor(1_000);
  expect((await swarm.readFailure(swarm.node("m0"), ref)).code).toBe("not-found");
  await swarm.world.runFor(10_000);
  await swarm.readsBack(swarm.nodes, [[ref, bytes]]);
});

test("nothing is collected while a member is missing that has not said goodbye", async () => {
  const swarm = await swarmOf(4, 2);
  const bytes = swarm.bytes(300 * KIB);
  const ref = await swarm.put(swarm.node("m0"), bytes);
  for (const { contents } of swarm.nodes) contents.addReferences(() => []);
  swarm.crash("m3");
  await swarm.world.runFor(3 * KEPT_MS);
  await swarm.readsBack(swarm.nodes, [[ref, bytes]]);
});

/**
 * What a story keeps in mind: contents that are referred to by an entry of a replicated map, as files are, and those
 * that were.
 */
class References {
  readonly wanted: [ContentRef, Uint8Array][] = [];
  readonly released: [ContentRef, Uint8Array][] = [];
  readonly #maps = new Map<DiskNode, ReplicatedMap>();
  readonly #random: SeededRandom;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  async addTo(node: DiskNode): Promise<void> {
    const map = await node.memory.map("references");
    this.#maps.set(node, map);
    node.contents.addReferences(() => [...map.entries("")].map(({ key }) => key));
  }

  /** Refers to a content that has been put there. */
  add(node: DiskNode, ref: ContentRef, bytes: Uint8Array): void {
    this.#maps.get(node)?.set(ref.cid, true);
    this.wanted.push([ref, bytes]);
  }

  /** Removes the reference to one of them; undefined if there is none. */
  release(node: DiskNode): void {
    const [content] = this.wanted.splice(this.#random.real() * this.wanted.length, 1);
    if (content === undefined) return;
    this.#maps.get(node)?.delete(content[0].cid);
    this.released.push(content);
  }

  takeReleased(): Uint8Array | undefined {
    return this.released.splice(this.#random.real() * this.released.length, 1)[0]?.[1];
  }
}

test.each(seeds(1, 50))(
  "beside long puts, puts of what is there already, and cuts, what is wanted stays (seed %i)",
  async (seed) => {
    const random = new SeededRandom(`collect/${seed}`);
    const upTo = (bound: number): number => Math.floor(random.real() * bound);
    const swarm = await swarmOf(5, seed);
    const someone = (): DiskNode => swarm.nodes[upTo(5)] as DiskNode;
    const references = new References(random);
    for (const node of swarm.nodes) await swarm.settle(references.addTo(node));
    const forgotten = await swarm.put(someone(), swarm.bytes(300 * KIB));
    const underWay: Promise<void>[] = [];
    for (let step = 0; step < 16; step++) {
      const node = someone();
      const put = async (source: AsyncIterable<Uint8Array>, bytes: Uint8Array): Promise<void> => {
        const { ref } = await node.contents.put(source, {});
        references.add(node, ref, bytes);
      };
      const what = random.real();
      if (what < 0.3) {
        const bytes = swarm.bytes(1_300 * KIB);
        underWay.push(put(haltingly(bytes, upTo(3 * KEPT_MS), node), bytes));
      } else if (what < 0.7) {
        const bytes = references.takeReleased() ?? swarm.bytes(5 * KIB + upTo(600 * KIB));
        await swarm.settle(put(haltingly(bytes, 0, node), bytes), 120_000);
      } else if (what < 0.85) {
        references.release(node);
      } else {
        const machines = swarm.nodes.map(({ machine }) => machine);
        const isHere = machines.map(() => random.real() < 0.5);
        swarm.world.partition([machines.filter((_, i) => isHere[i]), machines.filter((_, i) => !isHere[i])]);
      }
      await swarm.world.runFor(random.real() * 0.7 * KEPT_MS);
      if (random.real() < 0.5) swarm.world.heal();
    }
    swarm.world.heal();
    await swarm.settle(Promise.all(underWay), 4 * KEPT_MS);
    await swarm.world.runFor(4 * KEPT_MS);
    await swarm.readsBack(swarm.nodes, references.wanted);
    expect(references.wanted.length).toBeGreaterThan(3);
    // And it does collect.
    expect((await swarm.readFailure(someone(), forgotten)).code).toBe("not-found");
  },
);

/** Bytes whose second half comes so much later. */
async function* haltingly(bytes: Uint8Array, afterMs: number, { machine }: DiskNode): AsyncGenerator<Uint8Array> {
  const half = Math.floor(bytes.length / 2);
  yield bytes.slice(0, half);
  if (afterMs > 0) await sleep(machine.ports.clock, afterMs);
  yield bytes.slice(half);
}
