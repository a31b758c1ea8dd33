/**
 * Mail, for nodes and people who may be asleep. The sender's node seals it to the keys of its readers. The swarm keeps
 * it like any other content until its time is over, and its readers' nodes show it. All members see who wrote to whom,
 * when and how much. Only the readers (and on the sending node its writer) see the subject, the text, and the names and
 * bytes of files.
 */
import type { Unsubscribe } from "../../base/events.ts";
import type { PeerId } from "../../ports/network.ts";
import type { PersonId } from "../people/types.ts";

/** 32 hex digits: a hash of what the sender has signed. */
export type MailId = string;

/** Whom a mail is for: one node, or a person on all of their nodes. */
export type Address =
  | { readonly kind: "node"; readonly peer: PeerId }
  | { readonly kind: "person"; readonly person: PersonId };

/**
 * Someone to whom mail can be sent, with the name that they give themselves. Names prove nothing: others may have the
 * same.
 */
export interface Correspondent {
  readonly address: Address;
  readonly name: string;
}

export interface MailFile {
  readonly name: string;
  readonly sizeBytes: number;
}

/**
 * The state of a mail on this node. "arriving": its letter is out of reach, and will be tried again. "spoilt": it can't
 * be opened, or its letter contradicts its entry; `why` has the reason.
 */
export type InboxState = "arriving" | "unread" | "read" | "spoilt";

export interface InboxMail {
  readonly id: MailId;
  /** Counted on this node from 1; a mail keeps its number as long as it is here. */
  readonly number: number;
  readonly state: InboxState;
  readonly why: string | undefined;
  /** The node that wrote it, as its signature proves. */
  readonly from: PeerId;
  /** That node's name, and its person's. */
  readonly fromName: string;
  /** Whom an answer goes to: the person whose node wrote it, or that node. */
  readonly replyTo: Correspondent;
  readonly to: readonly Correspondent[];
  /** As the sender says: corrected time, ms since 1970. */
  readonly sentAtMs: number;
  /** When the mail is over, read or not. */
  readonly expiresAtMs: number;
  /** "" while it is arriving. */
  readonly subject: string;
  readonly files: readonly MailFile[];
  /** The bytes that the swarm keeps of it. */
  readonly sealedBytes: number;
}

export interface OpenedMail extends InboxMail {
  readonly text: string;
  readonly inReplyTo: MailId | undefined;
}

/** The state of a mail for one of its readers. "expired": its time was over before it was read. */
export type DeliveryState = "waiting" | "delivered" | "read" | "expired";

export interface Delivery {
  readonly to: Correspondent;
  readonly state: DeliveryState;
  /** Since when, corrected time, ms since 1970. */
  readonly atMs: number;
}

export interface SentMail {
  readonly id: MailId;
  readonly number: number;
  readonly sentAtMs: number;
  readonly expiresAtMs: number;
  readonly subject: string;
  readonly files: readonly MailFile[];
  readonly deliveries: readonly Delivery[];
}

interface DraftFile {
  readonly name: string;
  /** Can be read once, from beginning to end. */
  readonly bytes: AsyncIterable<Uint8Array>;
}

export interface Draft {
  readonly to: readonly Address[];
  readonly subject?: string | undefined;
  readonly text?: string | undefined;
  /** An iterable, so that each file is opened only when it is its turn. */
  readonly files?: Iterable<DraftFile> | AsyncIterable<DraftFile> | undefined;
  readonly inReplyTo?: MailId | undefined;
}

export interface SendProgress {
  /** The file that is being sealed; undefined once all are. */
  readonly file: string | undefined;
  /** Bytes of files that have been read, and sealed bytes that are placed as the disk promises. */
  readonly takenBytes: number;
  readonly safeBytes: number;
}

/** An event that a person should hear of at once. */
export type MailNotice =
  | { readonly kind: "arrived"; readonly mail: InboxMail }
  /** So many more have arrived than are announced one by one. */
  | { readonly kind: "more"; readonly mails: number }
  /** Its time was over before all had read it. */
  | { readonly kind: "expired"; readonly mail: SentMail };

interface Options {
  readonly signal?: AbortSignal | undefined;
}

export interface Mail {
  /** The mail for this node and its person, the oldest first. */
  inbox(): readonly InboxMail[];
  /** How many mails of the inbox are unread. */
  unread(): number;
  /** The mails that this node has sent and not forgotten, the oldest first. */
  sent(): readonly SentMail[];
  /** Everyone to whom mail can be sent: members, and those who were members within the last weeks; people first. */
  correspondents(): readonly Correspondent[];
  /**
   * Seals and stores a mail. Resolves when it is written here and its readers can find it; `safe` resolves when it no
   * longer depends on this node, or rejects with what prevents it (the disk goes on trying). Rejects with "not-found"
   * (no such address, or it has no key yet), "too-large", "full" (no room in the swarm, or too many of this node's are
   * waiting), "clock", "io", "cancelled"; then nothing of the mail stays.
   */
  send(
    draft: Draft,
    options?: Options & { readonly onProgress?: (progress: SendProgress) => void },
  ): Promise<{ readonly id: MailId; readonly safe: Promise<void> }>;
  /**
   * Opens a mail, with its text. From now on the mail counts as read, and the sender is told. Rejects with "not-found",
   * "lost" (out of reach now), "malformed", "cancelled".
   */
  read(id: MailId, options?: Options): Promise<OpenedMail>;
  /** As `read`, but nobody is told: for previews and trees. */
  peek(id: MailId, options?: Options): Promise<OpenedMail>;
  /** The bytes of one of its files. Rejects as `read`. */
  file(id: MailId, index: number, options?: Options): AsyncIterable<Uint8Array>;
  /**
   * Removes it here and on all nodes of its person. When its last reader has removed it, the swarm forgets its content.
   * Throws "not-found", "full", "clock".
   */
  remove(id: MailId): void;
  /** Forgets a mail that this node has sent; its readers keep it. Rejects with "not-found", "io". */
  forget(id: MailId): Promise<void>;
  /** Called when the results of the methods above may have changed. */
  onChange(listener: () => void): Unsubscribe;
  onNotice(listener: (notice: MailNotice) => void): Unsubscribe;
  /** Entries about mail that were not accepted: forged, or beyond a bound. */
  readonly setAside: number;
}
