/**
 * Connects the parts of mail (types.ts says what it promises): the ledger of all mail, this node's inbox and outbox,
 * and sending.
 */
import type { Bytes } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";
import { Listeners, type Unsubscribe } from "../../base/events.ts";
import { Acknowledged } from "../../disk/acknowledged.ts";
import type { Contents } from "../../disk/types.ts";
import type { Memory } from "../../memory/memory.ts";
import type { ReplicatedMap } from "../../memory/types.ts";
import type { Net } from "../../net/types.ts";
import type { Age } from "../../ports/age.ts";
import { type Clock, every, type Timer } from "../../ports/clock.ts";
import type { Crypto } from "../../ports/crypto.ts";
import type { Log } from "../../ports/log.ts";
import type { Random } from "../../ports/random.ts";
import type { Store } from "../../ports/store.ts";
import type { NodePeople, PersonNews } from "../people/people.ts";
import { type MailEntry, sameAddress, signMail } from "./entries.ts";
import { Inbox } from "./inbox.ts";
import { expiryOf, furthest, Ledger, type LedgerChange } from "./ledger.ts";
import {
  CHANGES_TOLD_MS,
  EXPIRY_LOOK_MS,
  MAIL_MAP_BYTES_MAX,
  MAILS_PER_SENDER_MAX,
  NOTICES_MAX,
  NOTICES_MS,
  READERS_MAX,
} from "./limits.ts";
import { Outbox } from "./outbox.ts";
import type { Sealed } from "./send.ts";
import type {
  Address,
  Correspondent,
  Draft,
  InboxMail,
  Mail,
  MailId,
  MailNotice,
  OpenedMail,
  SendProgress,
  SentMail,
} from "./types.ts";

export interface MailParts {
  readonly net: Net;
  readonly memory: Memory;
  readonly contents: Contents;
  readonly people: NodePeople;
  readonly store: Store;
  readonly age: Age;
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: Crypto;
  readonly log: Log;
}

interface Options {
  readonly signal?: AbortSignal | undefined;
}

/** Rejects with "io" if the store or the map can't be read. */
export async function createMail(parts: MailParts): Promise<NodeMail> {
  const map = await parts.memory.map("mail", { isKept: true, bytesMax: MAIL_MAP_BYTES_MAX });
  const mail = new NodeMail(parts, map);
  await mail.start();
  return mail;
}

class NodeMail implements Mail {
  readonly #parts: MailParts;
  readonly #map: ReplicatedMap;
  readonly #ledger: Ledger;
  readonly #acknowledged: Acknowledged;
  readonly #ended = new AbortController();
  readonly #changed = new Listeners<void>();
  readonly #noticed = new Listeners<MailNotice>();
  readonly #stops: Unsubscribe[] = [];
  /** Contents of mails whose entry is not written yet. */
  readonly #pending = new Set<string>();
  #inbox: Inbox | undefined;
  #outbox: Outbox | undefined;
  /** Mails that have arrived since `#announcing` began. */
  #arrivals = 0;
  #announcing: Timer | undefined;
  #telling: Timer | undefined;

