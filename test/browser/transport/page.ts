/**
 * A tab of the transport tests: the real network adapter, driven from the test through `tab`. Everybody is admitted.
 */
import type { Channel, DialTarget, Link, LinkPath, Network, PeerId } from "../../../core/ports/network.ts";
import { createLibp2pNetwork } from "../../../core/transport/network.ts";

const ECHO_PROTOCOL = "/test/echo/1.0.0";

export interface LinkReport {
  readonly peer: PeerId;
  readonly path: LinkPath;
}

export interface Tab {
  readonly self: PeerId;
  links(): LinkReport[];
  /** Every link that has closed so far, in order. */
  closed(): PeerId[];
  /** Dials within `timeoutMs`; resolves with the path, or the code and message of the failure. */
  dial(target: DialTarget, timeoutMs: number): Promise<LinkPath | string>;
  hangUp(peer: PeerId): Promise<void>;
  /** Opens a channel and waits for `bytes` to come back; resolves with the milliseconds that took, or the failure. */
  echo(peer: PeerId, bytes: number, timeoutMs: number): Promise<number | string>;
  /** MB/s of sending to the peer, which counts and answers at the end. */
  throughput(peer: PeerId, megabytes: number, messageBytes: number): Promise<number>;
}

/** ?seed=… gives the tab an identity that outlives it, ?abrupt makes it leave without a word, as a crash does. */
const options = new URLSearchParams(location.search);

function privateKey(): Uint8Array {
  const seed = options.get("seed");
  return seed === null ? crypto.getRandomValues(new Uint8Array(32)) : new Uint8Array(32).fill(Number(seed));
}

function report(error: unknown): string {
  return error instanceof Error
    ? `${"code" in error ? String(error.code) : error.name}: ${error.message}`
    : String(error);
}

function serve(channel: Channel): void {
  let bytes = 0;
  channel.onMessage((message) => {
    bytes += message.length;
    if (message[0] === 1) channel.send(message);
  });
  channel.onEnd(() => {
    channel.send(new TextEncoder().encode(String(bytes)));
    channel.end();
  });
}

function find(network: Network, peer: PeerId): Link {
  const link = network.links().find((candidate) => candidate.peer === peer);
  if (link === undefined) throw new Error("no such link");
  return link;
}

async function echo(network: Network, peer: PeerId, bytes: number, signal: AbortSignal): Promise<number> {
  const begin = performance.now();
  const channel = await find(network, peer).open(ECHO_PROTOCOL, { signal });
  const answered = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => answered.reject(signal.reason));
  channel.onMessage((message) => {
    if (message.length === bytes) answered.resolve();
  });
  channel.onClose((error) => answered.reject(error ?? new Error("closed")));
  channel.send(new Uint8Array(bytes).fill(1));
  await answered.promise;
  channel.end();
  return performance.now() - begin;
}

async function throughput(network: Network, peer: PeerId, megabytes: number, messageBytes: number): Promise<number> {
  const channel = await find(network, peer).open(ECHO_PROTOCOL);
  const done = Promise.withResolvers<void>();
  channel.onMessage(() => done.resolve());
  channel.onClose((error) => done.reject(error ?? new Error("closed")));
  const begin = performance.now();
  const message = new Uint8Array(messageBytes);
  for (let sent = 0; sent < megabytes * 1e6; sent += messageBytes) {
    if (!channel.send(message)) await channel.drained();
  }
  channel.end();
  await done.promise;
  return megabytes / ((performance.now() - begin) / 1000);
}

async function main(): Promise<Tab> {
  const network = await createLibp2pNetwork({
    privateKey: privateKey(),
    linksMax: 32,
    webrtc: true,
    ownHosts: () => [location.hostname],
  });
  const closed: PeerId[] = [];
  network.handle(ECHO_PROTOCOL, serve);
  network.onLink((link) => {
    network.admit(link.peer);
    link.onClose(() => closed.push(link.peer));
  });
  if (!options.has("abrupt")) addEventListener("pagehide", () => void network[Symbol.asyncDispose]());
  return {
    self: network.self,
    links: () => network.links().map((link) => ({ peer: link.peer, path: link.path() })),
    closed: () => closed,
    dial: (target, timeoutMs) =>
      network.dial(target, { signal: AbortSignal.timeout(timeoutMs) }).then((link) => link.path(), report),
    hangUp: (peer) => find(network, peer).close(),
    echo: (peer, bytes, timeoutMs) => echo(network, peer, bytes, AbortSignal.timeout(timeoutMs)).catch(report),
    throughput: (peer, megabytes, messageBytes) => throughput(network, peer, megabytes, messageBytes),
  };
}

declare global {
  var tab: Promise<Tab>;
}

globalThis.tab = main();
