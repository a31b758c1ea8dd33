/**
 * One real tab of the built page on one real node: what a person sees, when all is well and when something is wrong.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { glob, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { openLab, type Lab, type Node } from "../system/processes.ts";
import { closureOf } from "./built-code.ts";
import { openTabs, type Tab, type Tabs } from "./tabs.ts";

/**
 * Bound for all code that a tab runs before it runs a task, bytes after gzip: the terminal and the node
 * (page-size.test.ts), links between tabs, the worker that codes, and the rows of the view of files. page-size.test.ts
 * bounds the code that comes later, feature by feature, and the shell.
 */
const CODE_GZIP_BYTES_MAX = 465_000;

const BUILT_PAGE: string = fileURLToPath(new URL("../../dist/page", import.meta.url));

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

/** Presses a button and, before anything else can happen in that tab, reads how many cores the browser remembers. */
async function rememberedAtOnce(tab: Tab, button: string): Promise<string | null> {
  return await tab.page.getByRole("button", { name: button }).evaluate((element: HTMLElement) => {
    element.click();
    return localStorage.getItem("starfish.cores-lent");
  });
}

async function notice(tab: Tab): Promise<string> {
  return await tab.page.locator("#notice:not([hidden])").innerText({ timeout: 20_000 });
}

test("a first visit: terminal, greeting and prompt before the network; then who is here, and not one complaint", async () => {
  const tab = await tabs.open(node.invite, { moves: true, joins: false });
  await tab.waitFor(/^\$/m);
  const early = await tab.screen();
  expect(early).toContain("map mandelbrot");
  await tab.waitFor(/You are \S+\. Here is \S+\./);
  const { output, ok } = await tab.run("peers");
  expect(ok).toBe(true);
  expect(output).toContain(await tab.name());
  expect(tab.complaints).toEqual([]);
  await tab.close();
});

/**
 * Names of the code files that this page has asked for: to run them (scripts, workers, styles), or to have them for
 * later.
 */
function codeOf(tab: Tab): Promise<{ readonly run: string[]; readonly later: string[] }> {
  return tab.page.evaluate(() => {
    const entries = performance.getEntriesByType("resource").filter(({ name }) => /\.(js|css)$/.test(name));
    const names = (isLater: boolean): string[] =>
      entries
        .filter((entry) => ((entry as PerformanceResourceTiming).initiatorType === "fetch") === isLater)
        .map(nameOf);
    const nameOf = ({ name }: PerformanceEntry): string => name.slice(name.lastIndexOf("/") + 1);
    return { run: ["index.html", ...names(false)], later: names(true) };
  });
}

/** Names of the files that the browser of this tab keeps. */
function keptIn(tab: Tab): Promise<string[]> {
  return tab.page.evaluate(async () => {
    const caches = await Promise.all((await window.caches.keys()).map((name) => window.caches.open(name)));
    const kept = (await Promise.all(caches.map((cache) => cache.keys()))).flat();
    return kept.map(({ url }) => url.slice(url.lastIndexOf("/") + 1));
  });
}

async function gzipBytes(names: Iterable<string>): Promise<number> {
  const built = await Array.fromAsync(glob(["**/*.{js,css,html}"], { cwd: BUILT_PAGE }));
  const sizes = await Promise.all(
    [...names].map(async (name) => {
      const path = built.find((each) => basename(each) === name) ?? name;
      return { name, bytes: gzipSync(await readFile(join(BUILT_PAGE, path)), { level: 9 }).length };
    }),
  );
  const parts = sizes.toSorted((a, b) => b.bytes - a.bytes).map(({ name, bytes }) => `${name} ${bytes}`);
  const total = sizes.reduce((sum, { bytes }) => sum + bytes, 0);
  console.log(`${total} bytes after gzip: ${parts.join(", ")}`);
  return total;
}