  constructor(parts: MailParts, map: ReplicatedMap) {
    const { net, clock, contents, people } = parts;
    this.#parts = parts;
    this.#map = map;
    this.#ledger = new Ledger({
      ...parts,
      map,
      concerns: ({ from, to }) =>
        from === net.self || people.readers().some((own) => to.some((address) => sameAddress(own.address, address))),
    });
    this.#acknowledged = new Acknowledged(map, this.#ended.signal);
    const looking = every(clock, EXPIRY_LOOK_MS, () => this.#tick());
    this.#stops.push(
      contents.addReferences(() => this.#references()),
      this.#ledger.onChange((change) => this.#heard(change)),
      people.onReaders(() => this.#lookAtAll()),
      // Names may change, and so may the node or person that an answer goes to.
      people.onChange(() => {
        this.#inbox?.rename();
        this.#hasChanged();
      }),
      () => looking.cancel(),
      () => this.#ledger.close(),
    );
    people.sendNewsBy((to, news) => this.#sendNews(to, news));
  }

  async start(): Promise<void> {
    const { store, log, people } = this.#parts;
    this.#outbox = await Outbox.load(store, log);
    this.#inbox = await Inbox.load({
      ...this.#parts,
      ledger: this.#ledger,
      secrets: () => people.readers().map(({ secret }) => secret),
      now: () => this.#map.now(),
      onChange: () => this.#hasChanged(),
      isKnown: (sender) => this.#parts.net.member(sender) !== undefined,
      onArrival: (mail) => this.#arrived(mail),
      signal: this.#ended.signal,
    });
    this.#ledger.start();
  }

  inbox(): readonly InboxMail[] {
    return this.#in.list();
  }

  unread(): number {
    return this.#in.unread();
  }

  sent(): readonly SentMail[] {
    return this.#out.list();
  }

  correspondents(): readonly Correspondent[] {
    return this.#parts.people.correspondents();
  }

  async send(
    draft: Draft,
    options: Options & { readonly onProgress?: (progress: SendProgress) => void } = {},
  ): Promise<{ readonly id: MailId; readonly safe: Promise<void> }> {
    const { checkDraft } = await import("./send.ts");
    checkDraft(draft);
    const { mail, wire, sealed } = await this.#seal(draft, options);
    const sent: SentMail = {
      id: mail.id,
      number: this.#out.nextNumber(),
      sentAtMs: mail.sentAtMs,
      expiresAtMs: expiryOf(mail),
      subject: sealed.letter.subject,
      files: sealed.letter.files,
      deliveries: mail.to.map((address) => ({
        to: this.#parts.people.correspondent(address),
        state: "waiting",
        atMs: mail.sentAtMs,
      })),
    };
    await this.#out.add(sent);
    try {
      this.#write(mail, wire);
    } catch (error) {
      await this.#out.forget(mail.id).catch(() => {});
      throw error;
    }
    this.#hasChanged();
    const safe = this.#safe(sealed);
    // The caller may not care whether the mail becomes safe.
    safe.catch(() => {});
    return { id: mail.id, safe };
  }

  read(id: MailId, options: Options = {}): Promise<OpenedMail> {
    return this.#in.read(id, options);
  }

  peek(id: MailId, options: Options = {}): Promise<OpenedMail> {
    return this.#in.open(id, options);
  }

  file(id: MailId, index: number, options: Options = {}): AsyncIterable<Uint8Array> {
    return this.#in.file(id, index, options);
  }

  remove(id: MailId): void {
    this.#in.remove(id);
  }

  async forget(id: MailId): Promise<void> {
    await this.#out.forget(id);
    this.#hasChanged();
  }

  onChange(listener: () => void): Unsubscribe {
    return this.#changed.add(listener);
  }

  onNotice(listener: (notice: MailNotice) => void): Unsubscribe {
    return this.#noticed.add(listener);
  }

  get setAside(): number {
    return this.#ledger.setAside;
  }

  close(): void {
    this.#ended.abort(new StarfishError("closed", "This node's mail is closed"));
    for (const stop of this.#stops) stop();
    this.#telling?.cancel();
    this.#announcing?.cancel();
  }

  get #in(): Inbox {
    if (this.#inbox === undefined) throw notStarted();
    return this.#inbox;
  }

  get #out(): Outbox {
    if (this.#outbox === undefined) throw notStarted();
    return this.#outbox;
  }

  /**
   * Does everything but write the entry. The contents that it puts are protected from being collected until `#write`,
   * or until it fails.
   */
  async #seal(
    draft: Draft & { readonly news?: PersonNews },
    { signal, onProgress }: Options & { readonly onProgress?: (progress: SendProgress) => void },
  ): Promise<{ readonly mail: MailEntry; readonly wire: unknown; readonly sealed: Sealed }> {
    const { net, crypto } = this.#parts;
    const to = draft.to.filter((one, i) => draft.to.findIndex((other) => sameAddress(one, other)) === i);
    if (to.length === 0) throw new StarfishError("usage", "a mail needs a reader");
    if (to.length > READERS_MAX) throw new StarfishError("too-large", `a mail has at most ${READERS_MAX} readers`);
    const keys = to.map((address) => this.#keyOf(address));
    if (this.#ledger.roomFor(net.self) <= 0) {
      throw new StarfishError("full", `at most ${MAILS_PER_SENDER_MAX} mails of one node are kept at a time`);
    }
    await this.#map.ready({ signal });
    const put: string[] = [];
    const onPut = (cid: string): void => {
      put.push(cid);
      this.#pending.add(cid);
    };
    try {
      const ended = this.#ended.signal;
      const either = signal === undefined ? ended : AbortSignal.any([signal, ended]);
      const parts = { ...this.#parts, self: net.self, now: () => this.#map.now(), onPut };
      const { sealDraft } = await import("./send.ts");
      const sealed = await sealDraft({ ...draft, to }, keys, parts, { signal: either, onProgress });
      const signed = signMail(crypto, (purpose, body) => net.sign(purpose, body), sealed.says);
      return { ...signed, sealed };
    } catch (error) {
      for (const cid of put) this.#pending.delete(cid);
      throw error;
    }
  }

  #write(mail: MailEntry, wire: unknown): void {
    try {
      this.#ledger.write(mail, wire);
    } finally {
      for (const { cid } of mail.contents) this.#pending.delete(cid);
    }
  }

  async #safe({ safe }: Sealed): Promise<void> {
    await safe;
    await this.#acknowledged.wait();
  }

  #keyOf(address: Address): Bytes {
    const { people } = this.#parts;
    const key = people.mailKeyOf(address);
    if (key === undefined) throw noKey(people.correspondent(address));
    return key;
  }

  async #sendNews(peers: readonly string[], news: PersonNews): Promise<void> {
    const known = peers
      .map((peer): Address => ({ kind: "node", peer }))
      .filter((address) => this.#parts.people.mailKeyOf(address) !== undefined);
    if (known.length === 0) return;
    const { mail, wire } = await this.#seal({ to: known, news }, {});
    this.#write(mail, wire);
  }

  *#references(): Iterable<string> {
    yield* this.#pending;
    yield* this.#ledger.references();
  }

  #heard(change: LedgerChange): void {
    const { mail } = change;
    if (change.is === "receipt" || change.is === "mail") this.#follow(mail);
    this.#inbox?.look(mail);
  }

  /** Tells the outbox about a mail that this node has sent. */
  #follow(mail: MailEntry): void {
    if (mail.from !== this.#parts.net.self) return;
    let isNews = false;
    for (const reader of mail.to.keys()) {
      const said = furthest(this.#ledger, mail.id, reader);
      if (said === undefined) continue;
      // A reader that has deleted a mail without reading it counts as "delivered".
      const isRead = this.#ledger.receipt(mail.id, reader, "read") !== undefined;
      if (this.#outbox?.set(mail.id, reader, isRead ? "read" : "delivered", said.atMs) === true) isNews = true;
    }
    if (isNews) this.#hasChanged();
  }

  #lookAtAll(): void {
    for (const mail of this.#ledger.all()) this.#inbox?.look(mail);
    this.#hasChanged();
  }

  #tick(): void {
    this.#inbox?.tick();
    const nowMs = this.#map.now();
    for (const mail of this.#outbox?.list() ?? []) {
      if (mail.expiresAtMs > nowMs || !this.#parts.net.isTimeKnown()) continue;
      let isNews = false;
      for (const reader of mail.deliveries.keys()) {
        if (this.#out.set(mail.id, reader, "expired", mail.expiresAtMs)) isNews = true;
      }
      const after = this.#out.get(mail.id);
      if (!isNews || after === undefined) continue;
      this.#noticed.emit({ kind: "expired", mail: after });
      this.#hasChanged();
    }
  }

  #arrived(mail: InboxMail): void {
    if (++this.#arrivals <= NOTICES_MAX) this.#noticed.emit({ kind: "arrived", mail });
    this.#announcing ??= this.#parts.clock.timer(NOTICES_MS, () => {
      const mails = this.#arrivals - NOTICES_MAX;
      this.#announcing = undefined;
      this.#arrivals = 0;
      if (mails > 0) this.#noticed.emit({ kind: "more", mails });
    });
  }

  #hasChanged(): void {
    if (this.#ended.signal.aborted) return;
    this.#telling ??= this.#parts.clock.timer(CHANGES_TOLD_MS, () => {
      this.#telling = undefined;
      this.#changed.emit();
    });
  }
}

export type { NodeMail };

function notStarted(): StarfishError {
  return new StarfishError("closed", "Mail has not started yet", { retryable: true });
}

function noKey({ name }: Correspondent): StarfishError {
  return new StarfishError("not-found", `${name} has no key for mail that this node knows of`);
}
