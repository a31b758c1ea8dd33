/**
 * A node of Starfish with a memory, over TCP and without the rest of the computer, for maps with options of their own.
 */
import { join as pathOf } from "node:path";
import { createMemory, type Memory } from "../../core/memory/memory.ts";
import { createNet } from "../../core/net/net.ts";
import { LINKS_MAX_NODE } from "../../core/net/overlay/overlay.ts";
import type { Net } from "../../core/net/types.ts";
import { realClock } from "../../core/platform/clock.ts";
import { realCrypto } from "../../core/platform/crypto.ts";
import { realRandom } from "../../core/platform/random.ts";
import { silentLog } from "../../core/ports/log.ts";
import { createLibp2pNetwork } from "../../core/transport/network.ts";
import { openFileStore } from "../../node/store.ts";
import { nodeTransports } from "../../node/transports.ts";
import type { OpenOptions } from "./system.ts";

export interface MemoryOfNode extends AsyncDisposable {
  readonly net: Net;
  readonly memory: Memory;
}

/** `join` is an invite. Resolves, with one, when the node is linked. */
export async function openMemory({ directory, join }: OpenOptions): Promise<MemoryOfNode> {
  const store = await openFileStore(pathOf(directory, "store"));
  const real = { clock: realClock, crypto: realCrypto, random: realRandom };
  const net = await createNet({ kind: "node", found: join === undefined, invite: join })({
    ...real,
    store,
    log: silentLog,
    network: ({ privateKey }) =>
      createLibp2pNetwork({
        privateKey,
        linksMax: LINKS_MAX_NODE,
        webrtc: false,
        ...nodeTransports({ tcpHost: "127.0.0.1" }),
      }),
  });
  if (join !== undefined) await linked(net);
  const memory = createMemory({ ...real, net, store, log: silentLog });
  return {
    net,
    memory,
    async [Symbol.asyncDispose]() {
      await Promise.all([net.leave(), memory.close()]);
      await store[Symbol.asyncDispose]();
    },
  };
}

/** Resolves when the node has a link. */
export async function linked(net: Net): Promise<void> {
  const first = Promise.withResolvers<void>();
  const stop = net.onLinks(() => {
    if (net.links().length > 0) first.resolve();
  });
  if (net.links().length === 0) await first.promise;
  stop();
}
