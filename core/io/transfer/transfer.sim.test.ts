/** Transfers between nodes of a simulated world: what arrives, who is asked, and what happens when links break. */
import { describe, expect, test } from "vitest";
import { all, noise, pauseOf, sourceOf, TransferLab } from "../../../test/sim/transfer-lab.ts";
import { concat, equal, utf8 } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";
import { INCOMING_PER_SENDER_MAX, OFFER_MS, OFFERS_PER_SENDER_MAX, OUTGOING_MAX, WINDOW_BYTES } from "./limits.ts";
import type { Offer, SendProgress } from "./types.ts";

const SEND_MS = 3_600_000;

/** The result or the error of a promise, to be awaited later. */
function outcomeOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** Comparing byte by byte takes the test library seconds. */
function expectSame(got: ReadonlyMap<string, Uint8Array>, files: ReadonlyMap<string, Uint8Array>): void {
  expect([...got.keys()]).toEqual([...files.keys()]);
  for (const [path, bytes] of files) expect(equal(got.get(path) ?? utf8("missing"), bytes), path).toBe(true);
}

describe("send", () => {
  test("brings files and folders to the inbox, byte for byte", async () => {
    const lab = new TransferLab(1);
    const { from, to } = await lab.pair();
    const files = new Map([
      ["docs/a.txt", utf8("hello")],
      ["docs/empty", new Uint8Array(0)],
      ["docs/sub/big.bin", noise(3_000_000)],
    ]);
    await lab.swarm.settle(
      from.transfer.send(to.net.self, sourceOf(files, { folders: ["docs", "docs/void"] })),
      SEND_MS,
    );
    const [item, ...more] = to.transfer.inbox.items();
    expect(more).toEqual([]);
    expect(item).toMatchObject({ title: "docs", files: 3, folders: 2, totalBytes: 3_000_005, state: "whole" });
    expectSame(await lab.filesOf(to, item?.id ?? ""), files);
    await lab.swarm.settle(to.transfer.inbox.remove(item?.id ?? ""));
    expect(to.transfer.list()).toEqual([]);
    expect(lab.swarm.world.node("to").ports.shards.usage().usedBytes).toBe(0);
  });

  test("brings a pipe whose length nobody knows", async () => {
    const lab = new TransferLab(2);
    const { from, to } = await lab.pair();
    to.transfer.onOffer(({ id }) => void to.transfer.accept(id));
    for (const length of [0, 1, 262_144, 1_000_000]) {
      const bytes = noise(length, length + 1);
      const source = sourceOf(new Map([["stdin", bytes]]), { isPipe: true });
      await lab.swarm.settle(from.transfer.send(to.net.self, source), SEND_MS);
      const item = to.transfer.inbox.items().at(-1);
      expect(item).toMatchObject({ totalBytes: length, doneBytes: length });
      expectSame(await lab.filesOf(to, item?.id ?? ""), new Map([["stdin", bytes]]));
    }
  });

  test("asks the person the first time, says names and sizes, and remembers the answer", async () => {
    const lab = new TransferLab(3);
    const { from, to } = await lab.pair();
    await lab.swarm.settle(to.transfer.answer(from.net.self, undefined));
    const asked: Offer[] = [];
    to.transfer.onOffer((offer) => asked.push(offer));
    const states: SendProgress[] = [];
    const source = sourceOf(new Map([["a\u001b[2J.txt", utf8("abc")]]));
    const first = from.transfer.send(to.net.self, source, { onProgress: (progress) => states.push(progress) });
    await lab.swarm.world.runUntil(() => asked.length === 1, { withinMs: 20_000 });
    expect(asked[0]).toMatchObject({
      from: from.net.self,
      name: "from",
      title: "a\ufffd[2J.txt",
      totalBytes: 3,
      names: [{ path: "a\ufffd[2J.txt", sizeBytes: 3 }],
      fits: true,
    });
    await lab.swarm.world.runFor(5_000);
    expect(states.at(-1)).toMatchObject({ state: "waiting", hasPerson: false });
    expect(to.transfer.list()).toEqual([]);
    await lab.swarm.settle(to.transfer.accept(asked[0]?.id ?? ""));
    await lab.swarm.settle(first);
    await lab.swarm.settle(from.transfer.send(to.net.self, sourceOf(new Map([["b", utf8("b")]]))));
    expect(asked).toHaveLength(1);
    expect(to.transfer.inbox.items()).toHaveLength(2);
  });

  test("tells the sender of a refusal, and of the next without asking", async () => {
    const lab = new TransferLab(4);
    const { from, to } = await lab.pair();
    await lab.swarm.settle(to.transfer.answer(from.net.self, undefined));
    const asked: Offer[] = [];
    to.transfer.onOffer((offer) => asked.push(offer));
    const source = sourceOf(new Map([["a", utf8("a")]]));
    const first = from.transfer.send(to.net.self, source);
    const refused = outcomeOf(first);
    await lab.swarm.world.runUntil(() => asked.length === 1, { withinMs: 20_000 });
    await lab.swarm.settle(to.transfer.refuse(asked[0]?.id ?? ""));
    expect(await lab.swarm.settle(refused)).toMatchObject({
      code: "refused",
      message: "to does not want anything from this node",
    });
    expect(await lab.swarm.failure(from.transfer.send(to.net.self, source))).toMatchObject({ code: "refused" });
    expect(asked).toHaveLength(1);
  });

  test("says of one that is refused this time that it is this one", async () => {
    const lab = new TransferLab(14);
    const { from, to } = await lab.pair();
    await lab.swarm.settle(to.transfer.answer(from.net.self, undefined));
    to.transfer.onOffer(({ id }) => void to.transfer.refuse(id, { remember: false }));
    const source = sourceOf(new Map([["a", utf8("a")]]));
    for (let time = 0; time < 2; time++) {
      expect(await lab.swarm.failure(from.transfer.send(to.net.self, source))).toMatchObject({
        code: "refused",
        message: "to does not want this",
      });
    }
    expect(to.transfer.answers().size).toBe(0);
  });

  test("gives up an offer that nobody answers, and one whose sender has gone", async () => {
    const lab = new TransferLab(5);
    const { from, to } = await lab.pair();
    await lab.swarm.settle(to.transfer.answer(from.net.self, undefined));
    const source = sourceOf(new Map([["a", utf8("a")]]));
    const late = outcomeOf(from.transfer.send(to.net.self, source));
    await lab.swarm.world.runFor(OFFER_MS + 10_000);
    expect(await lab.swarm.settle(late)).toMatchObject({ code: "timeout" });
    const stop = new AbortController();
    const dropped = from.transfer.send(to.net.self, source, { signal: stop.signal });
    dropped.catch(() => {});
    await lab.swarm.world.runUntil(() => to.transfer.offers().length === 1, { withinMs: 20_000 });
    stop.abort();
    expect(await lab.swarm.failure(dropped)).toMatchObject({ code: "cancelled" });
    await lab.swarm.world.runUntil(() => to.transfer.offers().length === 0, { withinMs: 20_000 });
  });

  test("refuses what does not fit before the first byte", async () => {
    const lab = new TransferLab(6);
    const { from, to } = await lab.pair();
    lab.swarm.world.node("to").ports.shards.setQuota(5_000_000);
    let read = 0;
    const source = sourceOf(new Map([["big", noise(4_000_000)]]), { pause: async () => void read++ });
    expect(await lab.swarm.failure(from.transfer.send(to.net.self, source))).toMatchObject({ code: "full" });
    expect(read).toBe(0);
    expect(to.transfer.list()).toEqual([]);
    to.transfer.onOffer(({ id }) => void to.transfer.accept(id));
    // A pipe is refused where it stops fitting, and leaves nothing.
    const pipe = sourceOf(new Map([["big", noise(8_000_000)]]), { isPipe: true });
    expect(await lab.swarm.failure(from.transfer.send(to.net.self, pipe))).toMatchObject({ code: "full" });
    await lab.swarm.world.runFor(1_000);
    expect(lab.swarm.world.node("to").ports.shards.usage().usedBytes).toBe(0);
  });

  test("bounds what one member offers and sends at once", async () => {
    const lab = new TransferLab(7);
    const { from, to } = await lab.pair();
    const third = await lab.up("third");
    await lab.swarm.agreement(20_000);
    await lab.swarm.settle(to.transfer.answer(from.net.self, undefined));
    // A hundred offers at once, on channels that the sender opens itself.
    const codes: string[] = [];
    for (let i = 0; i < 100; i++) {
      const stop = new AbortController();
      const { transfer } = i % 12 === 11 ? third : from;
      transfer
        .send(to.net.self, sourceOf(new Map([[`f${i}`, utf8("x")]])), { signal: stop.signal })
        .catch((error: { code: string }) => codes.push(error.code));
    }
    await lab.swarm.world.runFor(20_000);
    const bySender = Map.groupBy(to.transfer.offers(), ({ from: sender }) => sender);
    expect(bySender.get(from.net.self)?.length).toBe(OFFERS_PER_SENDER_MAX);
    expect(bySender.get(third.net.self)?.length).toBe(OFFERS_PER_SENDER_MAX);
    expect(new Set(codes)).toEqual(new Set(["busy"]));
    await lab.swarm.settle(to.transfer.answer(from.net.self, "allow"));
    await lab.swarm.world.runFor(20_000);
    expect(to.transfer.inbox.items().length).toBeGreaterThanOrEqual(INCOMING_PER_SENDER_MAX);
    expect(to.transfer.inbox.items().length).toBeLessThanOrEqual(OFFERS_PER_SENDER_MAX);
  });

  test("bounds what goes out and comes in at once, even if all of it begins in the same moment", async () => {
    const lab = new TransferLab(15);
    const { from, to } = await lab.pair();
    let most = 0;
    to.transfer.onChange(() => {
      most = Math.max(most, to.transfer.list().filter(({ state }) => state === "receiving").length);
    });
    const codes = Array.from({ length: 2 * OUTGOING_MAX }, async (_, i) => {
      const source = sourceOf(new Map([[`f${i}`, noise(600_000, i)]]), { pause: pauseOf(lab, "from", 200) });
      const error = await outcomeOf(from.transfer.send(to.net.self, source));
      return error instanceof StarfishError ? [error.code, error.message] : error;
    });
    const ended = await lab.swarm.settle(Promise.all(codes), SEND_MS);
    const here = ended.filter((one) => Array.isArray(one) && String(one[1]).includes("This node already sends"));
    expect(here).toHaveLength(OUTGOING_MAX);
    expect(ended.filter((one) => one === undefined)).toHaveLength(INCOMING_PER_SENDER_MAX);
    expect(most).toBe(INCOMING_PER_SENDER_MAX);
    // What has ended makes room.
    await lab.swarm.settle(from.transfer.send(to.net.self, sourceOf(new Map([["last", utf8("x")]]))), SEND_MS);
  });
});

