/** What every Network has to do. Times are generous: real adapters run it on busy machines. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Bytes } from "../base/bytes.ts";
import { type ErrorCode, isStarfishError, StarfishError } from "../base/errors.ts";
import { type Clock, sleep } from "./clock.ts";
import {
  type Address,
  type Channel,
  CHANNEL_BUFFER_BYTES,
  type Link,
  MESSAGE_BYTES_MAX,
  type Network,
  type PeerId,
} from "./network.ts";

export interface NetworkHarness extends AsyncDisposable {
  /** The clock by which the networks live. */
  readonly clock: Clock;
  /** A network that can be dialled at its addresses. */
  node(): Promise<Network>;
  /** A network that can be reached through an introducer only. Absent: the suite leaves introductions out. */
  readonly tab?: () => Promise<Network>;
  /** An address at which nobody answers. */
  readonly deadAddress: Address;
}

const PROTOCOL = "/starfish/test/1.0.0";
const PATIENCE_MS = 20_000;

export function networkContract(name: string, create: () => Promise<NetworkHarness>): void {
  describe(`Network: ${name}`, () => {
    let harness: NetworkHarness;
    let made: Network[] = [];

    beforeEach(async () => {
      made = [];
      harness = await create();
    });

    afterEach(async () => {
      await Promise.all(made.map((network) => network[Symbol.asyncDispose]()));
      await harness[Symbol.asyncDispose]();
    });

    const node = async (): Promise<Network> => {
      const network = await harness.node();
      made.push(network);
      return network;
    };

    /** Two nodes; the first has dialled the second. */
    async function pair(): Promise<{ a: Network; b: Network; ab: Link; ba: Link }> {
      const a = await node();
      const b = await node();
      const incoming = nextLink(b);
      const ab = await a.dial({ peer: b.self, addresses: b.addresses() });
      return { a, b, ab, ba: await within(incoming) };
    }

    /** A channel between two nodes, both ends. */
    async function channelPair(): Promise<{ near: Channel; far: Channel; ab: Link; ba: Link; a: Network; b: Network }> {
      const nodes = await pair();
      const accepted = nextChannel(nodes.b);
      const near = await nodes.ab.open(PROTOCOL);
      return { ...nodes, near, far: await within(accepted) };
    }

    async function within<T>(promise: Promise<T>): Promise<T> {
      const late = sleep(harness.clock, PATIENCE_MS).then(() => {
        throw new Error("The contract's patience is over");
      });
      late.catch(() => {});
      return Promise.race([promise, late]);
    }

    /** Waits until it holds; the adapters may take a moment to say so. */
    async function until(condition: () => boolean): Promise<void> {
      const patienceMs = harness.clock.monotonic() + PATIENCE_MS;
      while (!condition()) {
        if (harness.clock.monotonic() > patienceMs) throw new Error(`Not in time: ${String(condition)}`);
        await sleep(harness.clock, 5);
      }
    }

    describe("links", () => {
      it("dials a peer at its address: both ends have one direct link", async () => {
        const { a, b, ab, ba } = await pair();
        expect(a.self).not.toBe(b.self);
        expect([ab.peer, ba.peer]).toEqual([b.self, a.self]);
        expect([ab.inbound, ba.inbound]).toEqual([false, true]);
        expect(ab.path().kind).toBe("direct");
        expect(a.links()).toEqual([ab]);
        expect(b.links()).toEqual([ba]);
      });

      it("dials an address without knowing who answers", async () => {
        const a = await node();
        const b = await node();
        expect((await a.dial({ addresses: b.addresses() })).peer).toBe(b.self);
      });

      it("gives the link there is instead of a second one", async () => {
        const { a, b, ab, ba } = await pair();
        expect(await a.dial({ peer: b.self, addresses: b.addresses() })).toBe(ab);
        expect(await b.dial({ peer: a.self, addresses: a.addresses() })).toBe(ba);
        expect(await b.dial({ peer: a.self, addresses: [] })).toBe(ba);
      });

      it("makes one link of dials at the same time, from one end or from both", async () => {
        const a = await node();
        const b = await node();
        const there = { peer: b.self, addresses: b.addresses() };
        const back = { peer: a.self, addresses: a.addresses() };
        const [one, two, three] = await within(Promise.all([a.dial(there), a.dial(there), b.dial(back)]));
        expect(one).toBe(two);
        expect(three.peer).toBe(a.self);
        await until(() => a.links().length === 1 && b.links().length === 1);
        // It works in both directions, whichever connection has won.
        const accepted = [nextChannel(a), nextChannel(b)];
        await within(Promise.all([one.open(PROTOCOL), three.open(PROTOCOL), ...accepted]));
      });

      it("tells why a dial fails: nobody there, somebody else there, no way at all", async () => {
        const a = await node();
        const b = await node();
        const c = await node();
        await expectRejection(
          within(a.dial({ peer: b.self, addresses: [harness.deadAddress] })),
          "unreachable",
          "timeout",
        );
        await expectRejection(within(a.dial({ peer: c.self, addresses: b.addresses() })), "unreachable", "timeout");
        await expectRejection(within(a.dial({ peer: b.self, addresses: [] })), "unreachable");
        await expectRejection(within(a.dial({ peer: a.self, addresses: a.addresses() })), "unreachable");
        expect(a.links().some((link) => link.peer !== b.self)).toBe(false);
      });

      it("tries all addresses", async () => {
        const a = await node();
        const b = await node();
        const link = await within(a.dial({ peer: b.self, addresses: [harness.deadAddress, ...b.addresses()] }));
        expect(link.peer).toBe(b.self);
      });

      it("stops dialling when the signal aborts", async () => {
        const a = await node();
        const b = await node();
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
        const { a, b, ab, ba } = await pair();
        let told = 0;
        ab.onClose(() => told++);
        const farClosed = new Promise<void>((resolve) => void ba.onClose(resolve));
        const closing = ab.close();
        expect(told).toBe(0);
        await within(closing);
        await within(farClosed);
        await ab.close();
        await until(() => told === 1 && a.links().length === 0 && b.links().length === 0);
        await expectRejection(ab.open(PROTOCOL), "link-closed");
        await expectRejection(ba.open(PROTOCOL), "link-closed");
        expect(told).toBe(1);
      });

      it("can be dialled anew after a link was closed", async () => {
        const { a, b, ab } = await pair();
        await ab.close();
        await until(() => b.links().length === 0);
        const again = await within(a.dial({ peer: b.self, addresses: b.addresses() }));
        expect(again).not.toBe(ab);
        expect(a.links()).toEqual([again]);
      });

      it("sees the links close of a network that is disposed of", async () => {
        const { a, b, ba } = await pair();
        const closed = new Promise<void>((resolve) => void ba.onClose(resolve));
        await a[Symbol.asyncDispose]();
        await within(closed);
        await until(() => b.links().length === 0);
        expect(a.links()).toEqual([]);
        await a[Symbol.asyncDispose]();
      });

      it("tells of a link before any of its channels", async () => {
        const a = await node();
        const b = await node();
        const told: string[] = [];
        b.onLink((link) => void told.push(`link ${link.peer}`));
        b.handle(PROTOCOL, (_, link) => void told.push(`channel ${link.peer}`));
        a.onLink((link) => void link.open(PROTOCOL).catch(() => {}));
        await a.dial({ addresses: b.addresses() });
        await until(() => told.length === 2);
        expect(told).toEqual([`link ${a.self}`, `channel ${a.self}`]);
      });
    });

    describe("channels", () => {
      it("carry messages of any size, whole and in order, both ways at once", async () => {
        const { near, far } = await channelPair();
        const sizes = [0, 1, 2, 100, 65_535, 65_536, 65_537, 3, 300_000, MESSAGE_BYTES_MAX, 0, 7];
        const nearGot = collect(near);
        const farGot = collect(far);
        for (const [i, size] of sizes.entries()) {
          near.send(message(size, i));
          far.send(message(size, i + 100));
        }
        near.end();
        far.end();
        expect(await within(farGot)).toEqual(sizes.map((size, i) => summary(message(size, i))));
        expect(await within(nearGot)).toEqual(sizes.map((size, i) => summary(message(size, i + 100))));
      });

      it("keep what was sent, whatever the sender does to its buffer later", async () => {
        const { near, far } = await channelPair();
        const got = collect(far);
        const buffer = message(1000, 1);
        near.send(buffer);
        buffer.fill(0);
        near.end();
        expect(await within(got)).toEqual([summary(message(1000, 1))]);
      });

      it("keep what comes before somebody listens", async () => {
        const { near, far } = await channelPair();
        for (let i = 0; i < 10; i++) near.send(message(10, i));
        near.end();
        await sleep(harness.clock, 200);
        const got = collect(far);
        expect(await within(got)).toEqual(Array.from({ length: 10 }, (_, i) => summary(message(10, i))));
      });

      it("do not mix, and there may be several of one protocol", async () => {
        const { ab, b } = await pair();
        const got = new Map<string, Promise<string[]>>();
        b.handle(PROTOCOL, (channel) => {
          channel.onMessage((first) => {
            got.set(String(first[0]), collect(channel));
          });
        });
        const channels = await within(Promise.all([1, 2, 3].map(() => ab.open(PROTOCOL))));
        for (const [i, channel] of channels.entries()) channel.send(Uint8Array.of(i));
        await until(() => got.size === 3);
        for (const [i, channel] of channels.entries()) channel.send(message(50, i));
        for (const channel of channels) channel.end();
        for (const i of channels.keys())
          expect(await within(got.get(String(i)) ?? Promise.resolve([]))).toEqual([summary(message(50, i))]);
      });

      it("refuse a message that is too large, and go on", async () => {
        const { near, far } = await channelPair();
        const got = collect(far);
        expectThrow(() => near.send(new Uint8Array(MESSAGE_BYTES_MAX + 1)), "too-large");
        near.send(message(5, 1));
        near.end();
        expect(await within(got)).toEqual([summary(message(5, 1))]);
      });

      it("are refused for a protocol that the peer does not speak, or no more", async () => {
        const { ab, b } = await pair();
        await expectRejection(within(ab.open(PROTOCOL)), "unknown-protocol");
        const stop = b.handle(PROTOCOL, () => {});
        await within(ab.open(PROTOCOL));
        stop();
        await expectRejection(within(ab.open(PROTOCOL)), "unknown-protocol");
      });

      it("are not opened when the signal aborts", async () => {
        const { ab, b } = await pair();
        b.handle(PROTOCOL, () => {});
        const controller = new AbortController();
        const opening = ab.open(PROTOCOL, { signal: controller.signal });
        controller.abort();
        await expectRejection(within(opening), "cancelled");
        await within(ab.open(PROTOCOL));
      });

      it("end one way while the other goes on, and close in peace when both are over", async () => {
        const { near, far } = await channelPair();
        const nearClosed = closing(near);
        const farClosed = closing(far);
        const got: string[] = [];
        let farEnded = false;
        near.onMessage((bytes) => void got.push(summary(bytes)));
        far.onMessage(() => {});
        far.onEnd(() => (farEnded = true));
        near.end();
        near.end();
        near.send(message(5, 1));
        await until(() => farEnded);
        far.send(message(6, 2));
        far.end();
        expect(await within(nearClosed)).toBeUndefined();
        expect(await within(farClosed)).toBeUndefined();
        expect(got).toEqual([summary(message(6, 2))]);
      });

      it("abort in both directions at once, with an error at both ends", async () => {
        const { near, far } = await channelPair();
        const reason = new StarfishError("malformed", "for the test");
        const nearClosed = closing(near);
        const farClosed = closing(far);
        near.abort(reason);
        near.abort(reason);
        expect(await within(nearClosed)).toBe(reason);
        expect(await within(farClosed)).toBeInstanceOf(StarfishError);
        near.send(message(5, 1));
        far.send(message(5, 1));
        await near.drained();
      });

      it("close with an error when their link does, after what was sent before", async () => {
        const { near, far, ab } = await channelPair();
        const nearClosed = closing(near);
        const farClosed = closing(far);
        let got = 0;
        far.onMessage(() => got++);
        for (let i = 0; i < 5; i++) near.send(message(1000, i));
        await within(ab.close());
        expect(isStarfishError(await within(nearClosed), "link-closed")).toBe(true);
        expect(isStarfishError(await within(farClosed), "link-closed")).toBe(true);
        expect(got).toBe(5);
      });

      it("hold back a sender whose reader is slow, and lose nothing", async () => {
        const { near, far } = await channelPair();
        const piece = 256 * 1024;
        let sent = 0;
        // Some lies on the way and with the reader's end; the bound is for what waits at each of them.
        while (near.send(message(piece, sent++))) expect(sent * piece).toBeLessThan(4 * CHANNEL_BUFFER_BYTES);
        let waiting = true;
        const drained = near.drained().then(() => (waiting = false));
        let refusal: unknown;
        for (let i = 0; refusal === undefined && i < 400; i++) {
          try {
            near.send(message(piece, sent));
            sent++;
          } catch (error) {
            refusal = error;
          }
        }
        expect(isStarfishError(refusal, "busy")).toBe(true);
        expect(waiting).toBe(true);
        const got = collect(far);
        await within(drained);
        await within(near.drained());
        near.end();
        expect(await within(got)).toEqual(Array.from({ length: sent }, (_, i) => summary(message(piece, i))));
      });
    });

    describe("expulsion", () => {
      it("closes the link, after what was sent before, and refuses the peer for a while", async () => {
        const { a, b, near, far } = await channelPair();
        let told = false;
        near.onMessage(() => (told = true));
        const closed = closing(near);
        far.send(message(9, 9));
        b.expel(a.self, 4000);
        await within(closed);
        expect(told).toBe(true);
        await until(() => a.links().length === 0 && b.links().length === 0);
        await expectFailure(within(dialAndOpen(a, b)));
        await expectRejection(within(b.dial({ peer: a.self, addresses: a.addresses() })), "unreachable");
        await sleep(harness.clock, 4100);
        nextChannel(b).catch(() => {});
        await within(dialAndOpen(a, b));
      });

      it("ends when the peer is admitted after all", async () => {
        const { a, b } = await pair();
        b.expel(a.self, 3_600_000);
        await until(() => a.links().length === 0);
        b.admit(a.self);
        nextChannel(b).catch(() => {});
        await within(dialAndOpen(a, b));
        expect(a.links()).toHaveLength(1);
      });
    });

    async function dialAndOpen(from: Network, to: Network): Promise<void> {
      const link = await from.dial({ peer: to.self, addresses: to.addresses() });
      // An adapter may learn only now that it was refused.
      await link.open(PROTOCOL);
    }

    describe("introductions", () => {
      it("link two that can't be dialled, through one that both are linked to", async () => {
        const { tab } = harness;
        if (tab === undefined) return;
        const introducer = await node();
        const tabs = [await tab(), await tab()] as const;
        made.push(...tabs);
        for (const one of tabs) {
          expect(one.addresses()).toEqual([]);
          introducer.admit(one.self);
          one.admit(introducer.self);
          await within(one.dial({ peer: introducer.self, addresses: introducer.addresses() }));
        }
        await until(() => introducer.links().length === 2);
        const [a, b] = tabs;
        const introducers: PeerId[] = [introducer.self];
        const accepted = nextChannel(b);
        const link = await within(a.dial({ peer: b.self, addresses: [], introducers }));
        expect(link.peer).toBe(b.self);
        const near = await within(link.open(PROTOCOL));
        const got = collect(await within(accepted));
        near.send(message(70_000, 1));
        near.end();
        expect(await within(got)).toEqual([summary(message(70_000, 1))]);
      });

      it("fail through somebody who is linked to one end only", async () => {
        const { tab } = harness;
        if (tab === undefined) return;
        const introducer = await node();
        const tabs = [await tab(), await tab()] as const;
        made.push(...tabs);
        const [a, b] = tabs;
        introducer.admit(a.self);
        await within(a.dial({ peer: introducer.self, addresses: introducer.addresses() }));
        const target = { peer: b.self, addresses: [], introducers: [introducer.self] };
        await expectRejection(within(a.dial(target)), "unreachable", "timeout");
      });
    });
  });
}