test("all code that a tab runs before a task is run is small, and the rest it fetches in quiet", async () => {
  // Without a service worker this tab fetches the rest file by file.
  const before = (): void => void Reflect.deleteProperty(Navigator.prototype, "serviceWorker");
  const tab = await tabs.open(node.invite, { apart: true, before });
  const other = await tabs.open(node.invite, { apart: true });
  const name = await other.name();
  const linkWords = async (): Promise<string | undefined> => (await tab.table()).find(([who]) => who === name)?.[3];
  await expect.poll(linkWords).toBe("direct by WebRTC");
  // Large enough to be coded, which the workers of the erasure code do.
  await lab.sh(node, "put - /large", { stdin: new Uint8Array(600_000).fill(7) });
  await lab.sh(node, "put - /small", { stdin: "small" });
  expect((await tab.run("cat /large | put - /copy; ls -l; cat /small; stat /copy")).ok).toBe(true);
  const download = tab.page.waitForEvent("download");
  expect((await tab.run("get /copy")).ok).toBe(true);
  await download;
  const built = await Array.fromAsync(glob(["**/*.{js,css,html}"], { cwd: BUILT_PAGE }));
  // The browser fetches the service worker by itself; the file that apps import is no part of the page.
  const apart = new Set(["service-worker.js", "starfish.js"]);
  const all = built.map((path) => basename(path)).filter((name) => !apart.has(name));
  // Every built file is either needed by now, or is fetched in a quiet moment.
  const code = await codeOf(tab);
  const needed = new Set(code.run);
  const rest = all.filter((each) => !needed.has(each));
  expect(rest.length).toBeGreaterThan(0);
  await expect.poll(async () => (await codeOf(tab)).later.toSorted()).toEqual(expect.arrayContaining(rest));
  const [joining = "", language = ""] = ["joining-", "shell-"].map((name) => all.find((each) => each.startsWith(name)));
  const shell = closureOf(language).difference(closureOf(joining));
  expect(await gzipBytes(needed.difference(shell))).toBeLessThanOrEqual(CODE_GZIP_BYTES_MAX);
  // The other tab's browser keeps them, so it has fetched none of them one by one.
  await expect.poll(() => keptIn(other)).toEqual(expect.arrayContaining(rest));
  expect((await codeOf(other)).later).toEqual([]);
  await other.close();
  await tab.close();
});

test("a reopened tab is the node that it was, a second tab is another, and both are one device", async () => {
  const first = await tabs.open(node.invite);
  const { output: before } = await first.run("whoami");
  const second = await tabs.open(node.invite);
  const { output: other } = await second.run("whoami");
  expect(await second.name()).not.toBe(await first.name());
  expect(peerId(other)).not.toBe(peerId(before));
  await first.close();
  const again = await tabs.open(node.invite);
  expect(peerId((await again.run("whoami")).output)).toBe(peerId(before));
  // The key is gone from the address bar: the browser remembers it. A reload keeps the slot.
  expect(again.page.url()).toBe(node.url);
  await again.page.goto(node.url);
  await again.waitFor(/You are \S+\./);
  await again.page.reload();
  await again.waitFor(/You are \S+\./);
  expect(peerId((await again.run("whoami")).output)).toBe(peerId(before));
  await again.close();
  await second.close();
});

function peerId(whoami: string): string | undefined {
  return /12D3Koo\w+/.exec(whoami.replaceAll("\n", ""))?.[0];
}

test("nothing is lent until somebody says so; two tabs share the browser's cores; the choice is remembered", async () => {
  const first = await tabs.open(node.invite, { cores: 4 });
  const second = await tabs.open(node.invite, { cores: 4 });
  const words = (tab: Tab) => tab.page.locator("#lend-words");
  expect(await words(first).innerText()).toBe("Lends no cores yet");
  await first.page.getByRole("button", { name: "Lend 3 of 4 cores" }).click();
  await expect.poll(() => words(first).innerText()).toBe("Lends 3 of 4 cores (75%)");
  await expect.poll(() => words(second).innerText()).toBe("Lends 0 of 4 cores; other tabs lend the rest");
  // A choice counts even if the tab is closed at once.
  expect(await rememberedAtOnce(first, "Lend one core less")).toBe("2");
  await expect.poll(() => words(first).innerText()).toBe("Lends 2 of 4 cores (50%)");
  await first.close();
  await expect.poll(() => words(second).innerText()).toBe("Lends 2 of 4 cores (50%)");
  await second.page.reload();
  await expect.poll(() => words(second).innerText()).toBe("Lends 2 of 4 cores (50%)");
  await second.page.getByRole("button", { name: "Stop lending" }).click();
  await expect.poll(() => words(second).innerText()).toBe("Lends no cores yet");
  expect([...first.complaints, ...second.complaints]).toEqual([]);
  await second.close();
});

