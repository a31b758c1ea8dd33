/**
 * The libp2p node below the adapter: the parts that are used, with their bounds. Left out on purpose: identify, ping,
 * discovery and routing (Starfish gossips members itself), and automatic redialling (the overlay decides).
 *
 * Two things are reached inside of libp2p 3.3.11, through a service of our own, which is given libp2p's components:
 * - `upgrader.upgradeInbound` is wrapped (`boundHandshakes`). For: when many newcomers have not finished their
 *   handshake, libp2p turns the next one away, so that those who never finish lock all others out. Goes when: its
 *   connection manager can end the oldest instead.
 * - `transportManager.dial` is called directly. For: the public `dial` joins and queues dials to one peer, and so can't
 *   race addresses. Goes when: libp2p has a public dial of one address.
 * Identify is claimed as a capability and not there. For: the relay transport demands it, for a discovery that is never
 * started. Goes when: @libp2p/circuit-relay-v2 asks for it only with discovery.
 */
import type { CircuitRelayService } from "@libp2p/circuit-relay-v2";
import { generateKeyPairFromSeed } from "@libp2p/crypto/keys";
import {
  type Connection,
  type ConnectionGater,
  type Libp2p,
  serviceCapabilities,
  type Upgrader,
} from "@libp2p/interface";
import { webSockets } from "@libp2p/websockets";
import type { Multiaddr } from "@multiformats/multiaddr";
import { createLibp2p, type Libp2pOptions } from "libp2p";
import type { Bytes } from "../base/bytes.ts";
import { messageOf, StarfishError } from "../base/errors.ts";
import { WaitingRoom } from "../base/waiting-room.ts";
import type { Address } from "../ports/network.ts";
import { placeOf, transportOf } from "./addresses.ts";
import { guardedYamux } from "./guarded.ts";
import { lightNoise, type NoiseCrypto } from "./noise.ts";
import { relayService, relayTransport } from "./relay.ts";
import { silentLogger } from "./silent-logger.ts";

/** Makes a libp2p transport; the platform's own (listening, TCP) come in as these. */
export type TransportFactory = NonNullable<Libp2pOptions["transports"]>[number];

/** Connections that one host may open per second: many tabs of one browser may start at once. */
const INBOUND_PER_SECOND_MAX = 100;
/** Handshakes of others at a time. If there are more, the oldest is ended, fairly between addresses. */
const HANDSHAKES_MAX = 64;
/** A handshake takes four round trips and some computing. */
const HANDSHAKE_MS = 3_000;

/** Connections of strangers at all their stages. */
const STRANGERS_MAX = 4 * HANDSHAKES_MAX;

/** Streams that a peer may open before the connection is complete at this end. */
const EARLY_STREAMS_MAX = 64;

export interface Libp2pNodeOptions {
  readonly privateKey: Bytes;
  readonly linksMax: number;
  readonly listen: readonly Address[];
  readonly transports: readonly TransportFactory[];
  readonly gater: ConnectionGater;
  readonly noiseCrypto?: NoiseCrypto | undefined;
  /** Told of errors that a library has thrown; the connection is closed already. */
  readonly onFault?: ((error: unknown) => void) | undefined;
}

/**
 * The parts of libp2p that are given to its services and used here, because its public dial joins and queues dials to
 * one peer.
 */
interface TransportManager {
  dial(address: Multiaddr, options: { signal: AbortSignal }): Promise<Connection>;
  dialTransportForMultiaddr(address: Multiaddr): unknown;
}

export interface Libp2pNode {
  readonly libp2p: Libp2p;
  readonly relay: CircuitRelayService;
  readonly transportManager: TransportManager;
}

/** A node that is not started yet. */
export async function createNode(options: Libp2pNodeOptions): Promise<Libp2pNode> {
  let transportManager: TransportManager | undefined;
  const libp2p = await createLibp2p({
    start: false,
    logger: silentLogger,
    privateKey: await generateKeyPairFromSeed("Ed25519", options.privateKey),
    addresses: { listen: [...options.listen] },
    transports: [webSocketDialler(), relayTransport(), ...options.transports],
    connectionEncrypters: [lightNoise(options.noiseCrypto)],
    streamMuxers: [guardedYamux({ maxEarlyStreams: EARLY_STREAMS_MAX }, options.onFault ?? (() => {}))],
    connectionGater: options.gater,
    connectionMonitor: { enabled: false },
    connectionManager: {
      // Two connections for each link while its path changes; the short-lived ones that carry signalling; and those of
      // strangers, which have bounds of their own here, in connections.ts and in the lobby.
      maxConnections: 3 * options.linksMax + STRANGERS_MAX,
      inboundConnectionThreshold: INBOUND_PER_SECOND_MAX,
      inboundUpgradeTimeout: HANDSHAKE_MS,
      // Never reached; handshakes that were ended count until they have noticed.
      maxIncomingPendingConnections: 4 * HANDSHAKES_MAX,
      reconnectRetries: 0,
    },
    services: {
      relay: relayService(),
      // The relay transport wants identify, for a discovery that is never started.
      inside: (components: { transportManager: TransportManager; upgrader: Upgrader }) => {
        transportManager = components.transportManager;
        boundHandshakes(components.upgrader);
        return { [serviceCapabilities]: ["@libp2p/identify"] };
      },
    },
  });
  if (transportManager === undefined) throw new StarfishError("unsupported", "Another libp2p than expected");
  return { libp2p, relay: libp2p.services.relay, transportManager };
}

/**
 * Ends the oldest handshake when there are too many. libp2p itself would turn newcomers away, so that peers that never
 * finish lock all others out.
 */
function boundHandshakes(upgrader: Upgrader): void {
  const room = new WaitingRoom(HANDSHAKES_MAX);
  const upgrade = upgrader.upgradeInbound.bind(upgrader);
  upgrader.upgradeInbound = async (connection, options) => {
    const { remoteAddr } = connection;
    const dismiss = (): void => connection.abort(new StarfishError("busy", "Too many handshakes at once"));
    // A relayed connection comes from a member.
    const leave = transportOf(remoteAddr) === "circuit" ? () => {} : room.enter(placeOf(remoteAddr), dismiss);
    try {
      return await upgrade(connection, options);
    } finally {
      leave();
    }
  };
}

/** Starts it. Rejects with "in-use" if an address is taken, "io" if it can't be listened on for another reason. */
export async function startNode(node: Libp2pNode): Promise<void> {
  try {
    await node.libp2p.start();
  } catch (error) {
    const message = messageOf(error);
    throw new StarfishError(message.includes("EADDRINUSE") ? "in-use" : "io", message, { cause: error });
  }
}

/** It only dials: the owner of the HTTP server listens for WebSockets (node/websocket-server.ts). */
function webSocketDialler(): TransportFactory {
  const create = webSockets();
  return (components) => {
    const transport = create(components);
    const matching = transport.listenFilter.bind(transport);
    transport.dialFilter = matching;
    transport.listenFilter = () => [];
    return transport;
  };
}
