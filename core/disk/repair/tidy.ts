/**
 * Drops shards that belong elsewhere, once they are stored there too. Such shards remain when a device returns whose
 * slot another device has got, and when shards had to go to a spare device. While there is room they stay, since they
 * count as copies (policy.ts). A node that runs out of room drops them first.
 */
import type { Catalogue, Stored } from "../placement/catalogue.ts";
import { type CensusParts, takeCensus, unitsOf } from "./census.ts";
import type { Holdings } from "../shards/holdings.ts";
import { TIDY_FREE_PART, UNIT_STRIPES } from "../limits.ts";
import { Slots } from "../placement/slots.ts";

export interface DropParts extends CensusParts {
  readonly holdings: Holdings;
  /** This node's device. */
  readonly device: string;
}

export interface TidyParts extends DropParts {
  readonly catalogue: Catalogue;
  readonly isKept: (cid: string) => boolean;
}

export async function tidy(parts: TidyParts, signal: AbortSignal): Promise<void> {
  const { catalogue, holdings, isKept } = parts;
  for (const id of holdings.layouts()) {
    const { offeredBytes } = holdings;
    const freeBytes = offeredBytes - holdings.store.usage().usedBytes;
    if (signal.aborted || freeBytes > offeredBytes * TIDY_FREE_PART) return;
    const stored = catalogue.layout(id);
    if (stored !== undefined && !isKept(stored.cid)) await dropElsewhere(parts, stored, signal);
  }
}

/** Drops shards of a layout that do not belong here, once all devices to which they belong hold them. */
export async function dropElsewhere(parts: DropParts, stored: Stored, signal: AbortSignal): Promise<void> {
  const { device, devices, holdings, slots } = parts;
  const foreign = [...holdings.shardsOf(stored.id)].flatMap((name) => {
    const bySlot = slots.of(slots.partition(stored.id, name.stripe));
    const belongs = Slots.holdersOf(name.shard, stored.code).map((slot) => bySlot[slot]);
    const isElsewhere = belongs.every((other) => other !== undefined && other !== device && devices.isAwake(other));
    return isElsewhere ? [{ name, belongs }] : [];
  });
  const byUnit = Map.groupBy(foreign, ({ name }) => Math.floor(name.stripe / UNIT_STRIPES));
  for (const [number, those] of byUnit) {
    const [unit] = unitsOf(stored, number, number + 1);
    if (unit === undefined) continue;
    // The device that has a slot may still lack its shard.
    const { found } = await takeCensus(parts, [unit], { signal });
    for (const { name, belongs } of those) {
      const shards = found[0]?.[name.stripe - unit.from];
      const holders = new Set(shards?.get(name.shard)?.map((node) => devices.deviceOf(node)));
      if (belongs.every((other) => holders.has(other))) await holdings.drop(name);
    }
  }
}
