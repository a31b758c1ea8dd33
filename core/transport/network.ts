/**
 * The port Network over libp2p: the same code in tabs and in Node. What only one platform has comes in by the options
 * (listening and TCP from node/transports.ts); WebRTC is loaded where it exists.
 *
 * A connection becomes (part of) a link by a greeting, see greeting.ts. This file keeps the account of connections and
 * links; how a peer is reached is in dial.ts, who may connect in gate.ts, relaying in relay.ts.
 */
import type { Connection, Stream } from "@libp2p/interface";
import type { Multiaddr } from "@multiformats/multiaddr";
import { type Bytes, equal } from "../base/bytes.ts";
import { encode } from "../base/codec.ts";
import { StarfishError } from "../base/errors.ts";
import { Listeners, type Unsubscribe } from "../base/events.ts";
import { abortable } from "../ports/clock.ts";
import type { Address, Channel, DialTarget, Link, Network, PeerId } from "../ports/network.ts";
import { isRelayed, publicForm } from "./addresses.ts";
import { StreamChannel } from "./channel.ts";
import { Dialer, type DialHost } from "./dial.ts";
import { Gate } from "./gate.ts";
import {
  CALL_BACK_ADDRESSES_MAX,
  GREETING_PROTOCOL,
  type Hello,
  NONCE_BYTES,
  readFirstWords,
  readHello,
  speakFirst,
} from "./greeting.ts";
import { createNode, type Libp2pNode, startNode, type TransportFactory } from "./libp2p.ts";
import { closeConnection, PeerLink } from "./link.ts";
import { Reservations } from "./relay.ts";

export interface Libp2pNetworkOptions {
  /** Ed25519 seed, 32 bytes: who this node is. */
  readonly privateKey: Bytes;
  /** Links at a time; a peer beyond it is refused. */
  readonly linksMax: number;
  /** Whether to use WebRTC if the platform has it. Node has none: tabs dial it, or are asked to call back. */
  readonly webrtc: boolean;
  /** STUN and TURN servers. None by default, so that nobody outside the swarm is ever contacted. */
  readonly iceServers?: readonly RTCIceServer[];
  /** Transports beside WebSocket dialling, relaying and WebRTC. */
  readonly transports?: readonly TransportFactory[];
  /** Multiaddrs to listen on; the transports must be able to. */
  readonly listen?: readonly Address[];
  /** Told to others instead of the addresses that are listened on (a container behind a published port). */
  readonly announce?: readonly Address[];
}

/** A connection that nobody has greeted on is closed after this. Relayed ones carry the signalling of WebRTC meanwhile. */
const UNCLAIMED_MS = 10_000;
const UNCLAIMED_RELAYED_MS = 20_000;

const GREETING_TIMEOUT_MS = 5_000;

/** Channels per protocol and connection, each way. */
const CHANNELS_MAX = 1_024;

/** Calls back at a time. Asked for by members only, and each is a handful of dials. */
const CALL_BACKS_MAX = 8;
const CALL_BACK_MS = 4_000;

/** Nonces of links to be; an entry lives from the first greeting to the link. Beyond this the oldest greeting fails. */
const NONCES_MAX = 1_024;

type Accept = (channel: Channel, link: Link) => void;

/** Rejects with "in-use" or "io" when it can't listen. */
export async function createLibp2pNetwork(options: Libp2pNetworkOptions): Promise<Network> {
  return Libp2pNetwork.create(options);
}

class Libp2pNetwork implements Network, DialHost {
  readonly self: PeerId;
  readonly webrtc: boolean;
  readonly webrtcReason: string;
  readonly #node: Libp2pNode;
  readonly #gate: Gate;
  readonly #reservations: Reservations;
  readonly #dialer: Dialer;
  readonly #announce: readonly Address[] | undefined;

  readonly #links: Map<PeerId, PeerLink>;
  readonly #owners = new Map<Connection, PeerLink>();
  /** Open connections that belong to no link (yet), with what will close them. */
  readonly #unclaimed = new Map<Connection, ReturnType<typeof setTimeout>>();
  /** Connections of links that are over, while they close. */
  readonly #closing = new Set<Connection>();
  /** Greetings under way on connections that this end dialled. */
  readonly #greetings = new Map<Connection, Promise<PeerLink>>();
  readonly #nonces = new Map<PeerId, Uint8Array>();

  readonly #handlers = new Set<string>();
  readonly #linkListeners = new Listeners<Link>();
  readonly #addressListeners = new Listeners<readonly Address[]>();
  #lastAddresses = "";
  #callBacks = 0;
  #disposed = false;

