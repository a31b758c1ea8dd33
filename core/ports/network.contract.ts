/** What every Network must do. */
import { describe, expect, it } from "vitest";
import {
  closing,
  collect,
  expectFailure,
  expectRejection,
  message,
  NetworkBench,
  type NetworkHarness,
  nextChannel,
  PROTOCOL,
  summary,
} from "./network-bench.contract.ts";
import { channelContract } from "./network-channels.contract.ts";
import type { Network, PeerId } from "./network.ts";

export type { NetworkHarness };

export function networkContract(name: string, create: () => Promise<NetworkHarness>): void {
  describe(`Network: ${name}`, () => {
    const bench = new NetworkBench(create);
    linkContract(bench);
    channelContract(bench);
    expulsionContract(bench);
    introductionContract(bench);
  });
}

function linkContract(bench: NetworkBench): void {
  describe("links", () => {
    it("dials a peer at its address: both ends have one direct link", async () => {
      const { a, b, ab, ba } = await bench.pair();
      expect(a.self).not.toBe(b.self);
      expect([ab.peer, ba.peer]).toEqual([b.self, a.self]);
      expect([ab.inbound, ba.inbound]).toEqual([false, true]);
      expect(ab.path().kind).toBe("direct");
      expect(a.links()).toEqual([ab]);
      expect(b.links()).toEqual([ba]);
    });

    it("dials an address without knowing who answers", async () => {
      const a = await bench.node();
      const b = await bench.node();
      expect((await a.dial({ addresses: b.addresses() })).peer).toBe(b.self);
    });

    it("gives the link there is instead of a second one", async () => {
      const { a, b, ab, ba } = await bench.pair();
      expect(await a.dial({ peer: b.self, addresses: b.addresses() })).toBe(ab);
      expect(await b.dial({ peer: a.self, addresses: a.addresses() })).toBe(ba);
      expect(await b.dial({ peer: a.self, addresses: [] })).toBe(ba);
    });

    it("makes one link of dials at the same time, from one end or from both", async () => {
      const a = await bench.node();
      const b = await bench.node();
      const there = { peer: b.self, addresses: b.addresses() };
      const back = { peer: a.self, addresses: a.addresses() };
      const [one, two, three] = await bench.within(Promise.all([a.dial(there), a.dial(there), b.dial(back)]));
      expect(one).toBe(two);
      expect(three.peer).toBe(a.self);
      await bench.until(() => a.links().length === 1 && b.links().length === 1);
      // The link works in both directions, whichever connection has won.
      const accepted = [nextChannel(a), nextChannel(b)];
      await bench.within(Promise.all([one.open(PROTOCOL), three.open(PROTOCOL), ...accepted]));
    });

    it("tells why a dial fails: nobody there, somebody else there, no way at all", async () => {
      const a = await bench.node();
      const b = await bench.node();
      const c = await bench.node();
      await expectRejection(
        bench.within(a.dial({ peer: b.self, addresses: [bench.deadAddress] })),
        "unreachable",
        "timeout",
      );
      await expectRejection(bench.within(a.dial({ peer: c.self, addresses: b.addresses() })), "unreachable", "timeout");
      await expectRejection(bench.within(a.dial({ peer: b.self, addresses: [] })), "unreachable");
      await expectRejection(bench.within(a.dial({ peer: a.self, addresses: a.addresses() })), "unreachable");
      expect(a.links().some((link) => link.peer !== b.self)).toBe(false);
    });

    it("tries all addresses", async () => {
      const a = await bench.node();
      const b = await bench.node();
      const link = await bench.within(a.dial({ peer: b.self, addresses: [bench.deadAddress, ...b.addresses()] }));
      expect(link.peer).toBe(b.self);
    });

    it("stops dialling when the signal aborts", async () => {
      const a = await bench.node();
      const b = await bench.node();
      const controller = new AbortController();
      const dial = a.dial({ peer: b.self, addresses: b.addresses() }, { signal: controller.signal });
      controller.abort();
      await expectRejection(dial, "cancelled");
      await expectRejection(
        a.dial({ peer: b.self, addresses: b.addresses() }, { signal: controller.signal }),
        "cancelled",
      );
    });

    it("closes at both ends, tells it once and never from inside the call", async () => {
      const { a, b, ab, ba } = await bench.pair();
      let told = 0;
      ab.onClose(() => told++);
      const farClosed = new Promise<void>((resolve) => void ba.onClose(resolve));
      const closing = ab.close();
      expect(told).toBe(0);
      await bench.within(closing);
      await bench.within(farClosed);
      await ab.close();
      await bench.until(() => told === 1 && a.links().length === 0 && b.links().length === 0);
      await expectRejection(ab.open(PROTOCOL), "link-closed");
      await expectRejection(ba.open(PROTOCOL), "link-closed");
      expect(told).toBe(1);
    });

    it("can be dialled anew after a link was closed", async () => {
      const { a, b, ab } = await bench.pair();
      await ab.close();
      await bench.until(() => b.links().length === 0);
      const again = await bench.within(a.dial({ peer: b.self, addresses: b.addresses() }));
      expect(again).not.toBe(ab);
      expect(a.links()).toEqual([again]);
    });

    it("sees the links close of a network that is disposed of", async () => {
      const { a, b, ba } = await bench.pair();
      const closed = new Promise<void>((resolve) => void ba.onClose(resolve));
      await a[Symbol.asyncDispose]();
      await bench.within(closed);
      await bench.until(() => b.links().length === 0);
      expect(a.links()).toEqual([]);
      await a[Symbol.asyncDispose]();
    });

    it("tells of a link before any of its channels", async () => {
      const a = await bench.node();
      const b = await bench.node();
      const told: string[] = [];
      b.onLink((link) => void told.push(`link ${link.peer}`));
      b.handle(PROTOCOL, (_, link) => void told.push(`channel ${link.peer}`));
      a.onLink((link) => void link.open(PROTOCOL).catch(() => {}));
      await a.dial({ addresses: b.addresses() });
      await bench.until(() => told.length === 2);
      expect(told).toEqual([`link ${a.self}`, `channel ${a.self}`]);
    });
  });
}