test("a link without key, a cut-off one and a wrong one each say what to do", async () => {
  const without = await tabs.open(node.url, { apart: true, joins: false });
  expect(await notice(without)).toMatch(/one computer out of everybody's devices.*no account.*before you say so/s);
  await without.type("peers");
  await without.waitFor(/in no swarm yet: paste an invite link/);

  // Mended in the same tab: only the part behind # changes, and the page loads anew by itself.
  await Promise.all([without.page.waitForEvent("load"), without.page.goto(node.invite)]);
  await without.waitFor(/You are \S+\./);
  await without.close();

  const cut = await tabs.open(node.invite.slice(0, -40), { apart: true, joins: false });
  expect(await notice(cut)).toMatch(/cut off/);
  const middle = node.invite.length - 60;
  const changed = node.invite[middle] === "A" ? "B" : "A";
  const wrong = await tabs.open(node.invite.slice(0, middle) + changed + node.invite.slice(middle + 1), {
    apart: true,
    joins: false,
  });
  expect(await notice(wrong)).toMatch(/letter of this link has changed/);
  const other = await tabs.open(node.invite.replace("#v2.", "#v9."), { apart: true, joins: false });
  expect(await notice(other)).toMatch(/another version/);
  for (const tab of [without, cut, wrong, other]) {
    expect(tab.complaints).toEqual([]);
    await tab.close();
  }
});

test("the key of another swarm is refused in words", async () => {
  const stranger = await lab.up();
  const key = stranger.invite.slice(stranger.invite.indexOf("#"));
  await stranger.process.end("SIGTERM");
  const tab = await tabs.open(node.url + key, { apart: true, joins: false });
  expect(await notice(tab)).toMatch(/Another swarm lives here/);
  await tab.close();
});

test("without secure context or storage the page says so, and goes on where it can", async () => {
  // devices.test.ts tests a real page over plain http from another machine, and what it lacks.
  const insecure = await tabs.open(node.invite, {
    apart: true,
    before: () => Object.defineProperty(window, "isSecureContext", { value: false }),
  });
  expect(await notice(insecure)).toMatch(/came unprotected.*https/s);
  await insecure.close();

  const forgetful = await tabs.open(node.invite, {
    apart: true,
    before: () =>
      Object.defineProperty(IDBFactory.prototype, "open", {
        value: () => {
          throw new DOMException("no", "SecurityError");
        },
      }),
  });
  expect(await notice(forgetful)).toMatch(/will be forgotten/);
  expect((await forgetful.run("peers")).ok).toBe(true);
  await forgetful.close();
});

test("keyboard alone: out of the terminal, to the table and the invite, and back; the screen reader's mode is remembered", async () => {
  const tab = await tabs.open(node.invite, { apart: true });
  const { page } = tab;
  const focused = (): Promise<string> => page.evaluate(() => document.activeElement?.id ?? "");
  await page.locator(".xterm-helper-textarea").focus();
  await page.keyboard.press("F6");
  expect(await focused()).toBe("swarm-place");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  expect(await focused()).toBe("show-table");
  await page.keyboard.press("Enter");
  await page.getByRole("rowheader", { name: /\(you\)/ }).waitFor();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog", { name: "Invite a device" }).waitFor();
  expect(await page.getByLabel("The link", { exact: true }).inputValue()).toMatch(/^http:\/\/127.0.0.1:\d+\/#v\d\./);
  // A phone that read the code of a link to this machine would look for the swarm on itself.
  await expect.poll(() => page.locator("#invite-note").innerText()).toMatch(/works on this machine only.*--host/);
  expect(await page.locator("#invite-code svg").count()).toBe(0);
  await page.keyboard.press("Escape");
  await page.keyboard.press("F6");
  expect((await tab.run("echo back")).output).toBe("back");

  await page.keyboard.press("Shift+Tab");
  await page.locator("#reader").focus();
  await page.keyboard.press("Enter");
  await page.locator(".xterm-accessibility").waitFor({ state: "attached" });
  await page.reload();
  await page.locator(".xterm-accessibility").waitFor({ state: "attached" });
  expect(tab.complaints).toEqual([]);
  await tab.close();
});

test("everything that can be operated has a name, landmarks are there once, and ids are unique", async () => {
  const tab = await tabs.open(node.invite, { apart: true });
  const faults = await tab.page.evaluate(() => {
    const nameOf = (element: Element): string =>
      element.getAttribute("aria-label") ??
      (element.getAttribute("aria-labelledby") === null ? undefined : "labelled") ??
      element.textContent?.trim() ??
      "";
    const nameless = [
      ...document.querySelectorAll(
        "button, input, textarea, [role=img], [role=region], [role=group], nav, section, main, dialog",
      ),
    ]
      .filter((element) => nameOf(element) === "" && element.closest("[hidden]") === null)
      .map((element) => `no name: ${element.outerHTML.slice(0, 80)}`);
    const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
    const twice = ids.filter((id, index) => ids.indexOf(id) !== index).map((id) => `twice: ${id}`);
    const landmarks = ["main", "footer", "nav"].filter(
      (name) => document.querySelectorAll(`body > ${name}, #places > ${name}`).length !== 1,
    );
    const headings = document.querySelectorAll("h1").length === 1 ? [] : ["h1"];
    const inline = [...document.querySelectorAll("style, script:not([src])")].map(() => "inline style or script");
    return [
      ...nameless,
      ...twice,
      ...landmarks,
      ...headings,
      ...inline,
      ...(document.documentElement.lang === "en" ? [] : ["lang"]),
    ];
  });
  expect(faults).toEqual([]);
  await tab.close();
});

test("on a phone the terminal has the screen, the swarm is a tap away, and the bar has the keys that are missing", async () => {
  const tab = await tabs.open(node.invite, { phone: true, width: 390, height: 844 });
  const { page } = tab;
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
  await tab.page.locator(".xterm-helper-textarea").focus();
  await page.keyboard.insertText("ech");
  await page.getByRole("button", { name: "Tab, completes" }).tap();
  await page.keyboard.insertText("hello");
  await page.keyboard.press("Enter");
  await tab.waitFor(/^hello$/m);
  await page.getByRole("button", { name: "Up, the line before" }).tap();
  await tab.waitFor(/\$ echo hello$/m);
  await page.getByRole("button", { name: "Control C, cancels" }).tap();
  await page.getByRole("button", { name: "Swarm", exact: true }).tap();
  await expect
    .poll(() =>
      page
        .locator("#swarm")
        .boundingBox()
        .then((box) => Math.round(box?.x ?? -1)),
    )
    .toBe(0);
  expect(await page.locator("#tab-swarm").getAttribute("aria-current")).toBe("true");
  expect(tab.complaints).toEqual([]);
  await tab.close();
});

/** Names of the buttons that are cut off, by the window or by themselves. */
async function cutOff(tab: Tab): Promise<string[]> {
  return await tab.page.evaluate(() => {
    const isCut = (button: HTMLElement): boolean => {
      const { left, right } = button.getBoundingClientRect();
      return left < 0 || right > innerWidth || button.scrollWidth > button.clientWidth;
    };
    const buttons = [
      ...document.querySelectorAll<HTMLElement>(
        "#keys button, footer button, #swarm-head button, #jobs-head button, #views button",
      ),
    ];
    return buttons.filter((button) => button.checkVisibility() && isCut(button)).map((button) => button.innerText);
  });
}

test.each([320, 360, 900])("at a width of %i px no button is cut off, and lines break between words", async (width) => {
  const phone = width < 500;
  // The window is high enough for the whole output of help.
  const tab = await tabs.open(node.invite, { apart: true, phone, width, height: 2800 });
  const words = (text: string): string => text.replaceAll(/\s+/g, " ");
  expect(words((await tab.run("help")).output)).toContain(
    "map run a function or task on every node that lends cores job one job",
  );
  expect(words((await tab.run("peers")).output)).toMatch(/name .*round trip link .*this node .*direct, websocket/);
  // On a phone the view of the swarm is out of sight at first.
  const inSwarm = phone ? ["Picture", "Table", "Invite"] : [];
  const inJobs = phone ? ["Strips", "Table"] : [];
  expect(await cutOff(tab)).toEqual([...inSwarm, ...inJobs]);
  if (phone) await tab.page.getByRole("button", { name: "Swarm", exact: true }).tap();
  // Both views have a button "Table".
  const ofViews = async (): Promise<string[]> =>
    (await cutOff(tab)).filter((name) => ["Picture", "Invite", "Strips"].includes(name));
  await expect.poll(ofViews).toEqual(phone ? ["Strips"] : []);
  if (phone) await tab.page.getByRole("button", { name: "Jobs", exact: true }).tap();
  else await tab.page.locator("#view-jobs").click();
  await expect.poll(ofViews).toEqual(phone ? ["Picture", "Invite"] : []);
  await tab.close();
});

test("things to try can be clicked", async () => {
  const tab = await tabs.open(node.invite, { apart: true });
  const row = tab.page.locator("#terminal .xterm-rows > div", { hasText: "who is here" });
  const box = await row.boundingBox();
  expect(box).not.toBeNull();
  await tab.page.mouse.move((box?.x ?? 0) + 30, (box?.y ?? 0) + (box?.height ?? 0) / 2, { steps: 3 });
  await tab.page.mouse.click((box?.x ?? 0) + 30, (box?.y ?? 0) + (box?.height ?? 0) / 2);
  await tab.waitFor(/^\$ peers\n.*\(you\)|^\$ peers\n[^]*tab/m);
  await tab.close();
});
