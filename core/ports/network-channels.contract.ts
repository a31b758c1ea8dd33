/** The part of the contract of Network about channels: order, wholeness, ends, back-pressure. */
import { describe, expect, it } from "vitest";
import { isStarfishError, StarfishError } from "../base/errors.ts";
import {
  closing,
  collect,
  expectRejection,
  expectThrow,
  message,
  type NetworkBench,
  PROTOCOL,
  summary,
} from "./network-bench.contract.ts";
import { CHANNEL_BUFFER_BYTES, MESSAGE_BYTES_MAX } from "./network.ts";

export function channelContract(bench: NetworkBench): void {
  describe("channels", () => {
    it("carry messages of any size, whole and in order, both ways at once", async () => {
      const { near, far } = await bench.channelPair();
      const sizes = [0, 1, 2, 100, 65_535, 65_536, 65_537, 3, 300_000, MESSAGE_BYTES_MAX, 0, 7];
      const nearGot = collect(near);
      const farGot = collect(far);
      for (const [i, size] of sizes.entries()) {
        near.send(message(size, i));
        far.send(message(size, i + 100));
      }
      near.end();
      far.end();
      expect(await bench.within(farGot)).toEqual(sizes.map((size, i) => summary(message(size, i))));
      expect(await bench.within(nearGot)).toEqual(sizes.map((size, i) => summary(message(size, i + 100))));
    });

    it("keep what comes before somebody listens", async () => {
      const { near, far } = await bench.channelPair();
      for (let i = 0; i < 10; i++) near.send(message(10, i));
      near.end();
      await bench.sleep(200);
      const got = collect(far);
      expect(await bench.within(got)).toEqual(Array.from({ length: 10 }, (_, i) => summary(message(10, i))));
    });

    it("do not mix, and there may be several of one protocol", async () => {
      const { ab, b } = await bench.pair();
      const got = new Map<string, Promise<string[]>>();
      b.handle(PROTOCOL, (channel) => {
        channel.onMessage((first) => {
          got.set(String(first[0]), collect(channel));
        });
      });
      const channels = await bench.within(Promise.all([1, 2, 3].map(() => ab.open(PROTOCOL))));
      for (const [i, channel] of channels.entries()) channel.send(Uint8Array.of(i));
      await bench.until(() => got.size === 3);
      for (const [i, channel] of channels.entries()) channel.send(message(50, i));
      for (const channel of channels) channel.end();
      for (const i of channels.keys())
        expect(await bench.within(got.get(String(i)) ?? Promise.resolve([]))).toEqual([summary(message(50, i))]);
    });

    it("refuse a message that is too large, and go on", async () => {
      const { near, far } = await bench.channelPair();
      const got = collect(far);
      expectThrow(() => near.send(new Uint8Array(MESSAGE_BYTES_MAX + 1)), "too-large");
      near.send(message(5, 1));
      near.end();
      expect(await bench.within(got)).toEqual([summary(message(5, 1))]);
    });

    it("are refused for a protocol that the peer does not speak, or no more", async () => {
      const { ab, b } = await bench.pair();
      await expectRejection(bench.within(ab.open(PROTOCOL)), "unknown-protocol");
      const stop = b.handle(PROTOCOL, () => {});
      await bench.within(ab.open(PROTOCOL));
      stop();
      await expectRejection(bench.within(ab.open(PROTOCOL)), "unknown-protocol");
    });

    it("are not opened when the signal aborts", async () => {
      const { ab, b } = await bench.pair();
      b.handle(PROTOCOL, () => {});
      const controller = new AbortController();
      const opening = ab.open(PROTOCOL, { signal: controller.signal });
      controller.abort();
      await expectRejection(bench.within(opening), "cancelled");
      await bench.within(ab.open(PROTOCOL));
    });

    it("end one way while the other goes on, and close in peace when both are over", async () => {
      const { near, far } = await bench.channelPair();
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
      await bench.until(() => farEnded);
      far.send(message(6, 2));
      far.end();
      expect(await bench.within(nearClosed)).toBeUndefined();
      expect(await bench.within(farClosed)).toBeUndefined();
      expect(got).toEqual([summary(message(6, 2))]);
    });

    it("abort in both directions at once, with an error at both ends", async () => {
      const { near, far } = await bench.channelPair();
      const reason = new StarfishError("malformed", "for the test");
      const nearClosed = closing(near);
      const farClosed = closing(far);
      near.abort(reason);
      near.abort(reason);
      expect(await bench.within(nearClosed)).toBe(reason);
      expect(await bench.within(farClosed)).toBeInstanceOf(StarfishError);
      near.send(message(5, 1));
      far.send(message(5, 1));
      await near.drained();
    });

    it("close with an error when their link does, after what was sent before", async () => {
      const { near, far, ab } = await bench.channelPair();
      const nearClosed = closing(near);
      const farClosed = closing(far);
      let got = 0;
      far.onMessage(() => got++);
      for (let i = 0; i < 5; i++) near.send(message(1000, i));
      await bench.within(ab.close());
      expect(isStarfishError(await bench.within(nearClosed), "link-closed")).toBe(true);
      expect(isStarfishError(await bench.within(farClosed), "link-closed")).toBe(true);
      expect(got).toBe(5);
    });

    it("hold back a sender whose reader is slow, and lose nothing", async () => {
      const { near, far } = await bench.channelPair();
      const piece = 256 * 1024;
      let sent = 0;
      // Some messages are on the way or with the reader; the bound is for those that wait at each end.
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
      await bench.within(drained);
      await bench.within(near.drained());
      near.end();
      expect(await bench.within(got)).toEqual(Array.from({ length: sent }, (_, i) => summary(message(piece, i))));
    });
  });
}
