/**
 * How much of a raw data channel's speed a transfer from tab to tab keeps, in real Chromium on this machine: to a shell
 * that waits for it, and into the other tab's inbox. Both tabs have the page open and a link by WebRTC. The raw channel
 * is a second one between the same two pages, without hashes or disk, and with no encryption but its DTLS. They run in
 * turn for a few rounds; the ratio is that of the medians. `node bench/transfer-tabs.ts [BYTES]`; needs `npm run build`
 * before.
 */
import { loadavg } from "node:os";
import type { Computer } from "../core/computer.ts";
import { openTabs, type Tab } from "../test/browser/tabs.ts";
import { openLab } from "../test/system/processes.ts";

const BYTES: number = Number(process.argv[2] ?? 50_000_000);
const ROUNDS = 5;
/** The bound: the least share of the raw channel's speed. */
const RATIO_MIN = 0.7;
const WAYS = ["raw data channel", "send to a waiting shell", "send into the inbox"] as const;

interface Described {
  readonly type: "offer" | "answer";
  readonly sdp: string;
}

/** Values that the functions below leave in a page for each other. */
interface Bench {
  readonly starfish: Computer;
  connection: RTCPeerConnection;
  channel: RTCDataChannel;
  received: Promise<void>;
}

/** An offer with all addresses in it; the channel is open once the answer has come. */
async function offer(tab: Tab): Promise<Described> {
  return await tab.page.evaluate(async () => {
    const bench = globalThis as unknown as Bench;
    bench.connection = new RTCPeerConnection();
    bench.channel = bench.connection.createDataChannel("bench");
    await bench.connection.setLocalDescription();
    while (bench.connection.iceGatheringState !== "complete") await new Promise((resolve) => setTimeout(resolve, 20));
    return bench.connection.localDescription?.toJSON() as Described;
  });
}

async function answer(tab: Tab, offered: Described): Promise<Described> {
  return await tab.page.evaluate(async (description) => {
    const bench = globalThis as unknown as Bench;
    bench.connection = new RTCPeerConnection();
    bench.connection.addEventListener("datachannel", ({ channel }) => (bench.channel = channel));
    await bench.connection.setRemoteDescription(description);
    await bench.connection.setLocalDescription();
    while (bench.connection.iceGatheringState !== "complete") await new Promise((resolve) => setTimeout(resolve, 20));
    return bench.connection.localDescription?.toJSON() as Described;
  }, offered);
}

async function connect(from: Tab, to: Tab): Promise<void> {
  const answered = await answer(to, await offer(from));
  await from.page.evaluate((description) => {
    return (globalThis as unknown as Bench).connection.setRemoteDescription(description);
  }, answered);
  for (const tab of [from, to]) {
    await tab.page.waitForFunction(() => {
      const { channel } = globalThis as unknown as Partial<Bench>;
      return channel?.readyState === "open";
    });
  }
}

/** In the receiving tab: resolves `received` when all has come. */
async function expectRaw(tab: Tab): Promise<void> {
  await tab.page.evaluate((bytes) => {
    const bench = globalThis as unknown as Bench;
    bench.channel.binaryType = "arraybuffer";
    bench.received = new Promise((resolve) => {
      let missing = bytes;
      const take = ({ data }: MessageEvent<ArrayBuffer>): void => {
        missing -= data.byteLength;
        if (missing > 0) return;
        bench.channel.removeEventListener("message", take);
        resolve();
      };
      bench.channel.addEventListener("message", take);
    });
  }, BYTES);
}

async function sendRaw(tab: Tab): Promise<void> {
  await tab.page.evaluate(async (bytes) => {
    const { channel } = globalThis as unknown as Bench;
    // The largest message that every browser takes, and as much waiting as keeps the channel busy.
    const message = new Uint8Array(64 * 1024);
    channel.bufferedAmountLowThreshold = 1024 * 1024;
    for (let at = 0; at < bytes; at += message.length) {
      channel.send(message.subarray(0, Math.min(message.length, bytes - at)));
      if (channel.bufferedAmount < 4 * 1024 * 1024) continue;
      await new Promise((resolve) => channel.addEventListener("bufferedamountlow", resolve, { once: true }));
    }
  }, BYTES);
}

async function expectSent(tab: Tab, isInbox: boolean): Promise<void> {
  await tab.page.evaluate((toInbox) => {
    const bench = globalThis as unknown as Bench;
    const { transfer } = bench.starfish;
    const into = toInbox ? undefined : { write: () => Promise.resolve() };
    const { signal } = new AbortController();
    bench.received = transfer.receive({ into, signal }).then(async ({ id }) => {
      if (toInbox) await transfer.inbox.remove(id);
    });
  }, isInbox);
}

async function send(tab: Tab, peer: string): Promise<void> {
  await tab.page.evaluate(
    async ([to, bytes]) => {
      const { transfer } = (globalThis as unknown as Bench).starfish;
      const block = crypto.getRandomValues(new Uint8Array(65_536));
      const chunk = new Uint8Array(1024 * 1024);
      for (let at = 0; at < chunk.length; at += block.length) chunk.set(block, at);
      await transfer.send(to, {
        entries: [{ kind: "file", path: "bench", sizeBytes: bytes, modifiedMs: 0 }],
        async *read() {
          for (let at = 0; at < bytes; at += chunk.length) {
            // A copy, because the buffer of a chunk that is sent may be transferred.
            yield chunk.slice(0, Math.min(chunk.length, bytes - at));
            await Promise.resolve();
          }
        },
      });
    },
    [peer, BYTES] as const,
  );
}

/** MB/s. */
async function run(way: (typeof WAYS)[number], from: Tab, to: Tab, peer: string): Promise<number> {
  if (way === "raw data channel") await expectRaw(to);
  else await expectSent(to, way === "send into the inbox");
  const begin = performance.now();
  if (way === "raw data channel") {
    await sendRaw(from);
    await to.page.evaluate(() => (globalThis as unknown as Bench).received);
  } else {
    await send(from, peer);
  }
  const seconds = (performance.now() - begin) / 1000;
  await to.page.evaluate(() => (globalThis as unknown as Bench).received);
  return BYTES / 1e6 / seconds;
}

await using lab = await openLab();
await using tabs = await openTabs();
const node = await lab.up({ args: ["--cores", "0"] });
const from = await tabs.open(node.invite, { apart: true });
const to = await tabs.open(node.invite, { apart: true });
const peer = await to.page.evaluate(() => (globalThis as unknown as Bench).starfish.net.self);
await from.page.waitForFunction((self) => {
  const { starfish } = globalThis as unknown as Bench;
  return starfish.net.links().some(({ peer: other, path }) => other === self && path.transport === "webrtc");
}, peer);
await connect(from, to);
const rates = new Map<string, number[]>(WAYS.map((way) => [way, []]));
for (let round = 0; round < ROUNDS; round++) {
  for (const way of WAYS) rates.get(way)?.push(await run(way, from, to, peer));
}
const median = (way: string): number => (rates.get(way) ?? []).toSorted((a, b) => a - b)[ROUNDS >> 1] ?? 0;
console.log(`${BYTES / 1e6} MB, ${ROUNDS} rounds, load ${loadavg()[0]?.toFixed(1)}`);
console.table(
  WAYS.map((way) => ({
    way,
    mbPerSecond: Number(median(way).toFixed(1)),
    ratio: Number((median(way) / median("raw data channel")).toFixed(2)),
  })),
);
process.exitCode = median("send to a waiting shell") / median("raw data channel") < RATIO_MIN ? 1 : 0;
