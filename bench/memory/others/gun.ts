/**
 * GunDB: one node of the graph whose fields are the entries, over its own WebSocket mesh, with storage and multicast
 * off.
 */
import { once } from "node:events";
import { createServer } from "node:http";
import { setImmediate as nextTurn, setTimeout as wait } from "node:timers/promises";
import Gun from "gun";
import { text, utf8 } from "../../../core/base/bytes.ts";
import { Arrivals, entryOf, type HistoryOptions, type MapNode, type OpenOptions, type System } from "../system.ts";

/** The little of Gun that is used here; its own types lack the inside. */
interface Chain {
  get(key: string): Chain;
  put(value: string): Chain;
  map(): Chain;
  on(listener: (value: unknown, key: string) => void): Chain;
  readonly _: Root;
}

interface Root {
  readonly graph: Readonly<Record<string, Fields | undefined>>;
  on(event: "in", message: object): void;
  on(event: "out", listener: (this: { to: { next(message: object): void } }, message: object) => void): void;
}

type Fields = Readonly<Record<string, unknown>>;

const MAP = "entries";
/** Gun's own field in each node of its graph. */
const META = "_";
const OPTIONS = { radisk: false, localStorage: false, multicast: false, axe: false, stats: false };
/** It remembers each message for 9 s, against hearing it twice. */
const MESSAGE_MEMORY_MS = 10_000;

const createGun = Gun as unknown as (options: object) => Chain;

function fieldsOf(gun: Chain): Fields {
  return gun._.graph[MAP] ?? {};
}

function keysOf(gun: Chain): string[] {
  return Object.keys(fieldsOf(gun)).filter((key) => key !== META);
}

async function open({ join }: OpenOptions): Promise<MapNode> {
  let address = join;
  let gun: Chain;
  if (address === undefined) {
    const server = createServer();
    await once(server.listen(0, "127.0.0.1"), "listening");
    const bound = server.address();
    if (typeof bound !== "object" || bound === null) throw new Error("The server has no port");
    address = `http://127.0.0.1:${bound.port}/gun`;
    gun = createGun({ ...OPTIONS, web: server });
  } else {
    gun = createGun({ ...OPTIONS, peers: [address] });
  }
  const map = gun.get(MAP);
  return {
    address,
    async set(entries) {
      for (const { key, value } of entries) map.get(key).put(value);
      for (const { key, value } of entries) while (fieldsOf(gun)[key] !== value) await nextTurn();
    },
    holds(keys) {
      const arrivals = new Arrivals(keys, keysOf(gun));
      map.map().on((_value, key) => arrivals.add(key));
      return arrivals.all();
    },
    async entries() {
      const fields = fieldsOf(gun);
      return new Map(keysOf(gun).map((key) => [key, String(fields[key])]));
    },
  };
}

/** A write carries no writer, and knowing what is there changes nothing about it: one instance writes for all. */
async function history({ writes, keys }: HistoryOptions): Promise<Uint8Array[]> {
  const gun = createGun({ ...OPTIONS, file: "history" });
  const messages: Uint8Array[] = [];
  gun._.on("out", function pass(message) {
    if ("put" in message) messages.push(utf8(JSON.stringify({ "#": messages.length, put: message.put })));
    this.to.next(message);
  });
  for (let i = 0; i < writes; i++) {
    const { value } = entryOf(i);
    const { key } = entryOf(i % keys);
    gun.get(MAP).get(key).put(value);
    while (fieldsOf(gun)[key] !== value) await nextTurn();
  }
  return messages;
}

async function absorb(messages: readonly Uint8Array[]): Promise<{ keys: number; held: unknown }> {
  const gun = createGun({ ...OPTIONS, file: "absorb" });
  for (const message of messages) gun._.on("in", JSON.parse(text(message)) as object);
  await wait(MESSAGE_MEMORY_MS);
  return { keys: keysOf(gun).length, held: gun };
}

export const system: System = { open, history, absorb };
