/**
 * WebSocket links on the HTTP server that also serves the page: one port for both. The caller owns the server, makes it
 * listen and closes it. This file takes its "upgrade" requests, as a libp2p transport that can only listen:
 *
 *     const server = createServer(servePage);
 *     await once(server.listen(port, host), "listening");
 *     const network = await createLibp2pNetwork({ …, ...nodeTransports({ server, tcpHost: host }) });
 *
 * (see node/transports.ts). Requests that `mayLink` refuses are answered with 403. Disposing of the network ends its
 * links and leaves the server listening.
 */
import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import {
  type AbortOptions,
  type ComponentLogger,
  type CreateListenerOptions,
  type Listener,
  type ListenerEvents,
  type MultiaddrConnection,
  type Transport,
  TypedEventEmitter,
  transportSymbol,
} from "@libp2p/interface";
import {
  AbstractMultiaddrConnection,
  type AbstractMultiaddrConnectionInit,
  getThinWaistAddresses,
  ipPortToMultiaddr,
  type SendResult,
} from "@libp2p/utils";
import type { Multiaddr } from "@multiformats/multiaddr";
import type { Uint8ArrayList } from "uint8arraylist";
import { type WebSocket, WebSocketServer } from "ws";
import { releaseWhole } from "../core/base/owned.ts";
import type { TransportFactory } from "../core/transport/libp2p.ts";

/** Above this much unsent data in a socket, writers are told to wait; below half of it, to go on. */
const SOCKET_BUFFER_BYTES = 4 * 1024 * 1024;

/** Bytes of one WebSocket message: about two records. More would gain nothing, and wait longer at the other end. */
const PORTION_BYTES = 128 * 1024;
/** We send at most 128 KiB at once (PORTION_BYTES); anything near this size is an attack. */
const PAYLOAD_BYTES_MAX = 1024 * 1024;

/** Takes a request that is to become something else than a link: whether it has. */
export type TakesUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => boolean;

/**
 * A transport that accepts WebSocket connections on `server`. Listen on "/ip4/…/tcp/…/ws", or wss where it speaks TLS;
 * the port is the server's.
 */
export function webSocketServer(
  server: Server,
  mayLink: (request: IncomingMessage) => boolean,
  others: TakesUpgrade = () => false,
): TransportFactory {
  return (components: { logger: ComponentLogger }): Transport => ({
    [transportSymbol]: true,
    [Symbol.toStringTag]: "starfish/websocket-server",
    createListener: (options) => new ServerListener(server, mayLink, others, options, components.logger),
    listenFilter: (addresses) => addresses.filter((address) => /\/wss?$/.test(address.toString())),
    dialFilter: () => [],
    dial: () => Promise.reject(new Error("This transport only listens")),
  });
}