describe("receive", () => {
  test("passes a pipe on to who waits for it, and a slow reader holds the sender back", async () => {
    const lab = new TransferLab(8);
    const { from, to } = await lab.pair();
    const bytes = noise(30_000_000);
    let read = 0;
    const source = sourceOf(new Map([["stdin", bytes]]), {
      isPipe: true,
      pause: async () => void (read += 100_000),
    });
    const got: Uint8Array[] = [];
    let gate = Promise.withResolvers<void>();
    const into = {
      write: async (part: Uint8Array): Promise<void> => {
        await gate.promise;
        got.push(Uint8Array.from(part));
      },
    };
    const signal = new AbortController().signal;
    const received = to.transfer.receive({ from: from.net.self, into, signal });
    const sent = from.transfer.send(to.net.self, source);
    await lab.swarm.world.runFor(60_000);
    expect(got).toEqual([]);
    expect(read).toBeGreaterThan(WINDOW_BYTES);
    expect(read).toBeLessThan(2 * WINDOW_BYTES);
    gate.resolve();
    await lab.swarm.settle(sent, SEND_MS);
    await lab.swarm.settle(received, SEND_MS);
    expect(equal(concat(got), bytes)).toBe(true);
    expect(to.transfer.inbox.items()).toEqual([]);
    gate = Promise.withResolvers();
  });

  test("takes an offer that waits, and each shell one", async () => {
    const lab = new TransferLab(9);
    const { from, to } = await lab.pair();
    await lab.swarm.settle(to.transfer.answer(from.net.self, undefined));
    const { signal } = new AbortController();
    const sends = ["a", "b"].map((name) => from.transfer.send(to.net.self, sourceOf(new Map([[name, utf8(name)]]))));
    await lab.swarm.world.runUntil(() => to.transfer.offers().length === 2, { withinMs: 20_000 });
    const got: string[] = [];
    const into = { write: async (part: Uint8Array): Promise<void> => void got.push(new TextDecoder().decode(part)) };
    for (let i = 0; i < 2; i++) await lab.swarm.settle(to.transfer.receive({ into, signal }));
    await lab.swarm.settle(Promise.all(sends));
    expect(got.toSorted()).toEqual(["a", "b"]);
  });

  test("ends on both sides when either is told to, and leaves nothing", async () => {
    const lab = new TransferLab(10);
    const { from, to } = await lab.pair();
    for (const who of ["sender", "receiver", "reader"] as const) {
      const [stopSend, stopReceive] = [new AbortController(), new AbortController()];
      const source = sourceOf(new Map([["x", noise(5_000_000)]]), { pause: pauseOf(lab, "from", 50) });
      const into = {
        write: async (): Promise<void> => {
          if (who === "reader") throw new Error("gone");
        },
      };
      const received = outcomeOf(to.transfer.receive({ into, signal: stopReceive.signal }));
      const sent = from.transfer.send(to.net.self, source, { signal: stopSend.signal });
      sent.catch(() => {});
      await lab.swarm.world.runFor(1_000);
      if (who === "sender") stopSend.abort();
      if (who === "receiver") stopReceive.abort();
      const code = who === "reader" ? "io" : "cancelled";
      expect(await lab.swarm.failure(sent), who).toMatchObject({ code });
      expect(await lab.swarm.settle(received), who).toMatchObject({ code });
      await lab.swarm.world.runFor(1_000);
      expect([from.transfer.list(), to.transfer.list()]).toEqual([[], []]);
    }
    const stop = new AbortController();
    const source = sourceOf(new Map([["x", noise(5_000_000)]]), { pause: pauseOf(lab, "from", 50) });
    const sent = from.transfer.send(to.net.self, source, { signal: stop.signal });
    sent.catch(() => {});
    await lab.swarm.world.runUntil(() => (to.transfer.list()[0]?.doneBytes ?? 0) > 0, { withinMs: 20_000 });
    // Cancelled while it stores; nothing of it is left when this resolves.
    await lab.swarm.settle(to.transfer.cancel(to.transfer.list()[0]?.id ?? ""));
    expect(lab.swarm.world.node("to").ports.shards.usage().usedBytes).toBe(0);
    expect(await lab.swarm.failure(sent)).toMatchObject({ code: "cancelled" });
    await lab.swarm.world.runFor(1_000);
    expect(lab.swarm.world.node("to").ports.shards.usage().usedBytes).toBe(0);
  });
});

test("bytes of an entry can be read from anywhere", async () => {
  const lab = new TransferLab(11);
  const { from, to } = await lab.pair();
  const bytes = noise(700_000);
  await lab.swarm.settle(
    from.transfer.send(
      to.net.self,
      sourceOf(
        new Map([
          ["x", utf8("12345")],
          ["y", bytes],
        ]),
      ),
    ),
    SEND_MS,
  );
  const [item] = to.transfer.inbox.items();
  const entries = await lab.swarm.settle(to.transfer.inbox.entries(item?.id ?? ""));
  const y = entries[1];
  if (y === undefined || item === undefined) throw new Error("It has no second entry");
  for (const [start, end] of [
    [0, 1],
    [262_143, 262_145],
    [500_000, 9_000_000],
    [700_000, 700_001],
  ] as const) {
    const part = await lab.swarm.settle(all(to.transfer.inbox.read(item.id, y, { from: start, to: end })));
    expect(equal(part, bytes.slice(start, end))).toBe(true);
  }
});
