/** Connects the parts of people (types.ts says what they are): this node's own card, its person, and other people. */
import { type Bytes, equal } from "../../base/bytes.ts";
import { encode } from "../../base/codec.ts";
import { isStarfishError, messageOf, StarfishError } from "../../base/errors.ts";
import { Listeners, type Unsubscribe } from "../../base/events.ts";
import type { Memory } from "../../memory/memory.ts";
import { checkName } from "../../net/identity/names.ts";
import { isStatementOf, signStatement } from "../../net/identity/statement.ts";
import type { Net } from "../../net/types.ts";
import type { Age } from "../../ports/age.ts";
import { type Clock, every } from "../../ports/clock.ts";
import type { Crypto } from "../../ports/crypto.ts";
import type { Log } from "../../ports/log.ts";
import type { PeerId } from "../../ports/network.ts";
import type { Random } from "../../ports/random.ts";
import type { Store } from "../../ports/store.ts";
import type { Address, Correspondent } from "../mail/types.ts";
import { type Card, cardName, makeCard, personKeyOf } from "./card.ts";
import { Cards } from "./cards.ts";
import { Joining } from "./join.ts";
import type { NodePictures } from "./pictures.ts";
import { CARD_LOOK_MS, CARD_RENEWED_MS, NODES_PER_PERSON_MAX, PEOPLE_MAP_BYTES_MAX } from "./limits.ts";
import { type PersonSecret, Secrets, SEED_BYTES } from "./secrets.ts";
import type { JoinCode, People, PersonId, PersonInfo } from "./types.ts";

export interface PeopleParts {
  readonly net: Net;
  readonly memory: Memory;
  readonly store: Store;
  readonly age: Age;
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: Crypto;
  readonly log: Log;
}

/**
 * A new key or a new name of a person. It goes by mail to each of their nodes, signed with the key that they had
 * before.
 */
export interface PersonNews {
  readonly name: string;
  readonly seed: Bytes;
  readonly before: PersonId;
  readonly signature: Bytes;
}

/** A key with which this node reads mail and signs receipts. */
export interface Reader {
  readonly address: Address;
  readonly secret: Bytes;
  sign(purpose: string, message: Bytes): Bytes;
}

const NEWS_PURPOSE = "person news 1";

/** Rejects with "io" if the store or the map can't be read. */
export async function createPeople(parts: PeopleParts): Promise<NodePeople> {
  const secrets = await Secrets.load(parts);
  const map = await parts.memory.map("people", { isKept: true, bytesMax: PEOPLE_MAP_BYTES_MAX });
  return new NodePeople(parts, secrets, new Cards({ ...parts, map }), () => map.now());
}

/** What mail needs of people, beyond the public interface. */
export class NodePeople implements People {
  readonly #parts: PeopleParts;
  readonly #secrets: Secrets;
  readonly #cards: Cards;
  readonly #now: () => number;
  readonly #joining: Joining;
  readonly #changed = new Listeners<void>();
  readonly #readersChanged = new Listeners<void>();
  readonly #stops: Unsubscribe[];
  #own: Card | undefined;
  #isKept = false;
  #people: readonly PersonInfo[] | undefined;
  #byId: ReadonlyMap<PersonId, PersonInfo> | undefined;
  #readers: readonly Reader[] | undefined;
  #pictures: Promise<NodePictures> | undefined;
  #openPictures: NodePictures | undefined;
  /** Sends news to the other nodes of this person. */
  #send: ((to: readonly PeerId[], news: PersonNews) => Promise<void>) | undefined;

