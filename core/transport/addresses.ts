/** What multiaddrs say about a path, and which of a node's own addresses are told to others. */
import type { Connection } from "@libp2p/interface";
import { CODE_P2P, multiaddr, type Multiaddr } from "@multiformats/multiaddr";
import { StarfishError } from "../base/errors.ts";
import type { Address, LinkPath, PeerId } from "../ports/network.ts";

/** Throws StarfishError "malformed" if it is not a multiaddr, or not of a kind that is dialled here. */
export function parseAddress(address: Address): Multiaddr {
  let parsed: Multiaddr;
  try {
    parsed = multiaddr(address);
  } catch (error) {
    throw new StarfishError("malformed", `Not an address: ${address}`, { cause: error });
  }
  const names = componentNames(parsed);
  // /dnsaddr is refused too, because libp2p would ask resolvers outside of the swarm.
  if (
    names.has("dnsaddr") ||
    names.has("p2p-circuit") ||
    names.has("webrtc") ||
    !(names.has("tcp") || names.has("memory"))
  ) {
    throw new StarfishError("malformed", `Not the address of a node: ${address}`);
  }
  return parsed;
}

/** The address for dialling exactly this peer: another one that answers there is refused. */
export function withPeer(address: Multiaddr, peer: PeerId | undefined): Multiaddr {
  const bare = address.decapsulateCode(CODE_P2P);
  return peer === undefined ? address : bare.encapsulate(`/p2p/${peer}`);
}

/** The path through the introducer to the peer: for WebRTC signalling, or for the relayed connection itself. */
export function circuitAddress(introducer: PeerId, peer: PeerId, kind: "webrtc" | "relayed"): Multiaddr {
  return multiaddr(`/p2p/${introducer}/p2p-circuit${kind === "webrtc" ? "/webrtc" : ""}/p2p/${peer}`);
}

export function isRelayed(connection: Connection): boolean {
  return transportOf(connection.remoteAddr) === "circuit";
}

export function transportOf(address: Multiaddr): "webrtc" | "websocket" | "tcp" | "circuit" | "browser" {
  const names = componentNames(address);
  if (names.has("webrtc")) return "webrtc";
  // Another tab of this browser (browser/tab-transport.ts).
  if (names.has("memory")) return "browser";
  if (names.has("p2p-circuit")) return "circuit";
  return names.has("ws") || names.has("wss") ? "websocket" : "tcp";
}

/** Where a connection comes from, as far as can be told: the host, without the port. */
export function placeOf(address: Multiaddr): string {
  return address.getComponents()[0]?.value ?? "";
}

export function pathOf(connection: Connection, reason: string | undefined): LinkPath {
  const transport = transportOf(connection.remoteAddr);
  if (transport !== "circuit") return { kind: "direct", transport };
  const via = relayOf(connection.remoteAddr);
  return {
    kind: "relayed",
    transport,
    ...(via === undefined ? {} : { via }),
    reason: reason ?? "no direct path was found",
  };
}

function relayOf(address: Multiaddr): PeerId | undefined {
  return address.getComponents().find((component) => component.name === "p2p")?.value;
}

/** Those of a node's own addresses that others can use, each once: no wildcards, no relays, without the PeerId. */
export function publicForm(addresses: readonly Multiaddr[]): Address[] {
  const result = new Set<Address>();
  for (const address of addresses) {
    const host = address.getComponents()[0]?.value;
    if (host === "0.0.0.0" || host === "::" || !componentNames(address).has("tcp")) continue;
    if (componentNames(address).has("p2p-circuit")) continue;
    result.add(address.decapsulateCode(CODE_P2P).toString());
  }
  return [...result];
}

function componentNames(address: Multiaddr): Set<string> {
  return new Set(address.getComponents().map((component) => component.name));
}
