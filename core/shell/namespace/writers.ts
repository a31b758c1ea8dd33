/** The present names of writers: versions of files and values name their writer by 48 bits. */
import type { Computer } from "../../computer.ts";
import { shortIdOf } from "../../net/membership/rows.ts";
import type { PeerId } from "../../ports/network.ts";

/**
 * The person whose node has written, if that is known, or the node. Undefined for members that left long ago. The
 * members are searched again only for an unknown writer.
 */
export function writerNames({
  net,
  crypto,
  people,
}: Pick<Computer, "net" | "crypto" | "people">): (writer: number) => string | undefined {
  const peers = new Map<number, PeerId>();
  const known = new Set<PeerId>();
  const learn = (): void => {
    const members = net.members();
    // Members that have left are dropped now and then.
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
