/**
 * A map of signed statements. Any member can write into a map, delete from it and overwrite what is there; a statement
 * is proven by its signature. So a statement that was once accepted stays until its time is over: when somebody removes
 * it, it is written again. An invalid entry is set aside, counted, logged, and later deleted from the map.
 *
 * Signatures are checked a few at a time, so that a full map that is loaded from the store does not block its node.
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
  LOOK_TURN_MS,
  LOOKED_PER_TURN,
  OVER_LOOK_MS,
  RESTORE_AGAIN_MS_MAX,
  RESTORE_MS_MAX,
  RESTORE_MS_MIN,
  RESTORE_OWN_MS,
  WAITED_FOR_MS,
} from "./limits.ts";

export interface Statement {
  /** The value in the map. */
  readonly wire: unknown;
  /** The corrected time at which it is over, ms since 1970. */
  readonly expiresAtMs: number;
  /** Of two statements under one key the higher rank counts: an old statement that is shown again changes nothing. */
  readonly rank: number;
}

/**
 * What an entry is: a statement; a statement about something that is not known yet ("waits"); a statement of another
 * version ("foreign"); or invalid, for the reason `why`.
 */
export type Judgement<T extends Statement> = T | "waits" | "foreign" | { readonly why: string };

export interface StatementsParts<T extends Statement> {
  readonly map: ReplicatedMap;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Checks the entry and its signatures. It may be called with the same entry again. */
  readonly judge: (key: string, value: unknown) => Judgement<T>;
  /** Whether this node restores the statement first, before others do. */
  readonly isOwn: (statement: T) => boolean;
}

export interface StatementChange<T> {
  readonly key: string;
  /** Undefined if its time is over, or if there is no room for it. */
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
  /** Keys whose entries are still to be checked. */
  readonly #queue = new Set<string>();
  #looking: Timer | undefined;
  /** Statements to write again, and entries to delete, each with its moment on this node's clock. */
  readonly #restores = new Map<string, Due>();
  readonly #drops = new Map<string, Due>();
  /** How long the last restore of each key waited; the next one waits twice as long. */
  readonly #pauses = new Map<string, number>();
  readonly #stops: Unsubscribe[];

  constructor(parts: StatementsParts<T>) {
    this.#parts = parts;
    this.#setAside = new SetAside(parts.map.name, parts.log);
    const due = every(parts.clock, DUE_LOOK_MS, () => this.#lookForDue());
    const over = every(parts.clock, OVER_LOOK_MS, () => this.#lookForOver());
    this.#stops = [parts.map.watch("", ({ key }) => this.look(key)), () => due.cancel(), () => over.cancel()];
  }

  /** Starts to check all entries that the map has already. */
  start(): void {
    for (const { key } of this.#parts.map.entries()) this.look(key);
  }

  get(key: string): T | undefined {
    const known = this.#known.get(key);
    return known === undefined || known.expiresAtMs <= this.#parts.map.now() ? undefined : known;
  }

  /** The statements that have been checked. */
  entries(): IterableIterator<[string, T]> {
    return this.#known.entries();
  }

  /** Keys whose entries have not been checked yet. */
  unseen(): Iterable<string> {
    return this.#queue;
  }

  get setAside(): number {
    return this.#setAside.size;
  }

  onChange(listener: (change: StatementChange<T>) => void): Unsubscribe {
    return this.#changed.add(listener);
  }

  /** Writes a statement of this node. Throws as `ReplicatedMap.set`. */
  write(key: string, statement: T): void {
    const expiresInMs = statement.expiresAtMs - this.#parts.map.now();
    if (expiresInMs <= 0) return;
    this.#parts.map.set(key, statement.wire, { expiresInMs });
    this.#queue.delete(key);
    this.#believe(key, statement);
  }

  /** Checks this entry (again) soon. */
  look(key: string): void {
    this.#queue.add(key);
    this.#looking ??= this.#parts.clock.timer(0, () => this.#lookAtSome());
  }

  /** Drops a statement for which there is no room: it is set aside and deleted. */
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
    const { clock } = this.#parts;
    const untilMs = clock.monotonic() + LOOK_TURN_MS;
    let left = LOOKED_PER_TURN;
    for (const key of this.#queue) {
      if (left-- === 0 || clock.monotonic() >= untilMs) break;
      this.#queue.delete(key);
      this.#lookAt(key);
    }
    if (this.#queue.size > 0) this.#looking ??= clock.timer(LOOK_PAUSE_MS, () => this.#lookAtSome());
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

  /**
   * Looks for statements whose time is over. Usually the map itself reports that, but not if somebody has written the
   * entry again with another time.
   */
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
        // The clock is not in agreement, or the map is full: try again later.
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
