/**
 * Whatever several nodes do to the same few paths, in whatever order they meet: they show the same in the end, and every
 * content that was ever written is there, or was replaced or removed by somebody who saw it (and then is an earlier
 * version).
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { everything, filesNode, type FilesNode, write } from "../../../test/fixtures/files.ts";
import { exchange, TestTime } from "../../../test/fixtures/replica-map.ts";
import { isStarfishError } from "../../base/errors.ts";
import { parseFileValue } from "./tree-value.ts";

const NODES = 3;
const path = fc.constantFrom("a", "b", "d/a", "d/b", "d/e/a", "f/a", "d", "f", "a/x");
const node = fc.integer({ min: 0, max: NODES - 1 });
type Step =
  | { readonly kind: "write"; readonly node: number; readonly path: string }
  | { readonly kind: "remove" | "make"; readonly node: number; readonly path: string }
  | { readonly kind: "rename"; readonly node: number; readonly path: string; readonly to: string }
  | { readonly kind: "copy"; readonly node: number; readonly path: string; readonly to: string }
  | { readonly kind: "meet"; readonly node: number; readonly other: number };
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("write" as const), node, path }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom("remove" as const, "make" as const), node, path }) },
  {
    weight: 4,
    arbitrary: fc.oneof(
      fc.record({ kind: fc.constant("rename" as const), node, path, to: path }),
      fc.record({ kind: fc.constant("copy" as const), node, path, to: path }),
    ),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("meet" as const), node, other: node }) },
);

/** False if it could not be done there. */
async function take(one: Step, nodes: readonly FilesNode[], content: string): Promise<boolean> {
  const { files, map } = nodes[one.node] as FilesNode;
  try {
    if ("to" in one) files[one.kind](one.path, one.to);
    else if (one.kind === "meet") exchange(map, (nodes[one.other] as FilesNode).map);
    else if (one.kind === "write") await write(files, one.path, content);
    else if (one.kind === "remove") files.remove(one.path, { recursive: true });
    else files.makeDirectory(one.path, { parents: true });
    return true;
  } catch (error) {
    if (!isStarfishError(error)) throw error;
    return false;
  }
}

/** Contents of all versions, living and earlier. */
function contentsOf({ map }: FilesNode): Set<string> {
  const values = [...map.entries()].flatMap(({ value }) => parseFileValue(value) ?? []);
  return new Set(values.map(({ inline }) => new TextDecoder().decode(inline)));
}

test("all show the same, and no content is lost", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const time = new TestTime();
      const nodes = await Promise.all(
        ["calm-otter", "bold-heron", "calm-otter"].map((name, i) => filesNode({ self: i + 1, name, time })),
      );
      const written: string[] = [];
      /** Contents that nobody who knew of them has touched since, with who knows. */
      const untouched = new Map<string, Set<number>>();
      for (const [i, one] of steps.entries()) {
        time.nowMs += i % 3;
        if (!(await take(one, nodes, `content ${i}`))) continue;
        for (const [content, knowing] of untouched) {
          const meets = one.kind === "meet" && (knowing.has(one.node) || knowing.has(one.other));
          if (meets) knowing.add(one.node).add(one.other);
          else if (one.kind !== "meet" && one.kind !== "make" && knowing.has(one.node)) untouched.delete(content);
        }
        if (one.kind === "write") written.push(`content ${i}`);
        if (one.kind === "write") untouched.set(`content ${i}`, new Set([one.node]));
        // What a node shows is always all that is living, whatever conflicts there are.
        const shown = Object.values(await everything((nodes[one.node] as FilesNode).files)).filter(
          (text) => text !== "",
        );
        if (one.kind === "write") expect(shown).toContain(`content ${i}`);
      }
      exchange(...nodes.map(({ map }) => map));
      const [first = {}, ...others] = await Promise.all(nodes.map(({ files }) => everything(files)));
      for (const other of others) expect(other).toEqual(first);
      expect(Object.values(first)).toEqual(expect.arrayContaining([...untouched.keys()]));
      for (const one of nodes) expect([...contentsOf(one)]).toEqual(expect.arrayContaining(written));
      // A tree that is made anew from the map shows what one shows that has followed it.
      const again = await filesNode({ self: 9, name: "new", time, map: (nodes[0] as FilesNode).map });
      expect(await everything(again.files)).toEqual(first);
      for (const info of again.files.walk("/")) {
        expect(nodes[0]?.files.stat(info.path)).toEqual(info);
        expect(nodes[1]?.files.stat(info.path)).toEqual(info);
      }
    }),
    { numRuns: 300 },
  );
});
