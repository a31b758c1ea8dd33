/**
 * Rows that are not in their tables, and rows that are but break a CHECK. A row that lacks a value which must be unique
 * stands back for the row that has that value. This list knows which rows stand back for which, so that a change
 * concerns only these. Rows are named TABLE/KEY.
 */
import { TABLE_ID_CHARS } from "../schema/names.ts";
import type { ConflictKind, SqlRow } from "../types.ts";

export interface Aside {
  readonly kind: ConflictKind;
  readonly reason: string;
  readonly row: SqlRow;
  /** The row for which it stands back. */
  readonly for?: string | undefined;
}

export class SetAside {
  /** By table, then by the row's name. */
  readonly #tables = new Map<string, Map<string, Aside>>();
  readonly #behind = new Map<string, Set<string>>();

  has(table: string): boolean {
    return this.#tables.has(table);
  }

  get tables(): Iterable<string> {
    return this.#tables.keys();
  }

  namesOf(table: string): string[] {
    return [...(this.#tables.get(table)?.keys() ?? [])];
  }

  *all(): Generator<readonly [name: string, aside: Aside], void, undefined> {
    for (const rows of this.#tables.values()) yield* rows;
  }

  put(name: string, aside: Aside): void {
    this.#remove(name);
    const table = tableOf(name);
    let rows = this.#tables.get(table);
    if (rows === undefined) this.#tables.set(table, (rows = new Map()));
    rows.set(name, aside);
    if (aside.for === undefined) return;
    let behind = this.#behind.get(aside.for);
    if (behind === undefined) this.#behind.set(aside.for, (behind = new Set()));
    behind.add(name);
  }

  /** The row changes: forgets what was noted about it. Returns the rows that stood back for it. */
  leave(name: string): readonly string[] {
    if (this.#tables.size === 0) return NOBODY;
    this.#remove(name);
    const behind = this.#behind.get(name);
    return behind === undefined ? NOBODY : [...behind];
  }

  forget(table: string): void {
    for (const name of this.namesOf(table)) this.#remove(name);
  }

  #remove(name: string): void {
    const table = tableOf(name);
    const rows = this.#tables.get(table);
    const aside = rows?.get(name);
    if (rows === undefined || aside === undefined) return;
    rows.delete(name);
    if (rows.size === 0) this.#tables.delete(table);
    if (aside.for === undefined) return;
    const behind = this.#behind.get(aside.for);
    behind?.delete(name);
    if (behind?.size === 0) this.#behind.delete(aside.for);
  }
}

const NOBODY: readonly string[] = [];

function tableOf(name: string): string {
  return name.slice(0, TABLE_ID_CHARS);
}
