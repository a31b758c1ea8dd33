/** Jobs of the swarm on real pages: submitted by a tab that is closed at once, and seen in the view of every tab. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually, openLab, type Lab, type Node } from "../system/processes.ts";
import { openTabs, type Tab, type Tabs } from "./tabs.ts";

let lab: Lab;
let node: Node;
let tabs: Tabs;

beforeAll(async () => {
  lab = await openLab();
  node = await lab.up({ args: ["--cores", "1"] });
  tabs = await openTabs();
});

afterAll(async () => {
  await tabs?.[Symbol.asyncDispose]();
  await lab?.[Symbol.asyncDispose]();
});

const LONG = "map primes --range 0..4000000000 --chunks 1000";

test("a tab submits a job and is closed at once; the others finish it, and a node that joined later reads the result", async () => {
  const other = await lab.up({ args: ["--cores", "1", "--join", node.invite] });
  const tab = await tabs.open(node.invite, { apart: true });
  await tab.type("map primes --range 0..100000000 --detach");
  const [id = ""] = await tab.waitFor(/^[0-9a-f]{16}$/m);
  await tab.close();
  const late = await lab.up({ args: ["--cores", "1", "--join", node.invite] });
  await eventually(
    "the late one knows of it",
    () => lab.sh(late, `job ${id}`),
    ({ status }) => status === 0,
  );
  expect(await lab.sh(late, `cat /proc/${id}/result`)).toMatchObject({ status: 0, stdout: "5761455\n" });
  await other.process.end("SIGTERM");
  await late.process.end("SIGTERM");
});

/** The view of jobs, opened by a click. */
async function jobsOf(tab: Tab): Promise<ReturnType<Tab["page"]["locator"]>> {
  await tab.page.locator("#view-jobs").click();
  return tab.page.locator("#jobs-place");
}

test("each tab sees every job: as it runs, who does it, and what came of it", async () => {
  const first = await tabs.open(node.invite, { apart: true, cores: 2 });
  const second = await tabs.open(node.invite, { apart: true, cores: 2, width: 390, height: 844 });
  const view = await jobsOf(first);
  await second.page.locator("#tab-jobs").click();
  const there = second.page.locator("#jobs-place");
  const owner = await first.name();

  await first.type(`${LONG} --detach`);
  const [id = ""] = await first.waitFor(/^[0-9a-f]{16}$/m);
  const card = there.locator(`[data-job="${id}"]`);
  await expect.poll(() => card.locator(".facts").textContent()).toMatch(new RegExp(`^by ${owner} · \\d+ of 1000 `));
  await expect.poll(() => card.locator(".strip .done, .strip .part").count()).toBeGreaterThan(0);
  expect(await card.locator(".strip > span").count()).toBe(64);
  expect(await card.locator(".strip").getAttribute("aria-label")).toMatch(/^\d+ of 1000 tasks done, \d+ by /);
  await expect.poll(() => card.locator(".nodes").textContent()).toContain(owner);

  // Another member's job is cancelled only after a question, which fits a phone's screen.
  await card.getByRole("button", { name: `Cancel job ${id}` }).click();
  expect(await card.textContent()).toContain(`End ${owner}'s job for everybody?`);
  await card.getByRole("button", { name: "Keep it" }).click();
  await card.getByRole("button", { name: `Cancel job ${id}` }).click();
  expect(await there.evaluate((place) => place.scrollWidth <= place.clientWidth)).toBe(true);
  await card.getByRole("button", { name: "End it" }).click();
  await expect.poll(() => view.locator(`[data-job="${id}"]`).getAttribute("data-state")).toBe("cancelled");

  await first.type("map mandelbrot --size 320x240 --detach");
  const done = there.locator('[data-state="done"]', { hasText: "mandelbrot 320x240" });
  await done.getByRole("button", { name: "Open result" }).click();
  const picture = there.locator("#job-result-view img");
  const size = (image: SVGElement | HTMLElement): number[] =>
    image instanceof HTMLImageElement ? [image.naturalWidth, image.naturalHeight] : [];
  await expect.poll(() => picture.evaluate(size)).toEqual([320, 240]);
  const download = second.page.waitForEvent("download");
  await there.getByRole("button", { name: "Save" }).click();
  expect((await download).suggestedFilename()).toBe("mandelbrot-320x240.bmp");

  // The table says the same, for people who do not see the picture.
  await view.getByRole("button", { name: "Table" }).click();
  const rows = await view.locator("#jobs-rows tr").evaluateAll((all) => all.map((row) => row.textContent ?? ""));
  expect(rows.find((row) => row.startsWith("mandelbrot"))).toMatch(/^mandelbrot 320x240doneyou\d+ of \d+ \(100%\)/);
  expect(rows.find((row) => row.startsWith("primes 0..4000000000"))).toContain("cancelled");
  expect([...first.complaints, ...second.complaints]).toEqual([]);
  await first.close();
  await second.close();
});

test("a swarm without jobs proposes some, which a click runs", async () => {
  const swarm = await lab.up({ args: ["--cores", "1"] });
  const tab = await tabs.open(swarm.invite, { apart: true });
  const view = await jobsOf(tab);
  const proposed = view.locator("#jobs-empty button");
  await expect.poll(() => proposed.count()).toBe(3);
  await proposed.nth(1).click();
  await expect.poll(() => view.locator('[data-state="done"] h3').textContent()).toBe("mandelbrot 1024x768");
  await tab.close();
  await swarm.process.end("SIGTERM");
});

/** Whether the page asks before it is closed; it is closed then. */
async function asksToClose(tab: Tab): Promise<boolean> {
  let asked = false;
  tab.page.on("dialog", (dialog) => {
    asked = true;
    void dialog.accept();
  });
  const closed = tab.page.waitForEvent("close");
  await tab.page.close({ runBeforeUnload: true });
  await closed;
  return asked;
}

test("a tab that has left a job to the swarm closes without a question; one whose person waits for it asks", async () => {
  const leaving = await tabs.open(node.invite, { apart: true });
  await leaving.type(`${LONG} --detach`);
  const [id = ""] = await leaving.waitFor(/^[0-9a-f]{16}$/m);
  await leaving.waitFor(/safe to leave/);
  expect(await asksToClose(leaving)).toBe(false);
  await lab.sh(node, `kill ${id}`);
  const staying = await tabs.open(node.invite, { apart: true });
  await staying.type(LONG);
  await staying.waitFor(/primes \d+\/1000 chunks/);
  expect(await asksToClose(staying)).toBe(true);
});
