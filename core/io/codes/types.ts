/**
 * Codes: one thing for somebody who is no member, fetched once by who knows a few words, from the page of a node
 * (docs/transfer.md). Nothing else of the swarm is open to them.
 */
import type { FileEntry, FolderEntry } from "../../disk/content/tree-entry.ts";
import type { Channel, PeerId } from "../../ports/network.ts";
import type { TransferSource } from "../transfer/types.ts";

/**
 * "open": waits for somebody with the words. "looking": they are told what there is, and have not decided. "sending".
 * "interrupted": the link to who had begun broke; they may come back.
 */
export type CodeState = "open" | "looking" | "sending" | "interrupted";

export interface CodeProgress {
  readonly state: CodeState;
  /** Wrong guesses so far; WRONG_MAX end the code. */
  readonly wrong: number;
  /** Of the content, safe at the other end. */
  readonly doneBytes: number;
  /** Undefined of a pipe. */
  readonly totalBytes: number | undefined;
  /** Until the code runs out. */
  readonly leftMs: number;
  /** Whether the node that serves the page knows of the code, as far as is known here. */
  readonly isReachable: boolean;
}

export interface OfferCodeOptions {
  /** Aborted it takes the code back. */
  readonly signal: AbortSignal;
  readonly onProgress?: ((progress: CodeProgress) => void) | undefined;
  /** The member whose page the code is for; by default the one that serves this node's own. */
  readonly via?: PeerId | undefined;
}

export interface OpenCode {
  /** "7-brisk-otter-meadow" */
  readonly code: string;
  /** The page, with the code behind the "#". */
  readonly link: string;
  /** By this node's clock, ms since 1970. */
  readonly untilMs: number;
  /**
   * Resolves when all of it is at the other end to stay. Rejects with "refused" (three wrong guesses, or whoever has the
   * code does not want it), "timeout" (the hour is over), "unreachable" (it broke off and did not arrive), "cancelled" (by
   * either), "malformed" (what came was changed on its way), "io".
   */
  readonly fetched: Promise<void>;
}

/** A file or folder as it comes, in the order in which it was sent. Its bytes are gone when the next entry is asked for. */
export type FetchedEntry = FolderEntry | (Omit<FileEntry, "sizeBytes"> & { readonly sizeBytes: number | undefined });

/** What whoever knows the code is told of it. */
export interface FetchOffer {
  readonly title: string;
  readonly files: number;
  readonly folders: number;
  readonly totalBytes: number | undefined;
  readonly names: readonly { readonly path: string; readonly sizeBytes: number | undefined }[];
}

export interface Codes {
  /**
   * Opens a code for this. Rejects with "unsupported" where no node serves this node's page, "unreachable" where that one
   * is not there, "busy", "malformed" or "too-large" where the source can't be sent.
   */
  offer(source: TransferSource, options: OfferCodeOptions): Promise<OpenCode>;
  /** From now on this node takes codes of members, and strangers that ask for one. */
  openDesk(): void;
  /** Somebody who is no member, from that address. Throws "closed" where the desk is not open. */
  stranger(channel: Channel, place: string): void;
  close(): void;
}
