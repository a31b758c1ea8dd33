/**
 * How much of the speed of a plain stream a transfer keeps, over TCP between two processes on this machine: into a
 * shell that waits for it, and into the inbox of the other node, including its disk. There are two plain streams: one
 * of libp2p, and one of our own channels, whose ciphers are faster. `node bench/transfer.ts [BYTES]` prints a table and
 * writes bench/transfer.json. All run in turn for a few rounds, of which the median counts.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { yamux } from "@chainsafe/libp2p-yamux";
import type { Libp2p } from "@libp2p/interface";
import { noise } from "@libp2p/noise";
import { tcp } from "@libp2p/tcp";
import { multiaddr } from "@multiformats/multiaddr";
import { createLibp2p } from "libp2p";
import { createDevices } from "../core/io/devices/devices.ts";
import { createTransfer } from "../core/io/transfer/transfer.ts";
import type { Transfer, TransferSource } from "../core/io/transfer/types.ts";
import { createNet } from "../core/net/net.ts";
import type { Net } from "../core/net/types.ts";
import { realClock } from "../core/platform/clock.ts";
import { realCrypto } from "../core/platform/crypto.ts";
import { realRandom } from "../core/platform/random.ts";
import { silentLog } from "../core/ports/log.ts";
import { createLibp2pNetwork } from "../core/transport/network.ts";
import { nodeCoder } from "../node/coder.ts";
import { openFileShardStore } from "../node/shard-store.ts";
import { openFileStore } from "../node/store.ts";
import { nodeTransports } from "../node/transports.ts";

const PROTOCOL = "/bench/1.0.0";
const CHANNEL_PROTOCOL = "/bench/channel/1.0.0";
const MESSAGE_BYTES: number = 256 * 1024;
const BYTES: number = Number(process.argv[2] ?? 1_000_000_000);
const ROUNDS = 7;
const QUOTA_BYTES = 20_000_000_000;
const WAYS = ["plain libp2p stream", "plain channel", "send to a waiting shell", "send into the inbox"] as const;

interface Peer {
  readonly net: Net;
  readonly transfer: Transfer;
}

async function peer(name: string, directory: string, invite: string | undefined): Promise<Peer> {
  const store = await openFileStore(join(directory, "store"));
  const shards = await openFileShardStore(join(directory, "shards"), { quotaBytes: QUOTA_BYTES });
  const ports = { store, shards, clock: realClock, crypto: realCrypto, random: realRandom, log: silentLog };
  const net = await createNet({ kind: "node", name, found: invite === undefined, invite })({
    ...ports,
    network: ({ privateKey }) =>
      createLibp2pNetwork({ linksMax: 8, webrtc: false, privateKey, ...nodeTransports({ tcpHost: "127.0.0.1" }) }),
  });
  const devices = await createDevices({ ...ports, net });
  return { net, transfer: await createTransfer({ ...ports, net, devices, coder: nodeCoder() }) };
}

function plain(): Promise<Libp2p> {
  return createLibp2p({
    addresses: { listen: ["/ip4/127.0.0.1/tcp/0"] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
  });
}

/** The other process: receives what is sent, and reports it. */
async function receiver(directory: string): Promise<void> {
  const { net, transfer } = await peer("receiver", directory, undefined);
  const libp2p = await plain();
  await libp2p.handle(PROTOCOL, (stream) => {
    let missing = BYTES;
    stream.addEventListener("message", (event) => {
      missing -= event.data.byteLength;
      if (missing <= 0) process.send?.("all");
    });
  });
  net.accept(CHANNEL_PROTOCOL, (channel) => {
    let missing = BYTES;
    channel.onMessage(({ length }) => {
      missing -= length;
      if (missing <= 0) process.send?.("all");
    });
  });
  const [address] = libp2p.getMultiaddrs();
  process.send?.({ invite: net.invite(), address: String(address), peer: net.self });
  process.on("message", (message: string) => {
    const into = message === "wait" ? { write: async () => {} } : undefined;
    const { signal } = new AbortController();
    void transfer.receive({ into, signal }).then(async ({ id }) => {
      if (into === undefined) await transfer.inbox.remove(id);
      process.send?.("emptied");
    });
  });
}

