/**
 * Request and reply: one exchange at a time on a channel, on the protocol of the part that serves it. The asker sends
 * the request and ends its side; the server sends the reply and ends its own. A node that makes many requests keeps the
 * channel for the next one instead, as HTTP/1.1 keeps connections (RFC 9112, 9.3). Aborting the channel cancels, from
 * either side, and a link that closes does the same.
 *
 * Promises: a request settles by its deadline; what is in flight is bounded per peer and in total, at both ends; a
 * handler sees only what its schema has passed; its StarfishErrors reach the asker with code and message.
 */
import type { Bytes } from "../../base/bytes.ts";
import { check, decode, type Schema } from "../../base/codec.ts";
import { isStarfishError, messageOf, StarfishError, toStarfishError } from "../../base/errors.ts";
import type { Unsubscribe } from "../../base/events.ts";
import { withDeadline, type Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import { MESSAGE_BYTES_MAX, type Channel, type Message, type PeerId } from "../../ports/network.ts";
import { Inbox } from "../links/inbox.ts";
import { ChannelPool, type Talk } from "./channel-pool.ts";
import {
  ASKED_MAX,
  ASKED_PER_PEER_MAX,
  KEPT_CHANNEL_SERVED_MS,
  REPLY_TAKEN_MS,
  REQUEST_ARRIVAL_MS,
  REQUEST_TIMEOUT_MS,
  SERVED_MAX,
  SERVED_PER_PEER_MAX,
} from "../limits.ts";
import type { LinkTable } from "../links/link-table.ts";
import type { AdmittedLink } from "../links/links.ts";
import { decodeReply, describe, encodeFailure, encodeReply, encodeRequest } from "./wire.ts";
import { PeerLimiter } from "./peer-limiter.ts";
import type { RequestContext } from "../types.ts";

export interface RpcPorts {
  readonly links: LinkTable;
  readonly clock: Clock;
  readonly log: Log;
}

export interface AskOptions {
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
  /**
   * Keeps the channel open for some time, for the next request of this protocol with this option: for parts that
   * transfer many bytes.
   */
  readonly keepAlive?: boolean | undefined;
  /**
   * If there is no link: whether a member that is linked to both carries the request, and no link is made for it
   * (router.ts).
   */
  readonly isCarried?: boolean | undefined;
  /** Called when the request is sent. Until then it may still be sent over another link instead. */
  readonly onSent?: (() => void) | undefined;
}

export interface Rpc {
  handle<Q>(
    protocol: string,
    schema: Schema<Q>,
    serve: (request: Q, context: RequestContext) => Promise<unknown>,
  ): Unsubscribe;
  /** Asks over a link that is there. */
  ask<R>(link: AdmittedLink, protocol: string, request: unknown, schema: Schema<R>, options?: AskOptions): Promise<R>;
  /**
   * Serves a request that came some other way (forwarded): its bytes in, the reply's out. Counts against the same
   * bounds. Never rejects.
   */
  serve(protocol: string, request: Bytes, context: RequestContext): Promise<Message>;
  /** Ends the channels that are kept for the next request. */
  close(): void;
}

/** Checks a request, then gives what serves it. */
type Handler = (request: Bytes) => (context: RequestContext) => Promise<unknown>;

export function createRpc(ports: RpcPorts): Rpc {
  return new Requests(ports);
}

class Requests implements Rpc {
  readonly #ports: RpcPorts;
  readonly #handlers = new Map<string, Handler>();
  readonly #served = new PeerLimiter({ perPeerMax: SERVED_PER_PEER_MAX, max: SERVED_MAX });
  readonly #asked = new PeerLimiter({ perPeerMax: ASKED_PER_PEER_MAX, max: ASKED_MAX });
  readonly #kept: ChannelPool;

  constructor(ports: RpcPorts) {
    this.#ports = ports;
    this.#kept = new ChannelPool(ports.clock);
  }

  handle<Q>(
    protocol: string,
    schema: Schema<Q>,
    serve: (request: Q, context: RequestContext) => Promise<unknown>,
  ): Unsubscribe {
    const handler: Handler = (bytes) => {
      const request = decode(schema, bytes);
      return (context) => serve(request, context);
    };
    this.#handlers.set(protocol, handler);
    const unsubscribe = this.#ports.links.accept(protocol, (channel, link) => void this.#answer(channel, link.peer));
    return () => {
      unsubscribe();
      if (this.#handlers.get(protocol) === handler) this.#handlers.delete(protocol);
    };
  }

  async serve(protocol: string, request: Bytes, context: RequestContext): Promise<Message> {
    const handler = this.#handlers.get(protocol);
    if (handler === undefined) {
      return encodeFailure(new StarfishError("unknown-protocol", `The other node does not serve ${protocol}`));
    }
    const release = this.#served.take(context.from);
    if (release === undefined) return encodeFailure(busy("The other node serves too many requests already"));
    try {
      const run = this.#understand(context.from, protocol, () => handler(request));
      return encodeReply(await run(context));
    } catch (error) {
      if (!(error instanceof StarfishError)) {
        this.#ports.log.write("error", "net.handler", { protocol, from: context.from, error: describe(error) });
      }
      return encodeFailure(error);
    } finally {
      release();
    }
  }

  close(): void {
    this.#kept.close();
  }

  ask<R>(
    link: AdmittedLink,
    protocol: string,
    request: unknown,
    schema: Schema<R>,
    options: AskOptions = {},
  ): Promise<R> {
    const { signal, timeoutMs = REQUEST_TIMEOUT_MS } = options;
    const exchange = async (deadline: AbortSignal): Promise<R> => {
      const message = encodeRequest(request);
      const release = this.#asked.take(link.peer);
      if (release === undefined) throw busy("Too many requests to this node wait for a reply already");
      try {
        return await this.#exchange(link, protocol, message, schema, deadline, options);
      } finally {
        release();
      }
    };
    return withDeadline(this.#ports.clock, timeoutMs, `The request ${protocol}`, exchange, { signal });
  }

  async #exchange<R>(
    link: AdmittedLink,
    protocol: string,
    request: Message,
    schema: Schema<R>,
    signal: AbortSignal,
    { keepAlive = false, onSent }: AskOptions,
  ): Promise<R> {
    const kept = keepAlive ? this.#kept.take(link, protocol) : undefined;
    const { channel, inbox } = kept ?? talkOn(await link.open(protocol, { signal }));
    let bytes: Uint8Array;
    try {
      channel.send(request);
      onSent?.();
      if (!keepAlive) channel.end();
      bytes = await inbox.next(signal);
    } catch (error) {
      channel.abort(toStarfishError(error, "cancelled"));
      throw error;
    }
    if (keepAlive) this.#kept.keep(link, { channel, inbox });
    const reply = this.#understand(link.peer, protocol, () => decodeReply(bytes));
    if (!reply.ok) throw reply.error;
    return this.#understand(link.peer, protocol, () => check(schema, reply.value));
  }

  /** Serves the requests on a channel, one after the other. */
  async #answer(channel: Channel, from: PeerId): Promise<void> {
    const { inbox } = talkOn(channel);
    for (let patienceMs = REQUEST_ARRIVAL_MS; ; patienceMs = KEPT_CHANNEL_SERVED_MS) {
      const request = await this.#nextRequest(channel, inbox, from, patienceMs);
      if (request === undefined) return;
      const reply = await this.serve(channel.protocol, request, { from, signal: inbox.closed });
      if (!(await this.#reply(channel, reply))) return;
      if (inbox.isOver) return channel.end();
    }
  }

  /** Whether the reply is on its way. A peer that keeps asking and does not read the answers is disconnected. */
  async #reply(channel: Channel, reply: Message): Promise<boolean> {
    try {
      const isTaken = channel.send(reply);
      if (!isTaken) await withDeadline(this.#ports.clock, REPLY_TAKEN_MS, "The reply", () => channel.drained());
      return true;
    } catch (error) {
      channel.abort(toStarfishError(error, "timeout"));
      return false;
    }
  }

  /** Undefined when there is none; the channel is over then. */
  async #nextRequest(
    channel: Channel,
    inbox: Inbox,
    from: PeerId,
    patienceMs: number,
  ): Promise<Uint8Array | undefined> {
    try {
      return await withDeadline(this.#ports.clock, patienceMs, "The request", (signal) => inbox.next(signal));
    } catch (error) {
      if (isStarfishError(error, "too-large")) this.#ports.links.misbehaved(from, `${channel.protocol}: too large`);
      // A channel that ends between two requests has ended in the regular way.
      if (inbox.isOver && patienceMs === KEPT_CHANNEL_SERVED_MS) channel.end();
      else channel.abort(toStarfishError(error, "timeout"));
      return undefined;
    }
  }

  /** Reads what a peer has sent; counts it as the peer's fault when that can't be done. */
  #understand<T>(peer: PeerId, protocol: string, read: () => T): T {
    try {
      return read();
    } catch (error) {
      this.#ports.links.misbehaved(peer, `${protocol}: ${messageOf(error)}`);
      throw error;
    }
  }
}

function talkOn(channel: Channel): Talk {
  return { channel, inbox: new Inbox(channel, { bytesMax: MESSAGE_BYTES_MAX, messagesMax: 1 }) };
}

function busy(message: string): StarfishError {
  return new StarfishError("busy", message, { retryable: true });
}
