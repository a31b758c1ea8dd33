/**
 * The admitted links of this node: what membership, overlay, gossip and rpc build on. A link gets here only after both
 * ends have shown a valid certificate chain (admission.ts), and leaves when it closes, expires or misbehaves.
 */
import type { Bytes } from "../../base/bytes.ts";
import type { Unsubscribe } from "../../base/events.ts";
import type { Channel, DialTarget, LinkPath, PeerId } from "../../ports/network.ts";
import type { Role } from "../types.ts";

/** The parts of the net that exchange small messages on every link; each has a protocol of its own. */
export type LinkPart = "members" | "overlay" | "gossip";

export interface AdmittedLink {
  readonly peer: PeerId;
  readonly role: Role;
  readonly inbound: boolean;
  path(): LinkPath;
  /**
   * Queues a small message (up to PART_MESSAGE_BYTES_MAX of limits.ts). Returns false if the queue is filling: then
   * hold back what can wait.
   */
  send(part: LinkPart, message: Bytes): boolean;
  /** A channel of some protocol to this peer. */
  open(protocol: string, options?: { signal?: AbortSignal | undefined }): Promise<Channel>;
  /** Closes the link in peace (the peer stays a member). */
  close(): Promise<void>;
}

export interface Links {
  all(): readonly AdmittedLink[];
  get(peer: PeerId): AdmittedLink | undefined;
  /** Called when a link has been admitted by both ends. */
  onUp(listener: (link: AdmittedLink) => void): Unsubscribe;
  /** Called once when it is gone, whoever closed it. */
  onDown(listener: (link: AdmittedLink) => void): Unsubscribe;
  /**
   * One receiver per part. If it throws a StarfishError "malformed" or "too-large", this counts as misbehaviour of the
   * peer.
   */
  receive(part: LinkPart, receiver: (link: AdmittedLink, message: Uint8Array) => void): void;
  /**
   * Dials and admits. Rejects with "unreachable", "timeout", "cancelled", "not-a-member", "wrong-swarm",
   * "version-mismatch", "bad-certificate".
   */
  dial(target: DialTarget, options: { signal: AbortSignal }): Promise<AdmittedLink>;
  /** Counts a fault of this peer (malformed, oversized, flooding); too many cost it its link and some minutes. */
  misbehaved(peer: PeerId, what: string): void;
}
