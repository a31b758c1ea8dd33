/**
 * A transfer between two nodes without a direct link. A third member relays it, and records everything that it can
 * read.
 */
import { expect, test } from "vitest";
import { equal } from "../core/base/bytes.ts";
import { createDevices } from "../core/io/devices/devices.ts";
import { createTransfer } from "../core/io/transfer/transfer.ts";
import type { Transfer } from "../core/io/transfer/types.ts";
import { createNet, PING_PROTOCOL } from "../core/net/net.ts";
import type { Net } from "../core/net/types.ts";
import { realClock } from "../core/platform/clock.ts";
import { realCrypto } from "../core/platform/crypto.ts";
import { memoryShardStore } from "../core/platform/memory-shard-store.ts";
import { MemoryStore } from "../core/platform/memory-store.ts";
import { realRandom } from "../core/platform/random.ts";
import type { Coder } from "../core/ports/coder.ts";
import { silentLog } from "../core/ports/log.ts";
import { createLibp2pNetwork } from "../core/transport/network.ts";
import type { NoiseCrypto } from "../core/transport/noise.ts";
import { all, noise, sourceOf } from "../test/sim/transfer-lab.ts";
import { nodeNoiseCrypto } from "./noise-crypto.ts";
import { nodeTransports } from "./transports.ts";

const RUN_BYTES = 16;

interface Peer extends AsyncDisposable {
  readonly net: Net;
  readonly transfer: Transfer;
}

/** A node. If it does not listen, others reach it through the nodes to which it is linked. */
async function peer(
  name: string,
  options: { readonly listens?: boolean; readonly invite?: string; readonly noiseCrypto?: NoiseCrypto },
): Promise<Peer> {
  const store = new MemoryStore();
  const ports = { store, clock: realClock, crypto: realCrypto, random: realRandom, log: silentLog };
  const listening = options.listens === true ? { tcpHost: "127.0.0.1" } : {};
  const net = await createNet({ kind: "node", name, found: options.invite === undefined, invite: options.invite })({
    ...ports,
    network: ({ privateKey }) =>
      createLibp2pNetwork({
        linksMax: 32,
        webrtc: false,
        privateKey,
        ...nodeTransports(listening),
        noiseCrypto: options.noiseCrypto ?? nodeNoiseCrypto,
      }),
  });
  const devices = await createDevices({ ...ports, net });
  const coder = { hash: async (pieces: readonly Uint8Array[]) => pieces.map((one) => realCrypto.sha256(one)) } as Coder;
  const shards = memoryShardStore({ quotaBytes: 100_000_000, sha256: (bytes) => realCrypto.sha256(bytes) });
  const transfer = await createTransfer({ ...ports, net, devices, coder, shards });
  return {
    net,
    transfer,
    async [Symbol.asyncDispose]() {
      await transfer.close();
      devices.close();
      await net.leave();
    },
  };
}

/** Whether any run of 16 bytes of the one is in the other. */
function sharesRun(content: Uint8Array, log: Buffer): boolean {
  const text = Buffer.from(content).toString("latin1");
  const runs = new Set<string>();
  for (let i = 0; i + RUN_BYTES <= text.length; i++) runs.add(text.slice(i, i + RUN_BYTES));
  const seen = log.toString("latin1");
  for (let i = 0; i + RUN_BYTES <= seen.length; i++) if (runs.has(seen.slice(i, i + RUN_BYTES))) return true;
  return false;
}

test("the member that relays a transfer can read none of it", async () => {
  const log: Buffer[] = [];
  const reads: NoiseCrypto["chaCha20Poly1305Decrypt"] = (...args) => {
    const plain = nodeNoiseCrypto.chaCha20Poly1305Decrypt(...args);
    // Copied before anybody frees the memory.
    log.push(Buffer.from(plain.subarray()));
    return plain;
  };
  await using relay = await peer("relay", {
    listens: true,
    noiseCrypto: { ...nodeNoiseCrypto, chaCha20Poly1305Decrypt: reads },
  });
  const invite = relay.net.invite();
  await using from = await peer("from", { invite });
  await using to = await peer("to", { invite });
  await expect
    .poll(() => from.net.members().filter(({ status }) => status === "awake").length, { timeout: 20_000 })
    .toBe(3);
  const content = noise(200_000, 77);
  // The relay can read messages that are meant for it; otherwise this test would prove nothing.
  await from.net.ping(relay.net.self);
  expect(sharesRun(new TextEncoder().encode(PING_PROTOCOL), Buffer.concat(log))).toBe(true);
  await to.transfer.answer(from.net.self, "allow");
  const name = "a-name-that-is-long-enough-to-be-found.bin";
  await from.transfer.send(to.net.self, sourceOf(new Map([[name, content]])));
  const path = from.net.links().find(({ peer: other }) => other === to.net.self)?.path;
  expect(path).toMatchObject({ kind: "relayed", via: relay.net.self });
  const [item] = to.transfer.inbox.items();
  const [entry] = await to.transfer.inbox.entries(item?.id ?? "");
  if (item === undefined || entry === undefined) throw new Error("Nothing has come");
  expect(equal(await all(to.transfer.inbox.read(item.id, entry)), content)).toBe(true);
  const carried = Buffer.concat(log);
  expect(carried.length).toBeGreaterThan(content.length);
  expect(sharesRun(content, carried)).toBe(false);
  expect(sharesRun(new TextEncoder().encode(name), carried)).toBe(false);
}, 60_000);
