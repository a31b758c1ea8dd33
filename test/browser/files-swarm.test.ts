/** Files in a swarm of five tabs and two nodes. The tabs close as tabs do: at any moment, without a word. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { pattern } from "../fixtures/content.ts";
import { type Lab, openLab, type Node } from "../system/processes.ts";
import { type Dropped, drop, sha256 } from "./files.ts";
import { openTabs, type Tab } from "./tabs.ts";

const KB = 1_000;
/** File sizes: empty, in the tree, small, just over a leaf and a stripe, and many stripes. */
const SIZES: readonly number[] = [0, 1, 4_096, 5 * KB, 100 * KB, 262_145, 600 * KB, 1_000 * KB, 4_000 * KB];
const FILES: readonly Dropped[] = Array.from({ length: 18 }, (_, i) => ({
  name: `${i}.bin`,
  sizeBytes: (SIZES[i % SIZES.length] ?? 0) / (i < 9 ? 1 : 3),
  seed: i + 1,
})).map((file) => ({ ...file, sizeBytes: Math.floor(file.sizeBytes) }));

const HASHES: readonly string[] = FILES.map(({ sizeBytes, seed }) => sha256(pattern(sizeBytes, seed)));

/** The hash of each file as this tab reads it. */
function readInTab(tab: Tab): Promise<string[]> {
  return tab.page.evaluate(
    async (names) => {
      const { files } = (globalThis as unknown as { starfish: { files: Pick<FilesOfPage, "read"> } }).starfish;
      interface FilesOfPage {
        read(path: string): AsyncIterable<Uint8Array<ArrayBuffer>>;
      }
      const hashes: string[] = [];
      for (const name of names) {
        const bytes = await new Blob(await Array.fromAsync(files.read(`/${name}`))).arrayBuffer();
        const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
        hashes.push(Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join(""));
      }
      return hashes;
    },
    FILES.map(({ name }) => name),
  );
}

async function readInNode(lab: Lab, node: Node, into: string): Promise<string[]> {
  const { status, stderr } = await lab.sh(node, `get / ${into}`);
  expect([status, stderr]).toEqual([0, ""]);
  return await Promise.all(FILES.map(async ({ name }) => sha256(await readFile(join(lab.folder, into, name)))));
}

test("files put in a tab that is killed with two others as soon as they are safe are read from those left", async () => {
  await using lab = await openLab();
  await using staying = await openTabs();
  await using dying = await openTabs();
  const first = await lab.up({ args: ["--cores", "0"] });
  const second = await lab.up({ args: ["--cores", "0", "--join", first.invite] });
  const apart = { apart: true } as const;
  const doomed = await dying.open(first.invite, apart);
  const [, , ...left] = await Promise.all([
    dying.open(first.invite, apart),
    dying.open(second.invite, apart),
    staying.open(first.invite, apart),
    staying.open(second.invite, apart),
  ]);
  await doomed.page.locator("#view-files").click();
  await expect.poll(() => doomed.page.locator("#space-nodes li").count()).toBe(7);
  await drop(doomed, FILES);
  const said = doomed.page.locator("#files-said");
  await expect.poll(() => said.innerText(), { timeout: 60_000 }).toMatch(/^Added 18 files, survives/);
  const [, any] = /the loss of any (\d+) of \d+ nodes; all on this computer/.exec(await said.innerText()) ?? [];
  await dying.kill();
  // The promise is that any half of the seven may go; if all seven are known from the start, any five may.
  expect(any).toBe("5");

  for (const tab of left) expect(await readInTab(tab)).toEqual(HASHES);
  expect(await readInNode(lab, first, "half")).toEqual(HASHES);
  await staying.kill();
  for (const [i, node] of [first, second].entries()) {
    expect(await readInNode(lab, node, `alone-${i}`)).toEqual(HASHES);
  }
});
