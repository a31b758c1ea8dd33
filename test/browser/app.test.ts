/** An app of one file that a node serves (docs/apps.md): two tabs share its data, and it opens without its node. */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openLab, ROOT, type Lab } from "../system/processes.ts";
import { openTabs, type Tab, type Tabs } from "./tabs.ts";

const APP: string = join(ROOT, "docs/examples/list.html");
/** A tab becomes a node, as in tabs.ts, and fetches SQLite. */
const OPEN_MS = 30_000;

let lab: Lab;
let tabs: Tabs;

beforeAll(async () => {
  lab = await openLab();
  tabs = await openTabs();
});

afterAll(async () => {
  await tabs?.[Symbol.asyncDispose]();
  await lab?.[Symbol.asyncDispose]();
});

/** What the list shows: text and votes. */
function entries(tab: Tab): Promise<string[]> {
  return tab.page.locator("#list li").evaluateAll((items) =>
    items.map((item) => {
      const text = item.querySelector<HTMLInputElement>("[aria-label=Text]")?.value ?? "";
      return `${text} ${item.querySelector("[aria-label=Vote]")?.textContent}`;
    }),
  );
}

/** Adds an entry. This waits until the tab is a node, because the field can't be filled before. */
async function add(tab: Tab, text: string): Promise<void> {
  const field = tab.page.getByLabel("What is to be done?");
  await field.fill(text);
  await field.press("Enter");
}

/** Whether the browser has stored the app and everything that it loads. */
function isKept(tab: Tab, url: string): Promise<boolean> {
  return tab.page.evaluate(async (page) => {
    if (navigator.serviceWorker.controller === null) return false;
    return (await (await caches.open("starfish-app")).match(page)) !== undefined;
  }, url);
}

test("what one tab adds the other shows; both vote at once and both count; it is there without the node, and after it", async () => {
  const node = await lab.up({ args: ["--app", APP] });
  const [, link = ""] = await node.process.output(/^app: (\S+)$/m);
  const here = await tabs.open(link, { apart: true, joins: false });
  const there = await tabs.open(link, { apart: true, joins: false });
  await add(here, "Milk <b>& bread</b>");
  await expect.poll(() => entries(there), { timeout: OPEN_MS }).toEqual(["Milk <b>& bread</b> ▲ 0"]);
  await Promise.all([here, there].map((tab) => tab.page.getByRole("button", { name: "Vote" }).click()));
  const both = ["Milk <b>& bread</b> ▲ 2"];
  await expect.poll(() => entries(here)).toEqual(both);
  await expect.poll(() => entries(there)).toEqual(both);
  // The key is gone from the address bar.
  const url = `${node.url}app/`;
  await expect.poll(() => [here.page.url(), there.page.url()]).toEqual([url, url]);
  await here.page.evaluate(() => navigator.serviceWorker.ready.then(() => true));
  await expect.poll(() => isKept(here, url)).toBe(true);
  expect([...here.complaints, ...there.complaints]).toEqual([]);
  const stranger = await tabs.open(url, { apart: true, joins: false });
  await expect.poll(() => stranger.page.locator("#said").innerText()).toContain("needs an invite link");
  await expect
    .poll(() => lab.shJson(node, 'sql --json "SELECT text, votes FROM list"'))
    .toEqual([{ text: "Milk <b>& bread</b>", votes: 2 }]);

  // Nobody else is there: the app opens, and has all entries.
  await there.close();
  await node.process.end("SIGKILL");
  await here.page.reload();
  await expect.poll(() => entries(here), { timeout: OPEN_MS }).toEqual(both);
  await here.close();

  // The node comes back and has what it had.
  const again = await lab.up({ data: node.data, args: ["--app", APP, "--port", new URL(node.url).port] });
  const [, linkAgain = ""] = await again.process.output(/^app: (\S+)$/m);
  const third = await tabs.open(linkAgain, { apart: true, joins: false });
  await expect.poll(() => entries(third), { timeout: OPEN_MS }).toEqual(both);
});
