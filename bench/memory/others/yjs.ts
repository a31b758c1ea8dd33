/**
 * Yjs: a Y.Map, over WebSocket in y-protocols' sync protocol, as y-websocket and its server speak it, without their
 * awareness messages. Its public server part needs a pre-release of the next Yjs, so that both ends are written here.
 */
import { once } from "node:events";
import * as decoding from "lib0/decoding";
import * as encoding from "lib0/encoding";
import { WebSocket, WebSocketServer } from "ws";
import * as sync from "y-protocols/sync";
import * as Y from "yjs";
import { Arrivals, entryOf, type HistoryOptions, type MapNode, type OpenOptions, type System } from "../system.ts";

const MAP = "entries";

function link(doc: Y.Doc, socket: WebSocket): void {
  const send = (write: (encoder: encoding.Encoder) => void): void => {
    const encoder = encoding.createEncoder();
    write(encoder);
    if (encoding.length(encoder) > 0) socket.send(encoding.toUint8Array(encoder));
  };
  const pass = (update: Uint8Array, origin: unknown): void => {
    if (origin !== socket) send((encoder) => sync.writeUpdate(encoder, update));
  };
  socket.on("message", (message: Buffer) => {
    send((encoder) => void sync.readSyncMessage(decoding.createDecoder(message), encoder, doc, socket));
  });
  socket.on("close", () => doc.off("update", pass));
  doc.on("update", pass);
  send((encoder) => sync.writeSyncStep1(encoder, doc));
}

async function open({ join }: OpenOptions): Promise<MapNode> {
  const doc = new Y.Doc();
  const map = doc.getMap<string>(MAP);
  let address = join;
  if (address === undefined) {
    const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
    await once(server, "listening");
    server.on("connection", (socket) => link(doc, socket));
    const bound = server.address();
    if (typeof bound !== "object" || bound === null) throw new Error("The server has no port");
    address = `ws://127.0.0.1:${bound.port}`;
  } else {
    const socket = new WebSocket(address);
    await once(socket, "open");
    link(doc, socket);
  }
  return {
    address,
    async set(entries) {
      for (const { key, value } of entries) map.set(key, value);
    },
    async batch(entries) {
      doc.transact(() => {
        for (const { key, value } of entries) map.set(key, value);
      });
    },
    holds(keys) {
      const arrivals = new Arrivals(keys, map.keys());
      map.observe(({ keysChanged }) => {
        for (const key of keysChanged) if (key !== null) arrivals.add(key);
      });
      return arrivals.all();
    },
    async entries() {
      return new Map(map.entries());
    },
  };
}

/** A short-lived writer is a document that has everything, under a client ID of its own. */
async function history({ writes, writers, keys }: HistoryOptions): Promise<Uint8Array[]> {
  const doc = new Y.Doc();
  const updates: Uint8Array[] = [];
  doc.on("update", (update) => updates.push(update));
  const ids = Array.from({ length: writers }, () => new Y.Doc().clientID);
  for (let i = 0; i < writes; i++) {
    doc.clientID = ids[i % writers] ?? doc.clientID;
    doc.getMap(MAP).set(entryOf(i % keys).key, entryOf(i).value);
  }
  return updates;
}

async function absorb(messages: readonly Uint8Array[]): Promise<{ keys: number; held: unknown }> {
  const doc = new Y.Doc();
  const map = doc.getMap(MAP);
  for (const update of messages) Y.applyUpdate(doc, update);
  return { keys: map.size, held: doc };
}

export const system: System = { open, history, absorb };
