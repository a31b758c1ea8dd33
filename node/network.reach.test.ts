/** Made-up addresses in a member's records: how often a real host that is no member is dialled because of them. */
import { createServer } from "node:net";
import { once } from "node:events";
import { expect, test } from "vitest";
import { StarfishError } from "../core/base/errors.ts";
import { peerIdOf } from "../core/base/peer-id.ts";
import { realCrypto } from "../core/platform/crypto.ts";
import { createLibp2pNetwork } from "../core/transport/network.ts";
import { nodeTransports } from "./transports.ts";

const FORGED = 60;

function keyOf(index: number): Uint8Array {
  const seed = new Uint8Array(32);
  new DataView(seed.buffer).setUint32(0, index + 1);
  return seed;
}

async function attempts(alsoAt: readonly string[]): Promise<number> {
  let connections = 0;
  // It closes every connection, as a host that speaks another protocol does.
  const host = createServer((socket) => {
    connections++;
    socket.on("error", () => {});
    socket.destroy();
  });
  host.listen(0, "127.0.0.1");
  await once(host, "listening");
  const bound = host.address();
  if (bound === null || typeof bound === "string") throw new Error("It listens on a port");
  await using network = await createLibp2pNetwork({
    privateKey: keyOf(0),
    linksMax: 8,
    webrtc: false,
    alsoAt,
    ...nodeTransports({ tcpHost: "127.0.0.1" }),
  });
  for (let i = 1; i <= FORGED; i++) {
    const peer = peerIdOf(realCrypto.keyPair(keyOf(i)).publicKey);
    await expect(network.dial({ peer, addresses: [`/ip4/127.0.0.1/tcp/${bound.port}`] })).rejects.toBeInstanceOf(
      StarfishError,
    );
  }
  host.close();
  return connections;
}

test("60 made-up members at one host cost it a few connections", async () => {
  const connections = await attempts([]);
  expect(connections).toBeGreaterThan(0);
  expect(connections).toBeLessThan(10);
});

test("a service on this machine is not dialled for others by a node that is reached from elsewhere", async () => {
  expect(await attempts(["/ip4/203.0.113.5/tcp/4000"])).toBe(0);
});
