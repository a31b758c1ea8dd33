/**
 * The mail for this node and its person. Each mail's letter is fetched and opened once, so that the list can show its
 * subject; it is fetched again when somebody reads it. Receipts tell the sender, and this person's other nodes.
 */
import { decode, encode, bytesOf, integerOf, type Schema } from "../../base/codec.ts";
import * as v from "valibot";
import { fromHex, toHex } from "../../base/bytes.ts";
import { isStarfishError, messageOf, StarfishError, toStarfishError } from "../../base/errors.ts";
import { type Clock, sleep, withDeadline } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { PeerId } from "../../ports/network.ts";
import type { Store } from "../../ports/store.ts";
import type { NodePeople } from "../people/people.ts";
import type { Crowd } from "./crowd.ts";
import { type MailEntry, RECEIPTS, type ReceiptState, sameAddress, signReceipt } from "./entries.ts";
import { LetterQueue } from "./letter-queue.ts";
import type { Letter } from "./letter.ts";
import { expiryOf, type Ledger } from "./ledger.ts";
import {
  FETCH_AGAIN_MS_MAX,
  FETCH_AGAIN_MS_MIN,
  FETCH_MS,
  INBOX_MAX,
  LETTERS_REMEMBERED,
  NUMBER_MAX,
  NUMBERS_PAUSE_MS,
} from "./limits.ts";
import { openFile, openLetter, type SealParts } from "./seal.ts";
import type { InboxMail, InboxState, MailFile, MailId, OpenedMail } from "./types.ts";

export interface InboxParts extends SealParts {
  readonly ledger: Ledger;
  readonly people: NodePeople;
  /** Whether this node knows that node: others come last if there is too much. */
  readonly isKnown: (sender: PeerId) => boolean;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly now: () => number;
  readonly onChange: () => void;
  readonly onArrival: (mail: InboxMail) => void;
  readonly signal: AbortSignal;
}

interface Item {
  readonly mail: MailEntry;
  readonly number: number;
  /** Whether the mail had arrived before this node was started. */
  readonly isOld: boolean;
  /** The indexes of the mail's readers that are this node or its person. */
  places: readonly number[];
  /** What the list shows of it, once the letter has been opened. */
  about: { readonly subject: string; readonly files: readonly MailFile[] } | undefined;
  why: string | undefined;
  fetchAtMs: number;
  pauseMs: number;
  /** As it is listed, until something of it changes. */
  shown: InboxMail | undefined;
}

type Numbers = readonly (readonly [id: Uint8Array, number: number])[];
const ID_BYTES = 16;
const numbersSchema: Schema<Numbers> = v.pipe(
  v.array(v.tuple([bytesOf(ID_BYTES), integerOf(1, NUMBER_MAX)])),
  v.maxLength(2 * INBOX_MAX),
);
const NUMBERS_KEY = "mail/numbers";

interface Options {
  readonly signal?: AbortSignal | undefined;
}

export class Inbox {
  readonly #parts: InboxParts;
  readonly #items = new Map<MailId, Item>();
  /** The numbers that mails got on this node, also before it was restarted. */
  readonly #numbers: Map<MailId, number>;
  readonly #letters = new Map<MailId, Letter>();
  /** Letters that have not been opened yet. */
  readonly #unopened: LetterQueue<Item>;
  /** The mails by sender, to choose which are not listed. Undefined until there are too many for the first time. */
  #crowd: Crowd<Item> | undefined;
  #counting: Promise<void> | undefined;
  #list: readonly InboxMail[] | undefined;
  #lastNumber = 0;
  #isStoring = false;
  #isToStore = false;

  private constructor(parts: InboxParts, numbers: Map<MailId, number>) {
    this.#parts = parts;
    this.#numbers = numbers;
    this.#unopened = new LetterQueue(parts.isKnown);
    for (const number of numbers.values()) this.#lastNumber = Math.max(this.#lastNumber, number);
  }

  /** Rejects with "io". */
  static async load(parts: InboxParts): Promise<Inbox> {
    const numbers = new Map<MailId, number>();
    const kept = await parts.store.get(NUMBERS_KEY);
    try {
      if (kept !== undefined) for (const [id, number] of decode(numbersSchema, kept)) numbers.set(toHex(id), number);
    } catch (error) {
      parts.log.write("warn", "mail.numbers-unreadable", { error: messageOf(error) });
    }
    return new Inbox(parts, numbers);
  }

