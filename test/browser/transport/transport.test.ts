/** The network adapter between real tabs and real Node processes. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Harness, type NodeProcess, type OpenTab, until } from "./harness.ts";
import type { LinkReport } from "./page.ts";

/** Rounds of four dials each; with `LONG=1` there are a hundred dials. */
const ROUNDS: number = process.env["LONG"] === undefined ? 8 : 25;

let harness: Harness;

beforeAll(async () => {
  harness = await Harness.start();
});

afterAll(async () => {
  await harness?.[Symbol.asyncDispose]();
});

async function closeAll(tabs: readonly OpenTab[], nodes: readonly NodeProcess[]): Promise<void> {
  await Promise.all([...tabs.map((tab) => tab.close()), ...nodes.map((node) => node.kill())]);
}

async function linkTo(tab: OpenTab, peer: string): Promise<LinkReport | undefined> {
  return (await tab.links()).find((link) => link.peer === peer);
}

async function hasNoLink(tab: OpenTab, peer: string): Promise<boolean> {
  return (await linkTo(tab, peer)) === undefined;
}

describe("tabs and a Node process", () => {
  it("links tab to Node by WebSocket and tab to tab by WebRTC, introduced by the Node", async () => {
    const node = await harness.node();
    const [a, b] = await Promise.all([harness.joined(node), harness.joined(node)]);
    expect(await a.links()).toEqual([{ peer: node.peer, path: { kind: "direct", transport: "websocket" } }]);
    expect(await a.dial({ peer: b.peer, addresses: [], introducers: [node.peer] })).toEqual({
      kind: "direct",
      transport: "webrtc",
    });
    await until("both ends have the link", async () => (await b.links()).length === 2);
    expect(await a.echo(b.peer, 1_000_000)).toBeTypeOf("number");
    expect(await b.echo(a.peer)).toBeTypeOf("number");
    await closeAll([a, b], [node]);
  });

  it("links two tabs through a third when the Node is gone", async () => {
    const node = await harness.node();
    const [a, b, c] = await Promise.all([harness.joined(node), harness.joined(node), harness.joined(node)]);
    for (const tab of [a, b]) await tab.dial({ peer: c.peer, addresses: [], introducers: [node.peer] });
    await node.kill();
    const noticedMs = await until("the tabs notice the death", async () =>
      (await Promise.all([a, b, c].map((tab) => tab.links()))).every((links) =>
        links.every((l) => l.peer !== node.peer),
      ),
    );
    console.log(`SIGKILL of the Node noticed after ${noticedMs.toFixed(0)} ms`);
    expect(await a.dial({ peer: b.peer, addresses: [], introducers: [c.peer] })).toMatchObject({ transport: "webrtc" });
    expect(await b.echo(a.peer, 100_000)).toBeTypeOf("number");
    await closeAll([a, b, c], []);
  });

  it("relays to a tab without WebRTC, and says why", async () => {
    const node = await harness.node();
    const [a, b] = await Promise.all([harness.joined(node), harness.joined(node, { webrtc: false })]);
    expect(await b.dial({ peer: a.peer, addresses: [], introducers: [node.peer] })).toEqual({
      kind: "relayed",
      transport: "circuit",
      via: node.peer,
      reason: "no WebRTC in this browser",
    });
    expect(await a.echo(b.peer, 100_000)).toBeTypeOf("number");
    expect((await a.links()).find((link) => link.peer === b.peer)?.path).toMatchObject({
      kind: "relayed",
      reason: "no WebRTC in this browser",
    });
    await closeAll([a, b], [node]);
  });

  it("says why it relays when the other end has no WebRTC", async () => {
    const node = await harness.node();
    const [a, b] = await Promise.all([harness.joined(node), harness.joined(node, { webrtc: false })]);
    expect(await a.dial({ peer: b.peer, addresses: [], introducers: [node.peer] })).toMatchObject({
      kind: "relayed",
      reason: "no WebRTC at one end",
    });
    await closeAll([a, b], [node]);
  });

  it("makes a relayed link direct when that has become possible", async () => {
    const node = await harness.node();
    const [a, b] = await Promise.all([harness.joined(node), harness.joined(node)]);
    await a.page.evaluate(() => {
      const prototype = RTCPeerConnection.prototype as { createOffer: unknown };
      const createOffer = prototype.createOffer;
      prototype.createOffer = () => Promise.reject(new Error("not now"));
      Object.assign(globalThis, { mend: () => (prototype.createOffer = createOffer) });
    });
    expect(await a.dial({ peer: b.peer, addresses: [], introducers: [node.peer] })).toMatchObject({ kind: "relayed" });
    await a.page.evaluate(() => (globalThis as unknown as { mend(): void }).mend());
    await until("both ends have a direct path", async () =>
      (await Promise.all([linkTo(a, b.peer), linkTo(b, a.peer)])).every((link) => link?.path.transport === "webrtc"),
    );
    expect(await b.echo(a.peer)).toBeTypeOf("number");
    expect(await a.closed()).toEqual([]);
    await closeAll([a, b], [node]);
  });

  it("gives strangers no relay", async () => {
    const node = await harness.node({ strangers: true });
    const [a, b] = await Promise.all([harness.joined(node), harness.joined(node)]);
    expect(await a.dial({ peer: b.peer, addresses: [], introducers: [node.peer] })).toMatch(
      /^unreachable: .*introduced/,
    );
    expect((await a.links()).map((link) => link.peer)).toEqual([node.peer]);
    await closeAll([a, b], [node]);
  });

  it("notices at once when a tab leaves", async () => {
    const node = await harness.node();
    const [a, b] = await Promise.all([harness.joined(node), harness.joined(node)]);
    await a.dial({ peer: b.peer, addresses: [], introducers: [node.peer] });
    await b.close();
    const noticedMs = await until("the other tab notices", async () => hasNoLink(a, b.peer));
    console.log(`closed tab noticed after ${noticedMs.toFixed(0)} ms`);
    expect(noticedMs).toBeLessThan(3_000);
    await closeAll([a], [node]);
  });

  it("links a returning tab anew although its former link was never seen to end", async () => {
    const node = await harness.node();
    const returning = `${node.url}?abrupt&seed=7`;
    const [a, before] = await Promise.all([harness.joined(node), harness.joined(node, { url: returning })]);
    await a.dial({ peer: before.peer, addresses: [], introducers: [node.peer] });
    await before.close();
    const after = await harness.joined(node, { url: returning });
    expect(after.peer).toBe(before.peer);
    expect(await hasNoLink(a, before.peer)).toBe(false);
    expect(await after.dial({ peer: a.peer, addresses: [], introducers: [node.peer] })).toMatchObject({
      kind: "direct",
    });
    expect(await a.closed()).toContain(before.peer);
    expect(await a.echo(after.peer)).toBeTypeOf("number");
    await closeAll([a, after], [node]);
  });

  it("hangs up on a tab that does not answer without waiting for it, and reaches it again when it does", async () => {
    const node = await harness.node();
    const [a, b] = await Promise.all([harness.joined(node), harness.joined(node)]);
    const toB = { peer: b.peer, addresses: [], introducers: [node.peer] };
    await a.dial(toB);
    const stalled = b.page.evaluate(() => {
      const end = performance.now() + 3_000;
      while (performance.now() < end);
    });
    const begin = performance.now();
    await a.hangUp(b.peer);
    expect(performance.now() - begin).toBeLessThan(2_000);
    expect(await a.dial(toB, 500)).toMatch(/^cancelled/);
    await stalled;
    expect(await a.dial(toB)).toMatchObject({ kind: "direct" });
    expect(await b.echo(a.peer)).toBeTypeOf("number");
    await closeAll([a, b], [node]);
  });

  it("lets a Node process reach a tab that it knows no address of", async () => {
    const [near, far] = await Promise.all([harness.node(), harness.node()]);
    const tab = await harness.joined(near);
    await far.dial({ peer: near.peer, addresses: near.addresses });
    // Node has no WebRTC: it asks the tab, by way of the other process, to call back.
    expect(await far.dial({ peer: tab.peer, addresses: [], introducers: [near.peer] })).toEqual({
      kind: "direct",
      transport: "websocket",
    });
    await closeAll([tab], [near, far]);
  });
});

