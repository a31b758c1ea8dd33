/** The links that our neighbours have told of: the swarm as seen two links far. Pure. */
import type { PeerId } from "../../ports/network.ts";
import { type ShortId, unpackIds } from "../membership/rows.ts";
import type { OverlayFrame } from "./wire.ts";

/** More links than any node has. Further links that a neighbour claims are not kept. */
const LINKS_MAX = 512;

export class NeighbourView {
  readonly #links = new Map<PeerId, Set<ShortId>>();

  /** Takes in what a neighbour says of its links. */
  told(peer: PeerId, { links, added, removed }: OverlayFrame): void {
    const set = links === undefined ? (this.#links.get(peer) ?? new Set()) : new Set<ShortId>();
    for (const packed of [links, added]) {
      if (packed === undefined) continue;
      for (const id of unpackIds(packed)) if (set.size < LINKS_MAX) set.add(id);
    }
    if (removed !== undefined) for (const id of unpackIds(removed)) set.delete(id);
    this.#links.set(peer, set);
  }

  forget(peer: PeerId): void {
    this.#links.delete(peer);
  }

  linksOf(peer: PeerId): ReadonlySet<ShortId> {
    return this.#links.get(peer) ?? new Set();
  }

  /** Neighbours that are linked to this member. */
  linkedTo(id: ShortId): PeerId[] {
    const peers: PeerId[] = [];
    for (const [peer, links] of this.#links) if (links.has(id)) peers.push(peer);
    return peers;
  }
}
