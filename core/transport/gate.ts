/**
 * Who may connect, and who may use this node as introducer or relay. The layer above knows the members; it says so with
 * `admit` and `expel`, and this file applies that to what libp2p is about to do.
 */
import type { ConnectionGater, PeerId as Libp2pPeerId } from "@libp2p/interface";
import type { PeerId } from "../ports/network.ts";

/**
 * How many refused peers are remembered. Beyond it the oldest is forgotten; if it returns, admission refuses it again.
 */
const EXPELLED_MAX = 1024;

/** How many admitted peers are remembered. They are forgotten with their link, so that there are never more. */
const ADMITTED_MAX = 4096;

export class Gate {
  readonly #admitted = new Set<PeerId>();
  /** Until when each peer is refused, in ms of performance.now(). */
  readonly #expelled = new Map<PeerId, number>();
  readonly #hasRoomFor: (peer: PeerId) => boolean;

  /** `hasRoomFor` says whether there is a link to the peer already, or room for one. */
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

  /** The link to the peer is gone, so what was known of the peer may be different when it returns. */
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

  /** The same rules in the form that libp2p asks for. */
  rules(): ConnectionGater {
    const refuse = (peer: Libp2pPeerId): boolean => {
      const id = peer.toString();
      return this.isExpelled(id) || !this.#hasRoomFor(id);
    };
    return {
      // Set, because libp2p's default in a tab refuses plain ws and private addresses.
      denyDialMultiaddr: () => false,
      denyDialPeer: refuse,
      denyInboundEncryptedConnection: refuse,
      denyOutboundConnection: refuse,
      denyOutboundEncryptedConnection: refuse,
      // Relays reserve for admitted peers by themselves (relay.ts); nobody has to ask.
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
