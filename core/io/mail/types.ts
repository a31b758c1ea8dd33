/**
 * Mail: for whoever may be asleep. It is sealed on the sender's node to the keys of those who may read it, kept by the swarm
 * as content like any other until its time is over, and shown where it is for. All members see who wrote to whom, when and
 * how much; nobody but the readers (and who wrote it, on that node alone) sees subject, text, and names and bytes of files.
 */
import type { Unsubscribe } from "../../base/events.ts";
import type { PeerId } from "../../ports/network.ts";
import type { PersonId } from "../people/types.ts";

/** 32 hex digits, which follow from what its sender has signed. */
export type MailId = string;

/** Whom a mail is for: one node, or a person on all of their nodes. */
export type Address =
  | { readonly kind: "node"; readonly peer: PeerId }
  | { readonly kind: "person"; readonly person: PersonId };

/** One to whom mail can be sent, with the name they give themselves. Names prove nothing: others may have the same. */
export interface Correspondent {
  readonly address: Address;
  readonly name: string;
}

export interface MailFile {
  readonly name: string;
  readonly sizeBytes: number;
}

/**
 * How a mail stands on this node. "arriving": what is in it is not known yet, since its content is out of reach; it is tried
 * again. "spoilt": it can't be opened, or says something else inside than outside, for the reason in `why`.
 */
export type InboxState = "arriving" | "unread" | "read" | "spoilt";

export interface InboxMail {
  readonly id: MailId;
  /** Counted on this node from 1; it stays the same for as long as the mail is here. */
  readonly number: number;
  readonly state: InboxState;
  readonly why: string | undefined;
  /** The node that wrote it, as its signature proves. */
  readonly from: PeerId;
  /** That node's name, and whose it is. */
  readonly fromName: string;
  /** Whom an answer goes to: the person whose node wrote it, or that node. */
  readonly replyTo: Correspondent;
  readonly to: readonly Correspondent[];
  /** By the sender's word, corrected time, ms since 1970. */
  readonly sentAtMs: number;
  /** When it goes, read or not. */
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

/** How far a mail is for one of its readers. "expired": its time was over before it was read. */
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
  /** Read once, from its beginning to its end. */
  readonly bytes: AsyncIterable<Uint8Array>;
}

export interface Draft {
  readonly to: readonly Address[];
  readonly subject?: string | undefined;
  readonly text?: string | undefined;
  /** An iterable, so that each file is opened when it is its turn. */
  readonly files?: Iterable<DraftFile> | AsyncIterable<DraftFile> | undefined;
  readonly inReplyTo?: MailId | undefined;
}

export interface SendProgress {
  /** The file that is being sealed; undefined once all are. */
  readonly file: string | undefined;
  /** Bytes of files that have been taken in, and of what is sealed those that are placed as the disk promises. */
  readonly takenBytes: number;
  readonly safeBytes: number;
}

/** Something that a person should hear of as it happens. */
export type MailNotice =
  | { readonly kind: "arrived"; readonly mail: InboxMail }
  /** Its time was over before all had read it. */
  | { readonly kind: "expired"; readonly mail: SentMail };

interface Options {
  readonly signal?: AbortSignal | undefined;
}

export interface Mail {
  /** What is here for this node and its person, the oldest first. */
  inbox(): readonly InboxMail[];
  /** How many of it nobody has read; 0 is no news. */
  unread(): number;
  /** What this node has sent and not forgotten, the oldest first. */
  sent(): readonly SentMail[];
  /** All to whom mail can be sent: members, and those who were some within the last weeks; people first. */
  correspondents(): readonly Correspondent[];
  /**
   * Seals and stores it. Resolves when it is written here and its readers can find it; `safe` resolves when it no longer
   * depends on this node, or rejects with what prevents it (the disk goes on trying). Rejects with "not-found" (an address
   * that is none, or has no key yet), "too-large", "full" (no room in the swarm, or too many of this node's are waiting),
   * "clock", "io", "cancelled"; then nothing of it is there for anybody.
   */
  send(
    draft: Draft,
    options?: Options & { readonly onProgress?: (progress: SendProgress) => void },
  ): Promise<{ readonly id: MailId; readonly safe: Promise<void> }>;
  /** The text, too; from now on it counts as read, and the sender is told. Rejects with "not-found", "lost" (out of reach now), "malformed", "cancelled". */
  read(id: MailId, options?: Options): Promise<OpenedMail>;
  /** As `read`, and nobody is told: for previews and trees. */
  peek(id: MailId, options?: Options): Promise<OpenedMail>;
  /** The bytes of one of its files. Rejects as `read`. */
  file(id: MailId, index: number, options?: Options): AsyncIterable<Uint8Array>;
  /** Removes it here and on all nodes of the person that it is for. When its last reader has, the swarm forgets its content. Throws "not-found", "full", "clock". */
  remove(id: MailId): void;
  /** Forgets a mail that this node has sent; its readers keep it. Rejects with "not-found", "io". */
  forget(id: MailId): Promise<void>;
  /** Called when something of what is said above may have changed. */
  onChange(listener: () => void): Unsubscribe;
  onNotice(listener: (notice: MailNotice) => void): Unsubscribe;
  /** Entries about mail that are not believed: forged, or beyond a bound. */
  readonly setAside: number;
}
