/** The view of files in real tabs: files are added, looked at, downloaded, removed and brought back. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { pattern } from "../fixtures/content.ts";
import { eventually, type Lab, type Node, openLab } from "../system/processes.ts";
import { drop, dropFromHost, rowsOf, sha256 } from "./files.ts";
import { openTabs, type Tab, type Tabs } from "./tabs.ts";

/** Rows that the page draws of a directory at first; see browser/ui/files/files-view.ts. */
const ROWS_MAX = 200;
/** Drawing all entries of a huge directory takes longer than this; drawing some takes a tenth, on an idle machine. */
const STALL_MS = 1_000;
const PICTURE: string = fileURLToPath(new URL("../../browser/public/icon-192.png", import.meta.url));

let lab: Lab;
let node: Node;
let tabs: Tabs;

beforeAll(async () => {
  lab = await openLab();
  node = await lab.up();
  tabs = await openTabs();
});

afterAll(async () => {
  await tabs?.[Symbol.asyncDispose]();
  await lab?.[Symbol.asyncDispose]();
});

async function openFiles(options: Parameters<Tabs["open"]>[1] = {}): Promise<Tab> {
  const tab = await tabs.open(node.invite, { apart: true, ...options });
  await tab.page.locator(options.phone === true ? "#tab-files" : "#view-files").click();
  return tab;
}

async function put(path: string, stdin: string | Uint8Array): Promise<void> {
  const { status, stderr } = await lab.sh(node, `put - '${path}'`, { stdin });
  expect([status, stderr]).toEqual([0, ""]);
}

/** Counts the cells that are lit up. */
function noteLights(): void {
  Object.assign(globalThis, { lit: 0 });
  type Animate = (this: Element, ...args: Parameters<Element["animate"]>) => Animation;
  const animate: Animate = Reflect.get(Element.prototype, "animate");
  Element.prototype.animate = function (...args) {
    if (this.closest("#shards") !== null) Object.assign(globalThis, { lit: Reflect.get(globalThis, "lit") + 1 });
    return animate.apply(this, args);
  };
}

async function bytesAt(path: string): Promise<Uint8Array> {
  return (await lab.sh(node, `cat ${path}`)).stdoutBytes;
}

function said(tab: Tab): Promise<string> {
  return tab.page.locator("#files-said").innerText();
}

async function names(tab: Tab): Promise<(string | undefined)[]> {
  return (await rowsOf(tab)).map(([name]) => name);
}

/** Opens a file or directory by its name. */
async function choose(tab: Tab, name: string): Promise<void> {
  await tab.page.locator("#files-rows").getByRole("button", { name, exact: true }).click();
}

test("an empty swarm teaches; what is dropped is safe, shows everywhere, and comes out as it went in", async () => {
  const here = await openFiles();
  const there = await openFiles({ moves: true, before: noteLights });
  await here.page.getByRole("button", { name: "echo hello | put - /hello.txt" }).click();
  await expect.poll(() => names(there)).toEqual(["hello.txt"]);
  await expect
    .poll(() => rowsOf(here))
    .toEqual([["hello.txt", expect.stringMatching(/^you · /), "6 B", "◇ one computer"]]);

  // Once it is known what all three offer, each gets a shard of each stripe.
  await expect.poll(() => here.page.locator("#space-nodes li").count()).toBe(3);
  // The file is dropped elsewhere on the page; without a handler there, the browser would leave the page and show the
  // file.
  await here.page.locator("#view-swarm").click();
  await drop(here, [{ name: "large.bin", sizeBytes: 1_500_000, seed: 3 }]);
  await expect
    .poll(() => said(here))
    .toMatch(/^Added large\.bin, survives the loss of any \d+ of \d+ nodes; all on this computer\.$/);
  const by = await here.name();
  await expect
    .poll(() => rowsOf(there))
    .toContainEqual(["large.bin", expect.stringContaining(by), "1.50 MB", "◇ one computer"]);

  await choose(there, "large.bin");
  const shards = there.page.locator("#shards");
  await expect.poll(() => shards.getAttribute("aria-label")).toMatch(/^(\d+) of \1 shards are there: \d+ stripes on 3/);
  expect(await shards.locator(".device").count()).toBe(3);
  await expect.poll(() => there.page.locator("#preview").innerText()).toMatch(/^No preview/);
  const download = there.page.waitForEvent("download");
  await there.page.getByRole("button", { name: "Download" }).click();
  const file = await download;
  expect(file.suggestedFilename()).toBe("large.bin");
  expect(sha256(await readFile(await file.path()))).toBe(sha256(pattern(1_500_000, 3)));

  // A device leaves: its cells are hollow. It comes back with what it holds: they light up.
  const gone = there.page.locator("#shards .device.gone");
  const held = (where: string): Promise<number> => there.page.locator(`#shards ${where} i.held`).count();
  const all = await held(".device");
  expect(await there.page.evaluate(() => Reflect.get(globalThis, "lit"))).toBe(0);
  await here.page.goto("about:blank");
  await expect.poll(() => gone.innerText()).toBe(by);
  await expect.poll(() => held(".device.gone")).toBe(0);
  expect(await held(".device")).toBe((all / 3) * 2);
  await here.page.goto(node.invite);
  await expect.poll(() => held(".device")).toBe(all);
  expect(await gone.count()).toBe(0);
  expect(await there.page.evaluate(() => Reflect.get(globalThis, "lit"))).toBe(all / 3);
  expect([...here.complaints, ...there.complaints]).toEqual([]);
  await here.close();
  await there.close();
});

