/** Shared memory in a swarm of real nodes and tabs, until a single tab is left. */
import { expect, test } from "vitest";
import type { MapStat } from "../../core/memory/types.ts";
import { eventually, type Lab, type Node, openLab } from "../system/processes.ts";
import { openTabs, type Tab } from "./tabs.ts";

const KEYS_EACH = 200;

function sets(writer: string): string {
  return Array.from({ length: KEYS_EACH }, (_, i) => `mem set ${writer}/${i} ${writer}${i}`).join(";");
}

async function stat(lab: Lab, node: Node): Promise<MapStat> {
  return (await lab.shJson(node, "mem stat --json")) as MapStat;
}

async function showsKeys(tab: Tab, count: number): Promise<void> {
  const facts = tab.page.locator("#memory-facts");
  await expect.poll(() => facts.innerText(), { timeout: 30_000 }).toMatch(new RegExp(`^${count} keys `));
}

test("three nodes and one of two tabs are killed at once; the tab left gives all 1,000 keys to three new nodes", async () => {
  await using lab = await openLab();
  await using staying = await openTabs();
  await using dying = await openTabs();
  const first = await lab.up({ args: ["--cores", "0"] });
  const join = ["--cores", "0", "--join", first.invite];
  const nodes = [first, await lab.up({ args: join }), await lab.up({ args: join })];
  const survivor = await staying.open(first.invite);
  const doomed = await dying.open(first.invite);

  const writes = await Promise.all([
    ...nodes.map(async (node, n) => (await lab.sh(node, sets(`n${n}`))).status === 0),
    ...[survivor, doomed].map(async (tab, t) => (await tab.run(sets(`t${t}`))).ok),
  ]);
  expect(writes).toEqual([true, true, true, true, true]);
  const count = writes.length * KEYS_EACH;
  await showsKeys(survivor, count);
  await Promise.all([dying.kill(), ...nodes.map((node) => node.process.end("SIGKILL"))]);

  // A tab can't be dialled. It finds a new node by itself, at an address that it knows from before.
  const { output } = await survivor.run("invite --json");
  const { invite } = JSON.parse(output.replaceAll("\n", "")) as { invite: string };
  const port = new URL(first.url).port;
  const meeting = await lab.up({ args: ["--cores", "0", "--port", port, "--join", invite] });
  const later = [meeting];
  for (let i = 0; i < 2; i++) later.push(await lab.up({ args: ["--cores", "0", "--join", meeting.invite] }));
  for (const node of later) {
    await eventually(
      "all keys are there",
      () => stat(lab, node),
      ({ entries }) => entries === count,
      60_000,
    );
  }
  const all = await Promise.all(later.map((node) => stat(lab, node)));
  expect(new Set(all.map(({ fingerprint }) => fingerprint)).size).toBe(1);
  for (const writer of ["n0", "n1", "n2", "t0", "t1"]) {
    expect((await lab.sh(meeting, `mem get ${writer}/77`)).stdout).toBe(`${writer}77\n`);
  }
  await showsKeys(survivor, count);
  expect((await survivor.run("mem get t1/199")).output).toBe("t1199");
});
