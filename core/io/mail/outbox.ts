/**
 * The mail that this node has sent. It is kept in the node's own store, because the swarm's entries lack its subject,
 * and are gone when the mail's time is over. The sender sees here the state for each reader, and is told if the mail's
 * time was over before all had read it.
 */
import * as v from "valibot";
import { bytesOf, decode, encode, integerOf, lineOf, momentOf, type Schema, textOf } from "../../base/codec.ts";
import { messageOf, StarfishError } from "../../base/errors.ts";
import type { Log } from "../../ports/log.ts";
import type { Store } from "../../ports/store.ts";
import { packAddress, unpackAddress } from "./entries.ts";
import {
  FILE_BYTES_MAX,
  FILE_NAME_CHARS_MAX,
  FILES_MAX,
  NUMBER_MAX,
  READERS_MAX,
  SENT_MAX,
  SUBJECT_CHARS_MAX,
} from "./limits.ts";
import type { Delivery, DeliveryState, MailId, SentMail } from "./types.ts";

const KEY = "mail/sent/";
const STATES = ["waiting", "delivered", "read", "expired"] as const;
const PEER_CHARS_MAX = 64;
const KEY_BYTES = 32;
const NAME_CHARS_MAX = 100;

const deliverySchema = v.tuple([
  v.union([textOf(PEER_CHARS_MAX), bytesOf(KEY_BYTES)]),
  lineOf(NAME_CHARS_MAX),
  v.picklist(STATES),
  momentOf(),
]);
const sentSchema = v.tuple([
  integerOf(1, NUMBER_MAX),
  momentOf(),
  momentOf(),
  lineOf(SUBJECT_CHARS_MAX),
  v.pipe(v.array(v.tuple([lineOf(FILE_NAME_CHARS_MAX), integerOf(0, FILE_BYTES_MAX)])), v.maxLength(FILES_MAX)),
  v.pipe(v.array(deliverySchema), v.maxLength(READERS_MAX)),
]);

export class Outbox {
  readonly #store: Store;
  readonly #log: Log;
  readonly #sent = new Map<MailId, SentMail>();
  #storing: Promise<void> = Promise.resolve();

  private constructor(store: Store, log: Log) {
    this.#store = store;
    this.#log = log;
  }

  /** Rejects with "io". */
  static async load(store: Store, log: Log): Promise<Outbox> {
    const outbox = new Outbox(store, log);
    for (const key of await store.keys(KEY)) {
      if (outbox.#sent.size >= SENT_MAX) break;
      const bytes = await store.get(key);
      if (bytes === undefined) continue;
      try {
        outbox.#sent.set(key.slice(KEY.length), unpack(key.slice(KEY.length), bytes));
      } catch (error) {
        log.write("warn", "mail.sent-unreadable", { key, error: messageOf(error) });
      }
    }
    return outbox;
  }

  get(id: MailId): SentMail | undefined {
    return this.#sent.get(id);
  }

  list(): SentMail[] {
    return [...this.#sent.values()].sort((a, b) => a.number - b.number);
  }

  nextNumber(): number {
    let last = 0;
    for (const { number } of this.#sent.values()) last = Math.max(last, number);
    return Math.min(last + 1, NUMBER_MAX);
  }

  /** Durable when it resolves. Rejects with "io". */
  async add(mail: SentMail): Promise<void> {
    await this.#store.set(KEY + mail.id, pack(mail));
    this.#sent.set(mail.id, mail);
    for (const { id } of this.list()) {
      if (this.#sent.size <= SENT_MAX) break;
      await this.forget(id);
    }
  }

  /** Sets the state for one reader. Returns false if that is not news: states only go forward. */
  set(id: MailId, reader: number, state: DeliveryState, atMs: number): boolean {
    const mail = this.#sent.get(id);
    const delivery = mail?.deliveries[reader];
    if (mail === undefined || delivery === undefined) return false;
    if (delivery.state === "expired" || STATES.indexOf(state) <= STATES.indexOf(delivery.state)) return false;
    // A mail that was read can't expire.
    if (state === "expired" && delivery.state === "read") return false;
    const changed: Delivery = { ...delivery, state, atMs };
    const after = { ...mail, deliveries: mail.deliveries.with(reader, changed) };
    this.#sent.set(id, after);
    const stored = this.#storing.then(() => this.#store.set(KEY + id, pack(after)));
    // The map will say it again after the next start, as long as it has the mail.
    this.#storing = stored.catch((error: unknown) => {
      this.#log.write("warn", "mail.not-kept", { error: messageOf(error) });
    });
    return true;
  }

  /** Rejects with "not-found", "io". */
  async forget(id: MailId): Promise<void> {
    if (!this.#sent.delete(id)) throw new StarfishError("not-found", "this node has sent no such mail");
    await this.#storing;
    await this.#store.delete(KEY + id);
  }
}

function pack({ number, sentAtMs, expiresAtMs, subject, files, deliveries }: SentMail): Uint8Array {
  return encode([
    number,
    sentAtMs,
    expiresAtMs,
    subject,
    files.map(({ name, sizeBytes }) => [name, sizeBytes]),
    deliveries.map(({ to, state, atMs }) => [packAddress(to.address), to.name.slice(0, NAME_CHARS_MAX), state, atMs]),
  ]);
}

function unpack(id: MailId, bytes: Uint8Array): SentMail {
  const [number, sentAtMs, expiresAtMs, subject, files, deliveries] = decode(sentSchema, bytes);
  return {
    id,
    number,
    sentAtMs,
    expiresAtMs,
    subject,
    files: files.map(([name, sizeBytes]) => ({ name, sizeBytes })),
    deliveries: deliveries.map(([address, name, state, atMs]) => ({
      to: { address: unpackAddress(address), name },
      state,
      atMs,
    })),
  };
}

/** For the suite that sends the extremes of every schema (test/adversary). */
export const SCHEMAS: Readonly<Record<string, Schema<unknown>>> = { sentSchema };
