/**
 * This node as a relay, and as a node that is reached through relays. In libp2p each node asks relays of its choice for
 * a reservation. Here a relay reserves by itself for every admitted member to which it has a direct connection. That
 * works from tab to tab too, saves the round trips, and gives strangers nothing to ask for.
 *
 * Reached inside of @libp2p/circuit-relay-v2 4.2.13: the client's `reservationStore.hasReservation`, which is made to
 * say yes, and the service's public map `reservations`. For: protocol and library know reservations on request only.
 * Goes when: the service can reserve for a peer by itself, and the client can be told that it need not ask. Relaying
 * here needs this; it is not a matter of speed.
 */
import { circuitRelayServer, circuitRelayTransport, type CircuitRelayService } from "@libp2p/circuit-relay-v2";
import type { Connection, PeerId as Libp2pPeerId } from "@libp2p/interface";
import { StarfishError } from "../base/errors.ts";

/**
 * Per relayed connection, both directions together: enough for hours of small messages and some bulk, too little for a
 * backup.
 */
const RELAYED_BYTES_MAX: bigint = 256n * 1024n * 1024n;

/** Per relayed connection. A node that still needs it after that dials again, perhaps through another relay. */
const RELAYED_DURATION_MS: number = 2 * 60 * 60 * 1000;

/** Relayed connections at a time, each way. */
const RELAYED_STREAMS_MAX = 256;

/** The parts of libp2p's client transport that are used here beyond its Transport interface. */
interface ReservationClient {
  reservationStore?: { hasReservation(relay: Libp2pPeerId): boolean };
}

/**
 * libp2p's relay service without reservations on request (the gate denies them). Limits are set on purpose: without
 * them libp2p treats a relayed connection like a direct one.
 */
export function relayService(): ReturnType<typeof circuitRelayServer> {
  return circuitRelayServer({
    maxInboundHopStreams: RELAYED_STREAMS_MAX,
    maxOutboundStopStreams: RELAYED_STREAMS_MAX,
    reservations: { applyDefaultLimit: true },
  });
}

/**
 * Dials and accepts through relays. The client is made to believe that it has a reservation everywhere. Otherwise each
 * call that reaches it through a relay would make it ask for one, in vain.
 */
export function relayTransport(): ReturnType<typeof circuitRelayTransport> {
  const create = circuitRelayTransport({
    maxInboundStopStreams: RELAYED_STREAMS_MAX,
    maxOutboundStopStreams: RELAYED_STREAMS_MAX,
  });
  return (components) => {
    const transport = create(components);
    const client = transport as typeof transport & ReservationClient;
    if (client.reservationStore === undefined) throw new StarfishError("unsupported", "Another libp2p than expected");
    client.reservationStore.hasReservation = () => true;
    return transport;
  };
}

/** The reservations of a relay service: one for each admitted member with a direct connection. */
export class Reservations {
  readonly #service: CircuitRelayService;
  readonly #controllers = new Map<string, AbortController>();

  constructor(service: CircuitRelayService) {
    this.#service = service;
  }

  grant(connection: Connection): void {
    const key = connection.remotePeer.toString();
    if (this.#controllers.has(key)) return;
    const controller = new AbortController();
    this.#controllers.set(key, controller);
    this.#service.reservations.set(connection.remotePeer, {
      addr: connection.remoteAddr,
      // It ends with the link, not at a time.
      expiry: new Date(8.64e15),
      limit: { data: RELAYED_BYTES_MAX, duration: RELAYED_DURATION_MS },
      signal: Object.assign(controller.signal, { reset: () => {}, clear: () => {} }),
    });
  }

  /** Ends the relayed connections to the peer too. */
  revoke(peer: Libp2pPeerId): void {
    const key = peer.toString();
    this.#controllers.get(key)?.abort(new StarfishError("link-closed", "The relay has lost the peer"));
    this.#controllers.delete(key);
    this.#service.reservations.delete(peer);
  }
}
