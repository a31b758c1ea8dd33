/** The one port that a node offers: page, health and WebSocket links. */
import { createServer, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Socket } from "node:net";
import { networkInterfaces } from "node:os";
import { StarfishError } from "../core/base/errors.ts";
import { WaitingRoom } from "../core/base/waiting-room.ts";
import { nameFor, type TlsCertificate } from "./tls.ts";

/** Not registered for any common service, and refused by no browser (Fetch, "bad port"). */
export const PORT_DEFAULT = 4500;
/** Ports after the default that are tried, so that a second node on one machine starts without further ado. */
const PORTS_TRIED = 20;
/** Sockets at once: several hundred WebSocket links, and browsers that load the page. */
const CONNECTIONS_MAX = 2_048;
/**
 * Sockets that are no links; a browser that loads the page has six. If there are more, the oldest is closed, fairly
 * between addresses.
 */
const REQUESTING_MAX = 512;
/** A client that wants the page asks for it at once. */
const HEADERS_MS = 3_000;
const REQUEST_MS = 10_000;
/** How often that is checked; Node's own default is half a minute. */
const CHECK_MS = 1_000;

export interface Listening {
  readonly server: Server;
  readonly port: number;
}

/**
 * Listens on the port; without one, on the first free port from the default on. With a certificate it listens for
 * https. Rejects with "in-use" or "io".
 */
export async function listen(host: string, port: number | undefined, tls?: TlsCertificate): Promise<Listening> {
  const last = port ?? PORT_DEFAULT + PORTS_TRIED;
  for (let candidate = port ?? PORT_DEFAULT; ; candidate++) {
    try {
      return await listenOn(host, candidate, tls);
    } catch (error) {
      if (!isInUse(error)) throw error;
      if (candidate >= last) throw error;
    }
  }
}

function isInUse(error: unknown): boolean {
  return error instanceof StarfishError && error.code === "in-use";
}

function listenOn(host: string, port: number, tls: TlsCertificate | undefined): Promise<Listening> {
  const times = { headersTimeout: HEADERS_MS, requestTimeout: REQUEST_MS, connectionsCheckingInterval: CHECK_MS };
  const server: Server =
    tls === undefined
      ? createServer(times)
      : createTlsServer({ ...times, handshakeTimeout: HEADERS_MS, cert: tls.cert, key: tls.key });
  server.maxConnections = CONNECTIONS_MAX;
  boundRequests(server);
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") {
        reject(
          new StarfishError(
            "in-use",
            `Port ${port} on ${host} is taken by another program. Choose another with --port`,
          ),
        );
      } else if (error.code === "EACCES") {
        reject(new StarfishError("io", `Port ${port} is reserved for the system. Choose one above 1023 with --port`));
      } else {
        reject(new StarfishError("io", `Cannot listen on ${host}, port ${port}: ${error.message}`));
      }
    });
    server.listen(port, host, () => {
      const address = server.address();
      resolve({ server, port: typeof address === "object" && address !== null ? address.port : port });
    });
  });
}

/** So that clients that open sockets and are slow to ask for something can't block the page and the health check. */
function boundRequests(server: Server): void {
  const room = new WaitingRoom(REQUESTING_MAX);
  // By the address of the client: over TLS, a request comes from another object than the one that was connected.
  const leaving = new Map<string, () => void>();
  server.on("connection", (socket: Socket) => {
    const end = endOf(socket);
    const leave = room.enter(socket.remoteAddress ?? "", () => socket.destroy());
    leaving.set(end, leave);
    socket.once("close", () => {
      leave();
      if (leaving.get(end) === leave) leaving.delete(end);
    });
  });
  server.on("upgrade", (request, socket) => {
    leaving.get(endOf(request.socket))?.();
    // Nobody takes links yet, or any more.
    if (server.listenerCount("upgrade") === 1) socket.destroy();
  });
}

function endOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

/**
 * The page's address as others should open it. An "any" address is replaced by one of this machine's, and that by the
 * name in the certificate, if it is for a name.
 */
export function pageUrl(host: string, port: number, tls?: TlsCertificate): string {
  const address = host === "0.0.0.0" || host === "::" ? lanAddress() : host;
  const name = tls === undefined ? address : nameFor(address, tls.names);
  return `${tls === undefined ? "http" : "https"}://${name.includes(":") ? `[${name}]` : name}:${port}/`;
}

function lanAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return addresses.find((address) => address.family === "IPv4" && !address.internal)?.address ?? "127.0.0.1";
}
