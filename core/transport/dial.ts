/**
 * How a peer is reached: first at its own addresses, then through introducers (by WebRTC, or by asking to be called
 * back), and if no direct path works, relayed by an introducer. An error names everything that was tried.
 */
import type { Connection } from "@libp2p/interface";
import type { Multiaddr } from "@multiformats/multiaddr";
import {
  cancelled,
  isStarfishError,
  messageOf,
  StarfishError,
  throwIfAborted,
  toStarfishError,
} from "../base/errors.ts";
import { abortable } from "../ports/clock.ts";
import type { Address, DialTarget, Link, PeerId } from "../ports/network.ts";
import { circuitAddress, parseAddress, transportOf, withPeer } from "./addresses.ts";
import { isUnsupported } from "./greeting.ts";
import { type Attempt, type Failure, race } from "./race.ts";
import type { Reach } from "./reach.ts";

/**
 * Addresses and introducers beyond these are not tried: a peer that none of them reaches is not worth a longer wait.
 */
const ADDRESSES_MAX = 8;
const INTRODUCERS_MAX = 3;

/** The usual head start of one address over the next (RFC 8305), and what a dead address may cost. */
const ADDRESS_LEAD_MS = 250;
const ADDRESS_TIMEOUT_MS = 5_000;

/** A WebRTC dial takes 0.3 to 0.5 s between tabs of one machine, several times that over a real network. */
const WEBRTC_LEAD_MS = 2_000;
const WEBRTC_TIMEOUT_MS = 6_000;
const WEBRTC_TRIES = 3;
/** Longer than it takes a peer to notice that a link has closed. */
const WEBRTC_PAUSE_MS = 100;

const CALL_BACK_TIMEOUT_MS = 4_000;
const RELAYED_TIMEOUT_MS = 4_000;

/** The bound of a whole dial, however patient the caller is. */
const DIAL_TIMEOUT_MS = 15_000;

/**
 * A host that has not answered for this long has failed, even if the caller gave up before. Callers that look for the
 * missing give up after 2 s.
 */
const ANSWER_MS = 1_500;

/**
 * When to try to make a relayed link direct: after the dial, and after each failure. After the last failure it stays
 * relayed.
 */
const IMPROVE_AFTER_MS = [5_000, 30_000, 120_000];

/** What the dialler needs of the network around it. */
export interface DialHost {
  readonly self: PeerId;
  readonly webrtc: boolean;
  /** Why this node does without WebRTC, if it does. */
  readonly webrtcReason: string;
  link(peer: PeerId): Link | undefined;
  isExpelled(peer: PeerId): boolean;
  ownAddresses(): readonly Address[];
  /** Decides which of the addresses that others tell are dialled. */
  readonly reach: Reach;
  canDial(address: Multiaddr): boolean;
  /** Opens a connection, which is not a link yet. */
  connect(address: Multiaddr, options: { signal: AbortSignal }): Promise<Connection>;
  /** Makes the connection part of a link. */
  greet(connection: Connection, reason: string | undefined, options: { signal: AbortSignal }): Promise<Link>;
  /** A connection through an introducer that an earlier attempt has left open. */
  circuit(peer: PeerId): Connection | undefined;
  /** Asks the peer, over a relayed connection, to dial our addresses; resolves with the link that results. */
  askCallBack(connection: Connection, options: { signal: AbortSignal }): Promise<Link>;
  /** Closes connections to the peer that only wait to be closed, so that they are not mistaken for a path to it. */
  dropStale(peer: PeerId): void;
  /** Closes our relayed connections to the peer that were only needed for signalling. */
  dropIdleCircuits(peer: PeerId): void;
}

interface SharedDial {
  readonly promise: Promise<Link>;
  readonly controller: AbortController;
  callers: number;
}

export class Dialer {
  readonly #host: DialHost;
  readonly #shared = new Map<PeerId, SharedDial>();

  constructor(host: DialHost) {
    this.#host = host;
  }

