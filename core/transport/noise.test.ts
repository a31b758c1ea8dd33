import { generateKeyPair } from "@libp2p/crypto/keys";
import type { MessageStream, MultiaddrConnection, Upgrader } from "@libp2p/interface";
import { peerIdFromPrivateKey } from "@libp2p/peer-id";
import { multiaddrConnectionPair } from "@libp2p/utils";
import { multiaddr } from "@multiformats/multiaddr";
import { expect, test } from "vitest";
import { lightNoise } from "./noise.ts";
import { silentLogger } from "./silent-logger.ts";

const BYTES = 60_000;

async function encrypter(): Promise<ReturnType<ReturnType<typeof lightNoise>>> {
  const privateKey = await generateKeyPair("Ed25519");
  const upgrader = { getStreamMuxers: () => new Map() } as unknown as Upgrader;
  return lightNoise()({ privateKey, peerId: peerIdFromPrivateKey(privateKey), logger: silentLogger, upgrader });
}

/** Both ends of an encrypted connection. The second end has the address that is given. */
async function secured(below: readonly [MultiaddrConnection, MultiaddrConnection]): Promise<MessageStream[]> {
  const signal = AbortSignal.timeout(5_000);
  const [outbound, inbound] = [await encrypter(), await encrypter()];
  const both = await Promise.all([
    outbound.secureOutbound(below[0], { signal }),
    inbound.secureInbound(below[1], { signal }),
  ]);
  return both.map(({ connection }) => connection);
}

test.each([
  ["/ip4/127.0.0.1/tcp/1", true],
  ["/ip4/127.0.0.1/tcp/1/p2p/12D3KooWGC6TvWhfapngX6wvJHMYvKpDMXPb3ZnCZ6dMoaMtimQ5/p2p-circuit", false],
])("what came over %s is given back when it is read: %s", async (address, isGivenBack) => {
  const below = multiaddrConnectionPair({ inbound: { remoteAddr: multiaddr(address) } });
  const chunks: Uint8Array[] = [];
  // Called before noise gets them.
  below[1].addEventListener("message", ({ data }) => {
    for (const chunk of data instanceof Uint8Array ? [data] : data) if (chunk.length > BYTES / 2) chunks.push(chunk);
  });
  const [from, to] = await secured(below);
  const sent = crypto.getRandomValues(new Uint8Array(BYTES));
  const received = new Promise<Uint8Array>((resolve) => {
    to?.addEventListener("message", ({ data }) => resolve(data.slice()), { once: true });
  });
  from?.send(sent);
  expect(new Uint8Array(await received)).toEqual(sent);
  expect(chunks.length).toBeGreaterThan(0);
  expect(chunks.every(({ length }) => (length === 0) === isGivenBack)).toBe(true);
});
