/**
 * All mail of the swarm, as the map `mail` has it: who wrote to whom, and the state for each reader. Accepted entries
 * are signed (entries.ts). They stay until their time is over, even if somebody deletes them (io/statements). The
 * number of mails of each sender is bounded; all nodes keep the same ones.
 */
import { Listeners, type Unsubscribe } from "../../base/events.ts";
import type { ReplicatedMap } from "../../memory/types.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Crypto } from "../../ports/crypto.ts";
import type { Log } from "../../ports/log.ts";
import type { PeerId } from "../../ports/network.ts";
import type { Random } from "../../ports/random.ts";
import { type Judgement, type Statement, type StatementChange, Statements } from "../statements/statements.ts";
import {
  claimedContents,
  type MailEntry,
  mailKey,
  readMail,
  readReceipt,
  RECEIPTS,
  type ReceiptEntry,
  receiptKey,
  receiptsOf,
  type ReceiptState,
} from "./entries.ts";
import { AHEAD_MS_MAX, MAIL_KEPT_MS, MAILS_PER_SENDER_MAX } from "./limits.ts";
import type { MailId } from "./types.ts";

interface MailStatement extends Statement {
  readonly is: "mail";
  readonly mail: MailEntry;
}

interface ReceiptStatement extends Statement {
  readonly is: "receipt";
  readonly receipt: ReceiptEntry;
}

type Said = MailStatement | ReceiptStatement;

export interface LedgerParts {
  readonly map: ReplicatedMap;
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: Crypto;
  readonly log: Log;
  /** Whether the mail is from this node or for it. */
  readonly concerns: (mail: MailEntry) => boolean;
}

/** "gone": its time is over, or there is no room for it. */
export type LedgerChange =
  | { readonly is: "mail" | "gone"; readonly mail: MailEntry }
  | { readonly is: "receipt"; readonly mail: MailEntry; readonly receipt: ReceiptEntry };

const MAIL_PREFIX = "m/";
const RECEIPT_PREFIX = "r/";
const TOO_MANY = "more than one node may send";

export class Ledger {
  readonly #parts: LedgerParts;
  readonly #said: Statements<Said>;
  readonly #mails = new Map<MailId, MailEntry>();
  /** The mails of each sender, in the order in which they are kept. */
  readonly #bySender = new Map<PeerId, MailEntry[]>();
  readonly #changed = new Listeners<LedgerChange>();
  readonly #stop: Unsubscribe;

