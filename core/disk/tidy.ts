/**
 * Drops shards that lie here and belong elsewhere, once they lie there too. They come about when a device returns to whose
 * slot another has been appointed, and when shards had to go to a spare one. While there is room they stay, since they count
 * (repair-policy.ts); a node that runs out of it lets go of them first.
 */
import type { Catalogue } from "./catalogue.ts";
import type { Devices } from "./devices.ts";
import type { Holdings, ShardName } from "./holdings.ts";
import { TIDY_FREE_PART } from "./limits.ts";
import type { ShardPeers } from "./peers.ts";
import { readHeld } from "./wire.ts";
import { Slots } from "./slots.ts";

export interface TidyParts {
  readonly catalogue: Catalogue;
  readonly devices: Devices;
  readonly holdings: Holdings;
  readonly peers: ShardPeers;
  readonly slots: Slots;
  /** This node's. */
  readonly device: string;
  readonly isKept: (cid: string) => boolean;
}

export async function tidy(parts: TidyParts, signal: AbortSignal): Promise<void> {
  const { catalogue, holdings, isKept } = parts;
  for (const id of holdings.layouts()) {
    const { quotaBytes, usedBytes } = holdings.store.usage();
    if (signal.aborted || quotaBytes - usedBytes > quotaBytes * TIDY_FREE_PART) return;
    const stored = catalogue.layout(id);
    if (stored === undefined || isKept(stored.cid)) continue;
    for (const name of [...holdings.shardsOf(id)]) {
      const slots = Slots.holdersOf(name.shard, stored.code);
      if (await isElsewhere(parts, name, slots, signal)) await holdings.drop(name);
    }
  }
}

/** Whether the shard lies with all devices to which it belongs, and this one is none of them. */
async function isElsewhere(
  { device, devices, peers, slots }: TidyParts,
  name: ShardName,
  ofShard: readonly number[],
  signal: AbortSignal,
): Promise<boolean> {
  const partition = slots.partition(name.id, name.stripe);
  const bySlot = slots.of(partition);
  const belongs = ofShard.map((slot) => bySlot[slot]);
  for (const other of belongs) {
    if (other === undefined || other === device || !devices.isAwake(other)) return false;
  }
  const run = { id: name.id, from: name.stripe, to: name.stripe + 1 };
  for (const other of belongs) {
    let isThere = false;
    for (const node of devices.nodesOf(other ?? "", partition)) {
      const [held] = await peers.have(node, [run], { signal }).catch(() => []);
      if (held !== undefined) readHeld(held, name.stripe, (_, shard) => (isThere ||= shard === name.shard));
    }
    if (!isThere) return false;
  }
  return true;
}