function expulsionContract(bench: NetworkBench): void {
  describe("expulsion", () => {
    it("closes the link, after what was sent before, and refuses the peer for a while", async () => {
      const { a, b, near, far } = await bench.channelPair();
      let told = false;
      near.onMessage(() => (told = true));
      const closed = closing(near);
      far.send(message(9, 9));
      b.expel(a.self, 4000);
      await bench.within(closed);
      expect(told).toBe(true);
      await bench.until(() => a.links().length === 0 && b.links().length === 0);
      await expectFailure(bench.within(dialAndOpen(a, b)));
      await expectRejection(bench.within(b.dial({ peer: a.self, addresses: a.addresses() })), "unreachable");
      await bench.sleep(4100);
      nextChannel(b).catch(() => {});
      await bench.within(dialAndOpen(a, b));
    });

    it("ends when the peer is admitted after all", async () => {
      const { a, b } = await bench.pair();
      b.expel(a.self, 3_600_000);
      await bench.until(() => a.links().length === 0);
      b.admit(a.self);
      nextChannel(b).catch(() => {});
      await bench.within(dialAndOpen(a, b));
      expect(a.links()).toHaveLength(1);
    });
  });
}

async function dialAndOpen(from: Network, to: Network): Promise<void> {
  const link = await from.dial({ peer: to.self, addresses: to.addresses() });
  // An adapter may notice only now that it was refused.
  await link.open(PROTOCOL);
}

function introductionContract(bench: NetworkBench): void {
  describe("introductions", () => {
    it("link two that can't be dialled, through one that both are linked to", async () => {
      const introducer = await bench.node();
      const tabs = [await bench.tab(), await bench.tab()] as const;
      for (const one of tabs) {
        expect(one.addresses()).toEqual([]);
        introducer.admit(one.self);
        one.admit(introducer.self);
        await bench.within(one.dial({ peer: introducer.self, addresses: introducer.addresses() }));
      }
      await bench.until(() => introducer.links().length === 2);
      const [a, b] = tabs;
      const introducers: PeerId[] = [introducer.self];
      const accepted = nextChannel(b);
      const link = await bench.within(a.dial({ peer: b.self, addresses: [], introducers }));
      expect(link.peer).toBe(b.self);
      const near = await bench.within(link.open(PROTOCOL));
      const got = collect(await bench.within(accepted));
      near.send(message(70_000, 1));
      near.end();
      expect(await bench.within(got)).toEqual([summary(message(70_000, 1))]);
    });

    it("fail through somebody who is linked to one end only", async () => {
      const introducer = await bench.node();
      const tabs = [await bench.tab(), await bench.tab()] as const;
      const [a, b] = tabs;
      introducer.admit(a.self);
      await bench.within(a.dial({ peer: introducer.self, addresses: introducer.addresses() }));
      const target = { peer: b.self, addresses: [], introducers: [introducer.self] };
      await expectRejection(bench.within(a.dial(target)), "unreachable", "timeout");
    });
  });
}
