/** What is made cheaper inside of libp2p's parts still speaks with those who have them as they come. */
import { Socket } from "node:net";
import { yamux } from "@chainsafe/libp2p-yamux";
import type { Libp2p, Stream } from "@libp2p/interface";
import { noise } from "@libp2p/noise";
import { tcp } from "@libp2p/tcp";
import { createLibp2p } from "libp2p";
import { afterEach, expect, test, vi } from "vitest";
import { createNode } from "../core/transport/libp2p.ts";
import { sparingUpdates } from "../core/transport/windows.ts";
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

/** A node as Starfish has it. */
async function own(): Promise<Libp2p> {
  const { transports, listen, noiseCrypto } = nodeTransports({ tcpHost: "127.0.0.1" });
  const privateKey = crypto.getRandomValues(new Uint8Array(32));
  const gater = { denyDialMultiaddr: () => false };
  const { libp2p } = await createNode({ privateKey, linksMax: 8, listen, transports, noiseCrypto, gater });
  return started(libp2p);
}

async function plain(): Promise<Libp2p> {
  const parts = { transports: [tcp()], connectionEncrypters: [noise()], streamMuxers: [yamux()] };
  const connectionGater = { denyDialMultiaddr: () => false };
  return started(await createLibp2p({ ...parts, connectionGater, addresses: { listen: ["/ip4/127.0.0.1/tcp/0"] } }));
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
  ["own", "plain", own, plain],
  ["plain", "own", plain, own],
])("a stream from a node of its %s to one that is %s, and back", async (_from, _to, makeFrom, makeTo) => {
  const stream = await opened(await makeFrom(), await makeTo());
  if (makeFrom === own) sparingUpdates(stream);
  await expectEcho(stream);
});

test("between own nodes no error is made to say that a chunk is read, and messages are written in one piece", async () => {
  const stream = await opened(await own(), await own());
  sparingUpdates(stream);
  let errors = 0;
  const counted = (): RangeError => {
    errors++;
    return Object.create(RangeError.prototype) as RangeError;
  };
  vi.stubGlobal("RangeError", new Proxy(RangeError, { apply: counted, construct: counted }));
  cleanUps.push(async () => void vi.unstubAllGlobals());
  const corks = vi.spyOn(Socket.prototype, "cork");
  await expectEcho(stream);
  expect(errors).toBe(0);
  expect(corks).toHaveBeenCalled();
});
