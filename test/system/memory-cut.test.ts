/** Shared memory across a network that is really cut in halves, healed, and cut again along another line. */
import { expect, test } from "vitest";
import type { MapStat } from "../../core/memory/types.ts";
import { eventually, type Lab, type Node, openLab } from "./processes.ts";
import { openSites } from "./sites.ts";

const KEYS = 50;
/** A link that was cut is given up after seconds; two busy cores may double that. */
const NOTICED_MS = 60_000;

async function stats(lab: Lab, nodes: readonly Node[]): Promise<MapStat[]> {
  return (await Promise.all(nodes.map((node) => lab.shJson(node, "mem stat --json")))) as MapStat[];
}

/** Waits until they have the same, and gives its fingerprint. */
async function equal(lab: Lab, nodes: readonly Node[], entries: number): Promise<string> {
  const isEqual = (all: readonly MapStat[]): boolean =>
    new Set(all.map(({ fingerprint }) => fingerprint)).size === 1 && all[0]?.entries === entries;
  const what = `${nodes.length} nodes have the same ${entries} keys`;
  const [first] = await eventually(what, () => stats(lab, nodes), isEqual, NOTICED_MS);
  return first?.fingerprint ?? "";
}

async function sees(lab: Lab, node: Node, count: number): Promise<void> {
  const ask = async (): Promise<number> => ((await lab.shJson(node, "peers --json")) as unknown[]).length;
  await eventually(`${node.data} sees ${count} nodes`, ask, (seen) => seen === count, NOTICED_MS);
}

async function write(lab: Lab, node: Node, prefix: string, value: string): Promise<void> {
  const line = Array.from({ length: KEYS }, (_, i) => `mem set ${prefix}/${i} ${value}`).join(";");
  expect(await lab.sh(node, line)).toMatchObject({ status: 0, stderr: "" });
}

test("halves that are cut from each other both write, are equal once they meet, and are cut again along another line", async () => {
  await using sites = await openSites(4);
  await using lab = await openLab();
  const up = (site: number, join: readonly string[]): Promise<Node> =>
    lab.up({ within: sites.enter(site), args: ["--host", sites.address(site), "--cores", "0", ...join] });
  const a = await up(0, []);
  const [b, c, d] = [
    await up(1, ["--join", a.invite]),
    await up(2, ["--join", a.invite]),
    await up(3, ["--join", a.invite]),
  ];
  const all = [a, b, c, d];
  for (const node of all) await sees(lab, node, 4);
  await write(lab, a, "before", "whole");
  await equal(lab, all, KEYS);

  await sites.cut([2, 3]);
  for (const node of all) await sees(lab, node, 2);
  await write(lab, a, "left", "of-a");
  await write(lab, d, "right", "of-d");
  // Both write the same keys; the one that is later wins.
  await write(lab, b, "both", "of-b");
  await write(lab, c, "both", "of-c");
  await lab.sh(c, "mem rm before/0");
  const left = await equal(lab, [a, b], 3 * KEYS);
  expect(await equal(lab, [c, d], 3 * KEYS - 1)).not.toBe(left);

  const healedAt = performance.now();
  await sites.heal();
  await equal(lab, all, 4 * KEYS - 1);
  console.log(`Equal ${(performance.now() - healedAt).toFixed(0)} ms after the heal`);
  for (const node of all) {
    expect((await lab.sh(node, "mem get both/7; mem get left/7; mem get right/7")).stdout).toBe("of-c\nof-a\nof-d\n");
    expect(await lab.sh(node, "mem get before/0")).toMatchObject({ status: 1 });
    await sees(lab, node, 4);
  }

  await sites.cut([1, 3]);
  for (const node of all) await sees(lab, node, 2);
  await write(lab, c, "again", "of-c");
  await write(lab, b, "again", "of-b");
  const [one, other] = [await equal(lab, [a, c], 5 * KEYS - 1), await equal(lab, [b, d], 5 * KEYS - 1)];
  expect(one).not.toBe(other);
  await sites.heal();
  await equal(lab, all, 5 * KEYS - 1);
  expect((await lab.sh(a, "mem get again/49")).stdout).toBe("of-b\n");
});
