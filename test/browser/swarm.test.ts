/**
 * One real node and several real tabs: how they find each other, who they are without the node, and what they compute.
 */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { openLab, type Lab, type Node } from "../system/processes.ts";
import { openTabs, type Tab, type Tabs } from "./tabs.ts";

/** Within this time a killed node has to be noticed: membership takes up to 6 s, the page is read every 250 ms. */
const NOTICED_MS = 6_500;
/**
 * A direct path that was not found at once is tried again after 5, 30 and 120 s (core/transport/dial.ts). While another
 * file opens its tabs, the first tries may take too long.
 */
const DIRECT_MS = 200_000;
/** A busy machine has few quiet moments. */
const QUIET_MS = 90_000;
/** Time limit of the longest story, which waits for direct paths twice. */
const LONGEST_MS = 500_000;
/** Time limit of a job that loses half of its nodes. It takes 40 s on two cores while another file of tests runs. */
const HALVED_JOB_MS = 110_000;

let lab: Lab;
let node: Node;
let browser: Tabs;
let tabs: Tabs;

beforeAll(async () => {
  browser = await openTabs();
});

afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
});

beforeEach(async () => {
  lab = await openLab();
  node = await lab.up({ args: ["--cores", "1"] });
  tabs = browser.fresh();
});

afterEach(async () => {
  await tabs?.[Symbol.asyncDispose]();
  await lab?.[Symbol.asyncDispose]();
});

/** The link column of the table, by the name of the node, without those that are gone. */
async function links(tab: Tab): Promise<Map<string, string>> {
  const rows = await tab.table();
  return new Map(rows.map(([name = "", , , link = ""]) => [name, link]));
}

async function others(tab: Tab): Promise<string[]> {
  return [...(await links(tab)).keys()].filter((name) => !name.includes("(you)") && !name.endsWith(", gone"));
}

/** Tasks and their worker are kept by the service worker of the page; a node may be killed once they are. */
async function haveEverything(tab: Tab): Promise<void> {
  const isKept = (): Promise<boolean> =>
    tab.page.evaluate(async () => {
      const later = document.querySelector<HTMLMetaElement>('meta[name="starfish-later"]')?.content.split(" ") ?? [];
      const kept = await Promise.all(later.map((file) => caches.match(new URL(file, document.baseURI).href)));
      return navigator.serviceWorker.controller !== null && kept.length > 0 && kept.every(Boolean);
    });
  await expect.poll(isKept, { timeout: QUIET_MS }).toBe(true);
}

