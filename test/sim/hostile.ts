/** Honest nodes with some keys, a misbehaving member among them, and what the honest ones must have at the end. */
import { expect } from "vitest";
import { type Range, RangeWriter, SUM } from "../../core/memory/ranges.ts";
import { type Mallory, swarmWithMallory } from "./mallory.ts";
import type { MapNode } from "./maps.ts";

/** Keys that the honest nodes have set: `honest/0` is 0, and so on. */
export const HONEST_KEYS = 60;
/** A sum over all keys that is wrong for every node. */
export const WRONG_SUM: Extract<Range, { kind: typeof SUM }> = { to: undefined, kind: SUM, count: 7, a: 1, b: 2 };

export function ranges(...all: readonly Range[]): Uint8Array {
  const writer = new RangeWriter();
  for (const range of all) writer.add(range);
  return writer.take();
}

export async function scene(seed: number, options: Parameters<typeof swarmWithMallory>[1] = {}): Promise<Mallory> {
  const mallory = await swarmWithMallory(seed, options);
  const { swarm } = mallory;
  for (let i = 0; i < HONEST_KEYS; i++) swarm.nodes[i % swarm.nodes.length]?.map.set(`honest/${i}`, i);
  await swarm.equal(5_000);
  return mallory;
}

/** The honest nodes have what they had, are equal, and go on. */
export async function intact({ swarm }: Mallory): Promise<void> {
  const { world, nodes } = swarm;
  nodes[0]?.map.set("still", world.nowMs);
  await swarm.equal(10_000);
  for (const { map } of nodes) {
    expect(map.get("still")).toBe(nodes[0]?.map.get("still"));
    for (let i = 0; i < HONEST_KEYS; i++) expect(map.get(`honest/${i}`)).toBe(i);
  }
  expect(new Set(nodes.map(({ map }) => map.stat().fingerprint)).size).toBe(1);
  expect(world.journal.entries().filter(({ level }) => level === "error")).toEqual([]);
}

/** The first of the honest nodes. */
export function victimOf({ swarm }: Mallory): MapNode {
  const [victim] = swarm.nodes;
  if (victim === undefined) throw new Error("There is no honest node");
  return victim;
}
