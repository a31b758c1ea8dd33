/**
 * Maelstrom's workloads over a replicated map (https://github.com/jepsen-io/maelstrom, doc/workloads.md): broadcast,
 * g-set and pn-counter. Elements are keys, so that none can overwrite another; a counter is the sum of what each node
 * has added.
 */
import type { ReplicatedMap } from "../../core/memory/types.ts";

export class Elements {
  readonly #map: ReplicatedMap;

  constructor(map: ReplicatedMap) {
    this.#map = map;
  }

  add(element: number): void {
    this.#map.set(`element/${element}`, element);
  }

  read(): number[] {
    return [...this.#map.entries("element/")].map(({ value }) => Number(value));
  }
}

export class Counter {
  readonly #map: ReplicatedMap;
  readonly #key: string;

  /** `node` adds under this name only. */
  constructor(map: ReplicatedMap, node: string) {
    this.#map = map;
    this.#key = `counter/${node}`;
  }

  add(delta: number): void {
    this.#map.set(this.#key, Number(this.#map.get(this.#key) ?? 0) + delta);
  }

  read(): number {
    return [...this.#map.entries("counter/")].reduce((sum, { value }) => sum + Number(value), 0);
  }
}
