/** Automerge-repo: one document whose fields are the entries, over its own WebSocket adapters, in memory. */
import { once } from "node:events";
import * as Automerge from "@automerge/automerge";
import { type AutomergeUrl, type DocHandle, Repo } from "@automerge/automerge-repo";
import { WebSocketClientAdapter, WebSocketServerAdapter } from "@automerge/automerge-repo-network-websocket";
import WebSocket from "isomorphic-ws";
import { Arrivals, entryOf, type HistoryOptions, type MapNode, type OpenOptions, type System } from "../system.ts";

type Entries = Record<string, string>;

async function found(): Promise<{ address: string; handle: DocHandle<Entries> }> {
  const server = new WebSocket.Server({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  const repo = new Repo({ network: [new WebSocketServerAdapter(server)], sharePolicy: async () => true });
  const handle = repo.create<Entries>({});
  const bound = server.address();
  if (typeof bound !== "object" || bound === null) throw new Error("The server has no port");
  return { address: `ws://127.0.0.1:${bound.port}#${handle.url}`, handle };
}

async function joined(address: string): Promise<{ address: string; handle: DocHandle<Entries> }> {
  const [url = "", document = ""] = address.split("#");
  const repo = new Repo({ network: [new WebSocketClientAdapter(url)], sharePolicy: async () => true });
  return { address, handle: await repo.find<Entries>(document as AutomergeUrl) };
}

async function open({ join }: OpenOptions): Promise<MapNode> {
  const { address, handle } = join === undefined ? await found() : await joined(join);
  return {
    address,
    async set(entries) {
      for (const { key, value } of entries) {
        handle.change((entriesOf) => {
          entriesOf[key] = value;
        });
      }
    },
    async batch(entries) {
      handle.change((entriesOf) => {
        for (const { key, value } of entries) entriesOf[key] = value;
      });
    },
    holds(keys) {
      const arrivals = new Arrivals(keys, Object.keys(handle.doc()));
      handle.on("change", ({ patches }) => {
        for (const { path } of patches) arrivals.add(String(path[0]));
      });
      return arrivals.all();
    },
    async entries() {
      return new Map(Object.entries(handle.doc()));
    },
  };
}

/** A short-lived writer is a copy of the document with an actor of its own. */
async function history({ writes, writers, keys }: HistoryOptions): Promise<Uint8Array[]> {
  let doc = Automerge.init<Entries>();
  const changes: Uint8Array[] = [];
  for (let i = 0; i < writes; i++) {
    if (writers > 1) doc = Automerge.clone(doc);
    doc = Automerge.change(doc, (entries) => {
      entries[entryOf(i % keys).key] = entryOf(i).value;
    });
    changes.push(Automerge.getLastLocalChange(doc) ?? new Uint8Array());
  }
  return changes;
}

async function absorb(messages: readonly Uint8Array[]): Promise<{ keys: number; held: unknown }> {
  let doc = Automerge.init<Entries>();
  for (const change of messages) [doc] = Automerge.applyChanges(doc, [change]);
  return { keys: Object.keys(doc).length, held: doc };
}

export const system: System = { open, history, absorb };
