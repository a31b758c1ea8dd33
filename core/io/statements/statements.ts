/**
 * A map of signed statements. Any member writes into a map, deletes from it and overwrites what is there; what a statement
 * says is proven by what is in it. So here what was believed once stays until its time is over: whoever takes it away, it is
 * written again. What can't be believed is set aside, counted, told, and by and by deleted from the map.
 *
 * Signatures are looked at a few at a time, so that a map that comes full from the store does not hold up its node.
 */
import { isStarfishError } from "../../base/errors.ts";
import { Listeners, type Unsubscribe } from "../../base/events.ts";
import { SetAside } from "../../memory/set-aside.ts";
import type { ReplicatedMap } from "../../memory/types.ts";
import { type Clock, every, type Timer } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { Random } from "../../ports/random.ts";
import {
  DROP_MS_MAX,
  DROP_MS_MIN,
  DUE_LOOK_MS,
  DUE_PER_TURN,
  LOOK_PAUSE_MS,
  LOOKED_PER_TURN,
  OVER_LOOK_MS,
  RESTORE_AGAIN_MS_MAX,
  RESTORE_MS_MAX,
  RESTORE_MS_MIN,
  RESTORE_OWN_MS,
  WAITED_FOR_MS,
} from "./limits.ts";

export interface Statement {
  /** As the map has it. */
  readonly wire: unknown;
  /** Corrected time from which it is no more, ms since 1970. */
  readonly expiresAtMs: number;
  /** Of two under one key the greater counts: an old one that is shown again changes nothing. */
  readonly rank: number;
}

/** What an entry is: a statement, one that speaks of what is not known yet, none at all, or nothing of this version's. */
export type Judgement<T extends Statement> = T | "waits" | "foreign" | { readonly why: string };

export interface StatementsParts<T extends Statement> {
  readonly map: ReplicatedMap;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Checks all of it, signatures too. It may be asked about the same entry again. */
  readonly judge: (key: string, value: unknown) => Judgement<T>;
  /** Whether this node is to see to it first that it stays. */
  readonly isOwn: (statement: T) => boolean;
}

export interface StatementChange<T> {
  readonly key: string;
  /** Undefined: its time is over, or there is no more room for it. */
  readonly now: T | undefined;
  readonly before: T | undefined;
}

interface Due {
  readonly atMs: number;
  readonly waitMs: number;
}

export class Statements<T extends Statement> {
  readonly #parts: StatementsParts<T>;
  readonly #known = new Map<string, T>();
  readonly #setAside: SetAside;
  readonly #changed = new Listeners<StatementChange<T>>();
  /** Keys that are yet to be looked at. */
  readonly #queue = new Set<string>();
  #looking: Timer | undefined;
  /** What is to be written again, and what is to be deleted, each with the moment on this node's clock. */
  readonly #restores = new Map<string, Due>();
  readonly #drops = new Map<string, Due>();
  /** Restores of late, by key: how long the next one waits. */
  readonly #pauses = new Map<string, number>();
  readonly #stops: Unsubscribe[];