  constructor(parts: LedgerParts) {
    const { map, clock, random, log } = parts;
    this.#parts = parts;
    this.#said = new Statements<Said>({
      map,
      clock,
      random,
      log,
      judge: (key, value) => this.#judge(key, value),
      isOwn: (said) => this.#isOwn(said),
    });
    this.#stop = this.#said.onChange((change) => this.#take(change));
  }

  /** Starts to look at the entries that the map has already; listeners hear of each. */
  start(): void {
    this.#said.start();
  }

  get(id: MailId): MailEntry | undefined {
    return this.#mails.get(id);
  }

  /** All mails that have been checked and whose time is not over. */
  all(): IterableIterator<MailEntry> {
    return this.#mails.values();
  }

  receipt(id: MailId, reader: number, state: ReceiptState): ReceiptEntry | undefined {
    const said = this.#said.get(receiptKey(id, reader, state));
    return said?.is === "receipt" ? said.receipt : undefined;
  }

  /** How many more mails that node may send. A mail that all readers have deleted counts until its time is over. */
  roomFor(sender: PeerId): number {
    return MAILS_PER_SENDER_MAX - (this.#bySender.get(sender)?.length ?? 0);
  }

  /** Throws as `ReplicatedMap.set`. */
  write(mail: MailEntry, wire: unknown): void {
    this.#said.write(mailKey(mail.id), mailStatement(mail, wire));
  }

  give(receipt: ReceiptEntry, wire: unknown): void {
    const mail = this.#mails.get(receipt.id);
    if (mail === undefined) return;
    this.#said.write(receiptKey(receipt.id, receipt.reader, receipt.state), receiptStatement(mail, receipt, wire));
  }

  /**
   * CIDs of contents that a reader may still read. Contents of entries that have not been checked yet are among them.
   */
  *references(): Iterable<string> {
    for (const mail of this.#mails.values()) {
      if (!this.isDone(mail)) for (const { cid } of mail.contents) yield cid;
    }
    for (const key of this.#said.unseen()) {
      if (key.startsWith(MAIL_PREFIX)) yield* claimedContents(this.#parts.map.get(key));
    }
  }

  /** Whether all of its readers have deleted it. */
  isDone(mail: MailEntry): boolean {
    return mail.to.every((_, reader) => this.receipt(mail.id, reader, "deleted") !== undefined);
  }

  get setAside(): number {
    return this.#said.setAside;
  }

  onChange(listener: (change: LedgerChange) => void): Unsubscribe {
    return this.#changed.add(listener);
  }

  close(): void {
    this.#stop();
    this.#said.close();
  }

  #judge(key: string, value: unknown): Judgement<Said> {
    const { crypto, map } = this.#parts;
    if (key.startsWith(MAIL_PREFIX)) {
      const mail = readMail(crypto, key, value, (claimed) => {
        if (claimed.sentAtMs > map.now() + AHEAD_MS_MAX) return "from the future";
        return this.#hasRoom(claimed) ? undefined : TOO_MANY;
      });
      return "why" in mail ? mail : mailStatement(mail, value);
    }
    if (key.startsWith(RECEIPT_PREFIX)) {
      const receipt = readReceipt(crypto, key, value, (id) => this.#mails.get(id));
      if (receipt === "waits" || "why" in receipt) return receipt;
      const mail = this.#mails.get(receipt.id);
      return mail === undefined ? "waits" : receiptStatement(mail, receipt, value);
    }
    return "foreign";
  }

  #hasRoom(mail: MailEntry): boolean {
    const kept = this.#bySender.get(mail.from) ?? [];
    if (kept.length < MAILS_PER_SENDER_MAX || this.#mails.has(mail.id)) return true;
    const last = kept.at(-1);
    return last !== undefined && compare(mail, last) < 0;
  }

  #take({ now, before }: StatementChange<Said>): void {
    const said = now ?? before;
    if (said === undefined) return;
    if (said.is === "receipt") {
      const mail = this.#mails.get(said.receipt.id);
      if (mail !== undefined && now !== undefined) this.#changed.emit({ is: "receipt", mail, receipt: said.receipt });
      return;
    }
    if (now === undefined) this.#remove(said.mail);
    else if (before === undefined) this.#add(said.mail);
  }

  #add(mail: MailEntry): void {
    this.#mails.set(mail.id, mail);
    const kept = this.#bySender.get(mail.from) ?? [];
    let at = kept.length;
    while (at > 0 && compare(mail, kept[at - 1] as MailEntry) < 0) at--;
    kept.splice(at, 0, mail);
    this.#bySender.set(mail.from, kept);
    this.#changed.emit({ is: "mail", mail });
    // Receipts that came before their mail.
    for (const { key } of this.#parts.map.entries(receiptsOf(mail.id))) this.#said.look(key);
    const tooMany = kept[MAILS_PER_SENDER_MAX];
    if (tooMany !== undefined) this.#said.evict(mailKey(tooMany.id), TOO_MANY);
  }

  #remove(mail: MailEntry): void {
    this.#mails.delete(mail.id);
    const kept = (this.#bySender.get(mail.from) ?? []).filter(({ id }) => id !== mail.id);
    if (kept.length === 0) this.#bySender.delete(mail.from);
    else this.#bySender.set(mail.from, kept);
    this.#changed.emit({ is: "gone", mail });
  }

  #isOwn(said: Said): boolean {
    const mail = said.is === "mail" ? said.mail : this.#mails.get(said.receipt.id);
    return mail !== undefined && this.#parts.concerns(mail);
  }
}

/** The order in which a sender's mails are kept: the earlier first, and of two equal ones the one with the lower id. */
function compare(a: MailEntry, b: MailEntry): number {
  return a.sentAtMs - b.sentAtMs || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

export function expiryOf({ sentAtMs }: MailEntry): number {
  return sentAtMs + MAIL_KEPT_MS;
}

function mailStatement(mail: MailEntry, wire: unknown): MailStatement {
  return { is: "mail", mail, wire, expiresAtMs: expiryOf(mail), rank: 0 };
}

/** A receipt expires with its mail. */
function receiptStatement(mail: MailEntry, receipt: ReceiptEntry, wire: unknown): ReceiptStatement {
  return { is: "receipt", receipt, wire, expiresAtMs: expiryOf(mail), rank: 0 };
}

/** The furthest state that a reader has reported: deleted, read, or delivered. */
export function furthest(ledger: Ledger, id: MailId, reader: number): ReceiptEntry | undefined {
  for (const state of RECEIPTS.toReversed()) {
    const receipt = ledger.receipt(id, reader, state);
    if (receipt !== undefined) return receipt;
  }
  return undefined;
}
