/**
 * People. Someone who has several nodes says so once, and mail to them reaches all of these nodes. A person is a key
 * pair. Each of their nodes has the private key, and its card has the public key, signed by the node and by the person,
 * so that nobody can claim to be another person's node.
 */
import type { Unsubscribe } from "../../base/events.ts";
import type { PeerId } from "../../ports/network.ts";

/** A person's public key, 64 hex digits. */
export type PersonId = string;

export interface PersonInfo {
  readonly id: PersonId;
  /** The name that they give themselves; others may have the same. */
  readonly name: string;
  /** Their nodes: members, and those that were members within the last weeks, in order of their ids. */
  readonly nodes: readonly PeerId[];
  /** Whether this node is one of theirs. */
  readonly isSelf: boolean;
}

/** A code with which another node of the same person joins. */
export interface JoinCode {
  readonly code: string;
  /** The code works once, and until then: corrected time, ms since 1970. */
  readonly expiresAtMs: number;
}

/** A small picture, as browsers show it. It proves nothing, as a name proves nothing. */
export interface Picture {
  readonly type: "image/png" | "image/jpeg" | "image/webp";
  readonly bytes: Uint8Array;
}

export interface Pictures {
  /** The picture of that person, if they have one and this node has got it. */
  of(person: PersonId): Picture | undefined;
  /** All people who have one. */
  people(): readonly PersonId[];
  /**
   * Gives this node's person a picture, or takes it away. Throws "not-found" if nobody has said whose node this is,
   * "malformed" and "too-large" for anything but a PNG, JPEG or WebP of at most 16 KiB and 256 × 256 pixels, "full",
   * "clock".
   */
  set(bytes: Uint8Array | undefined): void;
  onChange(listener: () => void): Unsubscribe;
}

export interface People {
  /** The person whose node this is; undefined if nobody has said so. */
  self(): PersonInfo | undefined;
  /** Everybody who has a node in this swarm, in order of names. */
  all(): readonly PersonInfo[];
  /** The person whose node that is. */
  of(peer: PeerId): PersonInfo | undefined;
  /**
   * Says whose node this is, or changes that person's name on this node and, after a while, on their other nodes.
   * Rejects with "io".
   */
  setName(name: string): Promise<void>;
  /** A code for another node of this person. Rejects with "not-found" if nobody has said whose node this is. */
  add(): JoinCode;
  /**
   * Makes this node one of the person who made the code. Rejects with "refused", "unreachable", "timeout", "malformed",
   * "io", "cancelled".
   */
  join(code: string, options?: { readonly signal?: AbortSignal | undefined }): Promise<PersonInfo>;
  /**
   * Gives this person a new key, which their other nodes get by mail and that node does not. That node may have read
   * what was sent to them before, and can still read it. If it is this node itself, it belongs to nobody from now on.
   * Rejects with "not-found", "io", and with whatever sending mail rejects with.
   */
  remove(peer: PeerId): Promise<void>;
  /** The pictures of people, which this node keeps from the first call on. Rejects with "io". */
  pictures(): Promise<Pictures>;
  onChange(listener: () => void): Unsubscribe;
}
