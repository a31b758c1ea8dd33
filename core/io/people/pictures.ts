/**
 * The pictures of all people, in a map of their own: it is opened when somebody first wants to see one, so that records
 * and cards stay small, and whoever fills it takes room from no cards. Pictures of people without a node here are
 * refused, since anybody can invent people.
 */
import { isStarfishError, messageOf, StarfishError } from "../../base/errors.ts";
import { Listeners, type Unsubscribe } from "../../base/events.ts";
import type { Memory } from "../../memory/memory.ts";
import type { ReplicatedMap } from "../../memory/types.ts";
import type { Net } from "../../net/types.ts";
import { type Clock, every } from "../../ports/clock.ts";
import type { Crypto } from "../../ports/crypto.ts";
import type { Log } from "../../ports/log.ts";
import type { PeerId } from "../../ports/network.ts";
import type { Random } from "../../ports/random.ts";
import { type Judgement, type Statement, Statements } from "../statements/statements.ts";
import {
  AHEAD_MS_MAX,
  CARD_KEPT_MS,
  CARD_RENEWED_MS,
  PICTURE_LOOK_MS,
  PICTURES_BYTES_MAX,
  PICTURES_EARLY_MAX,
  PICTURES_MAP_BYTES_MAX,
} from "./limits.ts";
import { type PictureEntry, pictureOf, readPicture, signPicture } from "./picture.ts";
import type { PersonSecret } from "./secrets.ts";
import type { PersonId, Picture, Pictures } from "./types.ts";

interface PictureStatement extends Statement {
  readonly entry: PictureEntry;
}

export interface PicturesParts {
  readonly net: Net;
  readonly memory: Memory;
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: Crypto;
  readonly log: Log;
  /** The person whose node this is. */
  readonly self: () => PersonSecret | undefined;
  /** The nodes of a person: those that have a card. */
  readonly nodesOf: (person: PersonId) => readonly PeerId[];
  /** Called when people, or their nodes, have changed. */
  readonly onPeople: (listener: () => void) => Unsubscribe;
}

/** Rejects with "io" if the map can't be read. */
export async function openPictures(parts: PicturesParts): Promise<NodePictures> {
  const map = await parts.memory.map("pictures", { isKept: true, bytesMax: PICTURES_MAP_BYTES_MAX });
  return new NodePictures(parts, map);
}

export class NodePictures implements Pictures {
  readonly #parts: PicturesParts;
  readonly #map: ReplicatedMap;
  readonly #kept: Statements<PictureStatement>;
  readonly #changed = new Listeners<void>();
  readonly #stops: Unsubscribe[];
  /** People whose picture has come before a card of theirs. */
  readonly #early = new Set<PersonId>();
  /** The bytes of all pictures that have been taken in. */
  #bytes = 0;