  constructor(parts: PeopleParts, secrets: Secrets, cards: Cards, now: () => number) {
    this.#parts = parts;
    this.#secrets = secrets;
    this.#cards = cards;
    this.#now = now;
    this.#joining = new Joining(parts, () => {
      const person = secrets.person;
      return person && { name: person.name, seed: person.secret.seed };
    });
    const looking = every(parts.clock, CARD_LOOK_MS, () => this.#tell());
    this.#stops = [
      cards.onChange(() => this.#hasChanged()),
      () => looking.cancel(),
      () => this.#joining.close(),
      () => this.#cards.close(),
    ];
    this.#own = cards.ownBefore();
    this.#isKept = this.#own !== undefined;
    this.#tell();
  }

  // People

  self(): PersonInfo | undefined {
    const person = this.#secrets.person;
    if (person === undefined) return undefined;
    const { id } = person.secret;
    const nodes = this.#withId(id)?.nodes ?? [this.#parts.net.self];
    return { id, name: person.name, nodes, isSelf: true };
  }

  all(): readonly PersonInfo[] {
    return (this.#people ??= this.#group());
  }

  of(peer: PeerId): PersonInfo | undefined {
    const id = this.#cards.of(peer)?.person?.id;
    return id === undefined ? undefined : this.#withId(id);
  }

  async setName(name: string): Promise<void> {
    checkName(name, "a person's name");
    const { random } = this.#parts;
    const before = this.#secrets.person;
    const seed = before?.secret.seed ?? random.bytes(SEED_BYTES);
    await this.#become({ name, seed });
    if (before !== undefined && before.name !== name) await this.#tellOthers(before.secret, this.#others());
  }

  add(): JoinCode {
    if (this.#secrets.person === undefined) {
      throw new StarfishError("not-found", "nobody has said yet whose node this is");
    }
    const { code, forMs } = this.#joining.add();
    return { code, expiresAtMs: this.#now() + forMs };
  }

  async join(code: string, options: { readonly signal?: AbortSignal | undefined } = {}): Promise<PersonInfo> {
    const { joinBy } = await import("./join-by.ts");
    const { name, seed } = await joinBy(code, this.#parts, options);
    await this.#become({ name, seed });
    const self = this.self();
    if (self === undefined) throw new StarfishError("cancelled", "This node has become somebody else's meanwhile");
    return self;
  }

  async remove(peer: PeerId): Promise<void> {
    const person = this.#secrets.person;
    if (person === undefined) throw new StarfishError("not-found", "nobody has said yet whose node this is");
    if (peer === this.#parts.net.self) return await this.#become(undefined);
    const others = this.#others();
    if (!others.includes(peer)) throw new StarfishError("not-found", `that is no node of ${person.name}'s`);
    await this.#become({ name: person.name, seed: this.#parts.random.bytes(SEED_BYTES) });
    await this.#tellOthers(
      person.secret,
      others.filter((other) => other !== peer),
    );
    (await this.pictures()).carry(person.secret.id);
  }

  pictures(): Promise<NodePictures> {
    return (this.#pictures ??= this.#open().catch((error: unknown) => {
      this.#pictures = undefined;
      throw error;
    }));
  }

  onChange(listener: () => void): Unsubscribe {
    return this.#changed.add(listener);
  }

  // For mail

  /** The keys whose mail this node reads: its own, its person's, and its person's former keys. */
  readers(): readonly Reader[] {
    return (this.#readers ??= this.#findReaders());
  }

  #findReaders(): readonly Reader[] {
    const { net, crypto } = this.#parts;
    const self: Reader = {
      address: { kind: "node", peer: net.self },
      secret: this.#secrets.node,
      sign: (purpose, message) => net.sign(purpose, message),
    };
    const persons = this.#secrets.all(this.#now()).map(({ id, keys, mailSecret }): Reader => {
      const sign: Reader["sign"] = (purpose, message) => signStatement(crypto, keys.privateKey, purpose, message);
      return { address: { kind: "person", person: id }, secret: mailSecret, sign };
    });
    return [self, ...persons];
  }

  /** Called when this node begins or stops to read the mail of a key. (Other nodes' cards change all the time.) */
  onReaders(listener: () => void): Unsubscribe {
    return this.#readersChanged.add(listener);
  }

  /** The key to which mail for that address is sealed. */
  mailKeyOf(address: Address): Uint8Array | undefined {
    if (address.kind === "node") return this.#cards.of(address.peer)?.mailKey;
    return this.#latestOf(address.person)?.person?.mailKey;
  }

  /** With the name that they give themselves, or the end of the id if they have given none. */
  correspondent(address: Address): Correspondent {
    if (address.kind === "person") {
      const self = this.#secrets.person;
      const own = self?.secret.id === address.person ? self.name : undefined;
      const name = own ?? this.#latestOf(address.person)?.person?.name;
      return { address, name: name ?? `somebody (${address.person.slice(0, 8)})` };
    }
    const { net } = this.#parts;
    const name = net.member(address.peer)?.record.name ?? this.#cards.of(address.peer)?.name;
    return { address, name: name ?? `somebody (${address.peer.slice(-6)})` };
  }

  correspondents(): Correspondent[] {
    const people = this.all().map(({ id }) => this.correspondent({ kind: "person", person: id }));
    const nodes = Array.from(this.#cards.all(), ({ peer }) => this.correspondent({ kind: "node", peer }));
    return [...people, ...nodes.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))];
  }

  sendNewsBy(send: (to: readonly PeerId[], news: PersonNews) => Promise<void>): void {
    this.#send = send;
  }

  /**
   * A new key or name has come by mail. It is refused unless it is signed with the key that this node's person has now.
   */
  async hear({ name, seed, before, signature }: PersonNews): Promise<boolean> {
    const { crypto, log } = this.#parts;
    const person = this.#secrets.person;
    const isRight =
      person !== undefined &&
      person.secret.id === before &&
      isStatementOf(crypto, personKeyOf(before), NEWS_PURPOSE, encode([name, seed]), signature);
    if (isRight) await this.#become({ name, seed });
    else log.write("warn", "people.news-refused");
    return isRight;
  }

  get setAside(): number {
    return this.#cards.setAside;
  }

  close(): void {
    for (const stop of this.#stops) stop();
    this.#openPictures?.close();
  }

  // Within

  async #become(person: { readonly name: string; readonly seed: Bytes } | undefined): Promise<void> {
    const stored = this.#secrets.become(person, this.#now());
    this.#readers = undefined;
    this.#tell();
    this.#readersChanged.emit();
    this.#hasChanged();
    await stored;
  }

  async #open(): Promise<NodePictures> {
    const { openPictures } = await import("./pictures.ts");
    return (this.#openPictures = await openPictures({
      ...this.#parts,
      self: () => this.#secrets.person?.secret,
      nodesOf: (person) => this.#withId(person)?.nodes ?? [],
      onPeople: (listener) => this.onChange(listener),
    }));
  }

  #others(): PeerId[] {
    return (this.self()?.nodes ?? []).filter((peer) => peer !== this.#parts.net.self);
  }

  async #tellOthers(before: PersonSecret, to: readonly PeerId[]): Promise<void> {
    const person = this.#secrets.person;
    if (person === undefined || to.length === 0) return;
    const { name, secret } = person;
    const said = encode([name, secret.seed]);
    const signature = signStatement(this.#parts.crypto, before.keys.privateKey, NEWS_PURPOSE, said);
    await this.#send?.(to, { name, seed: secret.seed, before: before.id, signature });
  }

  /** Makes a new card if its contents have changed, and publishes it. */
  #tell(): void {
    const { net, log } = this.#parts;
    if (!net.isTimeKnown()) return;
    const card = this.#isCurrent() ? this.#own : this.#makeCard();
    if (card === undefined) return;
    if (card !== this.#own) this.#isKept = false;
    this.#own = card;
    const told = net.member(net.self)?.record.card;
    if (told === undefined || !equal(told, card.wire)) net.update({ card: card.wire });
    if (this.#isKept) return;
    try {
      this.#cards.keep(card);
      this.#isKept = true;
    } catch (error) {
      // The clock is not set, or the map is full: the next look tries again. Nodes that are awake get it from the
      // record.
      if (!isStarfishError(error)) throw error;
      log.write("debug", "people.card-not-kept", { error: messageOf(error) });
    }
  }

  #isCurrent(): boolean {
    const own = this.#own;
    if (own === undefined || own.madeAtMs + CARD_RENEWED_MS < this.#now()) return false;
    const { age, net } = this.#parts;
    const person = this.#secrets.person;
    const isSame = own.person?.id === person?.secret.id && own.person?.name === person?.name;
    const isNamed = own.name === cardName(net.member(net.self)?.record.name ?? own.name);
    return isSame && isNamed && equal(own.mailKey, age.publicKey(this.#secrets.node));
  }

  #makeCard(): Card {
    const { age, crypto, net } = this.#parts;
    const person = this.#secrets.person;
    const madeAtMs = Math.max(Math.round(this.#now()), (this.#own?.madeAtMs ?? 0) + 1);
    return makeCard(crypto, (purpose, body) => net.sign(purpose, body), {
      peer: net.self,
      madeAtMs,
      name: net.member(net.self)?.record.name ?? "",
      mailKey: age.publicKey(this.#secrets.node),
      person: person && {
        keys: person.secret.keys,
        name: person.name,
        mailKey: age.publicKey(person.secret.mailSecret),
      },
    });
  }

  /** The newest card that one of this person's nodes has published. */
  #latestOf(person: PersonId): Card | undefined {
    let latest: Card | undefined;
    for (const peer of this.#withId(person)?.nodes ?? []) {
      const card = this.#cards.of(peer);
      if (card?.person?.id === person && card.madeAtMs > (latest?.madeAtMs ?? -1)) latest = card;
    }
    return latest;
  }

  #withId(id: PersonId): PersonInfo | undefined {
    this.#byId ??= new Map(this.all().map((person) => [person.id, person]));
    return this.#byId.get(id);
  }

  #group(): readonly PersonInfo[] {
    const nodes = new Map<PersonId, Card[]>();
    for (const card of this.#cards.all()) {
      if (card.person === undefined) continue;
      const all = nodes.get(card.person.id) ?? [];
      if (all.length < NODES_PER_PERSON_MAX) nodes.set(card.person.id, [...all, card]);
    }
    const self = this.#secrets.person?.secret.id;
    const people = [...nodes].map(([id, cards]): PersonInfo => {
      const [latest] = cards.toSorted((a, b) => b.madeAtMs - a.madeAtMs);
      const peers = cards.map(({ peer }) => peer).toSorted();
      return { id, name: latest?.person?.name ?? "", nodes: peers, isSelf: id === self };
    });
    return people.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.id < b.id ? -1 : 1));
  }

  #hasChanged(): void {
    this.#people = undefined;
    this.#byId = undefined;
    this.#changed.emit();
  }
}