test("what two write at once under one name is kept twice, and the copy is marked", async () => {
  const here = await openFiles();
  const there = await openFiles();
  let tries = 0;
  // Repeated until it happens that neither has heard of the other's file.
  await expect
    .poll(async () => {
      const path = `/conflicts/${tries++}.txt`;
      await Promise.all(
        [here, there].map((tab, i) =>
          tab.page.evaluate(`starfish.files.write("${path}", (async function* () {
          yield new TextEncoder().encode("from ${i}");
        })())`),
        ),
      );
      return (await lab.sh(node, "ls /conflicts")).stdout;
    })
    .toContain("(conflict ");
  await choose(here, "conflicts/");
  const copies = here.page.locator("#files-rows tr.conflict");
  await expect.poll(() => copies.first().innerText()).toMatch(/\(conflict .*\)\.txt\s+conflict copy · /);
  await copies.first().getByRole("button").first().click();
  await expect.poll(() => here.page.locator("#file-facts").innerText()).toContain("two sides wrote this name");
  await expect.poll(() => here.page.locator("#preview").innerText()).toMatch(/^from [01]$/);
  expect([...here.complaints, ...there.complaints]).toEqual([]);
  await here.close();
  await there.close();
});

test("what is looked at is never run: HTML and SVG are text, a picture is its pixels", async () => {
  const evil = `<svg xmlns="http://www.w3.org/2000/svg" onload="globalThis.ran=1"><script>globalThis.ran=1</script></svg>`;
  await put("/looks/page.html", `<!doctype html><img src=x onerror="globalThis.ran=1">${evil}`);
  await put("/looks/drawing.svg", evil);
  await put("/looks/liar.png", evil);
  await put("/looks/icon", await readFile(PICTURE));
  await put("/looks/long.txt", "ü".repeat(100_000));
  const tab = await openFiles();
  const preview = tab.page.locator("#preview");
  await choose(tab, "looks/");
  for (const name of ["page.html", "drawing.svg", "liar.png"]) {
    await choose(tab, name);
    await expect.poll(() => preview.innerText()).toContain("<script>globalThis.ran=1</script>");
    expect(await preview.locator("pre > *, img, svg, iframe").count()).toBe(0);
  }
  await choose(tab, "icon");
  const width = (): Promise<number> => preview.locator("img").evaluate((image: HTMLImageElement) => image.naturalWidth);
  await expect.poll(width).toBe(192);
  await choose(tab, "long.txt");
  await expect.poll(() => preview.innerText()).toMatch(/^ü{32768}\s+The first 65\.5 kB of 200 kB\.$/);
  expect(await tab.page.evaluate(() => Reflect.get(globalThis, "ran"))).toBeUndefined();
  expect(tab.complaints).toEqual([]);
  await tab.close();
});

