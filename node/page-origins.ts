/**
 * Which pages may open WebSocket links to this node. Browsers let any page connect to any address, this machine's too,
 * and say in the header `Origin` whose page it is. Other programs send no such header, or any text. Accepted are:
 *
 * - no origin: the client is not a page;
 * - this node's own page, that is a page that was loaded from the same host and port as the link. This holds only under
 *   names that no stranger can make lead here (DNS rebinding): addresses, names of the local network, the name of
 *   --url, and with https those of the certificate;
 * - the pages of other members, by the addresses that they have or once had, because a tab outlives the node that
 *   served it.
 */
import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import type { Log } from "../core/ports/log.ts";

/** Pages of members that are remembered: a few addresses of each, also of members that have left. */
const KNOWN_MAX = 4_096;
/** Refused origins that are logged, each once. */
const TOLD_MAX = 32;

/** Names that can't be bought: those of the local network (RFC 6761, 6762, 8375, and by long custom). */
const LOCAL_NAME = /^[^.]+$|\.(local|localhost|internal|lan|home|home\.arpa|test)$/;

export class PageOrigins {
  readonly #log: Log;
  readonly #url: string;
  /** Names in this node's certificate. */
  readonly #names: ReadonlySet<string>;
  readonly #known = new Set<string>();
  readonly #told = new Set<string>();

  /** `url` is the page's address that others are told. */
  constructor(url: string, log: Log, names: readonly string[] = []) {
    this.#names = new Set(names);
    this.#log = log;
    this.#url = placeOf(new URL(url));
  }

  /** The addresses of a member: a member that takes WebSockets at an address serves its page there. */
  learn(addresses: readonly string[]): void {
    for (const address of addresses) {
      const place = placeOfAddress(address);
      if (place === undefined) continue;
      this.#known.delete(place);
      this.#known.add(place);
      const [oldest] = this.#known;
      if (this.#known.size > KNOWN_MAX && oldest !== undefined) this.#known.delete(oldest);
    }
  }

  /** Whether this request may become a link. */
  readonly allows = (request: IncomingMessage): boolean => {
    const { origin, host } = request.headers;
    if (origin === undefined) return true;
    const page = URL.canParse(origin) ? placeOf(new URL(origin)) : undefined;
    if (page !== undefined && (page === this.#url || this.#known.has(page) || this.#isSame(origin, host))) return true;
    this.#tell(origin, host);
    return false;
  };

  /** Whether the page was loaded from the same host and port as the link, under a safe name. */
  #isSame(origin: string, host: string | undefined): boolean {
    const { protocol, hostname, host: page } = new URL(origin);
    if (!URL.canParse(`${protocol}//${host}`) || new URL(`${protocol}//${host}`).host !== page) return false;
    if (isIP(hostname.replace(/^\[|\]$/g, "")) !== 0 || LOCAL_NAME.test(hostname)) return true;
    const [, ...parent] = hostname.split(".");
    return protocol === "https:" && (this.#names.has(hostname) || this.#names.has(`*.${parent.join(".")}`));
  }

  #tell(origin: string, host: string | undefined): void {
    if (this.#told.size >= TOLD_MAX || this.#told.has(origin)) return;
    this.#told.add(origin);
    const hint = "No known page of this swarm. If it is this node's page behind a proxy, start the node with --url";
    this.#log.write("warn", "page.refused", { origin: origin.slice(0, 200), host: host?.slice(0, 200), hint });
  }
}

/** Host and port. All names of one's own machine count as one. */
function placeOf({ protocol, hostname, port }: URL): string {
  const isLoopback = isIP(hostname) === 4 && hostname.startsWith("127.");
  const isOwn = isLoopback || hostname === "localhost" || hostname === "[::1]";
  return `${isOwn ? "localhost" : hostname}:${port || (protocol === "https:" ? 443 : 80)}`;
}

/** Of a multiaddr such as /ip4/10.0.0.7/tcp/4500/ws or /dns4/example.org/tcp/443/wss. */
function placeOfAddress(address: string): string | undefined {
  const [, kind, host, , port] =
    /^\/(ip4|ip6|dns4|dns6|dns)\/([^/]+)(\/tcp\/(\d+))\/(?:ws|wss|tls\/ws)(?:\/|$)/.exec(address) ?? [];
  if (host === undefined) return undefined;
  const url = `http://${kind === "ip6" ? `[${host}]` : host}:${port}/`;
  return URL.canParse(url) ? placeOf(new URL(url)) : undefined;
}
