/** Places the shards of one coded stripe with the devices that they belong to. */
import { StarfishError, toStarfishError } from "../../base/errors.ts";
import type { PeerId } from "../../ports/network.ts";
import type { Devices } from "../placement/devices.ts";
import type { Holdings, Shard } from "./holdings.ts";
import { holdersWanted, type Layout } from "../code/layout.ts";
import type { ShardPeers } from "./peers.ts";
import { Slots } from "../placement/slots.ts";

export interface PlaceParts {
  readonly devices: Devices;
  readonly slots: Slots;
  readonly peers: ShardPeers;
  readonly holdings: Holdings;
}

export interface Placed {
  /** The nodes that have received something. */
  readonly nodes: ReadonlySet<PeerId>;
  /** Why some present device does not have its shard; undefined if all have theirs. */
  readonly failure: StarfishError | undefined;
  /** Whether each node has answered: a message without an answer may still be on its way. */
  readonly isAnswered: boolean;
}

/**
 * Rejects only if fewer than k of the shards could be placed, although this node takes as many as it can beyond its
 * own: with "full", or with the error of its store.
 */
export async function placeStripe(
  parts: PlaceParts,
  code: Layout,
  id: string,
  stripe: number,
  shards: readonly Shard[],
): Promise<Placed> {
  const nodes = new Set<PeerId>();
  const placed = new Set<number>();
  let failure: StarfishError | undefined;
  let isAnswered = true;
  const partition = parts.slots.partition(id, stripe);
  const devices = renew(parts, partition, code);
  const spares = parts.devices
    .order(partition, devices)
    .filter((device) => !devices.includes(device) && parts.devices.hasRoom(device));
  const sendings = shards.flatMap((content, shard) =>
    Slots.holdersOf(shard, code)
      .flatMap((slot) => devices[slot] ?? [])
      .map(async (device) => {
        const result = await placeShard(parts, partition, device, spares, { id, stripe, shard }, content);
        if (!result.isAnswered) isAnswered = false;
        if (result.node === undefined) {
          failure ??= result.failure;
        } else {
          placed.add(shard);
          nodes.add(result.node);
        }
      }),
  );
  await Promise.all(sendings);
  for (let shard = 0; placed.size < code.k && shard < shards.length; shard++) {
    const content = shards[shard];
    if (placed.has(shard) || content === undefined) continue;
    await parts.holdings.put({ id, stripe, shard }, content);
    placed.add(shard);
  }
  return { nodes, failure, isAnswered };
}

/** The devices of the slots. Those that are not awaited any more are replaced by others, if there are any. */
function renew({ devices, slots }: PlaceParts, partition: number, code: Layout): readonly string[] {
  const count = holdersWanted(code);
  for (const [slot, device] of slots.ensure(partition, code).slice(0, count).entries()) {
    const isGivenUp = !devices.isAwake(device) && !devices.isAwaited(device);
    if (isGivenUp && slots.replace(partition, slot, () => true) === undefined) break;
  }
  return slots.of(partition).slice(0, count);
}

/**
 * Gives one shard to the device to which it belongs, or to a spare one if that is away or full. The slot keeps its
 * device, since older stripes are stored there. Returns who has got it or what prevented it, and whether all that were
 * asked have answered.
 */
async function placeShard(
  { devices, peers }: PlaceParts,
  partition: number,
  belongs: string,
  spares: string[],
  name: { id: string; stripe: number; shard: number },
  content: Shard,
): Promise<{ readonly node?: PeerId; readonly failure?: StarfishError; readonly isAnswered: boolean }> {
  let isAnswered = true;
  let failure: StarfishError | undefined;
  for (let device: string | undefined = belongs; device !== undefined; device = spares.shift()) {
    const [node] = devices.nodesOf(device, partition);
    if (node === undefined) continue;
    try {
      const result = await peers.put(node, name, content);
      if (result === "ok") return { node, isAnswered };
      failure = new StarfishError(result, `A device could not store a shard: ${result}`);
      if (result === "full") devices.sawFull(device);
    } catch (error) {
      failure = toStarfishError(error, "remote-failure");
      isAnswered = false;
    }
  }
  failure ??= new StarfishError("unreachable", "A device that belongs to the stripe is away", { retryable: true });
  return { failure, isAnswered };
}
