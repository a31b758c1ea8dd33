/**
 * Links to peers: authenticated, encrypted, multiplexed. The adapter proves that the other end owns the key of its
 * PeerId. The layer above (net/links/admission.ts) decides whether that peer is a member, and tells the adapter with
 * `admit`.
 *
 * Messages on one channel arrive whole, in order and at most once, or the channel closes; none is lost silently.
 * Callbacks are synchronous, and are never called from inside the call that caused them.
 */
import type { Bytes } from "../base/bytes.ts";
import type { StarfishError } from "../base/errors.ts";
import type { Unsubscribe } from "../base/events.ts";

/** A libp2p PeerId of an Ed25519 key in its text form ("12D3Koo…"). */
export type PeerId = string;

/** How to reach a node, in the adapter's own notation (libp2p: a multiaddr). Other parts treat it as opaque. */
export type Address = string;

/** The largest message of a channel. The sender refuses a larger one; a receiver closes the channel. */
export const MESSAGE_BYTES_MAX: number = 1024 * 1024;

/**
 * Bytes of messages that wait for a slow reader or wire, per channel. `send` returns false above it, and refuses above
 * twice it.
 */
export const CHANNEL_BUFFER_BYTES: number = 4 * 1024 * 1024;

export interface LinkPath {
  /** "relayed": the bytes go through `via`, which is slower and has a budget. */
  readonly kind: "direct" | "relayed";
  readonly transport: "webrtc" | "websocket" | "tcp" | "circuit" | "browser" | "simulated";
  /** The member that relays. */
  readonly via?: PeerId;
  /** Why it is not direct, in words for people ("no WebRTC in this browser"). */
  readonly reason?: string;
}

/**
 * Everything that connects this node and one peer. There is one link a peer; it stays when its path changes from
 * relayed to direct.
 */
export interface Link {
  readonly peer: PeerId;
  /** Whether the peer dialled us. If both dialled at once, the two ends may disagree. */
  readonly inbound: boolean;
  path(): LinkPath;
  /** Rejects with "link-closed", "unknown-protocol" (the peer does not speak it), "timeout" or "cancelled". */
  open(protocol: string, options?: { signal?: AbortSignal | undefined }): Promise<Channel>;
  /**
   * Closes every channel and connection. Messages that were sent before are delivered if the peer is there. Never
   * rejects.
   */
  close(): Promise<void>;
  /** Called once, also if this end closed the link. */
  onClose(listener: () => void): Unsubscribe;
}

/**
 * The bytes of a message, whole or in pieces, so that a large part need not be copied to be sent together with others.
 */
export type Message = Bytes | readonly Bytes[];

export interface Channel {
  readonly protocol: string;
  /**
   * Queues one message, which must not change from now on, because copying a large one would cost more than encrypting
   * it. Returns false if the sender should wait for `drained` (the message is queued all the same). Throws "too-large"
   * above MESSAGE_BYTES_MAX, and "busy" above twice CHANNEL_BUFFER_BYTES. On a closed channel it does nothing.
   */
  send(message: Message): boolean;
  /** Resolves when the buffer has room again, or the channel has closed. */
  drained(): Promise<void>;
  /** This end sends no more messages. The other end's onEnd is called after the last of them. */
  end(): void;
  /** Ends both directions at once; the other end's onClose gets an error. */
  abort(error: StarfishError): void;
  /** Sets the receiver of messages; messages that arrived before wait for it (bounded as above). */
  onMessage(receive: (message: Uint8Array) => void): void;
  /** Called when the other end will send no more. */
  onEnd(listener: () => void): void;
  /**
   * Called once, when both directions are over: without an error if both ends ended, else with "link-closed",
   * "too-large", ….
   */
  onClose(listener: (error: StarfishError | undefined) => void): void;
}

export interface DialTarget {
  /** If absent, whoever answers at the addresses: a new node knows an address before it knows an id. */
  readonly peer?: PeerId;
  readonly addresses: readonly Address[];
  /** Peers that are linked to both us and the target: they carry the signalling, or relay as a last resort. */
  readonly introducers?: readonly PeerId[];
}

export interface Network extends AsyncDisposable {
  readonly self: PeerId;
  /** Addresses where this node can be dialled without an introducer; empty for a tab. */
  addresses(): readonly Address[];
  onAddresses(listener: (addresses: readonly Address[]) => void): Unsubscribe;
  /**
   * A link to the peer: an existing one or a new one. It is direct if a direct path is found in time, else relayed.
   * Rejects with "unreachable", "timeout", "cancelled", or with "version-mismatch" if the peer speaks no protocol
   * version of ours.
   */
  dial(target: DialTarget, options?: { signal?: AbortSignal | undefined }): Promise<Link>;
  links(): readonly Link[];
  /** Called for every new link, dialled by either end, before any of its channels is given to a handler. */
  onLink(listener: (link: Link) => void): Unsubscribe;
  /** Accepts channels of a protocol. One handler per protocol. */
  handle(protocol: string, accept: (channel: Channel, link: Link) => void): Unsubscribe;
  /**
   * The peer is a member: it may use this node as introducer and relay, and send as much as it likes. Peers that are
   * not admitted may only send a hello, within their first seconds.
   */
  admit(peer: PeerId): void;
  /** The peer is no member (any more): its link is closed, and it is refused for `forMs`. */
  expel(peer: PeerId, forMs: number): void;
}
