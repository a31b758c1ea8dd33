/**
 * Rows that compete for places, compared with the plain rule: rows are taken from the latest on, each if no row taken
 * before stands in its way.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Known, Settling } from "./settling.ts";

interface Row {
  readonly stamp: number;
  /** The numbers that no other row may have. */
  readonly holds: readonly number[];
}

/** A table whose rows have numbers that must be unique, as the index has one. */
class Bench {
  readonly rows = new Map<string, Row>();
  readonly #there = new Map<string, readonly number[]>();
  readonly #behind = new Map<string, string | undefined>();
  tried = 0;
  readonly #settling = new Settling({
    inTheWay: (_, { values }) => this.#inTheWay(values as number[]),
    put: (name, known) => this.#put(name, known),
    takeOut: (name) => this.#takeOut(name),
    standBack: (name, _values, _reason, forName) => this.#behind.set(name, forName),
  });

  get there(): string[] {
    return [...this.#there.keys()].toSorted();
  }

  /** Undefined: it is deleted. */
  change(name: string, row: Row | undefined): void {
    if (row === undefined) this.rows.delete(name);
    else this.rows.set(name, row);
    this.#takeOut(name);
    if (this.#put(name, this.#known(name)) === undefined) return;
    this.#behind.set(name, undefined);
    this.#settling.wait(name);
  }

  settle(): void {
    this.tried = 0;
    for (;;) {
      const names = this.#settling.wanted(3);
      if (names.length === 0) return;
      for (const name of names) this.#settling.tell(name, this.#known(name));
    }
  }

  #known(name: string): Known {
    const row = this.rows.get(name);
    const values = row && { values: row.holds, reals: new Set<number>() };
    return { version: { stamp: row?.stamp ?? 0, writer: 0 }, values, isPresent: row !== undefined };
  }

  #inTheWay(holds: readonly number[]): string[] {
    return [...this.#there].filter(([, other]) => other.some((value) => holds.includes(value))).map(([name]) => name);
  }

  #put(name: string, { values }: Known): string | undefined {
    this.tried++;
    if (values === undefined) return undefined;
    const holds = values.values as number[];
    if (this.#inTheWay(holds).length > 0) return "UNIQUE";
    this.#there.set(name, holds);
    return undefined;
  }

  #takeOut(name: string): void {
    this.#there.delete(name);
    this.#behind.delete(name);
    for (const [other, forName] of this.#behind) if (forName === name) this.#settling.wait(other);
  }
}

function latestFirst(rows: ReadonlyMap<string, Row>): string[] {
  const order = [...rows].sort(([x, a], [y, b]) => b.stamp - a.stamp || (x < y ? -1 : 1));
  const taken = new Set<number>();
  const there: string[] = [];
  for (const [name, { holds }] of order) {
    if (holds.some((value) => taken.has(value))) continue;
    for (const value of holds) taken.add(value);
    there.push(name);
  }
  return there.toSorted();
}

test("whatever changes, in whatever order, those are there that are there when all are settled at once", () => {
  const change = fc.record({
    name: fc.constantFrom("a", "b", "c", "d", "e", "f", "g", "h"),
    row: fc.option(fc.record({ stamp: fc.nat(30), holds: fc.uniqueArray(fc.nat(6), { maxLength: 3 }) })),
    isSettled: fc.boolean(),
  });
  const property = fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
    const bench = new Bench();
    for (const { name, row, isSettled } of changes) {
      bench.change(name, row ?? undefined);
      if (!isSettled) continue;
      bench.settle();
      expect(bench.there).toEqual(latestFirst(bench.rows));
    }
  });
  fc.assert(property, { numRuns: 500 });
});

test("what is tried is what the change concerns, however much is set aside", () => {
  const bench = new Bench();
  for (let i = 0; i < 500; i++) {
    bench.change(`old ${i}`, { stamp: i, holds: [i] });
    bench.change(`new ${i}`, { stamp: 1_000 + i, holds: [i] });
  }
  bench.settle();
  expect(bench.there).toHaveLength(500);
  bench.change("another", { stamp: 2_000, holds: [1_000] });
  bench.settle();
  expect(bench.tried).toBe(0);
  bench.change("new 7", { stamp: 2_001, holds: [1_001] });
  bench.settle();
  expect(bench.there).toContain("old 7");
  expect(bench.tried).toBeLessThan(4);
});
