/** The reference of all comparisons: one stream of a plain libp2p node over TCP, with unmodified noise and yamux. */
import { yamux } from "@chainsafe/libp2p-yamux";
import type { Libp2p } from "@libp2p/interface";
import { noise } from "@libp2p/noise";
import { tcp } from "@libp2p/tcp";
import { multiaddr } from "@multiformats/multiaddr";
import { createLibp2p } from "libp2p";

const PROTOCOL = "/bench/1.0.0";
/** As long as a shard. */
const MESSAGE_BYTES: number = 256 * 1024;

export class PlainNode {
  readonly #node: Libp2p;

  private constructor(node: Libp2p) {
    this.#node = node;
  }

  static async open(): Promise<PlainNode> {
    const node = await createLibp2p({
      addresses: { listen: ["/ip4/127.0.0.1/tcp/0"] },
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      connectionGater: { denyDialMultiaddr: () => false },
    });
    return new PlainNode(node);
  }

  get address(): string {
    return String(this.#node.getMultiaddrs()[0]);
  }

  /** Receives a stream, and answers with a byte when that many bytes have arrived. */
  async receive(bytes: number): Promise<void> {
    await this.#node.unhandle(PROTOCOL);
    await this.#node.handle(PROTOCOL, (stream) => {
      let missing = bytes;
      stream.addEventListener("message", (event) => {
        missing -= event.data.byteLength;
        if (missing === 0) stream.send(Uint8Array.of(1));
      });
    });
  }

  /** Milliseconds until the receiver has answered. The connection is made before the clock starts. */
  async send(address: string, bytes: number): Promise<number> {
    const connection = await this.#node.dial(multiaddr(address));
    const stream = await connection.newStream(PROTOCOL);
    const answered = new Promise((resolve) => stream.addEventListener("message", resolve, { once: true }));
    const message = new Uint8Array(MESSAGE_BYTES);
    const begin = performance.now();
    for (let left = bytes; left > 0; left -= MESSAGE_BYTES) {
      const piece = left < MESSAGE_BYTES ? message.subarray(0, left) : message;
      if (!stream.send(piece)) await stream.onDrain();
    }
    await answered;
    const ms = performance.now() - begin;
    await stream.close();
    return ms;
  }
}
