/**
 * Codes: one thing for somebody who is no member. Whoever knows a few words can fetch it once, from the page of a node
 * (docs/transfer.md). Nothing else of the swarm is open to them.
 */
import type { FileEntry, FolderEntry } from "../../disk/content/tree-entry.ts";
import type { Channel, PeerId } from "../../ports/network.ts";
import type { TransferSource } from "../transfer/types.ts";

/**
 * "open": waits for somebody with the words. "looking": they see what there is, and have not decided. "sending".
 * "interrupted": the link to a receiver that had begun broke; it may come back.
 */
export type CodeState = "open" | "looking" | "sending" | "interrupted";

export interface CodeProgress {
  readonly state: CodeState;
  /** Wrong guesses so far; WRONG_MAX end the code. */
  readonly wrong: number;
  /** Bytes of the content that are stored at the other end. */
  readonly doneBytes: number;
  /** Undefined for a pipe. */
  readonly totalBytes: number | undefined;
  /** Until the code runs out. */
  readonly leftMs: number;
  /** Whether the node that serves the page knows of the code, as far as is known here. */
  readonly isReachable: boolean;
}

export interface OfferCodeOptions {
  /** Aborting takes the code back. */
  readonly signal: AbortSignal;
  readonly onProgress?: ((progress: CodeProgress) => void) | undefined;
  /** The member whose page the code is for; by default the one that serves this node's own. */
  readonly via?: PeerId | undefined;
}

export interface OpenCode {
  /** "7-brisk-otter-meadow" */
  readonly code: string;
  /** The page's address, with the code after the "#". */
  readonly link: string;
  /** By this node's clock, ms since 1970. */
  readonly untilMs: number;
  /**
   * Resolves when everything is stored at the other end. Rejects with "refused" (three wrong guesses, or the receiver
   * does not want it), "timeout" (the hour is over), "unreachable" (it was interrupted and did not arrive), "cancelled"
   * (by either side), "malformed" (it was changed on its way), "io".
   */
  readonly fetched: Promise<void>;
}

/**
 * A file or directory as it arrives, in the order in which it was sent. Its bytes can't be read any more when the next
 * entry is asked for.
 */
export type FetchedEntry = FolderEntry | (Omit<FileEntry, "sizeBytes"> & { readonly sizeBytes: number | undefined });

/** What a person who knows the code is told about it. */
export interface FetchOffer {
  readonly title: string;
  readonly files: number;
  readonly folders: number;
  readonly totalBytes: number | undefined;
  readonly names: readonly { readonly path: string; readonly sizeBytes: number | undefined }[];
}

export interface Codes {
  /**
   * Opens a code for this. Rejects with "unsupported" if no node serves this node's page, "unreachable" if that node is
   * not there, "busy", and "malformed" or "too-large" if the source can't be sent.
   */
  offer(source: TransferSource, options: OfferCodeOptions): Promise<OpenCode>;
  /** From now on this node accepts codes of members, and strangers who ask for one. */
  openDesk(): void;
  /** Somebody who is no member connects from that address. Throws "closed" if the desk is not open. */
  stranger(channel: Channel, place: string): void;
  close(): void;
}
