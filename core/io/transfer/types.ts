/**
 * Transfer: bytes that are sent straight from one node to another while both are awake. A transfer is one or more files
 * and directories, or a pipe. The receiver is asked first. The transfer goes into the other node's inbox, or to a shell
 * that waits for it there. After a broken link or a restart of either side it goes on where it stopped
 * (docs/transfer.md).
 */
import type { Bytes } from "../../base/bytes.ts";
import type { Unsubscribe } from "../../base/events.ts";
import type { PeerId } from "../../ports/network.ts";
import type { Answer } from "../devices/types.ts";

export interface TransferEntry {
  readonly kind: "file" | "folder";
  /** Relative: names with "/" between them, none of which is empty, "." or "..". */
  readonly path: string;
  /** 0 for directories. Undefined: a pipe, whose length is known only at its end; it is the only entry then. */
  readonly sizeBytes: number | undefined;
  /** Ms since 1970; 0 if it is not known. */
  readonly modifiedMs: number;
}

/**
 * What is to be sent. The same entries with the same bytes are the same transfer, which goes on where it was
 * interrupted.
 */
export interface TransferSource {
  readonly entries: readonly TransferEntry[];
  /**
   * The bytes of a file, by its position among the entries. Called again from the first file if the other node has lost
   * what it had; a pipe is read once. Fewer bytes than announced end the transfer with "io"; further bytes are left
   * out.
   */
  read(index: number, options: { readonly signal: AbortSignal }): AsyncIterable<Bytes>;
}

/**
 * "linking": sets up a link to the node. "waiting": the person there is being asked. "checking": what was sent before
 * is compared with the source. "sending". "interrupted": the link broke, and is set up again.
 */
export type SendState = "linking" | "waiting" | "checking" | "sending" | "interrupted";

export interface SendProgress {
  readonly state: SendState;
  /** Bytes of the content that are stored at the other end. */
  readonly doneBytes: number;
  /** Undefined for a pipe. */
  readonly totalBytes: number | undefined;
  /** How many of them were stored before this call. */
  readonly resumedBytes: number;
  /** While it is "waiting": whether somebody is at the other node's screen. */
  readonly hasPerson: boolean;
}

export interface SendOptions {
  /**
   * Aborting with "cancelled" tells the other node, which drops what it has. Aborting with anything else is like a
   * broken link.
   */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: SendProgress) => void) | undefined;
}

/**
 * A description of what somebody wants to send, for a person. Sizes and names are claims of the sender until everything
 * has arrived.
 */
export interface Offer {
  readonly id: string;
  readonly from: PeerId;
  /** The sender's present name. Others may have the same. */
  readonly name: string;
  /** The name of its only file or directory, or the first name and how many more there are. */
  readonly title: string;
  readonly files: number;
  readonly folders: number;
  /** Undefined for a pipe. */
  readonly totalBytes: number | undefined;
  /** The first files, with their sizes. */
  readonly names: readonly { readonly path: string; readonly sizeBytes: number | undefined }[];
  /** Whether there is room for it in the inbox now. The length of a pipe is not known. */
  readonly fits: boolean;
}

type TransferState = SendState | "receiving" | "whole";

/** A transfer of this node, in either direction. A "whole" one is in the inbox. */
export interface TransferInfo {
  readonly id: string;
  readonly direction: "in" | "out";
  readonly peer: PeerId;
  readonly name: string;
  readonly title: string;
  readonly files: number;
  readonly folders: number;
  readonly state: TransferState;
  readonly doneBytes: number;
  readonly totalBytes: number | undefined;
  /** When it was accepted or begun, by this node's clock, in ms since 1970. */
  readonly startedAtMs: number;
}

/** Takes the bytes of one file or pipe as they arrive. `write` resolves when there is room for more. */
export interface LiveTarget {
  write(bytes: Bytes): Promise<void>;
}

export interface ReceiveOptions {
  /** Takes a transfer of this member only; if absent, of the first member that is not refused. */
  readonly from?: PeerId | undefined;
  /**
   * Where the bytes of a single file or pipe go; the inbox if absent. Directories and several files go to the inbox.
   */
  readonly into?: LiveTarget | undefined;
  /** Whether this answer holds for that member from now on. */
  readonly remember?: boolean | undefined;
  readonly signal: AbortSignal;
  readonly onProgress?: ((info: TransferInfo) => void) | undefined;
}

/** A file or directory of a transfer in the inbox, and where its bytes begin. */
export interface InboxEntry extends TransferEntry {
  readonly sizeBytes: number;
  readonly offset: number;
}

/**
 * Transfers that have arrived completely. They stay until they are removed, and count towards what this node offers to
 * the swarm.
 */
export interface Inbox {
  items(): readonly TransferInfo[];
  /** Rejects with "not-found", "corrupt". */
  entries(id: string): Promise<readonly InboxEntry[]>;
  /** The bytes of an entry. Rejects with "not-found", "is-a-directory", "corrupt". */
  read(
    id: string,
    entry: InboxEntry,
    options?: { readonly from?: number; readonly to?: number; readonly signal?: AbortSignal | undefined },
  ): AsyncIterable<Uint8Array>;
  /** Rejects with "not-found". */
  remove(id: string): Promise<void>;
}

export interface Transfer {
  /**
   * Sends to a member that is awake. Resolves when all of it is stored at the other node. Rejects with "refused" (by
   * the person there, for good or this time), "timeout" (nobody has answered), "full" (no room there: nothing was
   * sent), "unreachable", "busy", "unsupported" (that node does not know transfers), "cancelled" (by either side),
   * "io", "malformed" (impossible names).
   */
  send(peer: PeerId, source: TransferSource, options?: SendOptions): Promise<void>;
  /**
   * Offers that wait for this node's person. Pipes wait also if their member is allowed, because they need a reader.
   */
  offers(): readonly Offer[];
  /** Called once for each offer about which the person is asked. */
  onOffer(listener: (offer: Offer) => void): Unsubscribe;
  /**
   * Takes an offer into the inbox. Unless `remember` is false, all later ones of that member are taken too. Rejects
   * with "not-found", "full".
   */
  accept(id: string, options?: { readonly remember?: boolean }): Promise<void>;
  /**
   * Refuses an offer, and tells the sender. Unless `remember` is false, the refusal holds for good. Rejects with
   * "not-found".
   */
  refuse(id: string, options?: { readonly remember?: boolean }): Promise<void>;
  /**
   * Takes an offer that waits, or the next one, and resolves when it has arrived completely. If bytes go to the inbox
   * anyway, it joins a transfer that is coming in already, which goes on when this is aborted. Rejects with
   * "cancelled", "full", "io".
   */
  receive(options: ReceiveOptions): Promise<TransferInfo>;
  /** The transfers under way, then those in the inbox. */
  list(): readonly TransferInfo[];
  /**
   * Ends a transfer that is under way, in either direction. The other node is told, and all of it is deleted. Rejects
   * with "not-found".
   */
  cancel(id: string): Promise<void>;
  readonly inbox: Inbox;
  /** The members that have an answer, with the answer. */
  answers(): ReadonlyMap<PeerId, Answer>;
  /** Sets the answer for a member from now on, also after a restart; undefined forgets it. Rejects with "io". */
  answer(peer: PeerId, answer: Answer | undefined): Promise<void>;
  /** Called when `offers`, `list` or `answers` have changed, and a few times a second about progress. */
  onChange(listener: () => void): Unsubscribe;
  close(): Promise<void>;
}
