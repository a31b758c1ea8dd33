/**
 * The cards of all nodes that this node knows of: those in the records of members, and those in the map `people`, where
 * a card stays while its node is away. A signature in a record is checked only when somebody asks for that node.
 */
import { type Bytes, equal } from "../../base/bytes.ts";
import { Listeners, type Unsubscribe } from "../../base/events.ts";
import type { ReplicatedMap } from "../../memory/types.ts";
import type { Net } from "../../net/types.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Crypto } from "../../ports/crypto.ts";
import type { Log } from "../../ports/log.ts";
import type { PeerId } from "../../ports/network.ts";
import type { Random } from "../../ports/random.ts";
import { type Judgement, type Statement, Statements } from "../statements/statements.ts";
import { type Card, readCard } from "./card.ts";
import { AHEAD_MS_MAX, CARD_KEPT_MS } from "./limits.ts";

interface CardStatement extends Statement {
  readonly card: Card;
}

export interface CardsParts {
  readonly net: Net;
  readonly map: ReplicatedMap;
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: Crypto;
  readonly log: Log;
}

export class Cards {
  readonly #parts: CardsParts;
  readonly #kept: Statements<CardStatement>;
  /** The cards of records: their bytes, and the result of checking them. */
  readonly #read = new Map<PeerId, { readonly wire: Bytes; readonly card: Card | undefined }>();
  readonly #changed = new Listeners<void>();
  readonly #stops: Unsubscribe[];

  constructor(parts: CardsParts) {
    const { net, map, clock, random, log } = parts;
    this.#parts = parts;
    this.#kept = new Statements<CardStatement>({
      map,
      clock,
      random,
      log,
      judge: (key, value) => this.#judge(key, value),
      isOwn: ({ card }) => card.peer === net.self,
    });
    this.#kept.start();
    this.#stops = [
      this.#kept.onChange(() => this.#changed.emit()),
      net.onMember(({ member: { record } }) => {
        const before = this.#read.get(record.peer)?.wire;
        if (record.card !== undefined && (before === undefined || !equal(before, record.card))) this.#changed.emit();
      }),
      () => this.#kept.close(),
    ];
  }

  of(peer: PeerId): Card | undefined {
    const kept = this.#kept.get(peer)?.card;
    const told = this.#ofRecord(peer);
    if (kept === undefined || told === undefined) return kept ?? told;
    return told.madeAtMs >= kept.madeAtMs ? told : kept;
  }

  /** The cards of all nodes that have one, in no particular order. */
  *all(): Iterable<Card> {
    const peers = new Set(this.#parts.net.members().map(({ record }) => record.peer));
    for (const [peer] of this.#kept.entries()) peers.add(peer);
    for (const peer of peers) {
      const card = this.of(peer);
      if (card !== undefined) yield card;
    }
  }

  /** The card that this node had when it ran last. */
  ownBefore(): Card | undefined {
    const { map, net } = this.#parts;
    const judged = this.#judge(net.self, map.get(net.self));
    return typeof judged === "object" && "card" in judged ? judged.card : undefined;
  }

  /** Keeps this node's card in the map, for when it is away. Throws as `ReplicatedMap.set`. */
  keep(card: Card): void {
    this.#kept.write(card.peer, statementOf(card));
  }

  get setAside(): number {
    return this.#kept.setAside;
  }

  onChange(listener: () => void): Unsubscribe {
    return this.#changed.add(listener);
  }

  close(): void {
    for (const stop of this.#stops) stop();
  }

  #ofRecord(peer: PeerId): Card | undefined {
    const wire = this.#parts.net.member(peer)?.record.card;
    if (wire === undefined) {
      this.#read.delete(peer);
      return undefined;
    }
    const known = this.#read.get(peer);
    if (known !== undefined && equal(known.wire, wire)) return known.card;
    const read = readCard(this.#parts.crypto, wire);
    const isRight = !("why" in read) && read.peer === peer && !this.#isFuture(read);
    if (!isRight) this.#parts.log.write("warn", "people.bad-card", { peer });
    const card = isRight ? read : undefined;
    this.#read.set(peer, { wire, card });
    return card;
  }

  #judge(key: string, value: unknown): Judgement<CardStatement> {
    if (!(value instanceof Uint8Array)) return { why: "no card" };
    const card = readCard(this.#parts.crypto, value);
    if ("why" in card) return card;
    if (card.peer !== key) return { why: "another node's card" };
    if (this.#isFuture(card)) return { why: "from the future" };
    return statementOf(card);
  }

  #isFuture({ madeAtMs }: Card): boolean {
    return madeAtMs > this.#parts.map.now() + AHEAD_MS_MAX;
  }
}

function statementOf(card: Card): CardStatement {
  return { card, wire: card.wire, rank: card.madeAtMs, expiresAtMs: card.madeAtMs + CARD_KEPT_MS };
}
