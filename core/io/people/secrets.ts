/**
 * The private keys with which this node reads mail, in its own store: the node's own key, the one that it shares with
 * all nodes of its person, and that person's former keys, since mail to them may still arrive.
 */
import * as v from "valibot";
import { type Bytes, copyOf, toHex } from "../../base/bytes.ts";
import { bytesOf, decode, encode, lineOf, momentOf, type Schema } from "../../base/codec.ts";
import { StarfishError } from "../../base/errors.ts";
import type { Crypto, KeyPair } from "../../ports/crypto.ts";
import type { Random } from "../../ports/random.ts";
import type { Store } from "../../ports/store.ts";
import { CARD_NAME_CHARS_MAX, FORMER_KEPT_MS, FORMER_KEYS_MAX } from "./limits.ts";
import type { PersonId } from "./types.ts";

const NODE_KEY = "mail/key";
const PERSON_KEY = "people/self";
export const SEED_BYTES = 32;

/** Everything that makes a person, derived from one seed: the signing keys, and the secret that opens mail. */
export interface PersonSecret {
  readonly id: PersonId;
  readonly seed: Uint8Array;
  readonly keys: KeyPair;
  readonly mailSecret: Uint8Array;
}

type Kept = readonly [
  self: readonly [name: string, seed: Uint8Array] | null,
  former: readonly (readonly [seed: Uint8Array, untilMs: number])[],
];
const keptSchema: Schema<Kept> = v.tuple([
  v.nullable(v.tuple([lineOf(CARD_NAME_CHARS_MAX), bytesOf(SEED_BYTES)])),
  v.pipe(v.array(v.tuple([bytesOf(SEED_BYTES), momentOf()])), v.maxLength(FORMER_KEYS_MAX)),
]);

export interface SecretsPorts {
  readonly store: Store;
  readonly crypto: Crypto;
  readonly random: Random;
}

export class Secrets {
  readonly #ports: SecretsPorts;
  /** The secret that opens mail for this node. */
  readonly node: Uint8Array;
  #person: { readonly name: string; readonly secret: PersonSecret } | undefined;
  #former: { readonly secret: PersonSecret; readonly untilMs: number }[];
  #storing: Promise<void> = Promise.resolve();

  private constructor(ports: SecretsPorts, node: Uint8Array, [self, former]: Kept) {
    this.#ports = ports;
    this.node = node;
    this.#person = self === null ? undefined : { name: self[0], secret: personSecret(ports.crypto, self[1]) };
    this.#former = former.map(([seed, untilMs]) => ({ secret: personSecret(ports.crypto, seed), untilMs }));
  }

  /**
   * Rejects with "io" if the store fails or has something that is not a key. Making a new key instead would silently
   * make mail unreadable.
   */
  static async load(ports: SecretsPorts): Promise<Secrets> {
    const { store, random } = ports;
    let node = await store.get(NODE_KEY);
    if (node === undefined) {
      node = random.bytes(SEED_BYTES);
      await store.set(NODE_KEY, node);
    }
    if (node.length !== SEED_BYTES) throw new StarfishError("io", "The stored key for this node's mail is damaged");
    const kept = await store.get(PERSON_KEY);
    try {
      return new Secrets(ports, copyOf(node), kept === undefined ? [null, []] : decode(keptSchema, kept));
    } catch (error) {
      throw new StarfishError("io", "The stored key of this node's person is damaged", { cause: error });
    }
  }

  get person(): { readonly name: string; readonly secret: PersonSecret } | undefined {
    return this.#person;
  }

  /** This person's keys, the present one first. */
  all(nowMs: number): PersonSecret[] {
    const former = this.#former.filter(({ untilMs }) => untilMs > nowMs).map(({ secret }) => secret);
    return this.#person === undefined ? former : [this.#person.secret, ...former];
  }

  /**
   * Takes effect at once, and is durable when it resolves. If the key is a new one, the old one becomes a former key.
   * Rejects with "io".
   */
  become(person: { readonly name: string; readonly seed: Bytes } | undefined, nowMs: number): Promise<void> {
    const before = this.#person?.secret;
    const secret = person === undefined ? undefined : personSecret(this.#ports.crypto, person.seed);
    if (before !== undefined && before.id !== secret?.id) {
      this.#former = [{ secret: before, untilMs: Math.round(nowMs) + FORMER_KEPT_MS }, ...this.#former]
        .filter(({ untilMs }) => untilMs > nowMs)
        .slice(0, FORMER_KEYS_MAX);
    }
    this.#person = person === undefined || secret === undefined ? undefined : { name: person.name, secret };
    const stored = this.#storing.then(() => this.#write());
    this.#storing = stored.catch(() => {});
    return stored;
  }

  #write(): Promise<void> {
    const self = this.#person === undefined ? null : [this.#person.name, this.#person.secret.seed];
    const former = this.#former.map(({ secret, untilMs }) => [secret.seed, untilMs]);
    return this.#ports.store.set(PERSON_KEY, encode([self, former]));
  }
}

function personSecret(crypto: Crypto, seed: Bytes): PersonSecret {
  const keys = crypto.keyPair(seed);
  const mailSecret = crypto.derive(seed, "starfish mail of a person", SEED_BYTES);
  return { id: toHex(keys.publicKey), seed: copyOf(seed), keys, mailSecret };
}

/** For the suite that sends the extremes of every schema (test/adversary). */
export const SCHEMAS: Readonly<Record<string, Schema<unknown>>> = { keptSchema };
