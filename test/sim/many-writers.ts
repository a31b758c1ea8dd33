/**
 * Measures a swarm in which every node writes: how soon each write is on each other node, how many messages of gossip
 * it costs, and whether the eager links connect all nodes meanwhile.
 */
import { ACK_PROTOCOL } from "../../core/memory/acknowledge.ts";
import { RECONCILE_PROTOCOL } from "../../core/memory/replicated-map.ts";
import { PART_PROTOCOLS } from "../../core/net/links/member-link.ts";
import { DELIVER_PROTOCOL, FORWARD_PROTOCOL } from "../../core/net/requests/forward.ts";
import type { MapNode, MapSwarm } from "./maps.ts";

export interface WritersOptions {
  readonly writers: number;
  /** Writes of all nodes together. */
  readonly writesPerSecond: number;
  readonly forMs: number;
}

export interface Spread {
  readonly writes: number;
  /** For each write and each other node that has it: how long it took, ms. */
  readonly each: readonly number[];
  /** For each write that all have, ms until the last has it. */
  readonly all: readonly number[];
  /** Messages of gossip and of reconciliation for each write. */
  readonly gossip: number;
  readonly reconciling: number;
}

const SETTLE_MS = 5_000;

/**
 * Makes nodes write at random moments. `meanwhile` runs at the same time, for example to look at the swarm or to cut
 * it.
 */
export async function writeFromMany(swarm: MapSwarm, options: WritersOptions): Promise<Spread> {
  const { world, nodes } = swarm;
  const random = world.random.fork("writers");
  const writtenMs = new Map<string, number>();
  const latestMs = new Map<string, { count: number; ms: number }>();
  const each: number[] = [];
  const stops = nodes.map(({ map }) =>
    map.watch("w/", ({ key, isLocal }) => {
      const beganMs = writtenMs.get(key);
      if (isLocal || beganMs === undefined) return;
      const ms = world.nowMs - beganMs;
      each.push(ms);
      const latest = latestMs.get(key) ?? { count: 0, ms: 0 };
      latestMs.set(key, { count: latest.count + 1, ms });
    }),
  );
  const before = messages(nodes);
  const endMs = world.nowMs + options.forMs;
  const every = 1_000 / options.writesPerSecond;
  for (let i = 0; world.nowMs < endMs; i++) {
    const node = nodes[Math.floor(random.real() * options.writers)];
    const key = `w/${i}`;
    writtenMs.set(key, world.nowMs);
    node?.map.set(key, i);
    await world.runFor(-every * Math.log(1 - random.real()));
  }
  const after = messages(nodes);
  await world.runFor(SETTLE_MS);
  for (const stop of stops) stop();
  const all = [...latestMs.values()].filter(({ count }) => count === nodes.length - 1).map(({ ms }) => ms);
  const writes = writtenMs.size;
  return {
    writes,
    each,
    all,
    gossip: (after.gossip - before.gossip) / writes,
    reconciling: (after.memory - before.memory) / writes,
  };
}

/**
 * How many messages these nodes have sent so far: of gossip, of reconciliation, and to ask others whether they hold
 * writes.
 */
export function messages(nodes: readonly MapNode[]): { gossip: number; memory: number; acks: number } {
  const sum = (protocol: string): number =>
    nodes.reduce((total, { machine }) => total + (machine.machine.sentByProtocol.get(protocol)?.messages ?? 0), 0);
  return {
    gossip: sum(PART_PROTOCOLS.gossip),
    memory: sum(RECONCILE_PROTOCOL),
    acks: sum(ACK_PROTOCOL) + sum(FORWARD_PROTOCOL) + sum(DELIVER_PROTOCOL),
  };
}

/** The value below which that share of the values lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((x, y) => x - y);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