  /** See Network.dial. Concurrent dials to one peer share the attempts of the first. */
  async dial(target: DialTarget, signal: AbortSignal | undefined): Promise<Link> {
    throwIfAborted(signal);
    const { peer } = target;
    if (peer === undefined) return withTimeout(signal, (limit) => this.#attempt(target, limit));
    const existing = this.#host.link(peer);
    if (existing !== undefined) return existing;
    if (peer === this.#host.self) throw new StarfishError("unreachable", "That is this node itself");
    if (this.#host.isExpelled(peer)) throw new StarfishError("unreachable", "That peer was refused a short while ago");
    return this.#join(peer, target, signal);
  }

  /** Tries only direct paths, whatever link there is. */
  async dialDirect(target: DialTarget & { readonly peer: PeerId }, signal: AbortSignal): Promise<boolean> {
    return (await race(this.#directAttempts(target), signal)).won;
  }

  async #join(peer: PeerId, target: DialTarget, signal: AbortSignal | undefined): Promise<Link> {
    let shared = this.#shared.get(peer);
    if (shared === undefined) {
      const controller = new AbortController();
      const promise = withTimeout(controller.signal, (limit) => this.#attempt(target, limit));
      shared = { promise, controller, callers: 0 };
      this.#shared.set(peer, shared);
      const forget = (): void => void this.#shared.delete(peer);
      promise.then(forget, forget);
    }
    shared.callers++;
    try {
      return await (signal ? abortable(signal, shared.promise) : shared.promise);
    } finally {
      if (--shared.callers === 0) shared.controller.abort();
    }
  }

  async #attempt(target: DialTarget, signal: AbortSignal): Promise<Link> {
    const direct = await race(this.#directAttempts(target), signal);
    if (direct.won) {
      if (target.peer !== undefined) this.#host.dropIdleCircuits(target.peer);
      return direct.value;
    }
    throwIfAborted(signal);
    // The peer may have dialled us meanwhile.
    const arrived = target.peer === undefined ? undefined : this.#host.link(target.peer);
    if (arrived !== undefined) return arrived;
    const relayed = await race(this.#relayedAttempts(target, direct.failures), signal);
    if (relayed.won) {
      if (target.peer !== undefined) this.#improveLater({ ...target, peer: target.peer }, relayed.value, 0);
      return relayed.value;
    }
    throwIfAborted(signal);
    throw failed([...direct.failures, ...relayed.failures]);
  }

  #improveLater(target: DialTarget & { readonly peer: PeerId }, link: Link, round: number): void {
    const delayMs = IMPROVE_AFTER_MS[round];
    if (delayMs === undefined || this.#directAttempts(target).length === 0) return;
    const improve = async (): Promise<void> => {
      if (link.path().kind === "direct") return;
      const improved = await this.dialDirect(target, AbortSignal.timeout(DIAL_TIMEOUT_MS));
      if (!improved) this.#improveLater(target, link, round + 1);
    };
    const timer = setTimeout(() => void improve(), delayMs);
    link.onClose(() => clearTimeout(timer));
  }

  #directAttempts(target: DialTarget): Attempt<Link>[] {
    return [...this.#addressAttempts(target), ...this.#introducedAttempts(target)];
  }

  #addressAttempts(target: DialTarget): Attempt<Link>[] {
    const { reach } = this.#host;
    const known = target.addresses.flatMap((address) => dialable(address, target.peer, this.#host));
    // An address with a PeerId comes from that member's record; one without comes from a person's invite.
    const addresses = known.filter(
      (address) =>
        target.peer === undefined || (transportOf(address) !== "browser" && reach.allows(address, performance.now())),
    );
    // TCP carries twice as much as WebSocket.
    addresses.sort((a, b) => Number(transportOf(a) !== "tcp") - Number(transportOf(b) !== "tcp"));
    return addresses.slice(0, ADDRESSES_MAX).map((address) => ({
      name: address.toString(),
      leadMs: ADDRESS_LEAD_MS,
      timeoutMs: ADDRESS_TIMEOUT_MS,
      run: (signal) => this.#dialAddress(address, signal),
    }));
  }

  async #dialAddress(address: Multiaddr, signal: AbortSignal): Promise<Link> {
    const beganMs = performance.now();
    const ended = this.#host.reach.begin(address, () => performance.now());
    try {
      const link = await this.#host.greet(await this.#host.connect(address, { signal }), undefined, { signal });
      ended(true);
      return link;
    } catch (error) {
      // If it was soon given up because another path was faster, that says nothing about the host.
      const isGivenUp = signal.aborted && performance.now() - beganMs < ANSWER_MS;
      ended(isGivenUp ? undefined : false);
      throw error;
    }
  }

  #introducedAttempts(target: DialTarget): Attempt<Link>[] {
    const { peer } = target;
    const introducers = target.introducers?.slice(0, INTRODUCERS_MAX) ?? [];
    if (peer === undefined) return [];
    if (this.#host.webrtc) {
      return introducers.map((introducer) => ({
        name: `WebRTC, introduced by ${introducer}`,
        leadMs: WEBRTC_LEAD_MS,
        timeoutMs: WEBRTC_TIMEOUT_MS,
        run: (signal) => this.#dialWebRtc(introducer, peer, signal),
      }));
    }
    if (this.#host.ownAddresses().length === 0) return [];
    return introducers.map((introducer) => ({
      name: `to be called back, introduced by ${introducer}`,
      leadMs: CALL_BACK_TIMEOUT_MS,
      timeoutMs: CALL_BACK_TIMEOUT_MS,
      run: async (signal) => this.#host.askCallBack(await this.#circuit(introducer, peer, signal), { signal }),
    }));
  }

  /**
   * libp2p signals over any connection to the peer that exists, which may be one that the peer is just closing. And a
   * peer that has just hung up may hang up on the greeting too. So it is tried again, each time a little later.
   */
  async #dialWebRtc(introducer: PeerId, peer: PeerId, signal: AbortSignal): Promise<Link> {
    const address = circuitAddress(introducer, peer, "webrtc");
    for (let tries = 1; ; tries++) {
      this.#host.dropStale(peer);
      try {
        return await this.#host.greet(await this.#host.connect(address, { signal }), undefined, { signal });
      } catch (error) {
        // If the peer has no WebRTC or another version, trying again is useless.
        const isFinal = isUnsupported(error) || isStarfishError(error, "version-mismatch");
        if (signal.aborted || isFinal || tries === WEBRTC_TRIES) throw error;
      }
      await pause(tries * WEBRTC_PAUSE_MS, signal);
    }
  }

  #relayedAttempts(target: DialTarget, failures: readonly Failure[]): Attempt<Link>[] {
    const { peer } = target;
    if (peer === undefined) return [];
    const reason = this.#whyRelayed(failures);
    return (target.introducers?.slice(0, INTRODUCERS_MAX) ?? []).map((introducer) => ({
      name: `relayed by ${introducer}`,
      leadMs: RELAYED_TIMEOUT_MS,
      timeoutMs: RELAYED_TIMEOUT_MS,
      run: async (signal) => this.#host.greet(await this.#circuit(introducer, peer, signal), reason, { signal }),
    }));
  }

  async #circuit(introducer: PeerId, peer: PeerId, signal: AbortSignal): Promise<Connection> {
    this.#host.dropStale(peer);
    return this.#host.circuit(peer) ?? this.#host.connect(circuitAddress(introducer, peer, "relayed"), { signal });
  }

  #whyRelayed(failures: readonly Failure[]): string {
    if (!this.#host.webrtc) return this.#host.webrtcReason;
    return failures.some(({ error }) => isUnsupported(error)) ? "no WebRTC at one end" : "no direct path was found";
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return abortable(signal, new Promise((resolve) => setTimeout(resolve, ms)));
}

function dialable(address: Address, peer: PeerId | undefined, host: DialHost): Multiaddr[] {
  try {
    const parsed = withPeer(parseAddress(address), peer);
    return host.canDial(parsed) ? [parsed] : [];
  } catch (error) {
    // Addresses come from other nodes; an invalid one is skipped.
    if (isStarfishError(error, "malformed")) return [];
    throw error;
  }
}

async function withTimeout(
  signal: AbortSignal | undefined,
  work: (limit: AbortSignal) => Promise<Link>,
): Promise<Link> {
  const deadline = AbortSignal.timeout(DIAL_TIMEOUT_MS);
  const limit = signal ? AbortSignal.any([signal, deadline]) : deadline;
  try {
    return await work(limit);
  } catch (error) {
    if (signal?.aborted) throw cancelled(signal);
    if (!deadline.aborted) throw error;
    throw new StarfishError("timeout", `No way to the peer was found within ${DIAL_TIMEOUT_MS} ms`, {
      cause: error,
      retryable: true,
    });
  }
}

function failed(failures: readonly Failure[]): StarfishError {
  const mismatch = failures.find(({ error }) => isStarfishError(error, "version-mismatch"));
  if (mismatch !== undefined) return toStarfishError(mismatch.error, "version-mismatch");
  if (failures.length === 0) {
    return new StarfishError("unreachable", "No address of the peer is known, nor anybody to introduce it", {
      retryable: true,
    });
  }
  const tried = failures.map(({ name, error }) => `${name}: ${causeOf(error)}`).join("; ");
  return new StarfishError("unreachable", `No way to the peer was found. Tried ${tried}`, {
    cause: new AggregateError(failures.map(({ error }) => error)),
    retryable: true,
  });
}

/** A WebSocket that does not open throws an event, which may have no message. */
function causeOf(error: unknown): string {
  if (error instanceof Event) return ("message" in error && String(error.message)) || "no connection";
  return messageOf(error);
}
