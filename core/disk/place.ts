/** Places the shards of one coded stripe with the devices that they belong to. */
import type { Bytes } from "../base/bytes.ts";
import { StarfishError, toStarfishError } from "../base/errors.ts";
import type { PeerId } from "../ports/network.ts";
import type { Devices } from "./devices.ts";
import type { Holdings } from "./holdings.ts";
import type { Layout } from "./layout.ts";
import type { ShardPeers } from "./peers.ts";
import { Slots } from "./slots.ts";

export interface PlaceParts {
  readonly devices: Devices;
  readonly slots: Slots;
  readonly peers: ShardPeers;
  readonly holdings: Holdings;
}

export interface Placed {
  /** Those that got something. */
  readonly nodes: ReadonlySet<PeerId>;
  /** What prevented that every device which is there has its shard; undefined if none did. */
  readonly failure: StarfishError | undefined;
}

/** Devices tried in the place of full ones, for one shard. */
const REPLACEMENTS_MAX = 3;

/**
 * Rejects only where fewer than k of the shards could be placed, though this node takes what it can beyond its own: with
 * "full", or with what its store says.
 */
export async function placeStripe(
  parts: PlaceParts,
  code: Layout,
  id: string,
  stripe: number,
  shards: readonly Bytes[],
): Promise<Placed> {
  const nodes = new Set<PeerId>();
  const placed = new Set<number>();
  let failure: StarfishError | undefined;
  const partition = parts.slots.partition(id, stripe);
  const devices = parts.slots.ensure(partition, code);
  const sendings = shards.flatMap((bytes, shard) =>
    Slots.ofShard(shard, code)
      .filter((slot) => slot < devices.length)
      .map(async (slot) => {
        const result = await placeShard(parts, partition, slot, { id, stripe, shard }, bytes);
        if (result instanceof StarfishError) {
          failure ??= result;
        } else {
          placed.add(shard);
          nodes.add(result);
        }
      }),
  );
  await Promise.all(sendings);
  for (let shard = 0; placed.size < code.k && shard < shards.length; shard++) {
    const bytes = shards[shard];
    if (placed.has(shard) || bytes === undefined) continue;
    await parts.holdings.put({ id, stripe, shard }, bytes);
    placed.add(shard);
  }
  return { nodes, failure };
}

/** Gives one shard to the device of a slot, or to another if that is full. Who has got it, or what prevented it. */
async function placeShard(
  { devices, slots, peers }: PlaceParts,
  partition: number,
  slot: number,
  name: { id: string; stripe: number; shard: number },
  bytes: Bytes,
): Promise<PeerId | StarfishError> {
  let device = slots.of(partition)[slot];
  for (let tries = 0; ; tries++) {
    const [node] = device === undefined ? [] : devices.nodesOf(device, partition);
    if (device === undefined || node === undefined) {
      return new StarfishError("unreachable", "A device that belongs to the stripe is away", { retryable: true });
    }
    try {
      const result = await peers.put(node, name, bytes);
      if (result === "ok") return node;
      if (result !== "full") return new StarfishError(result, `A device could not store a shard: ${result}`);
    } catch (error) {
      return toStarfishError(error, "remote-failure");
    }
    devices.sawFull(device);
    // Another stripe's shard may have found the same and replaced it by now.
    const now = slots.of(partition)[slot];
    device = now === device && tries < REPLACEMENTS_MAX ? slots.replace(partition, slot, () => true) : now;
    if (device === undefined || tries > REPLACEMENTS_MAX) {
      return new StarfishError("full", "No device that has room is left for a shard of this content");
    }
  }
}
