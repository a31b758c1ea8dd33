/**
 * How much of a plain libp2p stream's speed the network adapter's channels keep, over loopback between two nodes of one
 * process, and how fast small messages go. `node bench/transport.ts` prints a table and writes bench/transport.json.
 */
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { yamux } from "@chainsafe/libp2p-yamux";
import type { Libp2p } from "@libp2p/interface";
import { noise } from "@libp2p/noise";
import { tcp } from "@libp2p/tcp";
import { webSockets } from "@libp2p/websockets";
import { multiaddr } from "@multiformats/multiaddr";
import { createLibp2p } from "libp2p";
import type { Channel, Network } from "../core/ports/network.ts";
import { createLibp2pNetwork } from "../core/transport/network.ts";
import { nodeTransports, type NodeTransportsOptions } from "../node/transports.ts";

const PROTOCOL = "/bench/1.0.0";
const BULK_BYTES = 200_000_000;
const SMALL_MESSAGES = 200_000;
const SMALL_BYTES = 100;

interface Row {
  readonly transport: string;
  readonly what: string;
  readonly perSecond: number;
  readonly unit: "MB" | "messages";
}

function newKey(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(32));
}

async function listening(): Promise<ReturnType<typeof createServer>> {
  const server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  return server;
}

/** Seconds until the other end has got `count` messages of `bytes` and has closed the channel too. */
async function throughChannel(sender: Network, receiver: Network, bytes: number, count: number): Promise<number> {
  const stop = receiver.handle(PROTOCOL, (channel) => {
    channel.onMessage(() => {});
    channel.onEnd(() => channel.end());
  });
  const link = await sender.dial({ peer: receiver.self, addresses: receiver.addresses() });
  sender.admit(receiver.self);
  receiver.admit(sender.self);
  const channel: Channel = await link.open(PROTOCOL);
  const closed = new Promise((resolve) => channel.onClose(resolve));
  const message = new Uint8Array(bytes);
  const begin = performance.now();
  for (let i = 0; i < count; i++) if (!channel.send(message)) await channel.drained();
  channel.end();
  await closed;
  stop();
  return (performance.now() - begin) / 1000;
}

async function throughStream(sender: Libp2p, receiver: Libp2p, bytes: number, count: number): Promise<number> {
  const received = Promise.withResolvers<void>();
  let missing = bytes * count;
  await receiver.handle(PROTOCOL, (stream) => {
    stream.addEventListener("message", (event) => {
      missing -= event.data.byteLength;
      if (missing === 0) received.resolve();
    });
  });
  const [address] = receiver.getMultiaddrs();
  const stream = await sender.dialProtocol(multiaddr(address), PROTOCOL);
  const message = new Uint8Array(bytes);
  const begin = performance.now();
  for (let i = 0; i < count; i++) if (!stream.send(message)) await stream.onDrain();
  await received.promise;
  const seconds = (performance.now() - begin) / 1000;
  await receiver.unhandle(PROTOCOL);
  return seconds;
}

async function measure(transport: "tcp" | "websocket"): Promise<Row[]> {
  const rows: Row[] = [];
  const server = await listening();
  const options: NodeTransportsOptions = transport === "tcp" ? { tcpHost: "127.0.0.1" } : { server };
  await using receiver = await createLibp2pNetwork({
    privateKey: newKey(),
    linksMax: 8,
    webrtc: false,
    ...nodeTransports(options),
  });
  await using sender = await createLibp2pNetwork({
    privateKey: newKey(),
    linksMax: 8,
    webrtc: false,
    ...nodeTransports({}),
  });

  const plain = (listen: string[]): Promise<Libp2p> =>
    createLibp2p({
      addresses: { listen },
      transports: [transport === "tcp" ? tcp() : webSockets()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      connectionGater: { denyDialMultiaddr: () => false },
    });
  const plainReceiver = await plain([`/ip4/127.0.0.1/tcp/0${transport === "tcp" ? "" : "/ws"}`]);
  const plainSender = await plain([]);

  for (const bytes of [64 * 1024, 256 * 1024]) {
    const count = Math.ceil(BULK_BYTES / bytes);
    const rate = (seconds: number): number => (bytes * count) / 1e6 / seconds;
    const size = `${bytes / 1024} KiB messages`;
    const plainRate = rate(await throughStream(plainSender, plainReceiver, bytes, count));
    rows.push({ transport, what: `plain stream, ${size}`, perSecond: plainRate, unit: "MB" });
    const own = rate(await throughChannel(sender, receiver, bytes, count));
    rows.push({ transport, what: `channel, ${size}`, perSecond: own, unit: "MB" });
  }
  const seconds = await throughChannel(sender, receiver, SMALL_BYTES, SMALL_MESSAGES);
  rows.push({
    transport,
    what: `channel, ${SMALL_BYTES} byte messages`,
    perSecond: SMALL_MESSAGES / seconds,
    unit: "messages",
  });
  await Promise.all([plainReceiver.stop(), plainSender.stop()]);
  server.close();
  return rows;
}

const rows = [...(await measure("tcp")), ...(await measure("websocket"))];
console.table(rows.map((row) => ({ ...row, perSecond: Math.round(row.perSecond) })));
await writeFile(join(import.meta.dirname, "transport.json"), `${JSON.stringify(rows, null, 2)}\n`);
