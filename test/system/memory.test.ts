/**
 * Shared memory over real processes: a key that is set on one node is on all, and stays there whichever node is killed.
 */
import { expect, test } from "vitest";
import type { MapStat } from "../../core/memory/types.ts";
import { eventually, type Lab, type Node, openLab } from "./processes.ts";

const KEYS_EACH = 250;

function stat(lab: Lab, node: Node): Promise<MapStat> {
  return lab.shJson(node, "mem stat --json") as Promise<MapStat>;
}

async function holds(lab: Lab, node: Node, entries: number): Promise<MapStat> {
  return await eventually(
    `${node.data} holds ${entries} keys`,
    () => stat(lab, node),
    (facts) => facts.entries === entries,
    30_000,
  );
}

async function equal(lab: Lab, nodes: readonly Node[]): Promise<void> {
  const fingerprints = async (): Promise<string[]> =>
    (await Promise.all(nodes.map((node) => stat(lab, node)))).map(({ fingerprint }) => fingerprint);
  await eventually("all are equal", fingerprints, (all) => new Set(all).size === 1, 30_000);
}

test("of four nodes three are killed at once and three others join: all that was set is on all of them", async () => {
  await using lab = await openLab();
  const first = await lab.up({ args: ["--cores", "0"] });
  const others = await Promise.all(
    Array.from({ length: 3 }, () => lab.up({ args: ["--cores", "0", "--join", first.invite] })),
  );
  const nodes = [first, ...others];
  const writes = nodes.map((node, n) => {
    const line = Array.from({ length: KEYS_EACH }, (_, i) => `mem set n${n}/${i} ${n}-${i}`).join(";");
    return lab.sh(node, line);
  });
  for (const { status, stderr } of await Promise.all(writes)) expect([status, stderr]).toEqual([0, ""]);
  const [survivor, ...doomed] = nodes.toReversed();
  if (survivor === undefined) throw new Error("There are four nodes");
  await holds(lab, survivor, nodes.length * KEYS_EACH);
  await Promise.all(doomed.map((node) => node.process.end("SIGKILL")));

  const later = await Promise.all(
    Array.from({ length: 3 }, () => lab.up({ args: ["--cores", "0", "--join", survivor.invite] })),
  );
  for (const node of later) await holds(lab, node, nodes.length * KEYS_EACH);
  await equal(lab, [survivor, ...later]);
  for (let n = 0; n < nodes.length; n++) {
    for (const i of [0, KEYS_EACH - 1]) {
      expect((await lab.sh(later[0] ?? survivor, `mem get n${n}/${i}`)).stdout).toBe(`${n}-${i}\n`);
    }
  }
});

test("a change is watched, an expiry and a deletion are seen, on another node", async () => {
  await using lab = await openLab();
  const here = await lab.up({ args: ["--cores", "0"] });
  const there = await lab.up({ args: ["--cores", "0", "--join", here.invite] });
  await holds(lab, there, 0);
  expect((await lab.sh(here, "mem set w/ready yes --sync")).stdout).toMatch(
    /^Acknowledged: more than half of 2 members/,
  );
  const watching = lab.starfish(["sh", "--data", there.data, "-c", "mem watch w/ --json"]);
  await eventually(
    "the watcher shows changes",
    async () => (await lab.sh(here, "mem set w/tick 1")).status === 0 && watching.stdout.includes('"w/tick"'),
    (isShown) => isShown,
  );
  await lab.sh(here, "mem set w/short gone --for 2s; mem set w/deleted - --for 1h; mem rm w/deleted");
  await watching.output(/"key":"w\/short","value":"gone"/);
  await watching.output(/\{"key":"w\/deleted","gone":true/);
  await watching.output(/\{"key":"w\/short","gone":true/);
  expect(await lab.sh(there, "mem get w/short")).toMatchObject({ status: 1, stdout: "" });
  await equal(lab, [here, there]);
});
