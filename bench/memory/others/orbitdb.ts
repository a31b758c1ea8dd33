/**
 * OrbitDB: a key-value database over Helia and libp2p's TCP and gossipsub. Its heads and its index are kept in memory
 * instead of LevelDB, as Helia's blocks are.
 */
import { mkdtemp } from "node:fs/promises";
import { join as pathOf } from "node:path";
import { noise } from "@chainsafe/libp2p-noise";
import { yamux } from "@chainsafe/libp2p-yamux";
import { gossipsub } from "@libp2p/gossipsub";
import { identify } from "@libp2p/identify";
import { tcp } from "@libp2p/tcp";
import { multiaddr } from "@multiformats/multiaddr";
import { createOrbitDB, Entry, Identities, Log, MemoryStorage, type Storage } from "@orbitdb/core";
import { createHelia } from "helia";
import { createLibp2p } from "libp2p";
import { Arrivals, entryOf, type HistoryOptions, type MapNode, type OpenOptions, type System } from "../system.ts";

/** The database's default. */
const REFERENCES = 16;

async function open({ directory, join }: OpenOptions): Promise<MapNode> {
  const libp2p = await createLibp2p({
    addresses: { listen: ["/ip4/127.0.0.1/tcp/0"] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { identify: identify(), pubsub: gossipsub({ allowPublishToZeroTopicPeers: true }) },
  });
  const orbitdb = await createOrbitDB({ ipfs: await createHelia({ libp2p }), directory: pathOf(directory, "orbitdb") });
  const [peer, name = "entries"] = join?.split(" ") ?? [];
  if (peer !== undefined) await libp2p.dial(multiaddr(peer));
  const arrivals: { here?: Arrivals } = {};
  const index = await MemoryStorage();
  const indexStorage: Storage = {
    ...index,
    put(hash, data) {
      arrivals.here?.add(hash);
      return index.put(hash, data);
    },
  };
  const database = await orbitdb.open(name, { type: "keyvalue", headsStorage: await MemoryStorage(), indexStorage });
  return {
    address: `${String(libp2p.getMultiaddrs()[0])} ${database.address}`,
    async set(entries) {
      for (const { key, value } of entries) await database.put(key, value);
    },
    // Each write to a key of its own: as many keys as there are entries in the log.
    async holds(keys) {
      const here = new Arrivals(keys, []);
      arrivals.here = here;
      for await (const [hash] of index.iterator()) here.add(hash);
      await here.all();
    },
    async entries() {
      return new Map((await database.all()).map(({ key, value }) => [key, value]));
    },
  };
}

/** The log under the database alone. A short-lived writer is an identity that has the whole log. */
async function history({ writes, writers, keys }: HistoryOptions): Promise<Uint8Array[]> {
  const identities = await Identities({ path: "keys" });
  const storages = await memoryStorages();
  const messages: Uint8Array[] = [];
  let identity = await identities.createIdentity({ id: "writer-0" });
  for (let i = 0; i < writes; i++) {
    if (writers > 1) identity = await identities.createIdentity({ id: `writer-${i % writers}` });
    const log = await Log(identity, { logId: "log", ...storages });
    const payload = { op: "PUT", key: entryOf(i % keys).key, value: entryOf(i).value };
    messages.push((await Entry.encode(await log.append(payload, { referencesCount: REFERENCES }))).bytes);
  }
  return messages;
}

async function absorb(messages: readonly Uint8Array[]): Promise<{ keys: number; held: unknown }> {
  const identities = await Identities({ path: await mkdtemp("keys-") });
  const log = await Log(await identities.createIdentity({ id: "here" }), { logId: "log", ...(await memoryStorages()) });
  for (const message of messages) await log.joinEntry(await Entry.decode(message));
  const keys = new Set((await log.values()).map(({ payload }) => payload.key));
  return { keys: keys.size, held: log };
}

async function memoryStorages(): Promise<{ entryStorage: Storage; headsStorage: Storage; indexStorage: Storage }> {
  return {
    entryStorage: await MemoryStorage(),
    headsStorage: await MemoryStorage(),
    indexStorage: await MemoryStorage(),
  };
}

export const system: System = { open, history, absorb };
