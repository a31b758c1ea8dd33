/** Two real nodes on copies of one data directory: both say so, and the later one ends with an error. */
import { cp } from "node:fs/promises";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { eventually, type Lab, type Node, openLab } from "./processes.ts";

interface PeerRow {
  readonly name: string;
  readonly status: string;
}

async function namesSeenBy(lab: Lab, node: Node): Promise<string> {
  const rows = (await lab.shJson(node, "peers --json")) as readonly PeerRow[];
  return rows
    .filter(({ status }) => status === "awake")
    .map(({ name }) => name)
    .sort()
    .join();
}

test("a copied data directory: both are told, the later one ends with status 75, the other stays", async () => {
  await using lab = await openLab();
  const host = await lab.up({ args: ["--name", "host"] });
  const first = await lab.up({ args: ["--name", "first", "--join", host.invite] });
  await eventually(
    "host sees first",
    () => namesSeenBy(lab, host),
    (names) => names === "first,host",
  );

  const copied = join(lab.folder, "copied");
  // What says that the directory is in use is not what a person copies to another machine.
  const isOfProcess = (path: string): boolean => /^(lock|control)/.test(basename(path));
  await cp(first.data, copied, { recursive: true, filter: (path) => !isOfProcess(path) });
  const second = await lab.up({ data: copied, args: ["--name", "second"] });
  const { status, stderr } = await second.process.finished;
  expect(stderr).toMatch(
    /Another node has been running with this node's identity since .* This one started later and ends/,
  );
  expect(status).toBe(75);

  await first.process.output(/(Another node has been running with this node's identity since .*)/);
  expect((await lab.sh(first, "peers")).stderr).toMatch(/It started later and gives way/);
  for (const node of [host, first]) {
    await eventually(
      "host and first are there",
      () => namesSeenBy(lab, node),
      (names) => names === "first,host",
    );
  }
});
