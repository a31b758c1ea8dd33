/**
 * The port's Link, over one or several libp2p connections to the same peer: both ends may dial at once, and a direct
 * connection may join a relayed one. New channels use the best connection. The others are closed once they are idle,
 * and after a while in any case. So nothing stays on a relay that could go directly, and no connection is kept twice.
 */
import type { Connection, Stream } from "@libp2p/interface";
import { cancelled, isStarfishError, StarfishError, throwIfAborted } from "../base/errors.ts";
import { Listeners, type Unsubscribe } from "../base/events.ts";
import { abortable } from "../ports/clock.ts";
import type { Channel, Link, LinkPath, PeerId } from "../ports/network.ts";
import { isRelayed, pathOf, transportOf } from "./addresses.ts";
import { StreamChannel } from "./channel.ts";
import { isUnsupported } from "./greeting.ts";

/** A peer that does not answer the opening of a channel for this long counts as gone. */
const OPEN_TIMEOUT_MS = 10_000;

/** How long a closing connection may take to deliver what was sent before. */
const LINGER_MS = 1_000;

/** A connection that is not the best is closed after this time, when both ends have seen the better one. */
const SURPLUS_GRACE_MS = 1_500;

/** The other end may leave as many channels unanswered as it can open; more than this is a fault. */
const CHANNELS_MAX = 1_024;

/** Channels may finish on a surplus connection for this long; then they are cut, and opened again on the direct one. */
const SURPLUS_REST_MS = 10_000;

/**
 * The most that a peer may send before it is admitted: its hello, and what it sends between admitting this node and
 * being admitted.
 */
const EARLY_BYTES_MAX = 256 * 1024;

const TRANSPORT_RANK = { tcp: 0, websocket: 1, webrtc: 2, browser: 3, circuit: 4 } as const;

export interface PeerLinkOptions {
  readonly self: PeerId;
  readonly peer: PeerId;
  readonly inbound: boolean;
  /** The names that this end and the other end have for this link. */
  readonly nonce: Uint8Array;
  readonly remoteNonce: Uint8Array;
  /** Whether the peer has been admitted by now. */
  readonly isAdmitted: () => boolean;
  /** Called once, synchronously, when the link is over. */
  readonly onOver: (link: PeerLink) => void;
}

export class PeerLink implements Link {
  readonly peer: PeerId;
  readonly inbound: boolean;
  readonly nonce: Uint8Array;
  readonly remoteNonce: Uint8Array;
  readonly #self: PeerId;
  readonly #onOver: (link: PeerLink) => void;
  readonly #connections: Connection[] = [];
  readonly #channels = new Map<StreamChannel, Connection>();
  readonly #closeListeners = new Listeners<void>();
  readonly #over = new AbortController();
  /** In ms of performance.now(). */
  readonly openedAt: number = performance.now();
  readonly #isAdmitted: () => boolean;
  #earlyBytes = 0;
  #path: LinkPath = { kind: "direct", transport: "tcp" };
  #relayReason: string | undefined;
  #trimTimer: ReturnType<typeof setTimeout> | undefined;
  #farewell: Promise<void> = Promise.resolve();

  constructor(options: PeerLinkOptions) {
    this.peer = options.peer;
    this.inbound = options.inbound;
    this.nonce = options.nonce;
    this.remoteNonce = options.remoteNonce;
    this.#self = options.self;
    this.#onOver = options.onOver;
    this.#isAdmitted = options.isAdmitted;
  }

  get closed(): boolean {
    return this.#over.signal.aborted;
  }

  path(): LinkPath {
    return this.#path;
  }

  connections(): readonly Connection[] {
    return this.#connections;
  }

  /** The best connection that is direct, if there is one. */
  direct(): Connection | undefined {
    return this.#connections.find((connection) => !isRelayed(connection));
  }

  add(connection: Connection, reason?: string): void {
    if (reason !== undefined) this.#relayReason = reason;
    this.#connections.push(connection);
    this.#sort();
  }

