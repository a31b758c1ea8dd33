/**
 * The port Network over libp2p: the same code in tabs and in Node.js. Options bring what only one platform has
 * (listening and TCP come from node/transports.ts); WebRTC is loaded where it exists.
 *
 * This file is the outside. connections.ts keeps the connections and the links that they make up; dial.ts reaches
 * peers; gate.ts decides who may connect; relay.ts relays.
 */
import type { Connection, Stream } from "@libp2p/interface";
import type { Multiaddr } from "@multiformats/multiaddr";
import type { Bytes } from "../base/bytes.ts";
import { StarfishError } from "../base/errors.ts";
import { Listeners, type Unsubscribe } from "../base/events.ts";
import { abortable } from "../ports/clock.ts";
import type { Address, Channel, DialTarget, Link, Network, PeerId } from "../ports/network.ts";
import { isRelayed, parseAddress, placeOf, publicForm } from "./addresses.ts";
import { Connections } from "./connections.ts";
import { Dialer, type DialHost } from "./dial.ts";
import { Gate } from "./gate.ts";
import { CALL_BACK_ADDRESSES_MAX, GREETING_PROTOCOL, speakFirst } from "./greeting.ts";
import { createNode, type Libp2pNode, startNode, type TransportFactory } from "./libp2p.ts";
import type { NoiseCrypto } from "./noise.ts";
import { Reach } from "./reach.ts";
import { Reservations } from "./relay.ts";

export interface Libp2pNetworkOptions {
  /** This node's Ed25519 seed, 32 bytes. */
  readonly privateKey: Bytes;
  /** Links at a time; further peers are refused. */
  readonly linksMax: number;
  /** Whether to use WebRTC if the platform has it. Node.js has none: tabs dial its nodes, or are asked to call back. */
  readonly webrtc: boolean;
  /** STUN and TURN servers. None by default, so that nobody outside the swarm is ever contacted. */
  readonly iceServers?: readonly RTCIceServer[];
  /** Transports beside WebSocket dialling, relaying and WebRTC. */
  readonly transports?: readonly TransportFactory[];
  /** The platform's ciphers, if they are faster than those of noise. */
  readonly noiseCrypto?: NoiseCrypto;
  /**
   * Told of errors of a library or a handler that nobody could catch. The connection or channel concerned is closed
   * already.
   */
  readonly onFault?: (error: unknown) => void;
  /** Multiaddrs to listen on; the transports must be able to. */
  readonly listen?: readonly Address[];
  /**
   * IP addresses of this machine's interfaces, or the host that this page came from: they tell which private networks
   * it is in.
   */
  readonly ownHosts?: () => readonly string[];
  /** Further addresses that are told to others (of a container behind a published port, of a proxy). */
  readonly alsoAt?: readonly Address[];
}

/** Channels per protocol and connection, each way. */
const CHANNELS_MAX = 1_024;

/**
 * First words that are being heard on one connection: one greeting on a direct one, a few at a time on a relayed one.
 */
const GREETINGS_MAX = 4;

/**
 * A stranger that has been linked for longer than this is slower than a throttled tab, and is dropped when room is
 * short.
 */
const STRANGER_REST_MS = 2_000;

/** Calls back at a time. Only members can ask for them, and each is a handful of dials. */
const CALL_BACKS_MAX = 8;
const CALL_BACK_MS = 4_000;

type Accept = (channel: Channel, link: Link) => void;

/** Rejects with "in-use" or "io" when it can't listen. */
export async function createLibp2pNetwork(options: Libp2pNetworkOptions): Promise<Network> {
  let network: Libp2pNetwork | undefined;
  const hasRoomFor = (peer: PeerId): boolean => network?.hasRoomFor(peer) === true;
  const gate = new Gate(hasRoomFor);
  const webrtc = options.webrtc && "RTCPeerConnection" in globalThis;
  const transports = [...(options.transports ?? [])];
  if (webrtc) {
    const { createWebRtcTransport } = await import("./webrtc.ts");
    transports.push(await createWebRtcTransport(options.iceServers ?? []));
  }
  const { privateKey, linksMax, listen = [], noiseCrypto, onFault } = options;
  const node = await createNode({
    privateKey,
    linksMax,
    listen,
    transports,
    noiseCrypto,
    onFault,
    gater: gate.rules(),
  });
  network = new Libp2pNetwork(node, gate, webrtc, options);
  await startNode(node);
  return network;
}