describe("dialling from tab to tab", () => {
  it(`succeeds ${4 * ROUNDS} times out of ${4 * ROUNDS}`, async () => {
    const node = await harness.node();
    const tabs = await Promise.all(Array.from({ length: 4 }, () => harness.joined(node)));
    const failures: unknown[] = [];
    const timesMs: number[] = [];
    const dial = async (from: OpenTab, to: OpenTab): Promise<void> => {
      const begin = performance.now();
      const path = await from.dial({ peer: to.peer, addresses: [], introducers: [node.peer] });
      timesMs.push(performance.now() - begin);
      if (typeof path === "string" || path.transport !== "webrtc") failures.push(path);
      if (typeof path !== "string") await from.hangUp(to.peer);
    };
    const [a, b, c, d] = tabs as [OpenTab, OpenTab, OpenTab, OpenTab];
    for (let round = 0; round < ROUNDS; round++) {
      // Two at a time, each pair in both directions.
      await Promise.all([dial(a, b), dial(c, d)]);
      await Promise.all([dial(b, a), dial(d, c)]);
    }
    timesMs.sort((x, y) => x - y);
    const [median, slowest] = [timesMs[timesMs.length >> 1], timesMs.at(-1)];
    console.log(`${timesMs.length} dials: median ${median?.toFixed(0)} ms, slowest ${slowest?.toFixed(0)} ms`);
    expect(failures).toEqual([]);
    await closeAll(tabs, [node]);
  });
});
