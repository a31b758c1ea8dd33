/**
 * What Node.js adds to the network adapter: WebSocket links on its HTTP server, TCP in both directions, and ciphers.
 */
import type { IncomingMessage, Server } from "node:http";
import { Server as TlsServer } from "node:https";
import { isIPv6 } from "node:net";
import { networkInterfaces } from "node:os";
import type { TransportFactory } from "../core/transport/libp2p.ts";
import type { Libp2pNetworkOptions } from "../core/transport/network.ts";
import { nodeNoiseCrypto } from "./noise-crypto.ts";
import { corkedTcp } from "./tcp.ts";
import { type TakesUpgrade, webSocketServer } from "./websocket-server.ts";

export interface NodeTransportsOptions {
  /**
   * A server that listens already and serves the page; WebSocket links share it. Absent: tabs can't reach this node.
   */
  readonly server?: Server;
  /**
   * Whether a request to the server may become a link; decides which pages may (page-origins.ts). Default: programs
   * only, no pages.
   */
  readonly mayLink?: (request: IncomingMessage) => boolean;
  /** Takes requests that are to become something other than a link. */
  readonly others?: TakesUpgrade;
  /**
   * The IP address to listen on for TCP, beside the server; wildcards are told to others as all interfaces. Absent: TCP
   * is only dialled.
   */
  readonly tcpHost?: string;
  /** Default: any free port. */
  readonly tcpPort?: number;
}

/** To be spread into the options of createLibp2pNetwork. */
export function nodeTransports(
  options: NodeTransportsOptions,
): Required<Pick<Libp2pNetworkOptions, "transports" | "listen" | "noiseCrypto" | "ownHosts">> {
  const listen: string[] = [];
  const transports: TransportFactory[] = [corkedTcp()];
  if (options.server !== undefined) {
    const bound = options.server.address();
    if (bound === null || typeof bound === "string") throw new Error("Assertion failed: the server listens on a port");
    const isTls = options.server instanceof TlsServer;
    // Other nodes can't check a self-signed certificate, so TCP, which they can use, is told first.
    if (isTls && options.tcpHost !== undefined) listen.push(tcpAt(options.tcpHost, options.tcpPort));
    listen.push(`${ip(bound.address)}/tcp/${bound.port}/${isTls ? "wss" : "ws"}`);
    transports.unshift(webSocketServer(options.server, options.mayLink ?? isNoPage, options.others));
  }
  const tcp = options.tcpHost === undefined ? undefined : tcpAt(options.tcpHost, options.tcpPort);
  if (tcp !== undefined && !listen.includes(tcp)) listen.push(tcp);
  return { transports, listen, noiseCrypto: nodeNoiseCrypto, ownHosts };
}

function ownHosts(): string[] {
  return Object.values(networkInterfaces()).flatMap((addresses = []) => addresses.map(({ address }) => address));
}

function isNoPage({ headers }: IncomingMessage): boolean {
  return headers.origin === undefined;
}

function tcpAt(host: string, port: number | undefined): string {
  return `${ip(host)}/tcp/${port ?? 0}`;
}

function ip(host: string): string {
  return isIPv6(host) ? `/ip6/${host}` : `/ip4/${host}`;
}