  static async create(options: Libp2pNetworkOptions): Promise<Libp2pNetwork> {
    const links = new Map<PeerId, PeerLink>();
    const gate = new Gate((peer) => links.has(peer) || links.size < options.linksMax);
    const webrtc = options.webrtc && "RTCPeerConnection" in globalThis;
    const transports = [...(options.transports ?? [])];
    if (webrtc) {
      const { createWebRtcTransport } = await import("./webrtc.ts");
      transports.push(await createWebRtcTransport(options.iceServers ?? []));
    }
    const node = await createNode({
      privateKey: options.privateKey,
      linksMax: options.linksMax,
      listen: options.listen ?? [],
      transports,
      gater: gate.rules(),
    });
    const network = new Libp2pNetwork(node, gate, links, webrtc, options);
    await startNode(node);
    return network;
  }

  private constructor(
    node: Libp2pNode,
    gate: Gate,
    links: Map<PeerId, PeerLink>,
    webrtc: boolean,
    options: Libp2pNetworkOptions,
  ) {
    this.self = node.libp2p.peerId.toString();
    this.webrtc = webrtc;
    this.webrtcReason = whyNoWebRtc(options.webrtc);
    this.#node = node;
    this.#gate = gate;
    this.#links = links;
    this.#announce = options.announce;
    this.#reservations = new Reservations(node.relay);
    this.#dialer = new Dialer(this);
    node.libp2p.addEventListener("connection:open", (event) => this.#opened(event.detail));
    node.libp2p.addEventListener("connection:close", (event) => this.#closed(event.detail));
    node.libp2p.addEventListener("self:peer:update", () => this.#tellAddresses());
    this.#register(GREETING_PROTOCOL, (stream, connection) => {
      // A greeting that fails has closed its channel and counts for nothing.
      this.#greeted(stream, connection).catch(() => {});
    });
  }

  addresses(): readonly Address[] {
    return this.#announce ?? publicForm(this.#node.libp2p.getMultiaddrs());
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
    return [...this.#links.values()];
  }

  onLink(listener: (link: Link) => void): Unsubscribe {
    return this.#linkListeners.add(listener);
  }

  handle(protocol: string, accept: Accept): Unsubscribe {
    if (this.#handlers.has(protocol)) throw new Error(`Assertion failed: two handlers of ${protocol}`);
    this.#handlers.add(protocol);
    this.#register(protocol, (stream, connection) => {
      const link = this.#owners.get(connection);
      if (link !== undefined) return accept(link.attach(stream, connection), link);
      const refuse = (): void => stream.abort(new StarfishError("link-closed", "No greeting, no link"));
      // The other end has answered our greeting and goes on at once; we may see its next words before its answer.
      const greeting = this.#greetings.get(connection);
      if (greeting === undefined) return refuse();
      greeting.then((late) => accept(late.attach(stream, connection), late), refuse);
    });
    return () => {
      if (this.#handlers.delete(protocol)) void this.#node.libp2p.unhandle(protocol);
    };
  }

  admit(peer: PeerId): void {
    this.#gate.admit(peer);
    const direct = this.#links.get(peer)?.direct();
    if (direct !== undefined) this.#reservations.grant(direct);
  }

  expel(peer: PeerId, forMs: number): void {
    this.#gate.expel(peer, forMs);
    void this.#links.get(peer)?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    await Promise.all([...this.#links.values()].map((link) => link.close()));
    for (const timer of this.#unclaimed.values()) clearTimeout(timer);
    await this.#node.libp2p.stop();
  }

  // What the dialler needs (DialHost).

  link(peer: PeerId): Link | undefined {
    return this.#links.get(peer);
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

  async greet(connection: Connection, reason: string | undefined, options: { signal: AbortSignal }): Promise<Link> {
    const greeting = this.#greet(connection, reason, options.signal);
    this.#greetings.set(connection, greeting);
    try {
      return await greeting;
    } catch (error) {
      void closeConnection(connection);
      throw error;
    } finally {
      this.#greetings.delete(connection);
    }
  }

  circuit(peer: PeerId): Connection | undefined {
    return this.#idleCircuits(peer)[0];
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
    for (const connection of this.#closing) {
      if (connection.remotePeer.toString() === peer) connection.abort(new StarfishError("link-closed", "Dialled anew"));
    }
  }

  dropIdleCircuits(peer: PeerId): void {
    for (const connection of this.#idleCircuits(peer)) connection.abort(new StarfishError("link-closed", "Not needed"));
  }

  /** Relayed connections that this end has dialled and that belong to no link. */
  #idleCircuits(peer: PeerId): Connection[] {
    return [...this.#unclaimed.keys()].filter(
      (connection) =>
        connection.remotePeer.toString() === peer &&
        connection.direction === "outbound" &&
        isRelayed(connection) &&
        connection.status === "open",
    );
  }

  // Connections and links.

  #register(protocol: string, handler: (stream: Stream, connection: Connection) => void): void {
    const options = { runOnLimitedConnection: true, maxInboundStreams: CHANNELS_MAX, maxOutboundStreams: CHANNELS_MAX };
    // It is registered when the call returns; the promise is about libp2p's own notes.
    void this.#node.libp2p.handle(protocol, handler, options);
  }

  #opened(connection: Connection): void {
    const patienceMs = isRelayed(connection) ? UNCLAIMED_RELAYED_MS : UNCLAIMED_MS;
    const timer = setTimeout(() => void closeConnection(connection), patienceMs);
    this.#unclaimed.set(connection, timer);
  }

  #closed(connection: Connection): void {
    clearTimeout(this.#unclaimed.get(connection));
    this.#unclaimed.delete(connection);
    this.#closing.delete(connection);
    const link = this.#owners.get(connection);
    this.#owners.delete(connection);
    if (link === undefined) return;
    link.remove(connection);
    if (link.direct() === undefined) this.#reservations.revoke(connection.remotePeer);
  }

  /** The dialler's part of a greeting. */
  async #greet(connection: Connection, reason: string | undefined, signal: AbortSignal): Promise<PeerLink> {
    const peer = connection.remotePeer.toString();
    const nonce = this.#nonce(peer);
    const hello: Hello = { kind: "hello", nonce, ...(reason === undefined ? {} : { reason }) };
    const limit = AbortSignal.any([signal, AbortSignal.timeout(GREETING_TIMEOUT_MS)]);
    const channel = await speakFirst(connection, hello, { signal: limit });
    const answer = await readHello(channel, { signal: limit });
    const { link, isNew } = this.#claim(connection, channel, { inbound: false, nonce: answer.nonce, reason });
    if (!equal(link.nonce, nonce)) {
      throw new StarfishError("link-closed", "The link has changed during the greeting", { retryable: true });
    }
    if (isNew) this.#linkListeners.emit(link);
    return link;
  }

  /** The answering part. */
  async #greeted(stream: Stream, connection: Connection): Promise<void> {
    const channel = new StreamChannel(stream, () => {});
    const words = await readFirstWords(channel, { signal: AbortSignal.timeout(GREETING_TIMEOUT_MS) });
    if (words.kind === "call-back") return this.#callBack(channel, connection, words.addresses);
    const { link, isNew } = this.#claim(connection, channel, {
      inbound: true,
      nonce: words.nonce,
      reason: words.reason,
    });
    channel.send(encode({ kind: "hello", nonce: link.nonce } satisfies Hello));
    if (isNew) this.#linkListeners.emit(link);
  }

  /** Only over a relay, which none but members can use: nobody else may make this node dial. */
  async #callBack(channel: StreamChannel, connection: Connection, addresses: readonly Address[]): Promise<void> {
    const peer = connection.remotePeer.toString();
    if (isRelayed(connection) && this.#callBacks < CALL_BACKS_MAX && this.#links.get(peer)?.direct() === undefined) {
      this.#callBacks++;
      await this.#dialer.dialDirect({ peer, addresses }, AbortSignal.timeout(CALL_BACK_MS));
      this.#callBacks--;
    }
    channel.end();
  }

  /** What this end calls its link with the peer: the one there is, or the next one. */
  #nonce(peer: PeerId): Uint8Array {
    const known = this.#links.get(peer)?.nonce ?? this.#nonces.get(peer);
    if (known !== undefined) return known;
    const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
    this.#nonces.set(peer, nonce);
    const oldest = this.#nonces.keys().next();
    if (this.#nonces.size > NONCES_MAX && !oldest.done) this.#nonces.delete(oldest.value);
    return nonce;
  }

  /** Makes the connection part of the link that the other end calls `nonce`, which may be a new one. */
  #claim(
    connection: Connection,
    channel: StreamChannel,
    theirs: { inbound: boolean; nonce: Uint8Array; reason: string | undefined },
  ): { link: PeerLink; isNew: boolean } {
    const peer = connection.remotePeer.toString();
    let link = this.#links.get(peer);
    if (link !== undefined && !equal(link.remoteNonce, theirs.nonce)) {
      void link.close();
      link = undefined;
    }
    const isNew = link === undefined;
    link ??= this.#newLink(peer, theirs.inbound, theirs.nonce);
    clearTimeout(this.#unclaimed.get(connection));
    this.#unclaimed.delete(connection);
    this.#owners.set(connection, link);
    link.add(connection, theirs.reason);
    if (this.#gate.isAdmitted(peer) && !isRelayed(connection)) this.#reservations.grant(connection);
    channel.onMessage(() => {});
    channel.onClose((error) => {
      if (connection.status === "open") connection.abort(error ?? new StarfishError("link-closed", "Hung up"));
    });
    return { link, isNew };
  }

  #newLink(peer: PeerId, inbound: boolean, remoteNonce: Uint8Array): PeerLink {
    const link = new PeerLink({
      self: this.self,
      peer,
      inbound,
      nonce: this.#nonce(peer),
      remoteNonce,
      onOver: (over) => this.#linkOver(over),
    });
    this.#nonces.delete(peer);
    this.#links.set(peer, link);
    return link;
  }

  #linkOver(link: PeerLink): void {
    if (this.#links.get(link.peer) === link) this.#links.delete(link.peer);
    this.#gate.forget(link.peer);
    for (const connection of link.connections()) {
      this.#closing.add(connection);
      this.#reservations.revoke(connection.remotePeer);
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
