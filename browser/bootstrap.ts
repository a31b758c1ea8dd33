/** Where a tab finds its first peer: the node that served the page accepts links on the same port. */
import type { Address } from "../core/ports/network.ts";

/** The page's server as a multiaddr; undefined if the page comes from no server (a file). */
export function bootstrapAddress(location: Pick<Location, "protocol" | "hostname" | "port">): Address | undefined {
  const secure = location.protocol === "https:";
  if (!secure && location.protocol !== "http:") return undefined;
  const port = location.port === "" ? (secure ? "443" : "80") : location.port;
  return `${hostPart(location.hostname)}/tcp/${port}/${secure ? "wss" : "ws"}`;
}

/** A URL's host is IPv4, IPv6 in brackets, or a name. */
function hostPart(hostname: string): string {
  if (hostname.startsWith("[")) return `/ip6/${hostname.slice(1, -1)}`;
  return /^\d+\.\d+\.\d+\.\d+$/.test(hostname) ? `/ip4/${hostname}` : `/dns4/${hostname}`;
}