  /** The connection has closed. If it was the last one, the link is over. */
  remove(connection: Connection): void {
    const index = this.#connections.indexOf(connection);
    if (index < 0) return;
    this.#connections.splice(index, 1);
    if (this.#connections.length === 0) this.#end();
    else this.#sort();
  }

  async open(protocol: string, options: { signal?: AbortSignal | undefined } = {}): Promise<Channel> {
    throwIfAborted(options.signal);
    const deadline = AbortSignal.timeout(OPEN_TIMEOUT_MS);
    const signals = [this.#over.signal, deadline];
    if (options.signal) signals.push(options.signal);
    const signal = AbortSignal.any(signals);
    for (;;) {
      const connection = this.#connections[0];
      if (connection === undefined || this.closed) throw linkClosed(undefined);
      try {
        const stream = await abortable(
          signal,
          connection.newStream(protocol, { signal, runOnLimitedConnection: true, maxOutboundStreams: CHANNELS_MAX }),
        );
        return this.attach(stream, connection);
      } catch (error) {
        if (this.closed) throw linkClosed(error);
        if (options.signal?.aborted) throw cancelled(options.signal);
        if (deadline.aborted) {
          throw new StarfishError("timeout", `The peer does not answer to ${protocol}`, {
            cause: error,
            retryable: true,
          });
        }
        // Another connection may have become the best one meanwhile. A failure on the best one is final.
        if (this.#connections[0] === connection) throw openFailure(error, protocol);
      }
    }
  }

  /** A channel over a stream of one of this link's connections. */
  attach(stream: Stream, connection: Connection): StreamChannel {
    const onOver = (over: StreamChannel): void => {
      this.#channels.delete(over);
      this.#trimLater();
    };
    const mayCome = (bytes: number): boolean => this.#isAdmitted() || (this.#earlyBytes += bytes) <= EARLY_BYTES_MAX;
    const channel = new StreamChannel(stream, onOver, { mayCome });
    if (this.closed) channel.abort(linkClosed(undefined));
    else this.#channels.set(channel, connection);
    return channel;
  }

  close(): Promise<void> {
    this.#end();
    return this.#farewell;
  }

  onClose(listener: () => void): Unsubscribe {
    if (!this.closed) return this.#closeListeners.add(listener);
    queueMicrotask(listener);
    return () => {};
  }

  #end(): void {
    if (this.closed) return;
    clearTimeout(this.#trimTimer);
    const error = linkClosed(undefined);
    this.#over.abort(error);
    const channels = [...this.#channels.keys()];
    for (const channel of channels) channel.release(error);
    this.#farewell = closeAll(this.#connections);
    this.#onOver(this);
    queueMicrotask(() => this.#closeListeners.emit());
  }

  /** The best first; both ends sort in the same order. */
  #sort(): void {
    const rank = (connection: Connection): number => {
      const dialler = connection.direction === "outbound" ? this.#self : this.peer;
      const other = dialler === this.#self ? this.peer : this.#self;
      return TRANSPORT_RANK[transportOf(connection.remoteAddr)] * 2 + (dialler < other ? 0 : 1);
    };
    this.#connections.sort((a, b) => rank(a) - rank(b) || a.timeline.open - b.timeline.open);
    const best = this.#connections[0];
    if (best !== undefined) this.#path = pathOf(best, this.#relayReason);
    this.#trimLater();
  }

  /** Only one end closes surplus connections, so that the two ends do not close one each. */
  #trimLater(): void {
    if (this.#connections.length < 2 || this.#self > this.peer || this.closed) return;
    clearTimeout(this.#trimTimer);
    this.#trimTimer = setTimeout(() => {
      this.#trim();
      this.#trimLater();
    }, SURPLUS_GRACE_MS);
  }

  #trim(): void {
    const [best, ...others] = this.#connections;
    if (best === undefined) return;
    const busy = new Set(this.#channels.values());
    const isSettled = !isRelayed(best) && Date.now() - best.timeline.open > SURPLUS_REST_MS;
    for (const other of others) if (isSettled || !busy.has(other)) void closeConnection(other);
  }
}

async function closeAll(connections: readonly Connection[]): Promise<void> {
  await Promise.all(connections.map(closeConnection));
}

/** Delivers what was sent, within LINGER_MS, and closes the connection. Never rejects. */
export async function closeConnection(connection: Connection): Promise<void> {
  try {
    const signal = AbortSignal.timeout(LINGER_MS);
    await abortable(signal, connection.close({ signal }));
  } catch (error) {
    connection.abort(linkClosed(error));
  }
}

function linkClosed(cause: unknown): StarfishError {
  if (isStarfishError(cause, "link-closed")) return cause;
  return new StarfishError("link-closed", "The link has closed", { cause, retryable: true });
}

function openFailure(error: unknown, protocol: string): StarfishError {
  if (isUnsupported(error)) {
    return new StarfishError("unknown-protocol", `The peer does not speak ${protocol}`, { cause: error });
  }
  return linkClosed(error);
}
