/**
 * Keeps account of libp2p's connections and the links that they make up. A connection is unclaimed until its dialler
 * has greeted (greeting.ts). From then on it belongs to one link, until libp2p says that it is gone. There is one link
 * a peer.
 */
import type { Connection, Stream } from "@libp2p/interface";
import { equal } from "../base/bytes.ts";
import { encode } from "../base/codec.ts";
import { StarfishError } from "../base/errors.ts";
import { Listeners } from "../base/events.ts";
import { WaitingRoom } from "../base/waiting-room.ts";
import type { PeerId } from "../ports/network.ts";
import { isRelayed, placeOf } from "./addresses.ts";
import type { StreamChannel } from "./channel.ts";
import type { Gate } from "./gate.ts";
import {
  type CallBack,
  greetingChannel,
  type Hello,
  NONCE_BYTES,
  readFirstWords,
  readHello,
  speakFirst,
} from "./greeting.ts";
import { closeConnection, PeerLink } from "./link.ts";
import type { Reservations } from "./relay.ts";

/** A connection on which nobody has greeted is closed after this time, because diallers greet at once. */
const UNCLAIMED_MS = 3_000;
/** Relayed connections carry the signalling of WebRTC meanwhile. */
const UNCLAIMED_RELAYED_MS = 20_000;
/**
 * Unclaimed direct connections dialled by others, at a time. If there are more, the oldest is closed, fairly between
 * addresses.
 */
const UNCLAIMED_MAX = 64;

/** How long the answer to a hello may take: the other end may be busy. */
const GREETING_TIMEOUT_MS = 5_000;
/** How long the first words may take on a connection that somebody else has dialled. */
const FIRST_WORDS_MS = 3_000;

/**
 * First words on one relayed connection: a request to be called back, a repetition after a while, and finally the
 * hello.
 */
const RELAYED_GREETINGS_MAX = 8;

/**
 * Nonces of links that are being made; an entry lives from the first greeting to the link. Beyond this the oldest
 * greeting fails.
 */
const NONCES_MAX = 1_024;

export interface ConnectionsOptions {
  readonly self: PeerId;
  readonly gate: Gate;
  readonly reservations: Reservations;
  /** Answers a request to be called back. The channel is closed when the promise settles. Must not reject. */
  readonly callBack: (connection: Connection, words: CallBack) => Promise<void>;
}

export class Connections {
  /** Every new link, once both ends have greeted. */
  readonly onLink: Listeners<PeerLink> = new Listeners<PeerLink>();
  readonly #options: ConnectionsOptions;
  readonly #links = new Map<PeerId, PeerLink>();
  readonly #owners = new Map<Connection, PeerLink>();
  /** Open connections that belong to no link (yet), each with the function that cancels its closing. */
  readonly #unclaimed = new Map<Connection, () => void>();
  readonly #room = new WaitingRoom(UNCLAIMED_MAX);
  /** How many first words were said on each connection. */
  readonly #spoken = new WeakMap<Connection, number>();
  /** Connections of links that are over, while they close. */
  readonly #closing = new Set<Connection>();
  /** Greetings under way on connections that this end dialled. */
  readonly #greetings = new Map<Connection, Promise<PeerLink>>();
  readonly #nonces = new Map<PeerId, Uint8Array>();

  constructor(options: ConnectionsOptions) {
    this.#options = options;
  }

