/** Asks all nodes what they really hold of some stripes. Repair, `stat` and `safe` rely on this. */
import { type Clock, sleep } from "../../ports/clock.ts";
import { SHARDS_MAX } from "../../ports/coder.ts";
import type { PeerId } from "../../ports/network.ts";
import type { Stored } from "../placement/catalogue.ts";
import type { Devices } from "../placement/devices.ts";
import { ASKED_UNITS_MAX, STRIPES_PER_SLICE, UNIT_STRIPES } from "../limits.ts";
import type { ShardPeers } from "../shards/peers.ts";
import { holdersWanted, type Layout } from "../code/layout.ts";
import { stripeCount } from "../code/shard-list.ts";
import { Slots } from "../placement/slots.ts";
import { readHeld, type StripeRun } from "../shards/wire.ts";

export interface CensusParts {
  readonly devices: Devices;
  readonly peers: ShardPeers;
  readonly slots: Slots;
  readonly clock: Clock;
}

/** Some stripes of a layout that are handled together. */
export interface Unit {
  readonly stored: Stored;
  readonly from: number;
  readonly to: number;
}

/** The holders of one stripe: by shard, the nodes. */
export type Found = ReadonlyMap<number, readonly PeerId[]>;

export interface Census {
  /** For each unit, its stripes in order. */
  readonly found: readonly (readonly Found[])[];
  /** Devices of nodes that have not answered. */
  readonly silent: ReadonlySet<string>;
}

export function unitCount(stored: Stored): number {
  return Math.ceil(stripeCount(stored) / UNIT_STRIPES);
}

/** The units from number `first` up to `end`, without `end`. Lazy: a member may claim a content of any size. */
export function* unitsOf(stored: Stored, first: number = 0, end: number = Infinity): Generator<Unit, void, undefined> {
  const stripes = stripeCount(stored);
  const last = Math.min(end, unitCount(stored));
  for (let i = first; i < last; i++) {
    const from = i * UNIT_STRIPES;
    yield { stored, from, to: Math.min(stripes, from + UNIT_STRIPES) };
  }
}

/** All units, as many at a time as one question can ask for. */
export function* unitBatches(stored: Stored): Generator<readonly Unit[], void, undefined> {
  for (let first = 0; first < unitCount(stored); first += ASKED_UNITS_MAX) {
    yield [...unitsOf(stored, first, first + ASKED_UNITS_MAX)];
  }
}

/** The units and their indices, with pauses between slices: all stripes of a long content would block a page. */
export async function* inSlices<U extends Unit>(
  { clock }: Pick<CensusParts, "clock">,
  units: readonly U[],
  options: { readonly signal?: AbortSignal | undefined },
): AsyncGenerator<readonly [number, U]> {
  let stripes = 0;
  for (const entry of units.entries()) {
    const [, { from, to }] = entry;
    if (stripes + to - from > STRIPES_PER_SLICE) {
      await sleep(clock, 0, options);
      stripes = 0;
    }
    stripes += to - from;
    yield entry;
  }
}

export async function takeCensus(
  { devices, peers }: CensusParts,
  units: readonly Unit[],
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<Census> {
  const runs: StripeRun[] = units.map(({ stored, from, to }) => ({ id: stored.id, from, to }));
  const found = units.map(({ from, to }) => Array.from({ length: to - from }, () => new Map<number, PeerId[]>()));
  const silent = new Set<string>();
  const asking = [...devices.awake()].flatMap((device) =>
    device.nodes.map(async (node) => {
      let held: readonly Uint8Array[];
      try {
        held = await peers.have(node, runs, options);
      } catch {
        silent.add(device.id);
        return;
      }
      for (const [i, unit] of units.entries()) {
        readHeld(held[i] ?? new Uint8Array(0), unit.from, (stripe, shard) => {
          const shards = found[i]?.[stripe - unit.from];
          if (shards === undefined || shard >= SHARDS_MAX) return;
          const holders = shards.get(shard);
          if (holders === undefined) shards.set(shard, [node]);
          // A node counts once for a shard, however often it names the shard. An answer is read without interruption.
          else if (holders.at(-1) !== node) holders.push(node);
        });
      }
    }),
  );
  await Promise.all(asking);
  return { found, silent };
}

/**
 * The devices that hold each shard of a stripe. Number n, if the code has it, are the devices that hold the whole
 * stripe. Each device is counted once, because promises are made in devices. The device to which a shard belongs comes
 * first.
 */
export function holdersByShard(
  { devices, slots }: CensusParts,
  code: Layout,
  partition: number,
  found: Found,
): string[][] {
  const { k, n, wholes } = code;
  const holders: string[][] = Array.from({ length: n + wholes }, () => []);
  const shardsOf = new Map<string, Set<number>>();
  for (const [shard, nodes] of found) {
    for (const node of nodes) {
      const device = devices.deviceOf(node);
      if (device !== undefined && shard < n) shardsOf.set(device, (shardsOf.get(device) ?? new Set()).add(shard));
    }
  }
  const holds = (device: string, shard: number): boolean => {
    const shards = shardsOf.get(device);
    return shards !== undefined && (shard === n ? isAll(shards, k) : shards.has(shard));
  };
  for (const [slot, device] of slots.of(partition).slice(0, holdersWanted(code)).entries()) {
    const shard = Slots.shardOf(slot, code);
    if (!holds(device, shard)) continue;
    holders[shard]?.push(device);
    shardsOf.delete(device);
  }
  for (const [device, shards] of shardsOf) {
    const [rarest = 0] = [...shards].sort((a, b) => (holders[a]?.length ?? 0) - (holders[b]?.length ?? 0) || a - b);
    holders[wholes > 0 && isAll(shards, k) ? n : rarest]?.push(device);
  }
  return holders;
}

/** Whether all data shards are among them. */
function isAll(shards: ReadonlySet<number>, k: number): boolean {
  for (let shard = 0; shard < k; shard++) if (!shards.has(shard)) return false;
  return true;
}

/** Whether it has as many holders as the code wants, or as there are devices for. Any plain copy counts. */
export function isWhole(code: Layout, holders: readonly (readonly string[])[], devices: number): boolean {
  if (code.k === 1) return holders.flat().length >= Math.min(code.n, devices);
  const shards = holders.filter(({ length }) => length > 0).length;
  const all = holders.reduce((sum, { length }) => sum + Math.min(length, code.copies), 0);
  return shards >= Math.min(code.n + code.wholes, devices) && all >= Math.min(holdersWanted(code), devices);
}
