/**
 * The promise of the disk, over real processes: all files that were reported safe are there when most of the nodes are
 * killed at once.
 */
import { join } from "node:path";
import { expect, test } from "vitest";
import { sample } from "../../core/ports/random.ts";
import { SeededRandom } from "../sim/random.ts";
import { isLong, longSeeds, seeds } from "../sim/seeds.ts";
import { bytesIn, expectFileSet, expectSafe, mixedSizes, putFileSet, writeFileSet } from "./file-set.ts";
import { eventually, type Lab, type Node, openLab } from "./processes.ts";

const MIB: number = 1024 * 1024;
/** The most that the codes store for each byte, with the cost of entries and frames. */
const STORED_TIMES_MAX = 4.6;
const AGAIN_SAFE_MS = 60_000;

/**
 * Starts `count` nodes, and waits until the last sees all. Only a few start at a time, so that two cores are not
 * overloaded.
 */
async function swarm(lab: Lab, count: number): Promise<Node[]> {
  const first = await lab.up({ args: ["--cores", "0"] });
  const nodes = [first, ...(await joinAll(lab, first, count - 1))];
  await Promise.all(nodes.slice(-1).map((node) => sees(lab, node, count)));
  return nodes;
}

async function joinAll(lab: Lab, to: Node, count: number): Promise<Node[]> {
  const nodes: Node[] = [];
  while (nodes.length < count) {
    const some = Array.from({ length: Math.min(4, count - nodes.length) }, () =>
      lab.up({ args: ["--cores", "0", "--join", to.invite] }),
    );
    nodes.push(...(await Promise.all(some)));
  }
  return nodes;
}

async function sees(lab: Lab, node: Node, count: number): Promise<void> {
  const ask = async (): Promise<number> => ((await lab.shJson(node, "peers --json")) as unknown[]).length;
  await eventually(`${node.data} sees ${count} nodes`, ask, (seen) => seen === count, 60_000);
}

async function kill(nodes: readonly Node[]): Promise<void> {
  await Promise.all(nodes.map((node) => node.process.end("SIGKILL")));
}

function without(nodes: readonly Node[], gone: readonly Node[]): [Node, ...Node[]] {
  const [first, ...others] = nodes.filter((node) => !gone.includes(node));
  if (first === undefined) throw new Error("Somebody is left");
  return [first, ...others];
}

test.each(seeds(1, 1))(
  "eight nodes: of any two that are left all files come back; six join, and any six may go again (seed %i)",
  { timeout: isLong ? 1_200_000 : 600_000 },
  async (seed) => {
    const random = new SeededRandom(`${seed}`);
    await using lab = await openLab();
    const nodes = await swarm(lab, 8);
    const sizes = isLong ? mixedSizes(500, 64 * MIB, 1024 * MIB) : mixedSizes(40, 8 * MIB, 24 * MIB);
    const set = await writeFileSet(lab, "set", sizes);
    expect(await putFileSet(lab, nodes[0] as Node, set)).toMatch(
      /survives the loss of any 6 of 8 nodes; all on this computer/,
    );
    const stored = await Promise.all(nodes.map(({ data }) => bytesIn(join(data, "shards"))));
    expect(stored.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThan(STORED_TIMES_MAX * set.bytes);

    const doomed = sample(random, nodes, 6);
    await kill(doomed);
    const left = without(nodes, doomed);
    for (const node of left) await expectFileSet(lab, node, set);

    const joined = await joinAll(lab, left[0], 6);
    await expectSafe(lab, left[0], set, 6, AGAIN_SAFE_MS);
    const again = [...left, ...joined];
    const doomedAgain = sample(random, again, 6);
    await kill(doomedAgain);
    for (const node of without(again, doomedAgain)) await expectFileSet(lab, node, set);
  },
);

test.each(longSeeds(1))(
  "forty nodes: of any twenty that are left all files come back (seed %i)",
  { timeout: 1_200_000 },
  async (seed) => {
    const random = new SeededRandom(`${seed}`);
    await using lab = await openLab();
    const nodes = await swarm(lab, 40);
    const set = await writeFileSet(lab, "set", mixedSizes(100, 16 * MIB, 128 * MIB));
    await putFileSet(lab, nodes[0] as Node, set);
    await expectSafe(lab, nodes[0] as Node, set, 20, AGAIN_SAFE_MS);
    const stored = await Promise.all(nodes.map(({ data }) => bytesIn(join(data, "shards"))));
    expect(stored.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThan(STORED_TIMES_MAX * set.bytes);

    const doomed = sample(random, nodes, 20);
    await kill(doomed);
    for (const node of sample(random, without(nodes, doomed), 3)) await expectFileSet(lab, node, set);
  },
);
