/** The measurements of one system. Every node is a fresh process, and its content is checked at the end. */
import { setTimeout as wait } from "node:timers/promises";
import { GaveUp, RemoteNode } from "./remote.ts";
import type { HistoryOptions } from "./system.ts";

/** Tried in turn: a system that does not manage the first number in time is measured with the next. */
const ENTRIES = [10_000, 1_000];
const ENTRIES_MANY = 100_000;
/** 100,000 writes are measured only if 10,000 take no longer than this: they then take about a minute. */
const MANY_IF_MS = 6_000;
const HISTORIES = [
  { writes: 5_000, keys: 1_000 },
  { writes: 500, keys: 100 },
];
/** Messages of a history that are taken in beforehand, each for a key of its own. */
const WARM_UP = 100;
/** How long to wait after the last entry has arrived, for further messages about it. */
const SETTLE_MS = 2_000;

export interface Measured {
  readonly value: number;
  /** How many entries or writes it was measured with. */
  readonly count: number;
}

export type Measure =
  | "setPerSecond"
  | "setManyPerSecond"
  | "batchPerSecond"
  | "secondMs"
  | "secondBytes"
  | "lateMs"
  | "lateBytes"
  | "heldBytes"
  | "heldOfOneWriter";

/** A missing figure means that the system does not offer this, or did not manage it in time. */
export type Result = Partial<Record<Measure, Measured>>;

/** All measurements; each calls `report` as soon as it is there. */
export async function measure(system: string, report: (result: Result) => void): Promise<void> {
  report(await firstOf(ENTRIES, (count) => local(system, count)));
  report(await firstOf(ENTRIES, (count) => replicated(system, count)));
  report(await firstOf(HISTORIES, (history) => manyWriters(system, history)));
}

function fileOf(system: string): string {
  return system === "starfish" ? "./starfish.ts" : `./others/${system}.ts`;
}

async function firstOf<Size>(sizes: readonly Size[], attempt: (size: Size) => Promise<Result>): Promise<Result> {
  for (const size of sizes) {
    try {
      return await attempt(size);
    } catch (error) {
      if (!(error instanceof GaveUp)) throw error;
      console.error(`gave up on ${JSON.stringify(size)}: ${error.message}`);
    }
  }
  return {};
}

async function local(system: string, count: number): Promise<Result> {
  const ms = await writeMs(system, "set", count);
  const hasTimeForMany = ms !== null && ms < MANY_IF_MS;
  const manyMs = hasTimeForMany ? await writeMs(system, "set", ENTRIES_MANY) : null;
  const batchMs = await writeMs(system, "batch", count);
  return {
    ...(ms !== null && { setPerSecond: rate(count, ms) }),
    ...(manyMs !== null && { setManyPerSecond: rate(ENTRIES_MANY, manyMs) }),
    ...(batchMs !== null && { batchPerSecond: rate(count, batchMs) }),
  };
}

function rate(count: number, ms: number): Measured {
  return { value: (count / ms) * 1_000, count };
}

async function writeMs(system: string, how: "set" | "batch", count: number): Promise<number | null> {
  await using node = await RemoteNode.start(fileOf(system));
  await node.call("open", undefined);
  const ms = await node.call("write", how, 0, count);
  if (ms !== null) await node.call("verify", count);
  return ms;
}

async function replicated(system: string, count: number): Promise<Result> {
  await using first = await RemoteNode.start(fileOf(system));
  await using second = await RemoteNode.start(fileOf(system));
  const address = await first.call("open", undefined);
  await second.call("open", address);
  await wait(SETTLE_MS);
  // One entry is written first: when it has arrived, the nodes are linked for certain.
  const linked = second.call("holds", 1);
  await first.call("write", "set", 0, 1);
  await linked;
  await wait(SETTLE_MS);
  const before = await second.call("bytes");
  const start = performance.now();
  const [ms] = await Promise.all([since(start, second.call("holds", count)), first.call("write", "set", 1, count)]);
  await wait(SETTLE_MS);
  const secondBytes = (await second.call("bytes")) - before;
  await second.call("verify", count);

  await using third = await RemoteNode.start(fileOf(system));
  const lateStart = performance.now();
  await third.call("open", address);
  const lateMs = await since(lateStart, third.call("holds", count));
  await wait(SETTLE_MS);
  const lateBytes = await third.call("bytes");
  await third.call("verify", count);
  return {
    secondMs: { value: ms, count },
    secondBytes: { value: secondBytes, count },
    lateMs: { value: lateMs, count },
    lateBytes: { value: lateBytes, count },
  };
}

async function since(start: number, done: Promise<void>): Promise<number> {
  await done;
  return performance.now() - start;
}

async function manyWriters(system: string, { writes, keys }: (typeof HISTORIES)[number]): Promise<Result> {
  const many = await bytesHeldAfter(system, { writes, keys, writers: writes });
  const one = await bytesHeldAfter(system, { writes, keys, writers: 1 });
  return {
    heldBytes: { value: many / keys, count: writes },
    heldOfOneWriter: { value: many / one, count: writes },
  };
}

/** The bytes that a map takes after it has received such a history. */
export async function bytesHeldAfter(system: string, options: HistoryOptions): Promise<number> {
  const history = await historyOf(system, options);
  await using node = await RemoteNode.start(fileOf(system));
  // Code that runs for the first time takes memory too.
  await node.call("absorb", history.slice(0, WARM_UP), WARM_UP, false);
  const before = await node.call("heldBytes");
  await node.call("absorb", history, options.keys, true);
  return (await node.call("heldBytes")) - before;
}

async function historyOf(system: string, options: HistoryOptions): Promise<Uint8Array[]> {
  await using node = await RemoteNode.start(fileOf(system));
  return await node.call("history", options);
}