class Libp2pNetwork implements Network, DialHost {
  readonly self: PeerId;
  readonly webrtc: boolean;
  readonly webrtcReason: string;
  readonly #node: Libp2pNode;
  readonly #gate: Gate;
  readonly #reservations: Reservations;
  readonly #connections: Connections;
  readonly #dialer: Dialer;
  readonly reach: Reach;
  readonly #alsoAt: readonly Address[];
  readonly #linksMax: number;
  readonly #onFault: (error: unknown) => void;
  readonly #handlers = new Set<string>();
  readonly #addressListeners = new Listeners<readonly Address[]>();
  #lastAddresses = "";
  #callBacks = 0;
  #disposed = false;

  constructor(node: Libp2pNode, gate: Gate, webrtc: boolean, options: Libp2pNetworkOptions) {
    this.self = node.libp2p.peerId.toString();
    this.webrtc = webrtc;
    this.webrtcReason = whyNoWebRtc(options.webrtc);
    this.#node = node;
    this.#gate = gate;
    this.#alsoAt = options.alsoAt ?? [];
    this.#linksMax = options.linksMax;
    this.#onFault = options.onFault ?? ((): void => {});
    this.#reservations = new Reservations(node.relay);
    const hostOf = (address: Address): string => placeOf(parseAddress(address));
    this.reach = new Reach(options.ownHosts ?? ((): readonly string[] => []), () => this.addresses().map(hostOf));
    this.#dialer = new Dialer(this);
    this.#connections = new Connections({
      self: this.self,
      gate,
      reservations: this.#reservations,
      callBack: (connection, { addresses }) => this.#callBack(connection, addresses),
    });
    node.libp2p.addEventListener("connection:open", (event) => this.#connections.opened(event.detail));
    node.libp2p.addEventListener("connection:close", (event) => this.#connections.closed(event.detail));
    node.libp2p.addEventListener("self:peer:update", () => this.#tellAddresses());
    const greeted = (stream: Stream, connection: Connection): void => {
      // A greeting that fails has closed its channel, and has no effect.
      this.#connections.greeted(stream, connection).catch(() => {});
    };
    this.#register(GREETING_PROTOCOL, greeted, GREETINGS_MAX);
  }

  addresses(): readonly Address[] {
    return [...new Set([...publicForm(this.#node.libp2p.getMultiaddrs()), ...this.#alsoAt])];
  }

  onAddresses(listener: (addresses: readonly Address[]) => void): Unsubscribe {
    this.#lastAddresses = this.addresses().join(" ");
    return this.#addressListeners.add(listener);
  }

  async dial(target: DialTarget, options: { signal?: AbortSignal | undefined } = {}): Promise<Link> {
    if (this.#disposed) throw new StarfishError("closed", "This node has left the network");
    return this.#dialer.dial(target, options.signal);
  }

  links(): readonly Link[] {
    return this.#connections.links();
  }

  onLink(listener: (link: Link) => void): Unsubscribe {
    return this.#connections.onLink.add(listener);
  }

  handle(protocol: string, accept: Accept): Unsubscribe {
    if (this.#handlers.has(protocol)) throw new Error(`Assertion failed: two handlers of ${protocol}`);
    this.#handlers.add(protocol);
    this.#register(protocol, (stream, connection) => {
      const owner = this.#connections.owner(connection);
      const refuse = (): void => stream.abort(new StarfishError("link-closed", "No greeting, no link"));
      if (owner === undefined) return refuse();
      // The other end has answered our greeting and goes on at once, so its next words may arrive before its answer.
      if (owner instanceof Promise) owner.then((link) => accept(link.attach(stream, connection), link), refuse);
      else accept(owner.attach(stream, connection), owner);
    });
    return () => {
      if (this.#handlers.delete(protocol)) void this.#node.libp2p.unhandle(protocol);
    };
  }

  admit(peer: PeerId): void {
    this.#gate.admit(peer);
    const direct = this.#connections.link(peer)?.direct();
    if (direct !== undefined) this.#reservations.grant(direct);
  }

  expel(peer: PeerId, forMs: number): void {
    this.#gate.expel(peer, forMs);
    void this.#connections.link(peer)?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    await this.#connections.closeAll();
    await this.#node.libp2p.stop();
  }

  /** If there are too many links, strangers that take too long are dropped. */
  hasRoomFor(peer: PeerId): boolean {
    const links = this.#connections.links();
    if (links.length < this.#linksMax || this.#connections.link(peer) !== undefined) return true;
    const since = performance.now() - STRANGER_REST_MS;
    const stranger = links.find((link) => link.inbound && !this.#gate.isAdmitted(link.peer) && link.openedAt < since);
    void stranger?.close();
    return stranger !== undefined;
  }

  // For the dialler (DialHost).

  link(peer: PeerId): Link | undefined {
    return this.#connections.link(peer);
  }

  ownAddresses(): readonly Address[] {
    return this.addresses();
  }

  isExpelled(peer: PeerId): boolean {
    return this.#gate.isExpelled(peer);
  }

  canDial(address: Multiaddr): boolean {
    return this.#node.transportManager.dialTransportForMultiaddr(address) !== undefined;
  }

  connect(address: Multiaddr, options: { signal: AbortSignal }): Promise<Connection> {
    return this.#node.transportManager.dial(address, options);
  }

  greet(connection: Connection, reason: string | undefined, options: { signal: AbortSignal }): Promise<Link> {
    return this.#connections.greet(connection, reason, options.signal);
  }

  circuit(peer: PeerId): Connection | undefined {
    return this.#connections.idleCircuits(peer)[0];
  }

  async askCallBack(connection: Connection, options: { signal: AbortSignal }): Promise<Link> {
    const peer = connection.remotePeer.toString();
    const called = Promise.withResolvers<Link>();
    const unsubscribe = this.onLink((link) => {
      if (link.peer === peer) called.resolve(link);
    });
    try {
      const addresses = this.addresses().slice(0, CALL_BACK_ADDRESSES_MAX);
      const channel = await speakFirst(connection, { kind: "call-back", addresses }, options);
      channel.end();
      channel.onClose(() => {
        called.reject(new StarfishError("unreachable", "The peer could not call back", { retryable: true }));
      });
      return await abortable(options.signal, called.promise);
    } finally {
      unsubscribe();
    }
  }

  dropStale(peer: PeerId): void {
    this.#connections.dropStale(peer);
  }

  dropIdleCircuits(peer: PeerId): void {
    const unneeded = new StarfishError("link-closed", "A direct connection has replaced this one");
    for (const connection of this.#connections.idleCircuits(peer)) connection.abort(unneeded);
  }

  /** Only over a relay, which only members can use: nobody else may make this node dial. */
  async #callBack(connection: Connection, addresses: readonly Address[]): Promise<void> {
    const peer = connection.remotePeer.toString();
    const isWanted = isRelayed(connection) && this.#connections.link(peer)?.direct() === undefined;
    if (!isWanted || this.#callBacks >= CALL_BACKS_MAX) return;
    this.#callBacks++;
    await this.#dialer.dialDirect({ peer, addresses }, AbortSignal.timeout(CALL_BACK_MS));
    this.#callBacks--;
  }

  #register(
    protocol: string,
    handler: (stream: Stream, connection: Connection) => void,
    maxInboundStreams: number = CHANNELS_MAX,
  ): void {
    const options = { runOnLimitedConnection: true, maxInboundStreams, maxOutboundStreams: CHANNELS_MAX };
    // The handler is registered when the call returns; the promise is about libp2p's own records.
    void this.#node.libp2p.handle(protocol, (stream, connection) => this.#handle(handler, stream, connection), options);
  }

  /** libp2p would swallow an error of a handler and end the stream. */
  #handle(handler: (stream: Stream, connection: Connection) => void, stream: Stream, connection: Connection): void {
    try {
      handler(stream, connection);
    } catch (error) {
      stream.abort(new StarfishError("closed", "A new channel could not be handled", { cause: error }));
      this.#onFault(error);
    }
  }

  #tellAddresses(): void {
    const addresses = this.addresses();
    const joined = addresses.join(" ");
    if (joined === this.#lastAddresses) return;
    this.#lastAddresses = joined;
    this.#addressListeners.emit(addresses);
  }
}

function whyNoWebRtc(wanted: boolean): string {
  if (!("document" in globalThis)) return "no WebRTC on this node";
  return wanted ? "no WebRTC in this browser" : "WebRTC is turned off";
}
