/** Starfish: the map `mem` of a computer made as `starfish up` makes it, without its page and with no cores lent. */
import { inviteLink } from "../../core/net/identity/invite-link.ts";
import { once } from "node:events";
import { createServer } from "node:http";
import { Packer, unpack } from "../../core/memory/pack.ts";
import { Replica } from "../../core/memory/replica.ts";
import type { ReplicatedMap } from "../../core/memory/types.ts";
import { silentLog } from "../../core/ports/log.ts";
import { startComputer } from "../../node/start-computer.ts";
import { linked } from "./node.ts";
import { Arrivals, entryOf, type HistoryOptions, type MapNode, type OpenOptions, type System } from "./system.ts";

async function open({ directory, join }: OpenOptions): Promise<MapNode> {
  const server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const bound = server.address();
  if (typeof bound !== "object" || bound === null) throw new Error("The server has no port");
  const computer = await startComputer({
    dataDir: directory,
    host: "127.0.0.1",
    server,
    url: `http://127.0.0.1:${bound.port}/`,
    join,
    name: undefined,
    cores: 0,
    device: undefined,
    storageBytes: undefined,
    log: silentLog,
  });
  if (join !== undefined) await linked(computer.net);
  return { address: inviteLink(computer), ...mapNode(computer.memory) };
}

/** A map as the measurements see it. */
export function mapNode(map: ReplicatedMap): Required<Omit<MapNode, "address">> {
  return {
    async set(entries) {
      for (const { key, value } of entries) map.set(key, value);
    },
    async batch(entries) {
      map.batch(entries);
    },
    holds(keys) {
      const held = [...map.entries()].map(({ key }) => key);
      const arrivals = new Arrivals(keys, held);
      map.watch("", ({ key }) => arrivals.add(key));
      return arrivals.all();
    },
    async entries() {
      return new Map([...map.entries()].map(({ key, value }) => [key, String(value)]));
    },
  };
}

/** A map's state without the network, of the writer `self`. */
export function replicaOf(self: number): Replica {
  const time = { now: () => Date.now(), isKnown: () => true, trouble: () => undefined };
  return new Replica({ digestKey: new Uint8Array(8), self, bytesMax: Infinity, horizonMs: 86_400_000 }, time);
}

/**
 * A short-lived writer is a replica that has heard only the latest write; it would write the same if it had heard all.
 */
async function history({ writes, writers, keys }: HistoryOptions): Promise<Uint8Array[]> {
  const packer = new Packer();
  const messages: Uint8Array[] = [];
  let writer = replicaOf(1);
  for (let i = 0; i < writes; i++) {
    const { key } = entryOf(i % keys);
    if (writers > 1) writer = replicaOf(1 + (i % writers));
    writer.receive(unpack(messages.at(-1) ?? new Uint8Array()));
    writer.write([{ key, value: entryOf(i).value }]);
    const written = writer.keyed(key);
    if (written !== undefined) packer.add(key, written.entry);
    messages.push(packer.take());
  }
  return messages;
}

async function absorb(messages: readonly Uint8Array[]): Promise<{ keys: number; held: unknown }> {
  const replica = replicaOf(0);
  for (const message of messages) replica.receive(unpack(message));
  return { keys: replica.table.live, held: replica };
}

export const system: System = { open, history, absorb };
