/** The first minute of a person who has never heard of Starfish, on each size of screen. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { openLab, type Lab, type Node } from "../system/processes.ts";
import { openTabs, type Tab, type TabOptions, type Tabs } from "./tabs.ts";

/** Sizes in pixels of the page: at 200% zoom a window of 1280x760 has half as many of them in each direction. */
const SCREENS: readonly (TabOptions & { readonly name: string })[] = [
  { name: "a desktop", width: 1280, height: 760 },
  { name: "a phone", phone: true, width: 390, height: 844 },
  { name: "a phone on its side", phone: true, width: 844, height: 390 },
  { name: "a desktop at 200%", width: 640, height: 380, scale: 2 },
];

let lab: Lab;
let node: Node;
let tabs: Tabs;

beforeAll(async () => {
  lab = await openLab();
  node = await lab.up();
  await lab.sh(node, "map mandelbrot --size 300x300 | put - /picture.png");
  tabs = await openTabs();
});

afterAll(async () => {
  await tabs?.[Symbol.asyncDispose]();
  await lab?.[Symbol.asyncDispose]();
});

/**
 * Buttons and fields that can be seen in part only: cut off by the window or by their own edge, or covered by
 * something.
 */
function cutOff(tab: Tab, selector: string): Promise<string[]> {
  return tab.page.evaluate((wanted) => {
    const isCut = (element: HTMLElement): boolean => {
      const { left, right, top, bottom } = element.getBoundingClientRect();
      const middle = { x: (left + right) / 2, y: (top + bottom) / 2 };
      const points = [
        middle,
        { x: left + 2, y: middle.y },
        { x: right - 2, y: middle.y },
        { x: middle.x, y: top + 2 },
        { x: middle.x, y: bottom - 2 },
      ];
      const isCovered = points.some(({ x, y }) => !element.contains(document.elementFromPoint(x, y)));
      return isCovered || element.scrollWidth > element.clientWidth;
    };
    const elements = [...document.querySelectorAll<HTMLElement>(wanted)].filter((each) => each.checkVisibility());
    return elements.length === 0 ? ["nothing is there"] : elements.filter(isCut).map((each) => each.outerHTML);
  }, selector);
}

const offered = (tab: Tab): Promise<number> =>
  tab.page.evaluate(() => {
    const { starfish } = globalThis as unknown as { starfish: { storage: { use(): { offeredBytes: number } } } };
    return starfish.storage.use().offeredBytes;
  });

/**
 * Lines that people read break between words; each place shows what it is for, and nothing that can be pressed is cut.
 */
async function looksWhole(tab: Tab, { phone, width = 0 }: TabOptions): Promise<void> {
  const { page } = tab;
  const press = async (button: string, small: string): Promise<void> => {
    await page.locator(width > 760 ? button : small).click();
  };
  await tab.run("frobnicate");
  const words = "starfish: frobnicate: there is no such command; 'help' lists the commands".split(" ");
  const said = await tab.screen();
  for (const word of words) expect(said).toContain(word);

  await press("#view-swarm", "#tab-swarm");
  await expect.poll(() => cutOff(tab, "#swarm-head button")).toEqual([]);
  await page.locator("#show-table").click();
  // One row is enough to check all columns; rows of tabs that were here before may be further down.
  await expect.poll(() => cutOff(tab, "#rows tr:first-child td")).toEqual([]);
  await page.locator("#show-picture").click();
  await page.getByRole("button", { name: "Invite", exact: true }).click();
  // The dialog is loaded when it is first opened.
  await expect.poll(() => cutOff(tab, "#invite button")).toEqual([]);
  // No other device can use the link of a node that listens only here: there is no QR code, nor an empty place for one.
  expect(await page.locator("#invite-code").isVisible()).toBe(false);
  await page.keyboard.press("Escape");

  await press("#view-files", "#tab-files");
  await page.locator("#files-rows button", { hasText: "picture.png" }).first().click();
  await page.locator("#preview img").waitFor();
  await expect.poll(() => cutOff(tab, "#file header button")).toEqual([]);
  if (phone !== true) await page.keyboard.press("Escape");
  await press("#view-swarm", "#tab-terminal");
}

