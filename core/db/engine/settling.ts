/**
 * Decides which row is in its table when several rows exclude each other. The one written last wins. A row is in its
 * table unless a later row that is there stands in its way. There is exactly one such choice, whatever the order in
 * which the rows arrived. What is settled stays settled, except for rows that change and rows that stood back for them.
 * These are tried again, the latest first; a row that is driven out is tried after that, since it is older. Each row is
 * tried once, so the cost depends only on the rows concerned.
 *
 * The thread does not know when rows were written: `wanted` names the rows that it has to be told about (`tell`).
 */
import type { Version } from "../../memory/types.ts";
import type { RowValues } from "./index-table.ts";

export interface Known {
  readonly version: Version;
  /** Undefined: it is not a row of its table. */
  readonly values: RowValues | undefined;
  /** Whether the row exists at all. */
  readonly isPresent: boolean;
  /** Why it can't be in its table, beside other rows. */
  readonly lacks?: string | undefined;
}

interface Places {
  /** Names of the rows in the table that have a value which only this one should have. */
  inTheWay(name: string, values: RowValues): readonly string[];
  /**
   * Puts the row into its table, or aside if it lacks a value. Returns SQLite's message if another row is in its way.
   */
  put(name: string, known: Known): string | undefined;
  /** Takes it out of its table. */
  takeOut(name: string): void;
  standBack(name: string, values: RowValues, reason: string, forName: string | undefined): void;
}

interface Ranked {
  readonly name: string;
  readonly known: Known;
}

export class Settling {
  readonly #places: Places;
  /** Rows that have to be tried. */
  readonly #waiting = new Set<string>();
  /** Those of them that were not looked at yet. */
  #fresh: string[] = [];
  #unlooked: Ranked[] = [];
  /** The known rows of them, the latest last. */
  #order: Ranked[] = [];
  #isSorted = true;
  readonly #known = new Map<string, Known>();
  readonly #wanted = new Set<string>();

  constructor(places: Places) {
    this.#places = places;
  }

  wait(name: string): void {
    if (this.#waiting.has(name)) return;
    this.#waiting.add(name);
    this.#fresh.push(name);
  }

  /** A table is filled again. */
  forget(isOfTable: (name: string) => boolean): void {
    for (const name of this.#waiting) if (isOfTable(name)) this.#waiting.delete(name);
    this.#fresh = this.#fresh.filter((name) => !isOfTable(name));
  }

  /**
   * Goes on as far as the rows are known. Returns names of rows that it needs to know to go on; none: all is settled.
   */
  wanted(most: number): string[] {
    if (this.#wanted.size === 0) this.#goOn();
    const names: string[] = [];
    for (const name of this.#wanted) if (names.push(name) >= most) break;
    return names;
  }

  tell(name: string, known: Known): void {
    this.#known.set(name, known);
    this.#wanted.delete(name);
    if (this.#waiting.has(name)) this.#rank(name, known);
  }

  #goOn(): void {
    for (;;) {
      this.#lookAtFresh();
      // The rows in their way, all at once: one round instead of one for each.
      for (const { name, known } of this.#unlooked.splice(0)) {
        if (known.values !== undefined) this.#want(this.#places.inTheWay(name, known.values));
      }
      if (this.#wanted.size > 0) return;
      const latest = this.#latest();
      if (latest === undefined) break;
      if (!this.#settle(latest)) return;
    }
    this.#known.clear();
  }

  #lookAtFresh(): void {
    for (const name of this.#fresh.splice(0)) {
      const known = this.#known.get(name);
      if (known === undefined) this.#wanted.add(name);
      else this.#rank(name, known);
    }
  }

  /** False: some rows in its way are not known. */
  #settle(ranked: Ranked): boolean {
    const { name, known } = ranked;
    const { values } = known;
    this.#places.takeOut(name);
    this.#waiting.delete(name);
    const reason = this.#places.put(name, known);
    if (reason === undefined || values === undefined) return true;
    const inTheWay = this.#places.inTheWay(name, values);
    if (this.#want(inTheWay)) {
      this.#waiting.add(name);
      this.#order.push(ranked);
      return false;
    }
    const later = inTheWay.find((other) => this.#isLater(other, ranked));
    if (later !== undefined || inTheWay.length === 0) {
      this.#places.standBack(name, values, reason, later);
      return true;
    }
    for (const other of inTheWay) {
      this.#places.takeOut(other);
      this.wait(other);
    }
    // The rows in its way are out of the table. If it still finds no place, it never will.
    if (this.#places.put(name, known) !== undefined) this.#places.standBack(name, values, reason, undefined);
    return true;
  }

  /** Asks for the rows that are not known. Returns whether there are some. */
  #want(names: readonly string[]): boolean {
    let isWanted = false;
    for (const name of names) {
      if (this.#known.has(name)) continue;
      this.#wanted.add(name);
      isWanted = true;
    }
    return isWanted;
  }

  #rank(name: string, known: Known): void {
    const ranked = { name, known };
    this.#order.push(ranked);
    this.#unlooked.push(ranked);
    this.#isSorted = false;
  }

  #latest(): Ranked | undefined {
    if (!this.#isSorted) this.#order.sort(compare);
    this.#isSorted = true;
    return this.#order.pop();
  }

  #isLater(name: string, than: Ranked): boolean {
    const known = this.#known.get(name);
    return known !== undefined && compare({ name, known }, than) > 0;
  }
}

/** Of rows with the same version, the first by name counts as later. */
function compare(a: Ranked, b: Ranked): number {
  const [x, y] = [a.known.version, b.known.version];
  return x.stamp - y.stamp || x.writer - y.writer || (a.name < b.name ? 1 : a.name > b.name ? -1 : 0);
}
