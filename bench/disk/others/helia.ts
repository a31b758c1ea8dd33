/**
 * Helia: UnixFS over bitswap, on the transport that Starfish's Node.js nodes use among each other, with its blocks in
 * memory.
 */
import { withBitswap } from "@helia/bitswap";
import { withLibp2pLight } from "@helia/libp2p";
import { unixfs } from "@helia/unixfs";
import { identify } from "@libp2p/identify";
import { noise } from "@libp2p/noise";
import { tcp } from "@libp2p/tcp";
import { yamux } from "@libp2p/yamux";
import { multiaddr } from "@multiformats/multiaddr";
import { createHeliaLight } from "helia";
import { CID } from "multiformats/cid";
import type { BlockNode } from "../block-node.ts";
import { sourceOf } from "../content.ts";

export async function open(): Promise<BlockNode> {
  const helia = withBitswap(
    withLibp2pLight(createHeliaLight(), {
      addresses: { listen: ["/ip4/127.0.0.1/tcp/0"] },
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      services: { identify: identify() },
    }),
  );
  await helia.start();
  const files = unixfs(helia);
  return {
    get address() {
      return String(helia.libp2p.getMultiaddrs()[0]);
    },
    link: async (address) => void (await helia.libp2p.dial(multiaddr(address))),
    put: async (bytes) => String(await files.addByteStream(sourceOf(bytes))),
    get: (cid) => files.cat(CID.parse(cid)),
  };
}
