/** One node of one system in a process of its own; it does what the runner's messages say. `child.ts FILE` */
import assert from "node:assert/strict";
import { serveCommands } from "../commands.ts";
import { bytesOnWire } from "./sockets.ts";
import { heldBytes } from "./heap.ts";
import { entryOf, type HistoryOptions, type MapEntry, type MapNode, type System } from "./system.ts";

// The others' packages are there only where bench/memory is installed.
const [, , file = ""] = process.argv;
const { system } = (await import(file)) as { system: System };
let node: MapNode | undefined;
const held: unknown[] = [];

const commands = {
  async open(join: string | undefined): Promise<string> {
    node = await system.open({ directory: process.cwd(), join });
    return node.address;
  },

  /**
   * Writes the entries from `begin` to before `end`; returns how many milliseconds that took, or null if the system has
   * no batches.
   */
  async write(how: "set" | "batch", begin: number, end: number): Promise<number | null> {
    const node = opened();
    if (how === "batch" && node.batch === undefined) return null;
    const entries = entriesOf(begin, end);
    const start = performance.now();
    await (how === "batch" ? node.batch?.(entries) : node.set(entries));
    return performance.now() - start;
  },

  holds: (keys: number): Promise<void> => opened().holds(keys),

  /** Fails unless it holds the first `count` entries, as they were written, and nothing else. */
  async verify(count: number): Promise<void> {
    const entries = await opened().entries();
    assert.deepEqual(entries, new Map(entriesOf(0, count).map(({ key, value }) => [key, value])));
  },

  bytes: async (): Promise<number> => bytesOnWire(),

  history: (options: HistoryOptions): Promise<Uint8Array[]> => system.history(options),

  /**
   * Takes in the messages of a history with that many keys. With `keep` the result stays in memory; otherwise this only
   * runs the code once.
   */
  async absorb(history: readonly Uint8Array[], keys: number, keep: boolean): Promise<void> {
    const map = await system.absorb(history);
    assert.equal(map.keys, keys);
    if (keep) held.push(map.held);
  },

  heldBytes: (): Promise<number> => heldBytes(),
};

export type Commands = typeof commands;

function opened(): MapNode {
  assert.ok(node, "not open");
  return node;
}

function entriesOf(begin: number, end: number): MapEntry[] {
  return Array.from({ length: end - begin }, (_, i) => entryOf(begin + i));
}

serveCommands(commands);
