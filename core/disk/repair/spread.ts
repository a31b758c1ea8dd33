/**
 * Spreads a stripe over machines that came after it was placed. Placement uses all machines first. But what was placed
 * while there was only one machine is on that machine alone, and would be lost with it although others are there by
 * now. So one shard at a time moves to a device on another machine, as long as each move raises the number of machines
 * that may be lost. That number is bounded, so the moves end. A move costs the bytes of one shard, or of the stripe if
 * it is held whole.
 *
 * The device that held the shard before keeps it while it has room (tidy.ts), and counts as a holder for that time.
 */
import type { Layout } from "../code/layout.ts";
import { survivesAnyMachines } from "../code/promise.ts";
import { Slots } from "../placement/slots.ts";

export interface Move {
  /** Number n: the device gets the whole stripe. */
  readonly shard: number;
  /** The slot that the device gets. The device that had this slot gets the former slot of the new one. */
  readonly slot: number;
  readonly device: string;
}

export interface Spreading {
  readonly code: Layout;
  /** The devices by slot, as many as the code wants. */
  readonly bySlot: readonly string[];
  /** The devices that hold each shard, by shard; number n is the whole stripe. */
  readonly holders: readonly (readonly string[])[];
  /** Devices with room that may get something, first choice first. */
  readonly devices: readonly string[];
  readonly hostOf: (device: string) => string;
}

/** The cheapest move after which one more machine may be lost; undefined if there is none. */
export function moveToSpread(stripe: Spreading): Move | undefined {
  const { code, bySlot, holders, hostOf } = stripe;
  const now = survivesAnyMachines(code, holders, hostOf);
  for (const move of [...shardMoves(stripe), ...wholeMoves(stripe)]) {
    const before = bySlot[move.slot];
    const own = bySlot.indexOf(move.device);
    const after = holders.map((those, shard) => {
      const stay = those.filter((device) => device !== before && device !== move.device);
      if (shard === move.shard) return [...stay, move.device];
      // A device that held the whole stripe has the shard whose slot it gets.
      return own !== -1 && shard === own && before !== undefined ? [...stay, before] : stay;
    });
    if (survivesAnyMachines(code, after, hostOf) > now) return move;
  }
  return undefined;
}

/**
 * A shard from the machine that holds the most to one that holds less: one candidate device on each machine that holds
 * nothing.
 */
function shardMoves({ code, bySlot, holders, devices, hostOf }: Spreading): Move[] {
  const holding = new Set(holders.flat());
  const crowd = crowdOf(holding, hostOf);
  const most = Math.max(0, ...crowd.values());
  const from = bySlot.findIndex(
    (device, slot) => (code.wholes === 0 || slot < code.n) && crowd.get(hostOf(device)) === most,
  );
  const spares = devices.filter((device) => !holding.has(device) && (crowd.get(hostOf(device)) ?? 0) < most - 1);
  return oneEach(spares, hostOf).flatMap((device) => {
    // It may have a slot already, but lack the shard.
    const own = bySlot.indexOf(device);
    const slot = own === -1 ? from : own;
    return slot === -1 ? [] : [{ shard: Slots.shardOf(slot, code), slot, device }];
  });
}

/** The whole stripe to another machine: one candidate device on each. */
function wholeMoves({ code, bySlot, holders, devices, hostOf }: Spreading): Move[] {
  const whole = bySlot[code.n];
  if (code.wholes === 0 || whole === undefined) return [];
  const crowd = crowdOf(new Set(holders.flat()), hostOf);
  const others = devices.filter((device) => hostOf(device) !== hostOf(whole));
  const fewestFirst = others.toSorted((a, b) => (crowd.get(hostOf(a)) ?? 0) - (crowd.get(hostOf(b)) ?? 0));
  return oneEach(fewestFirst, hostOf).map((device) => ({ shard: code.n, slot: code.n, device }));
}

/** The number of these devices on each machine. */
function crowdOf(devices: Iterable<string>, hostOf: (device: string) => string): ReadonlyMap<string, number> {
  const crowd = new Map<string, number>();
  for (const device of devices) crowd.set(hostOf(device), (crowd.get(hostOf(device)) ?? 0) + 1);
  return crowd;
}

/** The first device of each machine, of a bounded number of machines. */
function oneEach(devices: readonly string[], hostOf: (device: string) => string): string[] {
  const first = new Map<string, string>();
  for (const device of devices) {
    if (first.size === MACHINES_TRIED_MAX) break;
    if (!first.has(hostOf(device))) first.set(hostOf(device), device);
  }
  return [...first.values()];
}

/** Machines that are tried for each stripe: the first of them are the emptiest. */
const MACHINES_TRIED_MAX = 4;