  constructor(parts: PicturesParts, map: ReplicatedMap) {
    const { clock, random, log, self } = parts;
    this.#parts = parts;
    this.#map = map;
    this.#kept = new Statements<PictureStatement>({
      map,
      clock,
      random,
      log,
      judge: (key, value) => this.#judge(key, value),
      isOwn: ({ entry }) => entry === this.#own()?.entry,
    });
    const looking = every(clock, PICTURE_LOOK_MS, () => this.#renew(self()));
    this.#stops = [
      this.#kept.onChange(({ now, before }) => {
        this.#bytes += (now?.entry.wire.length ?? 0) - (before?.entry.wire.length ?? 0);
        this.#changed.emit();
      }),
      parts.onPeople(() => this.#lookAtEarly()),
      () => looking.cancel(),
      () => this.#kept.close(),
    ];
    this.#kept.start();
  }

  of(person: PersonId): Picture | undefined {
    return this.#kept.get(person)?.entry.picture;
  }

  people(): PersonId[] {
    return [...this.#kept.entries()].filter(([, { entry }]) => entry.picture !== undefined).map(([person]) => person);
  }

  set(bytes: Uint8Array | undefined): void {
    const self = this.#parts.self();
    if (self === undefined) throw new StarfishError("not-found", "nobody has said yet whose node this is");
    this.#write(self, bytes === undefined ? undefined : pictureOf(bytes));
  }

  /** This node's person has a new key: under it they keep the picture that they had under the old one. */
  carry(before: PersonId): void {
    // It may have been opened just now, and nothing been looked at yet.
    const judged = this.#judge(before, this.#map.get(before));
    const picture = typeof judged === "object" && "entry" in judged ? judged.entry.picture : undefined;
    const self = this.#parts.self();
    if (picture !== undefined && self !== undefined) this.#writeIfPossible(self, picture);
  }

  onChange(listener: () => void): Unsubscribe {
    return this.#changed.add(listener);
  }

  get setAside(): number {
    return this.#kept.setAside;
  }

  close(): void {
    for (const stop of this.#stops) stop();
  }

  #own(): PictureStatement | undefined {
    const self = this.#parts.self();
    return self && this.#kept.get(self.id);
  }

  #write(self: PersonSecret, picture: Picture | undefined): void {
    const before = this.#kept.get(self.id)?.entry.madeAtMs ?? 0;
    const madeAtMs = Math.max(Math.round(this.#map.now()), before + 1);
    this.#kept.write(self.id, statementOf(signPicture(this.#parts.crypto, self.keys, madeAtMs, picture)));
  }

  /** Like cards, pictures are published again from time to time, so that those of people who are gone end. */
  #renew(self: PersonSecret | undefined): void {
    const own = this.#own()?.entry;
    if (self === undefined || own?.picture === undefined) return;
    if (own.madeAtMs + CARD_RENEWED_MS <= this.#map.now()) this.#writeIfPossible(self, own.picture);
  }

  /** Not if the clock is not set, or the map is full. */
  #writeIfPossible(self: PersonSecret, picture: Picture): void {
    try {
      this.#write(self, picture);
    } catch (error) {
      if (!isStarfishError(error)) throw error;
      this.#parts.log.write("warn", "people.picture-not-kept", { error: messageOf(error) });
    }
  }

  /** Whether one of a person's nodes is a member now, or has a card at least. */
  #standing(person: PersonId): "member" | "card" | "none" {
    const nodes = this.#parts.nodesOf(person);
    if (nodes.some((peer) => this.#parts.net.member(peer) !== undefined)) return "member";
    return nodes.length > 0 ? "card" : "none";
  }

  #judge(person: string, value: unknown): Judgement<PictureStatement> {
    if (!(value instanceof Uint8Array)) return { why: "no picture" };
    if (!/^[0-9a-f]{64}$/.test(person)) return { why: "not a person's key" };
    const standing = this.#standing(person);
    if (standing === "none") {
      if (this.#early.size < PICTURES_EARLY_MAX) this.#early.add(person);
      return { why: "of a person who has no node here" };
    }
    const entry = readPicture(this.#parts.crypto, person, value);
    if ("why" in entry) return entry;
    if (entry.madeAtMs > this.#map.now() + AHEAD_MS_MAX) return { why: "from the future" };
    if (!this.#makeRoom(person, value.length, standing)) return { why: "no room for it" };
    return statementOf(entry);
  }

  #lookAtEarly(): void {
    for (const person of this.#early) {
      if (this.#map.entry(person) !== undefined && this.#standing(person) === "none") continue;
      this.#early.delete(person);
      this.#kept.look(person);
    }
  }

  /** Pictures of people who have no member here make room for those of people who have. */
  #makeRoom(person: PersonId, bytes: number, standing: "member" | "card"): boolean {
    const has = this.#kept.get(person)?.entry.wire.length ?? 0;
    const isOver = (): boolean => this.#bytes - has + bytes > PICTURES_BYTES_MAX;
    if (!isOver() || person === this.#parts.self()?.id) return true;
    if (standing !== "member") return false;
    for (const [other] of this.#kept.entries()) {
      if (!isOver()) break;
      if (this.#standing(other) !== "member") this.#kept.evict(other, "makes room for a member's");
    }
    return !isOver();
  }
}

function statementOf(entry: PictureEntry): PictureStatement {
  return { entry, wire: entry.wire, rank: entry.madeAtMs, expiresAtMs: entry.madeAtMs + CARD_KEPT_MS };
}
