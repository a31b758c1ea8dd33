/**
 * Transfer: bytes that go straight from one node to another while both are awake. A transfer is one or more files and
 * folders, or a pipe; it is asked about first, lands in the other node's inbox or goes to whoever waits for it there, and
 * goes on where it stopped after a broken link or a restart of either side (docs/transfer.md).
 */
import type { Bytes } from "../../base/bytes.ts";
import type { Unsubscribe } from "../../base/events.ts";
import type { PeerId } from "../../ports/network.ts";
import type { Answer } from "../devices/types.ts";

export interface TransferEntry {
  readonly kind: "file" | "folder";
  /** Relative: names with "/" between them, none of them empty, "." or "..". */
  readonly path: string;
  /** 0 for folders. Undefined: a pipe, whose length is known at its end; it is the only entry then. */
  readonly sizeBytes: number | undefined;
  /** Ms since 1970; 0 where it is not known. */
  readonly modifiedMs: number;
}

/** What is to be sent. The same entries with the same bytes are the same transfer: it goes on where it was broken off. */
export interface TransferSource {
  readonly entries: readonly TransferEntry[];
  /**
   * The bytes of a file, by its place among the entries. Called again from the first one where the other node has lost what
   * it had; a pipe is read once. Fewer bytes than said end the transfer with "io"; more are left out.
   */
  read(index: number, options: { readonly signal: AbortSignal }): AsyncIterable<Bytes>;
}

/**
 * "linking": looks for a way to the node. "waiting": the person there is being asked. "checking": what was sent before is
 * compared with the source. "sending". "interrupted": the link broke, and is looked for again.
 */
export type SendState = "linking" | "waiting" | "checking" | "sending" | "interrupted";

export interface SendProgress {
  readonly state: SendState;
  /** Of the content, safe at the other end. */
  readonly doneBytes: number;
  /** Undefined of a pipe. */
  readonly totalBytes: number | undefined;
  /** How many of them were there before this call. */
  readonly resumedBytes: number;
  /** While it is "waiting": whether somebody is at the other node's screen. */
  readonly hasPerson: boolean;
}

export interface SendOptions {
  /** Aborted with "cancelled" it tells the other node, which drops what it has; with anything else it is as a broken link. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: SendProgress) => void) | undefined;
}

/** What somebody wants to send, as a person is told of it. Sizes and names are the sender's word until all has come. */
export interface Offer {
  readonly id: string;
  readonly from: PeerId;
  /** What the sender is called now. Others may be called the same. */
  readonly name: string;
  /** The name of its only file or folder, or the first one and how many more. */
  readonly title: string;
  readonly files: number;
  readonly folders: number;
  /** Undefined of a pipe. */
  readonly totalBytes: number | undefined;
  /** The first ones, with their sizes. */
  readonly names: readonly { readonly path: string; readonly sizeBytes: number | undefined }[];
  /** Whether there is room in the inbox for it now; a pipe's length is not known. */
  readonly fits: boolean;
}

type TransferState = SendState | "receiving" | "whole";

/** A transfer of this node, in either direction; what is "whole" lies in the inbox. */
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
  /** When it was accepted or begun by this node's clock, ms since 1970. */
  readonly startedAtMs: number;
}

/** Takes the bytes of one file or pipe as they come. `write` resolves when there is room for more. */
export interface LiveTarget {
  write(bytes: Bytes): Promise<void>;
}

export interface ReceiveOptions {
  /** Of this member only; else of whoever is first and is not refused. */
  readonly from?: PeerId | undefined;
  /** Where the bytes of one file or pipe go; the inbox unless given. Folders and several files go to the inbox. */
  readonly into?: LiveTarget | undefined;
  /** Whether this is the answer for that member from now on. */
  readonly remember?: boolean | undefined;
  readonly signal: AbortSignal;
  readonly onProgress?: ((info: TransferInfo) => void) | undefined;
}

/** A file or folder of a transfer that lies in the inbox, with where its bytes begin. */
export interface InboxEntry extends TransferEntry {
  readonly sizeBytes: number;
  readonly offset: number;
}

/** What has come whole, and stays until it is removed. It counts against what this node offers to the swarm. */
export interface Inbox {
  items(): readonly TransferInfo[];
  /** Rejects with "not-found", "corrupt". */
  entries(id: string): Promise<readonly InboxEntry[]>;
  /** Bytes of an entry. Rejects with "not-found", "is-a-directory", "corrupt". */
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
   * Sends to a member that is awake. Resolves when all of it is at the other node to stay. Rejects with "refused" (by the
   * person there, for good or this time), "timeout" (nobody has answered), "full" (no room there: nothing was sent),
   * "unreachable", "busy", "unsupported" (that node knows no transfers), "cancelled" (by either), "io", "malformed" (what
   * is to be sent has names that can't be).
   */
  send(peer: PeerId, source: TransferSource, options?: SendOptions): Promise<void>;
  /** Those that wait for this node's person; pipes also of members that are allowed, for they wait for a reader. */
  offers(): readonly Offer[];
  /** Each that is asked about, once. */
  onOffer(listener: (offer: Offer) => void): Unsubscribe;
  /** Takes an offer into the inbox. `remember`, unless false, takes all later ones of that member too. Rejects with "not-found", "full". */
  accept(id: string, options?: { readonly remember?: boolean }): Promise<void>;
  /** The sender is told. `remember`, unless false, is for good. Rejects with "not-found". */
  refuse(id: string, options?: { readonly remember?: boolean }): Promise<void>;
  /**
   * Takes an offer that waits, or the next one, and resolves when it has come whole. Where bytes go to the inbox anyway, it joins
   * what is coming in already, which goes on when this is aborted. Rejects with "cancelled", "full", "io".
   */
  receive(options: ReceiveOptions): Promise<TransferInfo>;
  /** What is under way, then what is in the inbox. */
  list(): readonly TransferInfo[];
  /** Ends a transfer that is under way, either way; the other node is told, and nothing of it stays. Rejects with "not-found". */
  cancel(id: string): Promise<void>;
  readonly inbox: Inbox;
  /** Who has been answered, and how. */
  answers(): ReadonlyMap<PeerId, Answer>;
  /** Holds from now on, also after a restart; undefined forgets. Rejects with "io". */
  answer(peer: PeerId, answer: Answer | undefined): Promise<void>;
  /** Something of `offers`, `list` or `answers` has changed; progress too, a few times a second. */
  onChange(listener: () => void): Unsubscribe;
  close(): Promise<void>;
}