  links(): PeerLink[] {
    return [...this.#links.values()];
  }

  link(peer: PeerId): PeerLink | undefined {
    return this.#links.get(peer);
  }

  /** The link of a connection. A promise while the greeting is under way; undefined if it belongs to no link. */
  owner(connection: Connection): PeerLink | Promise<PeerLink> | undefined {
    return this.#owners.get(connection) ?? this.#greetings.get(connection);
  }

  /** libp2p has a new connection. */
  opened(connection: Connection): void {
    const isStranger = connection.direction === "inbound" && !isRelayed(connection);
    const patienceMs = isRelayed(connection) ? UNCLAIMED_RELAYED_MS : UNCLAIMED_MS;
    const timer = setTimeout(() => void closeConnection(connection), patienceMs);
    const dismiss = (): void => connection.abort(new StarfishError("busy", "Too many connections without a greeting"));
    const leave = isStranger ? this.#room.enter(placeOf(connection.remoteAddr), dismiss) : undefined;
    this.#unclaimed.set(connection, () => {
      clearTimeout(timer);
      leave?.();
    });
  }

  /** libp2p has lost a connection. */
  closed(connection: Connection): void {
    this.#noLongerUnclaimed(connection);
    this.#closing.delete(connection);
    const link = this.#owners.get(connection);
    if (link === undefined) return;
    this.#owners.delete(connection);
    link.remove(connection);
    if (link.direct() === undefined) this.#options.reservations.revoke(connection.remotePeer);
  }

  /**
   * Makes a connection that this end has dialled part of a link. Closes the connection if that fails. Rejects with
   * "version-mismatch", "link-closed", "malformed", or the signal's reason.
   */
  async greet(connection: Connection, reason: string | undefined, signal: AbortSignal): Promise<PeerLink> {
    const greeting = this.#greet(connection, reason, signal);
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

  /**
   * The other end greets first, on a connection that it has dialled. Rejects if the greeting is invalid; its channel is
   * closed then.
   */
  async greeted(stream: Stream, connection: Connection): Promise<void> {
    const spoken = (this.#spoken.get(connection) ?? 0) + 1;
    this.#spoken.set(connection, spoken);
    if (spoken > (isRelayed(connection) ? RELAYED_GREETINGS_MAX : 1)) {
      return connection.abort(new StarfishError("malformed", "A second greeting on one connection"));
    }
    const channel = greetingChannel(stream);
    const words = await readFirstWords(channel, { signal: AbortSignal.timeout(FIRST_WORDS_MS) });
    if (words.kind === "call-back") {
      await this.#options.callBack(connection, words);
      return channel.end();
    }
    const { link, isNew } = this.#claim(connection, channel, words, undefined);
    channel.send(encode({ kind: "hello", nonce: link.nonce } satisfies Hello));
    if (isNew) this.onLink.emit(link);
  }

  /** Relayed connections that this end has dialled and that belong to no link: they were needed for signalling. */
  idleCircuits(peer: PeerId): Connection[] {
    return [...this.#unclaimed.keys()].filter(
      (connection) =>
        connection.remotePeer.toString() === peer &&
        connection.direction === "outbound" &&
        isRelayed(connection) &&
        connection.status === "open",
    );
  }

  /** Closes at once what is left of former links to the peer. */
  dropStale(peer: PeerId): void {
    for (const connection of this.#closing) {
      if (connection.remotePeer.toString() === peer) connection.abort(new StarfishError("link-closed", "Dialled anew"));
    }
  }

  async closeAll(): Promise<void> {
    await Promise.all(this.links().map((link) => link.close()));
    for (const connection of this.#unclaimed.keys()) this.#noLongerUnclaimed(connection);
  }

  async #greet(connection: Connection, reason: string | undefined, signal: AbortSignal): Promise<PeerLink> {
    const nonce = this.#nonce(connection.remotePeer.toString());
    const hello: Hello = { kind: "hello", nonce, ...(reason === undefined ? {} : { reason }) };
    const limit = AbortSignal.any([signal, AbortSignal.timeout(GREETING_TIMEOUT_MS)]);
    const channel = await speakFirst(connection, hello, { signal: limit });
    const answer = await readHello(channel, { signal: limit });
    const { link, isNew } = this.#claim(connection, channel, { ...answer, reason }, nonce);
    if (isNew) this.onLink.emit(link);
    return link;
  }

  /**
   * Makes the connection part of the link that the other end names `hello.nonce`, which may be a new link. `ours` is
   * this end's name for it, if this end spoke first.
   */
  #claim(
    connection: Connection,
    channel: StreamChannel,
    hello: Hello,
    ours: Uint8Array | undefined,
  ): { link: PeerLink; isNew: boolean } {
    const peer = connection.remotePeer.toString();
    const known = this.#links.get(peer);
    const isNew = known === undefined || !equal(known.remoteNonce, hello.nonce);
    if (isNew) void known?.close();
    if (ours !== undefined && !equal(this.#nonce(peer), ours)) {
      throw new StarfishError("link-closed", "The link has changed during the greeting", { retryable: true });
    }
    const link = isNew ? this.#newLink(peer, ours === undefined, hello.nonce) : known;
    this.#noLongerUnclaimed(connection);
    this.#owners.set(connection, link);
    link.add(connection, hello.reason);
    if (this.#options.gate.isAdmitted(peer) && !isRelayed(connection)) this.#options.reservations.grant(connection);
    channel.onMessage(() => {});
    channel.onClose((error) => {
      if (connection.status === "open") connection.abort(error ?? new StarfishError("link-closed", "Hung up"));
    });
    return { link, isNew };
  }

  #newLink(peer: PeerId, inbound: boolean, remoteNonce: Uint8Array): PeerLink {
    const { self, gate } = this.#options;
    const nonce = this.#nonce(peer);
    const link = new PeerLink({
      self,
      peer,
      inbound,
      nonce,
      remoteNonce,
      isAdmitted: () => gate.isAdmitted(peer),
      onOver: (over) => this.#linkOver(over),
    });
    this.#nonces.delete(peer);
    this.#links.set(peer, link);
    return link;
  }

  #linkOver(link: PeerLink): void {
    this.#links.delete(link.peer);
    this.#options.gate.forget(link.peer);
    for (const connection of link.connections()) {
      this.#closing.add(connection);
      this.#options.reservations.revoke(connection.remotePeer);
    }
  }

  /** This end's name for its link with the peer: the existing link, or the next one. */
  #nonce(peer: PeerId): Uint8Array {
    const known = this.#links.get(peer)?.nonce ?? this.#nonces.get(peer);
    if (known !== undefined) return known;
    const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
    this.#nonces.set(peer, nonce);
    const oldest = this.#nonces.keys().next();
    if (this.#nonces.size > NONCES_MAX && !oldest.done) this.#nonces.delete(oldest.value);
    return nonce;
  }

  #noLongerUnclaimed(connection: Connection): void {
    this.#unclaimed.get(connection)?.();
    this.#unclaimed.delete(connection);
  }
}
