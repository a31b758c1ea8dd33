/**
 * Links to peers: authenticated, encrypted, multiplexed. The adapter proves that the other end owns the key behind its
 * PeerId; whether that peer belongs here is decided above (net/admission), which then tells the adapter with `admit`.
 *
 * Messages on one channel arrive whole, in order and at most once, or the channel closes. Nothing is lost in silence.
 * Callbacks are synchronous and never called from inside the call that caused them.
 */
import type { Bytes } from "../base/bytes.ts";
import type { StarfishError } from "../base/errors.ts";
import type { Unsubscribe } from "../base/events.ts";

/** A libp2p PeerId of an Ed25519 key in its text form ("12D3Koo…"). */
export type PeerId = string;

/** How to reach a node, in the adapter's own notation (libp2p: a multiaddr). Opaque to everybody else. */
export type Address = string;

/** Largest message of a channel. A larger one is refused at the sender and closes the channel at the receiver. */
export const MESSAGE_BYTES_MAX: number = 1024 * 1024;

/** Messages that wait for a slow reader or wire, per channel; `send` answers false above it and refuses above twice it. */
export const CHANNEL_BUFFER_BYTES: number = 4 * 1024 * 1024;

export interface LinkPath {
  /** Relayed: the bytes go through `via`, slower and within a budget. */
  readonly kind: "direct" | "relayed";
  readonly transport: "webrtc" | "websocket" | "tcp" | "circuit" | "browser" | "simulated";
  /** The member that relays. */
  readonly via?: PeerId;
  /** Why it is not direct, for people ("no WebRTC in this browser"). */
  readonly reason?: string;
}

/** All that connects this node and one peer; survives the change from a relayed to a direct path. One per peer. */
export interface Link {
  readonly peer: PeerId;
  /** Whether the peer dialled us. When both dialled at once the ends may disagree. */
  readonly inbound: boolean;
  path(): LinkPath;
  /** Rejects with "link-closed", "unknown-protocol" (the peer does not speak it), "timeout" or "cancelled". */
  open(protocol: string, options?: { signal?: AbortSignal | undefined }): Promise<Channel>;
  /** Closes every channel and connection. What was sent before is delivered if the peer is there. Never rejects. */
  close(): Promise<void>;
  /** Called once, also when it was this end that closed. */
  onClose(listener: () => void): Unsubscribe;
}

/** The bytes of a message, whole or in pieces: what is large need not be copied to be sent with what is around it. */
export type Message = Bytes | readonly Bytes[];

export interface Channel {
  readonly protocol: string;
  /**
   * Queues one message, which must not change from now on: a copy of what is large would cost more than encrypting it.
   * False: take it easy until `drained` (the message is queued all the same). Throws "too-large" above MESSAGE_BYTES_MAX,
   * "busy" above twice CHANNEL_BUFFER_BYTES; on a closed channel it does nothing.
   */
  send(message: Message): boolean;
  /** Resolves when the buffer has room again, or the channel has closed. */
  drained(): Promise<void>;
  /** No more messages from this end; the other end's onEnd is called after the last of them. */
  end(): void;
  /** Ends both directions at once; the other end's onClose gets an error. */
  abort(error: StarfishError): void;
  /** Sets what receives messages; those that came before wait (bounded as above). */
  onMessage(receive: (message: Uint8Array) => void): void;
  /** The other end will send no more. */
  onEnd(listener: () => void): void;
  /** Once, when both directions are over: without error after both ends, with "link-closed", "too-large", … otherwise. */
  onClose(listener: (error: StarfishError | undefined) => void): void;
}

export interface DialTarget {
  /** Absent: whoever answers at the addresses (a newcomer knows an address before it knows an id). */
  readonly peer?: PeerId;
  readonly addresses: readonly Address[];
  /** Peers that we are linked to and that are linked to the target: they carry the signalling, or relay as a last resort. */
  readonly introducers?: readonly PeerId[];
}

export interface Network extends AsyncDisposable {
  readonly self: PeerId;
  /** Where this node can be dialled without an introducer; empty for a tab. */
  addresses(): readonly Address[];
  onAddresses(listener: (addresses: readonly Address[]) => void): Unsubscribe;
  /**
   * A link to the peer: the one there is, or a new one. Direct if a direct path can be had within the time, else relayed.
   * Rejects with "unreachable", "timeout", "cancelled", or "version-mismatch" if who answers speaks no language of ours.
   */
  dial(target: DialTarget, options?: { signal?: AbortSignal | undefined }): Promise<Link>;
  links(): readonly Link[];
  /** Every new link, dialled by either end, before any of its channels is handed to a handler. */
  onLink(listener: (link: Link) => void): Unsubscribe;
  /** Accepts channels of a protocol. One handler per protocol. */
  handle(protocol: string, accept: (channel: Channel, link: Link) => void): Unsubscribe;
  /**
   * The peer is a member: it may use this node as introducer and relay, and send as much as it likes. Others may not, beyond
   * their first seconds and a hello.
   */
  admit(peer: PeerId): void;
  /** The peer is no member (any more): its link is closed and it is refused for `forMs`. */
  expel(peer: PeerId, forMs: number): void;
}