function nextLink(network: Network): Promise<Link> {
  return new Promise((resolve) => {
    const stop = network.onLink((link) => {
      stop();
      resolve(link);
    });
  });
}

function nextChannel(network: Network): Promise<Channel> {
  return new Promise((resolve) => void network.handle(PROTOCOL, resolve));
}

/** What comes, in short, until the end; rejects if the channel closes with an error before. */
function collect(channel: Channel): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const got: string[] = [];
    channel.onMessage((bytes) => void got.push(summary(bytes)));
    channel.onEnd(() => resolve(got));
    channel.onClose((error) => (error === undefined ? resolve(got) : reject(error)));
  });
}

function closing(channel: Channel): Promise<StarfishError | undefined> {
  return new Promise((resolve) => channel.onClose(resolve));
}

/** A message of `length` bytes that tells its number and whether it was changed or cut. */
function message(length: number, number: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + number * 7 + (i >> 8)) & 0xff;
  return bytes;
}

/** Length and checksum (FNV-1a): comparing megabytes element by element takes minutes. */
function summary(bytes: Bytes): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ (bytes[i] ?? 0), 0x01000193);
  return `${bytes.length}:${hash >>> 0}`;
}

async function expectRejection(promise: Promise<unknown>, ...codes: ErrorCode[]): Promise<void> {
  const error = await promise.then(
    () => undefined,
    (failure: unknown) => failure,
  );
  expect(codes).toContain(error instanceof StarfishError ? error.code : error);
}

async function expectFailure(promise: Promise<unknown>): Promise<void> {
  expect(
    await promise.then(
      () => "it worked",
      () => "it failed",
    ),
  ).toBe("it failed");
}

function expectThrow(work: () => unknown, code: ErrorCode): void {
  let failure: unknown;
  try {
    work();
  } catch (error) {
    failure = error;
  }
  expect(isStarfishError(failure, code)).toBe(true);
}
