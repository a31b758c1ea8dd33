/** What writers are called now: versions of files and values say by whom they are in 48 bits. */
import type { Computer } from "../../computer.ts";
import { shortIdOf } from "../../net/membership/rows.ts";
import type { PeerId } from "../../ports/network.ts";

/** The person whose node has written, where somebody has said so. Undefined for those who left long ago. Members are looked through again only where somebody unknown has written. */
export function writerNames({
  net,
  crypto,
  people,
}: Pick<Computer, "net" | "crypto" | "people">): (writer: number) => string | undefined {
  const peers = new Map<number, PeerId>();
  const known = new Set<PeerId>();
  const learn = (): void => {
    const members = net.members();
    // Those who have left go, now and then.
    if (known.size > 2 * members.length) for (const set of [known, peers]) set.clear();
    for (const { record } of members) {
      if (known.has(record.peer)) continue;
      known.add(record.peer);
      peers.set(shortIdOf(crypto, record.peer), record.peer);
    }
  };
  return (writer) => {
    if (!peers.has(writer)) learn();
    const peer = peers.get(writer);
    return peer === undefined ? undefined : (people.of(peer)?.name ?? net.member(peer)?.record.name);
  };
}
