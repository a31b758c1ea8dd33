/** The state of a content: asks all nodes that are there, and computes it from what they really hold. */
import { StarfishError } from "../../base/errors.ts";
import type { Catalogue, Stored } from "../placement/catalogue.ts";
import { type CensusParts, holdersByShard, inSlices, isWhole, takeCensus, unitBatches } from "./census.ts";
import { type Layout, staleness } from "../code/layout.ts";
import { holdersOf, lossChance, survivesAny, survivesAnyMachines, URGENT_CHANCE } from "../code/promise.ts";
import { healthOf } from "./policy.ts";
import { stripeCount, stripeOf } from "../code/shard-list.ts";
import type { ContentRef, ContentStat, Safety, StripeHolders } from "../types.ts";

export interface Measure {
  /** Whether every stripe has as many holders as the promise requires, or as there are devices for. */
  readonly isWhole: boolean;
  /** The holders of all stripes together. */
  readonly holders: number;
  /** For the weakest stripe. */
  readonly survivesAny: number;
  readonly survivesAnyMachines: number;
  readonly lossChance: number;
  readonly bytesByDevice: ReadonlyMap<string, number>;
  readonly shardHolders: readonly StripeHolders[];
}

export async function measure(
  parts: CensusParts,
  stored: Stored,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<Measure> {
  const bytesByDevice = new Map<string, number>();
  const states = new Map<string, readonly number[]>();
  const shardHolders: StripeHolders[] = [];
  /** Stripes of one partition have the same holders: even a long content has few of these. */
  const alike = new Map<string, StripeHolders>();
  let isAllWhole = true;
  let count = 0;
  let devices = 0;
  for (const units of unitBatches(stored)) {
    const { found } = await takeCensus(parts, units, options);
    // Counted after the answers: a device that has left meanwhile is counted with what it had.
    devices = parts.devices.count;
    for await (const [i, unit] of inSlices(parts, units, options)) {
      for (const [j, shards] of (found[i] ?? []).entries()) {
        const stripe = unit.from + j;
        const holders = holdersByShard(parts, stored.code, parts.slots.partition(stored.id, stripe), shards);
        const key = holders.map((of) => of.join(" ")).join("|");
        const known = alike.get(key) ?? holders;
        alike.set(key, known);
        shardHolders.push(known);
        isAllWhole &&= isWhole(stored.code, holders, devices);
        const living = holders.map(({ length }) => length);
        count += living.reduce((sum, each) => sum + each, 0);
        states.set(living.join(" "), living);
        const { shardBytes } = stripeOf(stored, stripe);
        for (const node of [...shards.values()].flat()) {
          const device = parts.devices.deviceOf(node) ?? node;
          bytesByDevice.set(device, (bytesByDevice.get(device) ?? 0) + shardBytes);
        }
      }
    }
  }
  const healths = [...states.values()].map((living) => healthOf(stored.code, living));
  const hostOf = (device: string): string => parts.devices.hostOf(device);
  return {
    isWhole: isAllWhole,
    holders: count,
    survivesAny: Math.min(...healths.map((health) => survivesAny(health))),
    survivesAnyMachines: leastOf([...alike.values()].map((those) => survivesAnyMachines(stored.code, those, hostOf))),
    lossChance: Math.max(...healths.map((health) => lossChance(health, Math.max(1, devices, holdersOf(health))))),
    bytesByDevice,
    shardHolders,
  };
}

function leastOf(numbers: readonly number[]): number {
  return numbers.reduce((least, each) => Math.min(least, each), Number.POSITIVE_INFINITY);
}

/** How many of the newest layouts of one content are measured: while it is recoded there are two. */
const LAYOUTS_MEASURED_MAX = 16;

type StatParts = CensusParts & { readonly catalogue: Catalogue };

/** A layout and its list, without which it can't be read: the state of the weaker of the two. */
async function measureWithList(
  parts: StatParts,
  stored: Stored,
  options: { readonly signal?: AbortSignal | undefined },
): Promise<Measure> {
  const own = await measure(parts, stored, options);
  if (stored.list instanceof Uint8Array) return own;
  const layouts = parts.catalogue.listLayouts(stored).slice(0, LAYOUTS_MEASURED_MAX);
  const lists = await Promise.all(layouts.map((each) => measureWithList(parts, each, options)));
  const [list] = lists.sort((a, b) => a.lossChance - b.lossChance);
  return {
    ...own,
    isWhole: own.isWhole && list?.isWhole === true,
    survivesAny: Math.min(own.survivesAny, list?.survivesAny ?? -1),
    survivesAnyMachines: Math.min(own.survivesAnyMachines, list?.survivesAnyMachines ?? -1),
    lossChance: Math.max(own.lossChance, list?.lossChance ?? 1),
  };
}

/** Rejects with "not-found". */
export async function statContent(
  parts: StatParts,
  ref: ContentRef,
  options: { readonly signal?: AbortSignal | undefined },
): Promise<ContentStat> {
  const layouts = parts.catalogue.layouts(ref.cid).slice(0, LAYOUTS_MEASURED_MAX);
  const measured = await Promise.all(
    layouts.map(async (stored) => ({ stored, measure: await measureWithList(parts, stored, options) })),
  );
  // If a content has several layouts, the best one determines its state.
  measured.sort((a, b) => a.measure.lossChance - b.measure.lossChance);
  const [best] = measured;
  if (best === undefined) throw new StarfishError("not-found", `No content ${ref.cid} is known here`);
  return {
    cid: ref.cid,
    sizeBytes: ref.sizeBytes,
    safety: safetyOf(best.stored.code, best.measure, parts.devices.count),
    code: best.stored.code,
    stripes: stripeCount(best.stored),
    survivesAny: best.measure.survivesAny,
    devices: parts.devices.count,
    machines: parts.devices.machines,
    survivesAnyMachines: best.measure.survivesAnyMachines,
    lossChance: best.measure.lossChance,
    holders: [...best.measure.bytesByDevice]
      .map(([device, bytes]) => ({ device, bytes }))
      .sort((a, b) => (a.device < b.device ? -1 : 1)),
    shardHolders: best.measure.shardHolders,
  };
}

function safetyOf(code: Layout, { survivesAny, lossChance, isWhole }: Measure, devices: number): Safety {
  if (survivesAny < 0) return "lost";
  // While repair waits for more losses the content is not complete, but any half of the devices may go.
  if (!isWhole && lossChance > URGENT_CHANCE) return "placing";
  // Complete is not enough if the code is for fewer devices than there are now.
  if (staleness(code, Math.max(1, devices)) === "broken") return "placing";
  return devices <= 1 ? "here" : "safe";
}