  constructor(parts: StatementsParts<T>) {
    this.#parts = parts;
    this.#setAside = new SetAside(parts.map.name, parts.log);
    const due = every(parts.clock, DUE_LOOK_MS, () => this.#lookForDue());
    const over = every(parts.clock, OVER_LOOK_MS, () => this.#lookForOver());
    this.#stops = [parts.map.watch("", ({ key }) => this.look(key)), () => due.cancel(), () => over.cancel()];
  }

  /** Looks at all that the map has already, from now on. */
  start(): void {
    for (const { key } of this.#parts.map.entries()) this.look(key);
  }

  get(key: string): T | undefined {
    const known = this.#known.get(key);
    return known === undefined || known.expiresAtMs <= this.#parts.map.now() ? undefined : known;
  }

  /** Of those that have been looked at. */
  entries(): IterableIterator<[string, T]> {
    return this.#known.entries();
  }

  /** Keys that have not been looked at yet. */
  unseen(): Iterable<string> {
    return this.#queue;
  }

  get setAside(): number {
    return this.#setAside.size;
  }

  onChange(listener: (change: StatementChange<T>) => void): Unsubscribe {
    return this.#changed.add(listener);
  }

  /** Writes one of this node's making. Throws as `ReplicatedMap.set`. */
  write(key: string, statement: T): void {
    const expiresInMs = statement.expiresAtMs - this.#parts.map.now();
    if (expiresInMs <= 0) return;
    this.#parts.map.set(key, statement.wire, { expiresInMs });
    this.#queue.delete(key);
    this.#believe(key, statement);
  }

  /** Looks at this entry (again), soon. */
  look(key: string): void {
    this.#queue.add(key);
    this.#looking ??= this.#parts.clock.timer(0, () => this.#lookAtSome());
  }

  /** There is no more room for this one: it is set aside, and goes. */
  evict(key: string, why: string): void {
    const before = this.#known.get(key);
    this.#known.delete(key);
    this.#restores.delete(key);
    this.#refuse(key, why);
    if (before !== undefined) this.#changed.emit({ key, now: undefined, before });
  }

  close(): void {
    for (const stop of this.#stops) stop();
    this.#looking?.cancel();
  }

  #lookAtSome(): void {
    this.#looking = undefined;
    let left = LOOKED_PER_TURN;
    for (const key of this.#queue) {
      if (left-- === 0) break;
      this.#queue.delete(key);
      this.#lookAt(key);
    }
    if (this.#queue.size > 0) this.#looking ??= this.#parts.clock.timer(LOOK_PAUSE_MS, () => this.#lookAtSome());
  }

  #lookAt(key: string): void {
    const { map } = this.#parts;
    const known = this.#known.get(key);
    const entry = map.entry(key);
    if (entry === undefined) {
      this.#drops.delete(key);
      this.#setAside.delete(key);
      if (known === undefined) return;
      if (known.expiresAtMs > map.now()) this.#restoreLater(key, known);
      else this.#forget(key, known);
      return;
    }
    const judged = this.#parts.judge(key, entry.value);
    if (judged === "foreign") return;
    if (judged === "waits") return this.#dropLater(key, WAITED_FOR_MS);
    if ("why" in judged) {
      if (known === undefined) this.#refuse(key, judged.why);
      else {
        this.#setAside.add(key, judged.why);
        this.#restoreLater(key, known);
      }
      return;
    }
    if (judged.expiresAtMs <= map.now()) {
      if (known !== undefined) this.#forget(key, known);
      return this.#dropLater(key, DROP_MS_MAX);
    }
    if (known !== undefined && known.rank > judged.rank) return this.#restoreLater(key, known);
    this.#believe(key, judged);
  }

  #believe(key: string, statement: T): void {
    const before = this.#known.get(key);
    this.#known.set(key, statement);
    this.#setAside.delete(key);
    this.#drops.delete(key);
    this.#restores.delete(key);
    this.#changed.emit({ key, now: statement, before });
  }

  #forget(key: string, before: T): void {
    this.#known.delete(key);
    this.#restores.delete(key);
    this.#pauses.delete(key);
    this.#changed.emit({ key, now: undefined, before });
  }

  #refuse(key: string, why: string): void {
    this.#setAside.add(key, why);
    this.#dropLater(key, this.#between(DROP_MS_MIN, DROP_MS_MAX));
  }

  #dropLater(key: string, waitMs: number): void {
    if (!this.#drops.has(key)) this.#drops.set(key, { atMs: this.#parts.clock.monotonic() + waitMs, waitMs });
  }

  #restoreLater(key: string, statement: T): void {
    if (this.#restores.has(key)) return;
    const first = this.#parts.isOwn(statement) ? RESTORE_OWN_MS : this.#between(RESTORE_MS_MIN, RESTORE_MS_MAX);
    const waitMs = Math.min(Math.max(first, 2 * (this.#pauses.get(key) ?? 0)), RESTORE_AGAIN_MS_MAX);
    this.#restores.set(key, { atMs: this.#parts.clock.monotonic() + waitMs, waitMs });
  }

  #lookForDue(): void {
    const nowMs = this.#parts.clock.monotonic();
    this.#eachDue(this.#restores, nowMs, (key, waitMs) => this.#restore(key, waitMs));
    this.#eachDue(this.#drops, nowMs, (key) => this.#drop(key));
  }

  /** The map says itself when an entry's time is over; unless somebody has written it again, with another time. */
  #lookForOver(): void {
    for (const [key, { expiresAtMs }] of this.#known) if (expiresAtMs <= this.#parts.map.now()) this.look(key);
  }

  #eachDue(dues: Map<string, Due>, nowMs: number, act: (key: string, waitMs: number) => void): void {
    let left = DUE_PER_TURN;
    for (const [key, { atMs, waitMs }] of dues) {
      if (atMs > nowMs) continue;
      if (left-- === 0) return;
      dues.delete(key);
      try {
        act(key, waitMs);
      } catch (error) {
        // A clock that is not in line, or a full map: another time.
        if (!isStarfishError(error)) throw error;
        dues.set(key, { atMs: nowMs + DROP_MS_MAX, waitMs });
      }
    }
  }

  #restore(key: string, waitMs: number): void {
    const { map } = this.#parts;
    const known = this.#known.get(key);
    if (known === undefined) return;
    const expiresInMs = known.expiresAtMs - map.now();
    if (expiresInMs <= 0) return this.#forget(key, known);
    this.#pauses.set(key, waitMs);
    map.set(key, known.wire, { expiresInMs });
  }

  #drop(key: string): void {
    const { map } = this.#parts;
    const entry = map.entry(key);
    if (entry === undefined || this.#known.has(key)) return;
    const judged = this.#parts.judge(key, entry.value);
    if (judged === "foreign") return;
    const isOver = judged === "waits" || "why" in judged || judged.expiresAtMs <= map.now();
    if (isOver) map.delete(key);
    else this.#believe(key, judged);
  }

  #between(min: number, max: number): number {
    return min + this.#parts.random.real() * (max - min);
  }
}