async function linkedDirectly(tabs: readonly Tab[]): Promise<void> {
  for (const tab of tabs) {
    for (const other of tabs) {
      if (other === tab) continue;
      const name = await other.name();
      await expect.poll(async () => (await links(tab)).get(name), { timeout: DIRECT_MS }).toBe("direct by WebRTC");
    }
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

interface Connections {
  connections: RTCPeerConnection[];
}

/** Runs in the page, before its own code: keeps hold of its WebRTC connections, to cut one. */
function keepConnections(): void {
  const connections: RTCPeerConnection[] = [];
  Object.assign(globalThis, { connections });
  globalThis.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(configuration?: RTCConfiguration) {
      super(configuration);
      connections.push(this);
    }
  };
}

function connected(tab: Tab): Promise<number> {
  return tab.page.evaluate(
    () =>
      (globalThis as unknown as Connections).connections.filter((one) => one.connectionState === "connected").length,
  );
}

async function openThree(): Promise<[Tab, Tab, Tab]> {
  const a = await tabs.open(node.invite);
  const b = await tabs.open(node.invite);
  const c = await tabs.open(node.invite, { before: keepConnections });
  console.log(
    `Members after ${median([a, b, c].map((tab) => tab.joinedMs ?? 0)).toFixed(0)} ms (median of three tabs)`,
  );
  return [a, b, c];
}

test(
  "three tabs and a node all see each other, and tabs link directly by WebRTC; the node is killed: the tabs notice, stay a swarm, introduce each other, and compute on",
  { timeout: LONGEST_MS },
  async () => {
    const [a, b, c] = await openThree();
    for (const tab of [a, b, c]) await expect.poll(() => others(tab), { timeout: 20_000 }).toHaveLength(3);
    await linkedDirectly([a, b, c]);
    const { output: peers } = await a.run("peers");
    expect(peers).toContain(await b.name());
    expect((await a.run(`ping -c 1 ${await b.name()} || ping ${await b.name()}`)).ok).toBe(true);
    for (const tab of [a, b, c]) expect(tab.complaints).toEqual([]);
    await Promise.all([a, b, c].map(haveEverything));
    const killedAt = performance.now();
    await node.process.end("SIGKILL");
    for (const tab of [a, b, c]) {
      await expect.poll(() => others(tab), { timeout: NOTICED_MS, interval: 250 }).toHaveLength(2);
    }
    console.log(`The death was noticed by all after ${(performance.now() - killedAt).toFixed(0)} ms`);

    // Two tabs lose their link, and only the third is left to introduce them. If two tabs dialled each other at the same
    // time, the second connection is closed after a while.
    await expect.poll(() => connected(c), { timeout: 20_000 }).toBe(2);
    const made = await c.page.evaluate(() => {
      const connections = (globalThis as unknown as Connections).connections;
      connections.find((one) => one.connectionState === "connected")?.close();
      return connections.length;
    });
    await expect.poll(() => connected(c), { timeout: 20_000 }).toBe(2);
    expect(await c.page.evaluate(() => (globalThis as unknown as Connections).connections.length)).toBeGreaterThan(
      made,
    );
    await linkedDirectly([a, b, c]);
    for (const other of [a, b]) expect((await c.run(`ping ${await other.name()}`)).ok).toBe(true);
    await b.page.getByRole("button", { name: /^Lend \d+ of/ }).click();
    for (const tab of [a, b, c]) {
      const { output, ok } = await tab.run("map primes --range 0..2000000 --chunks 8");
      expect(ok).toBe(true);
      expect(output).toContain("148933");
    }
  },
);

test("without WebRTC a tab is a member all the same, relayed, and says why", async () => {
  const whole = await tabs.open(node.invite);
  const without = await tabs.open(node.invite, { webrtc: false });
  await expect.poll(() => others(without), { timeout: 20_000 }).toHaveLength(2);
  const name = await whole.name();
  expect((await without.run(`ping ${name}`)).ok).toBe(true);
  await expect
    .poll(async () => (await links(without)).get(name), { timeout: 20_000 })
    .toMatch(/^relayed by \S+: .*WebRTC/);
  const { output } = await without.run("peers");
  expect(output.replaceAll("\n", " ")).toMatch(/relayed.*WebRTC/);
  expect(without.complaints).toEqual([]);
});

test("a tab alone computes, after its node has gone for good", async () => {
  const tab = await tabs.open(node.invite);
  await haveEverything(tab);
  await node.process.end("SIGTERM");
  await expect.poll(() => others(tab), { timeout: NOTICED_MS }).toHaveLength(0);
  const { output, ok } = await tab.run("map primes --range 0..2000000");
  expect(ok).toBe(true);
  expect(output).toContain("148933");
});

test("a tab is closed and a node killed half-way through a job, and the answer is right", async () => {
  const second = await lab.up({ args: ["--cores", "1", "--join", node.invite] });
  const [a, b, c] = await openThree();
  for (const tab of [a, b, c]) await expect.poll(() => others(tab), { timeout: 20_000 }).toHaveLength(4);
  await b.page.getByRole("button", { name: /^Lend \d+ of/ }).click();
  const result = a.run("map primes --range 0..8000000 --chunks 800", HALVED_JOB_MS);
  await a.waitFor(/primes [1-9]\d*\/800 chunks/);
  await b.close();
  await second.process.end("SIGKILL");
  const { output, ok } = await result;
  expect(ok).toBe(true);
  expect(output).toContain("539777");
  expect((await c.run("peers")).ok).toBe(true);
});

test("a picture is drawn in the terminal", async () => {
  const tab = await tabs.open(node.invite);
  await tab.type("map mandelbrot --size 256x192");
  await tab.page.locator("#terminal canvas").first().waitFor();
  await tab.waitFor(/\$$/);
  expect(tab.complaints).toEqual([]);
});

test("the node is lost and comes back: the tab says so and is a member again, without a reload", async () => {
  const tab = await tabs.open(node.invite);
  const port = new URL(node.url).port;
  await node.process.end("SIGKILL");
  await tab.page.locator("#notice", { hasText: "No contact with the swarm" }).waitFor({ timeout: 20_000 });
  const again = await lab.up({ data: node.data, args: ["--port", port, "--cores", "1"] });
  expect(again.invite).toContain("#v2.");
  await tab.page.locator("#notice").waitFor({ state: "hidden", timeout: 60_000 });
  await expect.poll(() => others(tab)).toHaveLength(1);
});

test("a tab about to be frozen says that it sleeps; thawed it is awake again", async () => {
  const watcher = await tabs.open(node.invite, { apart: true });
  const sleeper = await tabs.open(node.invite, { apart: true });
  const name = await sleeper.name();
  await expect.poll(() => others(watcher), { timeout: 20_000 }).toContain(name);
  // Chromium without a window freezes no tab: the events that it would send are sent by hand.
  await sleeper.page.evaluate(() => document.dispatchEvent(new Event("freeze")));
  await expect.poll(() => others(watcher), { timeout: 10_000 }).toContain(`${name}, asleep`);
  await sleeper.page.evaluate(() => document.dispatchEvent(new Event("resume")));
  await expect.poll(() => others(watcher), { timeout: 10_000 }).toContain(name);
});
