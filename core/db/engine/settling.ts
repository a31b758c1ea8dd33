/**
 * Which of the rows that contest a place has it: the one written last, and of two that may not both be there none is, or the
 * later one. So a row is in its table unless a later one that is there stands in its way; there is one such choice, whatever
 * the order in which the rows came. What was settled stays so, but for the rows that change and those that stood back for
 * them: these are tried again, the latest first, and whom a row drives out is tried after it, being older. Each is tried
 * once, so that the cost is that of what is concerned.
 *
 * When rows were written is known outside the thread: `wanted` says of which it must be told (`tell`).
 */
import type { Version } from "../../memory/types.ts";
import type { RowValues } from "./index-table.ts";

export interface Known {
  readonly version: Version;
  /** Undefined: it is no row of its table. */
  readonly values: RowValues | undefined;
  /** Whether it is there at all. */
  readonly isPresent: boolean;
}

interface Places {
  /** Names of the rows in the table that have what this one should have alone. */
  inTheWay(name: string, values: RowValues): readonly string[];
  /** Puts it into its table, or aside for want of a value. What SQLite says where another row is in its way. */
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
  /** Rows that are to be tried. */
  readonly #waiting = new Set<string>();
  /** Of these, those that were not looked at yet. */
  #fresh: string[] = [];
  #unlooked: Ranked[] = [];
  /** Those that are known, the latest last. */
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

  /** Goes on as far as it is known what there is. Names of rows that must be known to go on; none: all is settled. */
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
      // Those that lie in their way, all at once: one round instead of one for each.
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

  /** False: what lies in its way is not known. */
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
    // What it drove out is out: if it still finds no place, it never will.
    if (this.#places.put(name, known) !== undefined) this.#places.standBack(name, values, reason, undefined);
    return true;
  }

  /** Whether some of them are not known. */
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

/** Of one version the first by name counts as later. */
function compare(a: Ranked, b: Ranked): number {
  const [x, y] = [a.known.version, b.known.version];
  return x.stamp - y.stamp || x.writer - y.writer || (a.name < b.name ? 1 : a.name > b.name ? -1 : 0);
}