test("what is deleted is brought back, also a directory with all that is in it; by mouse and by keyboard alone", async () => {
  await put("/trash/inner/deep.txt", "deep");
  await put("/trash/top.txt", "top");
  const tab = await openFiles();
  const { page } = tab;
  await page.getByRole("button", { name: "Delete trash" }).click();
  await expect.poll(() => said(tab)).toMatch(/^Deleted trash\/ with 2 files\./);
  expect((await lab.sh(node, "cat /trash/top.txt")).status).toBe(1);
  // The focus is on the button that undoes it.
  await page.keyboard.press("Enter");
  await expect.poll(() => said(tab)).toBe("Restored trash.");
  expect((await lab.sh(node, "cat /trash/inner/deep.txt /trash/top.txt")).stdout).toBe("deeptop");

  await page.locator("#files-rows").getByRole("button", { name: "trash/" }).focus();
  await page.keyboard.press("Enter");
  await expect.poll(() => names(tab)).toEqual(["inner/", "top.txt"]);
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("trash");
  await page.locator("#files-rows button").first().focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.getByRole("region", { name: "Preview" }).getByText("top").waitFor();
  await page.locator("#file-get").focus();
  await page.keyboard.press("Escape");
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("top.txt");
  await page.keyboard.press("Delete");
  await expect.poll(() => names(tab)).toEqual(["inner/"]);
  await page.getByRole("button", { name: "Restore" }).click();
  await expect.poll(() => names(tab)).toEqual(["inner/", "top.txt"]);
  await page.locator("#files-rows button").first().focus();
  await page.keyboard.press("Backspace");
  await expect.poll(() => names(tab)).toContain("trash/");
  expect(tab.complaints).toEqual([]);
  await tab.close();
});

test("a directory is made, files are picked into it, and who cancels in the middle leaves nothing", async () => {
  const tab = await openFiles();
  const { page } = tab;
  await page.getByRole("button", { name: "New directory" }).click();
  await page.keyboard.type("a/b");
  await page.keyboard.press("Enter");
  expect(
    await page.locator("#files-name-input").evaluate((input: HTMLInputElement) => input.validationMessage),
  ).toMatch(/no slash/);
  await page.locator("#files-name-input").fill("picked");
  await page.keyboard.press("Enter");
  await choose(tab, "picked/");
  await page.getByText("Nothing is in this directory.").waitFor();
  const chooser = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "Add files" }).click();
  const two = ["one.txt", "two.txt"].map((name) => ({ name, mimeType: "text/plain", buffer: Buffer.from(name) }));
  await (await chooser).setFiles(two);
  await expect.poll(() => said(tab)).toMatch(/^Added 2 files, survives the loss of any /);
  expect((await lab.sh(node, "cat /picked/one.txt /picked/two.txt")).stdout).toBe("one.txttwo.txt");

  await drop(tab, [{ name: "huge.bin", sizeBytes: 120_000_000, seed: 9 }]);
  const row = page.locator("#transfers li");
  await expect.poll(() => row.innerText()).toMatch(/Adding huge\.bin\s+[\d.]+ MB of 120 MB, [\d.]+ MB\/s, .* left/);
  await row.getByRole("button", { name: "Cancel: Adding huge.bin" }).click();
  await expect.poll(() => row.count()).toBe(0);
  expect(await names(tab)).toEqual(["one.txt", "two.txt"]);
  expect((await lab.sh(node, "stat /picked/huge.bin")).status).toBe(1);
  await page.getByRole("button", { name: "All files" }).click();
  await expect.poll(() => names(tab)).toContain("picked/");
  expect(tab.complaints).toEqual([]);
  await tab.close();
});

test("a directory is dropped with all that is in it; of two hundred files those in sight say how safe they are", async () => {
  const folder = join(lab.folder, "dropped");
  await mkdir(join(folder, "inner/empty"), { recursive: true });
  await writeFile(join(folder, "inner/deep.txt"), "deep");
  // Most of these files live in the tree, some are coded.
  const files = Array.from({ length: 200 }, (_, i) => `${i}.txt`);
  for (const [i, name] of files.entries()) await writeFile(join(folder, name), pattern(i % 5 === 0 ? 5_000 : 500, i));
  const tab = await openFiles();
  await dropFromHost(tab, [folder]);
  await expect.poll(() => said(tab), { timeout: 30_000 }).toMatch(/^Added 201 files, /);
  expect((await lab.sh(node, "cat /dropped/inner/deep.txt; ls /dropped/inner")).stdout).toBe("deepdeep.txt\nempty\n");
  await choose(tab, "dropped/");
  // As people sort: 2 before 10.
  expect((await names(tab)).slice(0, 12)).toEqual(["inner/", ...files.slice(0, 11)]);
  const safety = async (): Promise<string[]> => (await rowsOf(tab)).map(([, , , words = ""]) => words);
  await expect.poll(async () => (await safety()).slice(0, 8)).toEqual(["", ...Array(7).fill("◇ one computer")]);
  // The page asks for nothing about rows that are out of sight.
  expect((await safety()).at(-1)).toBe("…");
  await tab.page.getByRole("button", { name: "Show 1 more of 1" }).click();
  await expect.poll(() => names(tab)).toHaveLength(1 + files.length);
  const last = tab.page.locator("#files-rows tr").last();
  const lastSafety = async (): Promise<string | undefined> => {
    // Rows above it may still grow.
    await last.scrollIntoViewIfNeeded();
    return (await safety()).at(-1);
  };
  await expect.poll(lastSafety).toBe("◇ one computer");
  expect(sha256(await bytesAt("/dropped/195.txt"))).toBe(sha256(pattern(5_000, 195)));
  expect(tab.complaints).toEqual([]);
  await tab.close();
});

