/** Nodes with our changes inside of libp2p's parts can still talk to nodes with the unchanged libraries. */
import { once } from "node:events";
import { createServer } from "node:http";
import { Socket } from "node:net";
import { yamux } from "@chainsafe/libp2p-yamux";
import type { Libp2p, Stream } from "@libp2p/interface";
import { noise } from "@libp2p/noise";
import { tcp } from "@libp2p/tcp";
import { webSockets } from "@libp2p/websockets";
import { createLibp2p } from "libp2p";
import { afterEach, expect, test, vi } from "vitest";
import { createNode } from "../core/transport/libp2p.ts";
import { nodeTransports } from "./transports.ts";

const PROTOCOL = "/test/echo/1.0.0";
/** Many records, and more than a window. */
const BYTES = 3_000_000;

const cleanUps: (() => Promise<void>)[] = [];

afterEach(async () => {
  vi.restoreAllMocks();
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

async function started(libp2p: Libp2p): Promise<Libp2p> {
  await libp2p.handle(PROTOCOL, (stream) => {
    stream.addEventListener("message", ({ data }) => void stream.send(data.slice()));
  });
  await libp2p.start();
  cleanUps.push(async () => libp2p.stop());
  return libp2p;
}

/** A node with Starfish's parts, which listens for TCP or for WebSockets. */
async function own(isWeb: boolean): Promise<Libp2p> {
  const server = createServer();
  if (isWeb) {
    await once(server.listen(0, "127.0.0.1"), "listening");
    cleanUps.push(async () => void server.close());
  }
  const parts = nodeTransports(isWeb ? { server } : { tcpHost: "127.0.0.1" });
  const privateKey = crypto.getRandomValues(new Uint8Array(32));
  const gater = { denyDialMultiaddr: () => false };
  const { libp2p } = await createNode({ privateKey, linksMax: 8, gater, ...parts });
  return started(libp2p);
}

async function plain(isWeb: boolean): Promise<Libp2p> {
  const transports = [isWeb ? webSockets() : tcp()];
  const addresses = { listen: [`/ip4/127.0.0.1/tcp/0${isWeb ? "/ws" : ""}`] };
  const connectionGater = { denyDialMultiaddr: () => false };
  const [connectionEncrypters, streamMuxers] = [[noise()], [yamux()]];
  return started(await createLibp2p({ transports, connectionEncrypters, streamMuxers, connectionGater, addresses }));
}

async function opened(from: Libp2p, to: Libp2p): Promise<Stream> {
  const connection = await from.dial(to.getMultiaddrs());
  return connection.newStream(PROTOCOL);
}

async function expectEcho(stream: Stream): Promise<void> {
  const sent = crypto.getRandomValues(new Uint8Array(60_000));
  const back: Uint8Array[] = [];
  let bytes = 0;
  const isBack = new Promise<void>((resolve) => {
    stream.addEventListener("message", ({ data }) => {
      back.push(data.slice());
      bytes += data.byteLength;
      if (bytes === BYTES) resolve();
    });
  });
  for (let at = 0; at < BYTES; at += sent.length) if (!stream.send(sent.slice())) await stream.onDrain();
  await isBack;
  const whole = Buffer.concat(back);
  for (let at = 0; at < BYTES; at += sent.length) expect(whole.subarray(at, at + sent.length).equals(sent)).toBe(true);
}

test.each([
  ["own", "plain", own, plain, false],
  ["plain", "own", plain, own, false],
  ["own", "plain", own, plain, true],
  ["plain", "own", plain, own, true],
])("a stream from one that is %s to one that is %s, and back", async (_from, _to, makeFrom, makeTo, isWeb) => {
  const stream = await opened(await makeFrom(isWeb), await makeTo(isWeb));
  await expectEcho(stream);
});

test("between own nodes messages are written in one piece", async () => {
  const stream = await opened(await own(false), await own(false));
  const corks = vi.spyOn(Socket.prototype, "cork");
  await expectEcho(stream);
  expect(corks).toHaveBeenCalled();
});
