/** The page's view of the shared memory in real tabs: what is set anywhere shows, lights up, and goes. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { examplesIn } from "../fixtures/examples.ts";
import { openLab, type Lab, type Node } from "../system/processes.ts";
import { openTabs, type Tab, type Tabs } from "./tabs.ts";

interface Lit {
  readonly key: string;
  readonly easing: string;
}

/** The page's rows are bounded; see browser/ui/memory-view.ts. */
const ROWS_MAX = 100;

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

/** Notes each row that is lit up. */
function noteLights(): void {
  const lit: Lit[] = [];
  Object.assign(window, { lit });
  type Animate = (this: Element, ...args: Parameters<Element["animate"]>) => Animation;
  const animate: Animate = Reflect.get(Element.prototype, "animate");
  Element.prototype.animate = function (...args) {
    const easing = typeof args[1] === "object" ? String(args[1].easing) : "";
    if (this.closest("#memory-rows") !== null) lit.push({ key: this.firstChild?.textContent ?? "", easing });
    return animate.apply(this, args);
  };
}

function lights(tab: Tab): Promise<Lit[]> {
  return tab.page.evaluate(() => Reflect.get(window, "lit") as Lit[]);
}

async function rows(tab: Tab): Promise<string[][]> {
  return await tab.page
    .locator("#memory-rows tr")
    .evaluateAll((all) => all.map((row) => Array.from(row.children, (cell) => cell.textContent ?? "")));
}

/** The colour of the bar before a row. */
function barOf(tab: Tab, selector: string, name: string): Promise<string> {
  const heading = tab.page.locator(`${selector} tr`, { hasText: name }).locator("th").first();
  return heading.evaluate((element) => getComputedStyle(element).borderLeftColor);
}

test("an empty memory teaches; what is set in one tab shows and lights up in another, in the writer's colour", async () => {
  const here = await tabs.open(node.invite, { apart: true, before: noteLights });
  const there = await tabs.open(node.invite, { moves: true, before: noteLights });
  await here.page.getByRole("button", { name: "mem set hello world" }).click();
  await expect.poll(() => rows(here)).toEqual([["hello", "world", "you"]]);
  await expect.poll(() => rows(there)).toEqual([["hello", "world", await here.name()]]);
  expect(await lights(there)).toEqual([{ key: "hello", easing: "ease-out" }]);
  await there.page.locator("#show-table").click();
  expect(await barOf(there, "#memory-rows", "hello")).toBe(await barOf(there, "#rows", await here.name()));
  expect(await there.page.locator("#memory-facts").innerText()).toMatch(/^1 key · \d+ B$/);
  await there.page.getByRole("region", { name: "Keys in memory" }).getByRole("rowheader", { name: "hello" }).waitFor();

  // A row that is lit up already is not lit up again, so the next change is made when the light is out.
  const burning = (): Promise<number> =>
    there.page.locator("#memory-rows").evaluate((list) => list.getAnimations({ subtree: true }).length);
  await expect.poll(burning).toBe(0);
  // A value from a member is text, whatever it looks like, and nothing else.
  await lab.sh(node, "mem set hello -", { stdin: "<b>two</b>\nlines" });
  await expect.poll(() => rows(there)).toEqual([["hello", "<b>two</b>⏎lines", expect.not.stringMatching("you")]]);
  expect((await lights(there)).map(({ key }) => key)).toEqual(["hello", "hello"]);

  await there.page.emulateMedia({ reducedMotion: "reduce" });
  await lab.sh(node, "mem set still 1");
  await expect.poll(async () => (await lights(there)).at(-1)).toEqual({ key: "still", easing: "step-end" });

  await here.run("mem rm hello still");
  await expect.poll(() => rows(there)).toEqual([]);
  await there.page.getByRole("button", { name: "mem set hello world" }).waitFor();
  expect([...here.complaints, ...there.complaints]).toEqual([]);
  await here.close();
  await there.close();
});

test("of many keys the latest are shown, and a page that comes later shows some at once", async () => {
  const tab = await tabs.open(node.invite, { apart: true });
  const keys = Array.from({ length: 1_500 }, (_, i) => `k/${i}`);
  const { status } = await lab.sh(node, keys.map((key) => `mem set ${key} ${key}`).join(";"));
  expect(status).toBe(0);
  const facts = new RegExp(`^1500 keys · .* · ${ROWS_MAX} shown$`);
  await expect.poll(() => tab.page.locator("#memory-facts").innerText()).toMatch(facts);
  await expect.poll(async () => (await rows(tab)).some(([key]) => key === keys.at(-1))).toBe(true);
  expect(await rows(tab)).toHaveLength(ROWS_MAX);
  expect((await rows(tab)).every(([key, value]) => key === value)).toBe(true);
  await lab.sh(node, "mem set k/0 changed");
  await expect.poll(async () => (await rows(tab)).find(([key]) => key === "k/0")?.[1]).toBe("changed");

  const later = await tabs.open(node.invite, { apart: true });
  await expect.poll(async () => (await rows(later)).length).toBe(ROWS_MAX);
  await lab.sh(node, `mem rm ${keys.slice(0, -2).join(" ")}`);
  for (const one of [tab, later]) {
    await expect.poll(async () => new Set((await rows(one)).map(([key]) => key))).toEqual(new Set(keys.slice(-2)));
    expect(one.complaints).toEqual([]);
    await one.close();
  }
  await lab.sh(node, "mem rm k/1498 k/1499");
});

test("on a phone the memory is below the swarm, as wide as the screen, and long keys are cut", async () => {
  const tab = await tabs.open(node.invite, { phone: true, width: 390, height: 844 });
  const { page } = tab;
  const key = "a-key/that-is-longer-than-any-phone/is-wide";
  await lab.sh(node, `mem set ${key} '${"a long value ".repeat(20)}'`);
  await page.getByRole("button", { name: "Swarm", exact: true }).tap();
  const row = page.locator("#memory-rows tr", { hasText: "a-key/" });
  const left = async (): Promise<number> => Math.round((await page.locator("#memory").boundingBox())?.x ?? -1);
  await expect.poll(left).toBe(0);
  const { x, y, width, height } = (await row.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
  expect(x + width).toBeLessThanOrEqual(390);
  expect(width).toBeGreaterThan(300);
  expect(height).toBeLessThan(40);
  expect(y + height).toBeLessThan(844);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
  expect(await row.getAttribute("title")).toContain(key);
  expect(tab.complaints).toEqual([]);
  await tab.close();
});

test("a program in a page shares the memory, as the documentation shows", async () => {
  const [, example = ""] = await examplesIn("memory.md");
  const tab = await tabs.open(node.invite, { apart: true });
  const said: string[] = [];
  tab.page.on("console", (message) => said.push(message.text()));
  await tab.page.evaluate(`(async () => { ${example} })()`);
  expect((await lab.sh(node, "mem get greeting/tab")).stdout).toBe("hello from a tab\n");
  await lab.sh(node, "mem set greeting/shell 'hello back'");
  await expect.poll(() => said).toContain("changed: greeting/shell hello back");
  await lab.sh(node, "mem rm greeting/tab greeting/shell");
  expect(tab.complaints).toEqual([]);
  await tab.close();
});