test.each(SCREENS)("on $name: a link is asked for, and both choices are there to make", async (screen) => {
  const tab = await tabs.open(node.url, { ...screen, apart: true, joins: false, keeps: false });
  const { page } = tab;
  await page.locator("#door").waitFor();
  expect(await cutOff(tab, "#door button, #door input, #tabs button, footer button:enabled")).toEqual([]);
  const box = page.getByLabel("Your invite link");
  await box.fill("https://example.org/#v2.nothing");
  await page.getByRole("button", { name: "Join", exact: true }).click();
  await expect.poll(() => page.locator("#door p").innerText()).not.toBe("");
  // The link as a mail program may change it: broken into lines, in brackets, with a dot behind it.
  const { invite } = node;
  await box.fill(`Come in: <${invite.slice(0, 60)} ${invite.slice(60, 130)} ${invite.slice(130)}>.`);
  await page.getByRole("button", { name: "Join", exact: true }).click();
  await tab.waitFor(/This tab is part of \S+\./);
  const said = await tab.screen();
  expect(said).not.toMatch(/becoming|Joining/);
  expect(said.replaceAll(/\s+/g, " ")).toMatch(/keeps nothing for the others and lends no cores/);
  expect(await offered(tab)).toBe(0);
  expect(await cutOff(tab, "#keep-button, #lend-button, #tabs button")).toEqual([]);

  await looksWhole(tab, screen);

  await page.getByRole("button", { name: /^Keep up to [\d.]+ [MG]B for the others$/ }).click();
  await expect.poll(() => offered(tab)).toBeGreaterThan(0);
  expect(await page.locator("#keep-button").isVisible()).toBe(false);
  const chosen = await offered(tab);
  await page.reload();
  await tab.waitFor(/This tab is part of/);
  expect(await offered(tab)).toBe(chosen);
  expect(tab.complaints).toEqual([]);
  await tab.close();
});

test("nothing is kept for others while data is saved, and a tab that has not chosen keeps what its person puts", async () => {
  const saving = await tabs.open(node.invite, {
    apart: true,
    before: () => {
      const connection = Object.assign(new EventTarget(), { saveData: true });
      Object.defineProperty(Navigator.prototype, "connection", { get: () => connection });
    },
  });
  expect(await offered(saving)).toBe(0);
  await saving.page.evaluate(() => {
    const { connection } = navigator as unknown as { connection: EventTarget & { saveData: boolean } };
    connection.saveData = false;
    connection.dispatchEvent(new Event("change"));
  });
  await expect.poll(() => offered(saving)).toBeGreaterThan(0);
  await saving.close();

  const own = await tabs.open(node.url, { apart: true, joins: false, keeps: false });
  await own.page.getByRole("button", { name: "Start a swarm of my own here" }).click();
  await own.waitFor(/This tab is part of \S+\.\nYou are \S+\. Nobody else is here yet\./);
  // This picture is too long to be stored in its entry.
  expect((await own.run("map mandelbrot --size 300x300 | put - /picture.png")).output).toMatch(
    /, on this device only$/m,
  );
  expect((await own.run("stat /picture.png --json")).output.replaceAll("\n", "")).toContain('"survivesAny":0');
  expect(await offered(own)).toBe(0);
  await own.close();
});

test("at 200% zoom after loading the tabs and the status line stay", async () => {
  const tab = await tabs.open(node.invite, { apart: true, width: 1280, height: 760 });
  await tab.page.setViewportSize({ width: 640, height: 380 });
  await expect.poll(() => cutOff(tab, "#tabs button, #lend-button")).toEqual([]);
  await tab.close();
});

test("lost contact is told with what is being tried, and nobody is said to be awaited for the first time", async () => {
  const brief = await lab.up();
  const tab = await tabs.open(brief.invite, { apart: true });
  await brief.process.end("SIGKILL");
  const notice = tab.page.locator("#notice:not([hidden])");
  await expect.poll(() => notice.innerText()).toMatch(/No contact with the swarm.*It is dialling/s);
  await expect
    .poll(() => tab.page.locator("#empty").innerText(), { timeout: 60_000 })
    .toMatch(/keeps trying to reach them/);
  expect(await tab.page.locator("body").innerText()).not.toContain("Nobody else is here yet");
  await tab.close();
});

test("a tab that runs a job of its person asks before it closes; a picture for the person's machine is named as they find it", async () => {
  const tab = await tabs.open(node.invite, { apart: true });
  const download = tab.page.waitForEvent("download");
  const { output } = await tab.run("map mandelbrot --size 64x48 --out /set.png");
  expect(output).toMatch(/^set\.png, among your downloads: 64 x 48 pixels/m);
  expect((await download).suggestedFilename()).toBe("set.png");

  let asked = 0;
  tab.page.on("dialog", (dialog) => {
    asked++;
    void dialog.dismiss();
  });
  await tab.type("map primes --range 0..20000000000");
  await expect
    .poll(() =>
      tab.page.evaluate(
        () => (globalThis as unknown as { starfish: { cpu: { jobs(): unknown[] } } }).starfish.cpu.jobs().length,
      ),
    )
    .toBe(1);
  await tab.page.close({ runBeforeUnload: true });
  await expect.poll(() => asked).toBe(1);
  await tab.close();
});
