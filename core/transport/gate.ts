/**
 * Who may connect, and who may use this node as introducer or relay. Starfish knows its members above this layer; what
 * it knows comes down as `admit` and `expel`, and is applied here to whatever libp2p is about to do.
 */
import type { ConnectionGater, PeerId as Libp2pPeerId } from "@libp2p/interface";
import type { PeerId } from "../ports/network.ts";

/** How many refused peers are remembered; beyond it the oldest is forgotten, and is refused again by admission if it returns. */
const EXPELLED_MAX = 1024;

/** Likewise for those admitted; they are forgotten with their link, so that more than that are never needed. */
const ADMITTED_MAX = 4096;

export class Gate {
  readonly #admitted = new Set<PeerId>();
  /** Until when, in ms of performance.now(). */
  readonly #expelled = new Map<PeerId, number>();
  readonly #hasRoomFor: (peer: PeerId) => boolean;

  /** `hasRoomFor` says whether a link to the peer is there already or may be added. */
  constructor(hasRoomFor: (peer: PeerId) => boolean) {
    this.#hasRoomFor = hasRoomFor;
  }

  admit(peer: PeerId): void {
    this.#expelled.delete(peer);
    this.#admitted.delete(peer);
    this.#admitted.add(peer);
    dropOldest(this.#admitted, ADMITTED_MAX);
  }

  isAdmitted(peer: PeerId): boolean {
    return this.#admitted.has(peer);
  }

  /** The peer's link is gone: what was known of it may have changed when it returns. */
  forget(peer: PeerId): void {
    this.#admitted.delete(peer);
  }

  expel(peer: PeerId, forMs: number): void {
    this.#admitted.delete(peer);
    this.#expelled.delete(peer);
    this.#expelled.set(peer, performance.now() + forMs);
    dropOldest(this.#expelled, EXPELLED_MAX);
  }

  isExpelled(peer: PeerId): boolean {
    const until = this.#expelled.get(peer);
    if (until === undefined) return false;
    if (performance.now() < until) return true;
    this.#expelled.delete(peer);
    return false;
  }

  /** The same as libp2p wants it asked. */
  rules(): ConnectionGater {
    const refuse = (peer: Libp2pPeerId): boolean => {
      const id = peer.toString();
      return this.isExpelled(id) || !this.#hasRoomFor(id);
    };
    return {
      // Present, because libp2p's default in a tab refuses plain ws and private addresses.
      denyDialMultiaddr: () => false,
      denyDialPeer: refuse,
      denyInboundEncryptedConnection: refuse,
      denyOutboundConnection: refuse,
      denyOutboundEncryptedConnection: refuse,
      // Relays reserve by themselves for those they have admitted (relay.ts); nobody has to ask.
      denyInboundRelayReservation: () => true,
      denyOutboundRelayedConnection: (source, destination) =>
        !this.isAdmitted(source.toString()) || !this.isAdmitted(destination.toString()),
      denyInboundRelayedConnection: (relay, source) => !this.isAdmitted(relay.toString()) || refuse(source),
    };
  }
}

function dropOldest(peers: Map<PeerId, number> | Set<PeerId>, sizeMax: number): void {
  if (peers.size <= sizeMax) return;
  const oldest = peers.keys().next();
  if (!oldest.done) peers.delete(oldest.value);
}
