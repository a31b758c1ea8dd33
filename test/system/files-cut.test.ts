/** Files across a network that is really cut in halves, healed, and cut again along another line: nothing is lost. */
import { expect, test } from "vitest";
import { eventually, type Lab, type Node, openLab } from "./processes.ts";
import {
  digestOf,
  type Digests,
  expectSafe,
  type FileSet,
  mixedSizes,
  putFileSet,
  readBack,
  writeFileSet,
} from "./file-set.ts";
import { openSites } from "./sites.ts";

const MIB: number = 1024 * 1024;
/** A link that was cut is given up after seconds; two busy cores may double that. */
const NOTICED_MS = 60_000;
/** Within this time the files that either half has written are placed anew over all nodes. */
const SAFE_MS = 120_000;
const TEST_MS = 900_000;
const isLong: boolean = process.env["LONG"] !== undefined;

async function sees(lab: Lab, node: Node, count: number): Promise<void> {
  const ask = async (): Promise<number> => ((await lab.shJson(node, "peers --json")) as unknown[]).length;
  await eventually(`${node.data} sees ${count} nodes`, ask, (seen) => seen === count, NOTICED_MS);
}

async function write(lab: Lab, node: Node, path: string, text: string): Promise<void> {
  expect(await lab.sh(node, `put - '${path}'`, { stdin: text })).toMatchObject({ status: 0, stderr: "" });
}

/** The files that all nodes show in a directory, once they show the same, and as many as expected. */
async function alike(lab: Lab, nodes: readonly Node[], directory: string, files: number): Promise<Digests> {
  const ask = (): Promise<string[]> =>
    Promise.all(nodes.map(async (node) => (await lab.sh(node, `ls --json ${directory}`)).stdout));
  const isAlike = (all: readonly string[]): boolean => new Set(all).size === 1 && namesIn(all[0]) === files;
  await eventually(`${directory} is alike on ${nodes.length} nodes`, ask, isAlike, NOTICED_MS);
  const [first = new Map<string, string>(), ...others] = await Promise.all(
    nodes.map((node) => readBack(lab, node, directory)),
  );
  for (const other of others) expect(other).toEqual(first);
  return first;
}

function namesIn(json: string | undefined): number {
  return json === undefined || json === "" ? 0 : (JSON.parse(json) as unknown[]).length;
}

/** All files of these sets, with their paths below the root. */
function union(sets: readonly FileSet[], both: Digests): Digests {
  const all = sets.flatMap(({ name, digests }) =>
    [...digests].map(([path, hash]) => [`${name}/${path}`, hash] as const),
  );
  return new Map([...all, ...[...both].map(([path, hash]) => [`both/${path}`, hash] as const)]);
}

test(
  "halves that are cut apart read all, write, and conflict; once healed, and cut along another line, nothing is lost",
  { timeout: TEST_MS },
  async () => {
    await using sites = await openSites(4);
    await using lab = await openLab();
    const up = (site: number, join: readonly string[]): Promise<Node> =>
      lab.up({ within: sites.enter(site), args: ["--host", sites.address(site), "--cores", "0", ...join] });
    const a = await up(0, []);
    const [b, c, d] = await Promise.all([
      up(1, ["--join", a.invite]),
      up(2, ["--join", a.invite]),
      up(3, ["--join", a.invite]),
    ]);
    const all = [a, b, c, d];
    await Promise.all(all.map((node) => sees(lab, node, 4)));
    const before = await writeFileSet(lab, "before", mixedSizes(14, 3 * MIB, 7 * MIB));
    expect(await putFileSet(lab, a, before)).toMatch(/survives the loss of any 3 of \d nodes; all on this computer/);

    await sites.cut([2, 3]);
    await Promise.all(all.map((node) => sees(lab, node, 2)));
    const left = await writeFileSet(lab, "left", mixedSizes(12, 2 * MIB, 5 * MIB));
    const right = await writeFileSet(lab, "right", mixedSizes(12, 2 * MIB, 5 * MIB));
    const sets = [before, left, right];
    await Promise.all([putFileSet(lab, b, left), putFileSet(lab, d, right)]);
    // Both write the same paths: one that lives in its entry, and one that is coded.
    const small = ["of the left", "of the right"] as const;
    const large = ["left".repeat(3_000), "right".repeat(3_000)] as const;
    await Promise.all([
      write(lab, a, "/both/small.txt", small[0]),
      write(lab, c, "/both/small.txt", small[1]),
      write(lab, b, "/both/large.bin", large[0]),
      write(lab, d, "/both/large.bin", large[1]),
    ]);
    const ofSide = (mine: FileSet, side: 0 | 1): Digests =>
      union(
        [before, mine],
        new Map(Object.entries({ "small.txt": digestOf(small[side]), "large.bin": digestOf(large[side]) })),
      );
    for (const node of [a, b]) expect(await readBack(lab, node, "/")).toEqual(ofSide(left, 0));
    for (const node of [c, d]) expect(await readBack(lab, node, "/")).toEqual(ofSide(right, 1));

    await sites.heal();
    const both = await alike(lab, all, "/both", 4);
    expect([...both.values()].sort()).toEqual([...small, ...large].map(digestOf).sort());
    expect([...both.keys()].filter((name) => name.includes(" (conflict "))).toHaveLength(2);
    // Each half has both sides of the first cut in it, so that nothing has to be placed anew before the second; in the
    // long run it is.
    if (isLong) await Promise.all(sets.map((set) => expectSafe(lab, a, set, 3, SAFE_MS)));

    await sites.cut([1, 3]);
    await Promise.all(all.map((node) => sees(lab, node, 2)));
    for (const node of all) expect(await readBack(lab, node, "/")).toEqual(union(sets, both));
    await Promise.all([write(lab, c, "/both/again.txt", "of one"), write(lab, b, "/both/again.txt", "of another")]);
    await sites.heal();
    const after = await alike(lab, all, "/both", 6);
    expect([...after.values()].sort()).toEqual([...both.values(), digestOf("of one"), digestOf("of another")].sort());
  },
);
