/**
 * People: whoever has several nodes says once who they are, and mail to them reaches all of these nodes. A person is a key
 * pair, of which each of their nodes has the private half; its public half stands in what each of these nodes tells of itself,
 * signed by the node and by the person, so that neither can be claimed by others.
 */
import type { Unsubscribe } from "../../base/events.ts";
import type { PeerId } from "../../ports/network.ts";

/** A person's public key, 64 hex digits. */
export type PersonId = string;

export interface PersonInfo {
  readonly id: PersonId;
  /** By their own word; others may be called the same. */
  readonly name: string;
  /** Members, and those who were some within the last weeks, in order of their ids. */
  readonly nodes: readonly PeerId[];
  /** Whether this node is one of theirs. */
  readonly isSelf: boolean;
}

/** How another node of the same person gets in. */
export interface JoinCode {
  readonly code: string;
  /** It is good once, and until then: corrected time, ms since 1970. */
  readonly expiresAtMs: number;
}

export interface People {
  /** Whose node this is; undefined: nobody has said so. */
  self(): PersonInfo | undefined;
  /** Everybody who has a node here, in order of names. */
  all(): readonly PersonInfo[];
  /** Whose node that is. */
  of(peer: PeerId): PersonInfo | undefined;
  /** Says whose node this is, or changes that person's name on this node and, by and by, on their others. Rejects with "io". */
  setName(name: string): Promise<void>;
  /** A code for another node of this person. Rejects with "not-found" where nobody has said whose node this is. */
  add(): JoinCode;
  /** Becomes a node of whoever made the code. Rejects with "refused", "unreachable", "timeout", "malformed", "io", "cancelled". */
  join(code: string, options?: { readonly signal?: AbortSignal | undefined }): Promise<PersonInfo>;
  /**
   * Gives this person a new key, which their other nodes get by mail and that node does not. What was sent to them before,
   * that node may have read and may go on reading. For this node itself: it is nobody's from now on. Rejects with
   * "not-found", "io", and what sending mail rejects with.
   */
  remove(peer: PeerId): Promise<void>;
  onChange(listener: () => void): Unsubscribe;
}