class ServerListener extends TypedEventEmitter<ListenerEvents> implements Listener {
  readonly #server: Server;
  readonly #mayLink: (request: IncomingMessage) => boolean;
  readonly #others: TakesUpgrade;
  readonly #sockets = new WebSocketServer({
    noServer: true,
    maxPayload: PAYLOAD_BYTES_MAX,
    perMessageDeflate: false,
    // The library would answer with a part of what has arrived, which is given back as soon as it is read.
    autoPong: false,
  });
  readonly #options: CreateListenerOptions;
  readonly #logger: ComponentLogger;
  readonly #shutdown = new AbortController();
  #address: Multiaddr | undefined;

  constructor(
    server: Server,
    mayLink: (request: IncomingMessage) => boolean,
    others: TakesUpgrade,
    options: CreateListenerOptions,
    logger: ComponentLogger,
  ) {
    super();
    this.#server = server;
    this.#mayLink = mayLink;
    this.#others = others;
    this.#options = options;
    this.#logger = logger;
  }

  listen(address: Multiaddr): Promise<void> {
    if (this.#port() === undefined) return Promise.reject(new Error("The HTTP server does not listen"));
    this.#address = address;
    this.#server.on("upgrade", this.#upgrade);
    this.safeDispatchEvent("listening");
    return Promise.resolve();
  }

  getAddrs(): Multiaddr[] {
    const port = this.#port();
    if (port === undefined || this.#address === undefined) return [];
    const kind = this.#address.toString().endsWith("/wss") ? "/wss" : "/ws";
    return getThinWaistAddresses(this.#address, port).map((address) => address.encapsulate(kind));
  }

  updateAnnounceAddrs(): void {}

  close(): Promise<void> {
    this.#server.off("upgrade", this.#upgrade);
    this.#shutdown.abort();
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#sockets.close();
    queueMicrotask(() => this.safeDispatchEvent("close"));
    return Promise.resolve();
  }

  #port(): number | undefined {
    const bound = this.#server.address();
    return bound === null || typeof bound === "string" ? undefined : bound.port;
  }

  readonly #upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    if (!this.#mayLink(request)) {
      socket.on("error", () => {}).end("HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
      return;
    }
    if (this.#others(request, socket, head)) return;
    this.#sockets.handleUpgrade(request, socket, head, (webSocket) => this.#accept(webSocket, request));
  };

  #accept(socket: WebSocket, request: IncomingMessage): void {
    const { remoteAddress, remotePort } = request.socket;
    if (remoteAddress === undefined || remotePort === undefined) return socket.terminate();
    const connection: MultiaddrConnection = new SocketConnection(socket, {
      remoteAddr: ipPortToMultiaddr(remoteAddress, remotePort).encapsulate("/ws"),
      direction: "inbound",
      log: this.#logger.forComponent("starfish:websocket-server"),
    });
    this.#options.upgrader
      .upgradeInbound(connection, { signal: this.#shutdown.signal })
      // A client that fails the handshake (a port scanner, another protocol) is disconnected.
      .catch((error: unknown) => connection.abort(error instanceof Error ? error : new Error(String(error))));
  }
}

class SocketConnection extends AbstractMultiaddrConnection {
  readonly #socket: WebSocket;
  #full = false;

  constructor(socket: WebSocket, init: AbstractMultiaddrConnectionInit) {
    super(init);
    this.#socket = socket;
    socket.binaryType = "nodebuffer";
    socket.on("message", (data, isBinary) => {
      if (isBinary && Buffer.isBuffer(data)) this.onData(data);
      else this.abort(new Error("Only binary messages are spoken here"));
    });
    socket.on("ping", (data) => socket.pong(Uint8Array.from(data)));
    // An error is followed by "close".
    socket.on("error", (error) => this.log.error("socket error - %e", error));
    socket.on("close", () => this.onTransportClosed());
  }

  override sendData(data: Uint8ArrayList): SendResult {
    for (const portion of portionsOf(data)) this.#socket.send(portion, this.#sent);
    this.#full = this.#socket.bufferedAmount > SOCKET_BUFFER_BYTES;
    return { sentBytes: data.byteLength, canSendMore: !this.#full };
  }

  readonly #sent = (): void => {
    if (!this.#full || this.#socket.bufferedAmount > SOCKET_BUFFER_BYTES / 2) return;
    this.#full = false;
    this.safeDispatchEvent("drain");
  };

  override sendClose(options?: AbortOptions): Promise<void> {
    this.#socket.close();
    options?.signal?.throwIfAborted();
    return Promise.resolve();
  }

  override sendReset(): void {
    this.#socket.terminate();
  }

  override sendPause(): void {
    this.#socket.pause();
  }

  override sendResume(): void {
    this.#socket.resume();
  }
}

/** Encrypted bytes in few pieces, each with a buffer of its own; the buffers that they were in are given back. */
function* portionsOf(data: Uint8ArrayList): Generator<Uint8Array> {
  for (let at = 0; at < data.byteLength; at += PORTION_BYTES) {
    yield data.slice(at, Math.min(data.byteLength, at + PORTION_BYTES));
  }
  for (const piece of data) releaseWhole(piece);
}
