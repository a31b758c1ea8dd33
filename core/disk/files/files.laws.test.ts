/**
 * Several nodes change the same few paths, and meet in any order. In the end all show the same. What was written is
 * shown, unless somebody who saw it has removed or replaced it; then it is an earlier version.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { everything, filesNode, type FilesNode, write } from "../../../test/fixtures/files.ts";
import { exchange, TestTime } from "../../../test/fixtures/replica-map.ts";
import { text } from "../../base/bytes.ts";
import { isStarfishError } from "../../base/errors.ts";
import { parseFileValue } from "./tree-value.ts";

const NODES = 3;
const path = fc.constantFrom("a", "b", "d/a", "d/b", "d/e/a", "d", "a/x");
const node = fc.integer({ min: 0, max: NODES - 1 });
type Step = { readonly node: number } & (
  | { readonly kind: "write" | "remove" | "make"; readonly path: string }
  | { readonly kind: "rename" | "copy"; readonly path: string; readonly to: string }
  /** One of the files that are shown, conflict copies among them. */
  | { readonly kind: "move"; readonly pick: number; readonly to: string }
  | { readonly kind: "meet"; readonly other: number }
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("write" as const), node, path }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom("remove" as const, "make" as const), node, path }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom("rename" as const, "copy" as const), node, path, to: path }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("move" as const), node, pick: fc.nat(9), to: path }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("meet" as const), node, other: node }) },
);

type Shown = Readonly<Record<string, string>>;

/** False if it could not be done there. */
async function take(one: Step, nodes: readonly FilesNode[], content: string, shown: Shown): Promise<boolean> {
  const { files, map } = nodes[one.node] as FilesNode;
  try {
    if (one.kind === "meet") exchange(map, (nodes[one.other] as FilesNode).map);
    else if (one.kind === "move") {
      const paths = Object.keys(shown).filter((shownPath) => !shownPath.endsWith("/"));
      files.rename(paths[one.pick % paths.length] ?? "/nothing", one.to);
    } else if ("to" in one) files[one.kind](one.path, one.to);
    else if (one.kind === "write") await write(files, one.path, content);
    else if (one.kind === "remove") files.remove(one.path, { recursive: true });
    else files.makeDirectory(one.path, { parents: true });
    return true;
  } catch (error) {
    if (!isStarfishError(error)) throw error;
    return false;
  }
}

/** What a step may make disappear from the node that takes it. */
function replaceable(one: Step, shown: Shown): string[] {
  if (one.kind === "meet" || one.kind === "make") return [];
  const at = `/${"to" in one ? one.to : one.path}`;
  const isGone = (shownPath: string): boolean =>
    shownPath === at || (one.kind === "remove" && shownPath.startsWith(`${at}/`));
  return Object.entries(shown).flatMap(([shownPath, content]) => (isGone(shownPath) ? [content] : []));
}

function countsOf(shown: Shown): Map<string, number> {
  const counts = new Map<string, number>();
  for (const content of Object.values(shown)) counts.set(content, (counts.get(content) ?? 0) + 1);
  return counts;
}

/** Contents of which one node shows fewer copies than before. */
function fewer(before: Shown, after: Shown): string[] {
  const left = countsOf(after);
  return [...countsOf(before)].flatMap(([content, count]) => ((left.get(content) ?? 0) < count ? [content] : []));
}

/** Contents of all versions, living and earlier. */
function versionsOf({ map }: FilesNode): string[] {
  const values = [...map.entries()].flatMap(({ value }) => parseFileValue(value) ?? []);
  return values.map(({ inline }) => text(inline ?? new Uint8Array(0)));
}

async function runSteps(steps: readonly Step[]): Promise<void> {
  const time = new TestTime();
  const nodes = await Promise.all(
    ["calm-otter", "bold-heron", "calm-otter"].map((name, i) => filesNode({ self: i + 1, name, time })),
  );
  const written = new Set<string>();
  const retired = new Set<string>();
  for (const [i, one] of steps.entries()) {
    time.nowMs += i % 3;
    const { files } = nodes[one.node] as FilesNode;
    const before = await everything(files);
    if (!(await take(one, nodes, `content ${i}`, before))) continue;
    if (one.kind === "write") written.add(`content ${i}`);
    if (one.kind === "meet") continue;
    const after = await everything(files);
    const gone = fewer(before, after).filter((content) => content !== "");
    for (const content of gone) retired.add(content);
    // Two files of one content that get one name become one file.
    const vanished = gone.filter((content) => !Object.values(after).includes(content));
    expect(replaceable(one, before)).toEqual(expect.arrayContaining(vanished));
    if (one.kind === "write") expect(Object.values(after)).toContain(`content ${i}`);
  }
  exchange(...nodes.map(({ map }) => map));
  const [first = {}, ...others] = await Promise.all(nodes.map(({ files }) => everything(files)));
  for (const other of others) expect(other).toEqual(first);
  expect(Object.values(first)).toEqual(expect.arrayContaining([...written.difference(retired)]));
  for (const one of nodes) expect(versionsOf(one)).toEqual(expect.arrayContaining([...written]));
  // A tree that is made anew from the map shows the same as one that has followed the map.
  const again = await filesNode({ self: 9, name: "new", time, map: (nodes[0] as FilesNode).map });
  expect(await everything(again.files)).toEqual(first);
  for (const info of again.files.walk("/")) {
    for (const { files } of nodes) expect(files.stat(info.path)).toEqual(info);
  }
}

test("all show the same, and nothing is lost in silence", async () => {
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 40, size: "max" }), runSteps), { numRuns: 500 });
});
