/**
 * A page that is reloaded while its node is dead: it opens, and finds the other tabs and whatever node it remembers.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { openLab, type Lab } from "../system/processes.ts";
import { openTabs, type Tab, type Tabs } from "./tabs.ts";

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

/** Resolves when the browser keeps all of the page. */
async function isKept(tab: Tab): Promise<void> {
  await tab.page.evaluate(async () => {
    await navigator.serviceWorker.ready;
  });
}

/** Whether the tab has stored this address for its next start. */
function remembers(tab: Tab, address: string): Promise<boolean> {
  return tab.page.evaluate(async (wanted) => {
    const resultOf = <T>(request: IDBRequest<T>): Promise<T> =>
      new Promise((resolve, reject) => {
        request.addEventListener("success", () => resolve(request.result));
        request.addEventListener("error", () => reject(request.error ?? new Error("no reason")));
      });
    const database = await resultOf(indexedDB.open("starfish-0"));
    const values: unknown[] = await resultOf(database.transaction("values").objectStore("values").getAll());
    database.close();
    return values.some((value) => value instanceof Uint8Array && new TextDecoder().decode(value).includes(wanted));
  }, address);
}

/** The link to the node of this name, as the table shows it. */
async function linkTo(tab: Tab, name: string): Promise<string | undefined> {
  return (await tab.table()).find(([who]) => who === name)?.[3];
}

function notice(tab: Tab): Promise<string> {
  return tab.page.locator("#notice:not([hidden])").innerText();
}

test("F5 is not the end: it opens without its node, by the other tabs of its browser, and by the node once that is back", async () => {
  const node = await lab.up();
  const { port } = new URL(node.url);
  const first = await tabs.open(node.invite);
  const second = await tabs.open(node.invite);
  const [firstName, secondName] = [await first.name(), await second.name()];
  expect((await first.run("mem set kept yes")).ok).toBe(true);
  await isKept(second);
  await expect.poll(() => linkTo(second, firstName)).toBe("direct by WebRTC");
  await node.process.end("SIGKILL");

  // The reloaded tab joins by another tab.
  await second.page.reload();
  await second.waitFor(/You are \S+\. Here (is|are) /);
  expect(await second.name()).toBe(secondName);
  await expect.poll(() => linkTo(second, firstName)).toBe("direct by this browser");
  await expect.poll(async () => (await second.run("mem get kept")).output).toBe("yes");
  // A job's module comes from what the browser keeps.
  expect(await second.run("map primes --range 0..20000")).toMatchObject({ ok: true });
  expect((await second.run("echo by tab | put - /note.txt")).ok).toBe(true);
  await expect.poll(async () => (await first.run("cat /note.txt")).output).toBe("by tab");

  // Everybody else is gone. The page says so at once, whether they left with a goodbye or without.
  await second.close();
  await expect
    .poll(() => notice(first))
    .toMatch(/No contact with the swarm.*other tabs of this browser, again and again/s);

  // Alone, it opens as well, and says so.
  await first.page.reload();
  await first.waitFor(/^\$/m);
  await expect.poll(() => notice(first), { timeout: 30_000 }).toMatch(/Nobody of this swarm answers yet/);
  const back = await lab.up({ data: node.data, args: ["--port", port] });
  await first.waitFor(/You are \S+\. Here (is|are) /);
  const firstAgain = await first.name();
  await expect.poll(async () => (await lab.sh(back, "peers")).stdout).toContain(firstAgain);
  await expect.poll(() => first.page.locator("#notice").isHidden()).toBe(true);
  await first.close();
  await back.process.end();
});

test("it finds a node that it remembers although another served it", async () => {
  const serving = await lab.up();
  const other = await lab.up({ args: ["--join", serving.invite] });
  const tab = await tabs.open(serving.invite, { apart: true });
  await isKept(tab);
  await expect.poll(async () => (await tab.run("peers --json")).output.match(/"peer"/g)?.length).toBe(3);
  await expect.poll(() => remembers(tab, `/tcp/${new URL(other.url).port}/ws`)).toBe(true);
  await serving.process.end("SIGKILL");
  await tab.page.reload();
  await tab.waitFor(/You are \S+\. Here (is|are) /);
  const { output } = await tab.run("peers");
  expect(output).toMatch(/direct,\s+websocket/);
  await tab.close();
  await other.process.end();
});
