/** Several nodes: how they find each other, and how they notice that one dies and returns. */
import { expect, test } from "vitest";
import { eventually, type Lab, type Node, openLab } from "./processes.ts";

interface PeerRow {
  readonly peer: string;
  readonly name: string;
  readonly status: string;
  readonly self: boolean;
  readonly link: { readonly kind: string; readonly transport: string } | null;
}

async function peersOf(lab: Lab, node: Node): Promise<readonly PeerRow[]> {
  return (await lab.shJson(node, "peers --json")) as readonly PeerRow[];
}

async function seesExactly(lab: Lab, node: Node, names: readonly string[]): Promise<readonly PeerRow[]> {
  const what = `${node.data} sees ${names.join(", ")}`;
  const present = (rows: readonly PeerRow[]): string =>
    rows
      .map((row) => row.name)
      .sort()
      .join();
  return await eventually(
    what,
    () => peersOf(lab, node),
    (rows) => present(rows) === [...names].sort().join(),
  );
}

test("a chain becomes a mesh that outlives its middle, and a node that was down comes back the same", async () => {
  await using lab = await openLab();
  const first = await lab.up({ args: ["--name", "first"] });
  const middle = await lab.up({ args: ["--name", "middle", "--join", first.invite] });
  await seesExactly(lab, middle, ["first", "middle"]);
  const last = await lab.up({ args: ["--name", "last", "--join", middle.invite] });
  for (const node of [first, middle, last]) await seesExactly(lab, node, ["first", "last", "middle"]);
  const rows = await eventually(
    "first and last are linked",
    () => peersOf(lab, first),
    (seen) => seen.some((row) => row.name === "last" && row.link?.kind === "direct"),
  );
  const middleId = rows.find((row) => row.name === "middle")?.peer;

  await middle.process.end("SIGKILL");
  for (const node of [first, last]) await seesExactly(lab, node, ["first", "last"]);
  expect(await lab.sh(first, "ping last --count 2")).toMatchObject({
    status: 0,
    stdout: expect.stringContaining("2 of 2"),
  });
  expect(first.process.stdout).toContain("- middle is gone without a goodbye");

  const again = await lab.up({ data: middle.data, args: ["--name", "middle"] });
  const back = await seesExactly(lab, first, ["first", "last", "middle"]);
  expect(back.find((row) => row.name === "middle")?.peer).toBe(middleId);
  await again.process.end("SIGTERM");
  await first.process.output(/^- middle left$/m);
});