test("of ten thousand entries some are shown, more on demand, live, and the page does not stall", async () => {
  const tab = await openFiles();
  const { page } = tab;
  await page.evaluate(async () => {
    const { files } = Reflect.get(globalThis, "starfish") as { files: { makeDirectory(path: string): void } };
    files.makeDirectory("/many");
    for (let i = 0; i < 10_000; i++) {
      files.makeDirectory(`/many/${i}`);
      if (i % 250 === 0) await new Promise((resolve) => setTimeout(resolve));
    }
    // The longest time between two turns of the page, from now on.
    const longest = { ms: 0 };
    Object.assign(globalThis, { longest });
    let turnAtMs = performance.now();
    const { port1, port2 } = new MessageChannel();
    port1.addEventListener("message", () => {
      const nowMs = performance.now();
      longest.ms = Math.max(longest.ms, nowMs - turnAtMs);
      turnAtMs = nowMs;
      setTimeout(() => port2.postMessage(0));
    });
    port1.start();
    port2.postMessage(0);
  });
  await choose(tab, "many/");
  await expect.poll(() => names(tab)).toHaveLength(ROWS_MAX);
  await page.getByRole("button", { name: "Show 200 more of 9800" }).click();
  await expect.poll(() => names(tab)).toHaveLength(2 * ROWS_MAX);
  await put("/many/0-new.txt", "new");
  await expect.poll(() => page.locator("#files-facts").innerText()).toBe("10000 directories · 1 file · 3 B");
  const longestMs = await page.evaluate(() => (Reflect.get(globalThis, "longest") as { ms: number }).ms);
  console.log(`Longest time without an answer, with 10,000 entries: ${longestMs.toFixed(0)} ms`);
  expect(longestMs).toBeGreaterThan(1);
  expect(longestMs).toBeLessThan(STALL_MS);
  expect(tab.complaints).toEqual([]);
  await tab.close();
});

test("space by node, and a cap on it that all hear of and that is remembered", async () => {
  const tab = await openFiles();
  const name = await tab.name();
  const offered = async (): Promise<number | undefined> => {
    const { nodes } = (await lab.shJson(node, "df --json")) as { nodes: { name: string; offeredBytes: number }[] };
    return nodes.find((one) => one.name === name)?.offeredBytes;
  };
  const space = tab.page.locator("#space-nodes li", { hasText: `${name} (you)` });
  await expect.poll(() => space.innerText()).toMatch(/ of 2 GB$/);
  await tab.page.getByLabel("This tab keeps up to").selectOption("250 MB");
  await eventually("the node knows of the cap", offered, (bytes) => bytes === 250_000_000);
  await expect.poll(() => space.innerText()).toMatch(/ of 250 MB$/);
  await tab.page.reload();
  await tab.waitFor(/It keeps up to 250 MB for the others and lends no cores/);
  expect(await tab.page.locator("#facts").innerText()).toMatch(/keeps [\d.]+ k?M?B\s*of 250 MB/);
  expect(tab.complaints).toEqual([]);
  await tab.close();
});

test("on a phone the files have the screen, and nothing is cut off", async () => {
  const tab = await openFiles({ phone: true, width: 360, height: 740 });
  const { page } = tab;
  await put(`/a-name-${"that-goes-on-".repeat(8)}and-on.txt`, "x".repeat(6_000));
  const left = async (): Promise<number> => Math.round((await page.locator("#files-place").boundingBox())?.x ?? -1);
  await expect.poll(left).toBe(0);
  await page.locator("#files-rows button", { hasText: "a-name-" }).tap();
  await page.locator("#shards .device").first().waitFor();
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
  const cut = await page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>("#files-place button, #files-place select")]
      .filter((element) => element.checkVisibility() && element.closest("th") === null)
      .filter((element) => {
        const { left, right } = element.getBoundingClientRect();
        return left < 0 || right > innerWidth || element.scrollWidth > element.clientWidth + 1;
      })
      .map((element) => element.innerText),
  );
  expect(cut).toEqual([]);
  expect(tab.complaints).toEqual([]);
  await tab.close();
});