function source(): TransferSource {
  const block = crypto.getRandomValues(new Uint8Array(65_536));
  const chunk = new Uint8Array(1024 * 1024);
  for (let at = 0; at < chunk.length; at += block.length) chunk.set(block, at);
  return {
    entries: [{ kind: "file", path: "bench", sizeBytes: BYTES, modifiedMs: 0 }],
    async *read() {
      for (let at = 0; at < BYTES; at += chunk.length) yield chunk.subarray(0, Math.min(chunk.length, BYTES - at));
    },
  };
}

async function heard(child: ChildProcess): Promise<unknown> {
  const [message] = (await once(child, "message")) as [unknown];
  return message;
}

async function sender(directory: string): Promise<void> {
  const child = fork(import.meta.filename, [String(BYTES), join(directory, "receiver")]);
  const told = (await heard(child)) as { invite: string; address: string; peer: string };
  const { net, transfer } = await peer("sender", join(directory, "sender"), told.invite);
  while (net.links().length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
  const libp2p = await plain();

  const throughStream = async (): Promise<void> => {
    const stream = await libp2p.dialProtocol(multiaddr(told.address), PROTOCOL);
    const message = new Uint8Array(MESSAGE_BYTES);
    const all = heard(child);
    for (let at = 0; at < BYTES; at += MESSAGE_BYTES)
      if (!stream.send(message.subarray(0, Math.min(MESSAGE_BYTES, BYTES - at)))) await stream.onDrain();
    await all;
    await stream.close();
  };
  const throughChannel = async (): Promise<void> => {
    const channel = await net.open(told.peer, CHANNEL_PROTOCOL);
    const message = new Uint8Array(MESSAGE_BYTES);
    const all = heard(child);
    for (let at = 0; at < BYTES; at += MESSAGE_BYTES)
      if (!channel.send(message.subarray(0, Math.min(MESSAGE_BYTES, BYTES - at)))) await channel.drained();
    await all;
    channel.end();
  };
  const send = async (how: "wait" | "store"): Promise<void> => {
    child.send(how);
    await transfer.send(told.peer, source());
  };
  const run = async (way: (typeof WAYS)[number]): Promise<number> => {
    const isPlain = way.startsWith("plain");
    const emptied = isPlain ? undefined : heard(child);
    const begin = performance.now();
    if (way === "plain libp2p stream") await throughStream();
    else if (way === "plain channel") await throughChannel();
    else await send(way === "send to a waiting shell" ? "wait" : "store");
    const seconds = (performance.now() - begin) / 1000;
    await emptied;
    return BYTES / 1e6 / seconds;
  };

  const rates = new Map<string, number[]>(WAYS.map((way) => [way, []]));
  for (let round = 0; round < ROUNDS; round++) for (const way of WAYS) rates.get(way)?.push(await run(way));
  const median = (way: string): number => (rates.get(way) ?? []).toSorted((a, b) => a - b)[ROUNDS >> 1] ?? 0;
  const rows = WAYS.map((way) => ({
    way,
    mbPerSecond: Math.round(median(way)),
    ofStream: Number((median(way) / median("plain libp2p stream")).toFixed(2)),
    ofChannel: Number((median(way) / median("plain channel")).toFixed(2)),
  }));
  console.table(rows);
  await writeFile(join(import.meta.dirname, "transfer.json"), `${JSON.stringify({ bytes: BYTES, rows }, null, 2)}\n`);
  child.kill();
}

const [, , , other] = process.argv;
if (other !== undefined) await receiver(other);
else {
  const directory = await mkdtemp(join(tmpdir(), "starfish-bench-"));
  try {
    await sender(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
  process.exit(0);
}