  /** The same list as before if nothing has changed. */
  list(): readonly InboxMail[] {
    return (this.#list ??= Array.from(this.#items.values(), (item) => this.#shown(item)).sort(
      (a, b) => a.number - b.number,
    ));
  }

  unread(): number {
    let count = 0;
    for (const item of this.#items.values()) if (this.#shown(item).state === "unread") count++;
    return count;
  }

  /** Names have changed, or whose nodes they are. */
  rename(): void {
    for (const item of this.#items.values()) this.#changed(item);
  }

  /**
   * Call it when the mail has come or gone, when somebody has given a receipt for it, or when this node has become
   * another person's.
   */
  look(mail: MailEntry): void {
    const known = this.#items.get(mail.id);
    const places = this.#parts.ledger.get(mail.id) === undefined ? [] : this.#places(mail);
    const isHere = places.length > 0 && !this.#isDeleted(mail, places);
    if (isHere && known === undefined) this.#add(mail, places);
    if (isHere && known !== undefined) {
      known.places = places;
      this.#changed(known);
    }
    if (!isHere && known !== undefined) this.#remove(known);
    if (isHere || known !== undefined) this.#parts.onChange();
  }

  /** Tries again to fetch letters that were out of reach, and to give receipts that could not be written. */
  tick(): void {
    for (const item of this.#items.values()) if (item.about !== undefined) this.#give(item, "delivered");
    this.#unopened.sort();
    this.#fetchSome();
  }

  async open(id: MailId, options: Options): Promise<OpenedMail> {
    const item = this.#get(id);
    const letter = this.#letters.get(id) ?? (await this.#opened(item, options));
    return { ...this.#shown(item), text: letter.text, inReplyTo: letter.inReplyTo };
  }

  async read(id: MailId, options: Options): Promise<OpenedMail> {
    const opened = await this.open(id, options);
    const item = this.#get(id);
    this.#give(item, "delivered");
    this.#give(item, "read");
    this.#parts.onChange();
    return { ...opened, state: "read" };
  }

  async *file(id: MailId, index: number, options: Options): AsyncGenerator<Uint8Array, void, undefined> {
    const item = this.#get(id);
    if (item.about === undefined) await this.#opened(item, options);
    const file = item.about?.files[index];
    const ref = item.mail.contents[1 + index];
    if (file === undefined || ref === undefined) throw new StarfishError("not-found", "this mail has no such file");
    yield* openFile(this.#parts, ref, file.sizeBytes, options);
  }

  /** Throws "not-found", and whatever writing to the map throws. */
  remove(id: MailId): void {
    const item = this.#get(id);
    for (const state of RECEIPTS) if (state !== "read") this.#give(item, state, true);
    this.look(item.mail);
  }

  #get(id: MailId): Item {
    const item = this.#items.get(id);
    if (item === undefined) throw new StarfishError("not-found", "there is no such mail here (any more)");
    return item;
  }

  #add(mail: MailEntry, places: readonly number[]): void {
    const before = this.#numbers.get(mail.id);
    const number = before ?? this.#nextNumber();
    const item: Item = {
      mail,
      number,
      isOld: before !== undefined,
      places,
      about: undefined,
      why: undefined,
      fetchAtMs: 0,
      pauseMs: FETCH_AGAIN_MS_MIN,
      shown: undefined,
    };
    this.#items.set(mail.id, item);
    this.#list = undefined;
    this.#crowd?.add(item);
    this.#unopened.add(item);
    if (before === undefined) {
      this.#numbers.set(mail.id, number);
      this.#store();
    }
    this.#makeRoom();
    this.#fetchSome();
  }

  #remove(item: Item): void {
    const { mail } = item;
    this.#items.delete(mail.id);
    this.#list = undefined;
    this.#crowd?.delete(item);
    this.#unopened.delete(item);
    this.#letters.delete(mail.id);
    this.#numbers.delete(mail.id);
    this.#store();
  }

  #makeRoom(): void {
    while (this.#items.size > INBOX_MAX) {
      const least = this.#crowd?.least();
      if (least === undefined) return void (this.#counting ??= this.#count());
      this.#remove(least);
    }
  }

  /** Few inboxes ever have so many mails: the code for it is fetched then. Never rejects. */
  async #count(): Promise<void> {
    try {
      const { Crowd: Counted } = await import("./crowd.ts");
      const crowd = new Counted<Item>(this.#parts.isKnown);
      for (const item of this.#items.values()) crowd.add(item);
      this.#crowd = crowd;
      this.#makeRoom();
    } catch (error) {
      this.#parts.log.write("warn", "mail.not-bounded", { error: messageOf(error) });
    } finally {
      this.#counting = undefined;
    }
  }

  #nextNumber(): number {
    // Without stored numbers, mails are counted from 1 again.
    if (this.#numbers.size === 0) this.#lastNumber = 0;
    this.#lastNumber = Math.min(this.#lastNumber + 1, NUMBER_MAX);
    return this.#lastNumber;
  }

  #places(mail: MailEntry): number[] {
    const readers = this.#parts.people.readers();
    return mail.to.flatMap((address, i) => (readers.some((own) => sameAddress(own.address, address)) ? [i] : []));
  }

  #isDeleted({ id }: MailEntry, places: readonly number[]): boolean {
    return places.every((place) => this.#parts.ledger.receipt(id, place, "deleted") !== undefined);
  }

  #stateOf({ mail, places, about, why }: Item): InboxState {
    if (why !== undefined) return "spoilt";
    const isRead = places.some((place) => this.#parts.ledger.receipt(mail.id, place, "read") !== undefined);
    if (isRead) return "read";
    return about === undefined ? "arriving" : "unread";
  }

  #changed(item: Item): void {
    item.shown = undefined;
    this.#list = undefined;
  }

  #shown(item: Item): InboxMail {
    return (item.shown ??= this.#show(item));
  }

  #show(item: Item): InboxMail {
    const { people } = this.#parts;
    const { mail, number, about, why } = item;
    const person = people.of(mail.from);
    const node = people.correspondent({ kind: "node", peer: mail.from });
    return {
      id: mail.id,
      number,
      state: this.#stateOf(item),
      why,
      from: mail.from,
      fromName: node.name,
      replyTo: person === undefined ? node : people.correspondent({ kind: "person", person: person.id }),
      to: mail.to.map((address) => people.correspondent(address)),
      sentAtMs: mail.sentAtMs,
      expiresAtMs: expiryOf(mail),
      subject: about?.subject ?? "",
      files: about?.files ?? [],
      sealedBytes: mail.contents.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    };
  }

  /** @param isAsked whether somebody asked for this, and so has to hear of a failure */
  #give({ mail, places }: Item, state: ReceiptState, isAsked = false): void {
    const { ledger, people, now } = this.#parts;
    for (const place of places) {
      if (ledger.receipt(mail.id, place, state) !== undefined) continue;
      const address = mail.to[place];
      const reader = people.readers().find((own) => address !== undefined && sameAddress(own.address, address));
      if (reader === undefined) continue;
      const receipt = { id: mail.id, reader: place, state, atMs: Math.round(now()) };
      try {
        ledger.give(
          receipt,
          signReceipt((purpose, body) => reader.sign(purpose, body), receipt),
        );
      } catch (error) {
        // The clock is not set yet, or the map is full: the next tick tries again.
        if (isAsked || !isStarfishError(error)) throw error;
      }
    }
  }

  #fetchSome(): void {
    const nowMs = this.#parts.clock.monotonic();
    for (let item = this.#unopened.take(nowMs); item !== undefined; item = this.#unopened.take(nowMs))
      void this.#fetch(item);
  }

  async #fetch(item: Item): Promise<void> {
    const { clock, log, signal } = this.#parts;
    try {
      await withDeadline(clock, FETCH_MS, "A letter", (either) => this.#opened(item, { signal: either }), { signal });
    } catch (error) {
      const { code, message } = toStarfishError(error, "io");
      if (code === "malformed") {
        item.why = message;
        log.write("warn", "mail.spoilt", { id: item.mail.id, why: message });
      } else {
        item.fetchAtMs = clock.monotonic() + item.pauseMs;
        item.pauseMs = Math.min(2 * item.pauseMs, FETCH_AGAIN_MS_MAX);
      }
    } finally {
      this.#unopened.done(item);
    }
    const isHere = this.#items.get(item.mail.id) === item;
    if (isHere && item.about === undefined && item.why === undefined) this.#unopened.add(item);
    if (signal.aborted) return;
    this.#changed(item);
    this.#parts.onChange();
    this.#fetchSome();
  }

  async #opened(item: Item, options: Options): Promise<Letter> {
    const { mail } = item;
    const letter = await openLetter(this.#parts, mail, options);
    this.#letters.delete(mail.id);
    this.#letters.set(mail.id, letter);
    for (const id of this.#letters.keys()) {
      if (this.#letters.size <= LETTERS_REMEMBERED) break;
      this.#letters.delete(id);
    }
    const isFirst = item.about === undefined;
    item.about = { subject: letter.subject, files: letter.files };
    this.#unopened.delete(item);
    this.#changed(item);
    if (isFirst) this.#parts.onChange();
    if (isFirst && this.#items.get(mail.id) === item) await this.#arrived(item, letter);
    return letter;
  }

  async #arrived(item: Item, { news }: Letter): Promise<void> {
    if (news !== undefined) {
      await this.#parts.people.hear(news);
      this.remove(item.mail.id);
      return;
    }
    const isRead = this.#stateOf(item) === "read";
    this.#give(item, "delivered");
    if (!item.isOld && !isRead) this.#parts.onArrival(this.#shown(item));
  }

  /** Stores run one at a time; what changes during one is stored by the next. */
  #store(): void {
    this.#isToStore = true;
    if (!this.#isStoring) void this.#storeNumbers();
  }

  async #storeNumbers(): Promise<void> {
    const { store, log, clock, signal } = this.#parts;
    this.#isStoring = true;
    while (this.#isToStore) {
      this.#isToStore = false;
      const rows = [...this.#numbers].slice(-2 * INBOX_MAX).map(([id, number]) => [fromHex(id), number]);
      try {
        await store.set(NUMBERS_KEY, encode(rows));
      } catch (error) {
        // After a restart these mails would only get other numbers.
        log.write("warn", "mail.not-kept", { error: messageOf(error) });
      }
      // What comes meanwhile is stored at once when this node ends.
      await sleep(clock, NUMBERS_PAUSE_MS, { signal }).catch(() => {});
    }
    this.#isStoring = false;
  }
}

/** For the suite that sends the extremes of every schema (test/adversary). */
export const SCHEMAS: Readonly<Record<string, Schema<unknown>>> = { numbersSchema };
