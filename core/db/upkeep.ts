/** Keeps the sums of counters, and finds the contents that large values refer to. Loaded when one of these is needed. */
import { CountKeeper, type CountKeeperParts } from "./count-keeper.ts";
import { LargeReferences } from "./large-references.ts";
import type { ReplacedEntry } from "../memory/types.ts";

export class Upkeep {
  readonly #counts: CountKeeper;
  readonly #large: LargeReferences;

  constructor(parts: CountKeeperParts) {
    this.#counts = new CountKeeper(parts);
    this.#large = new LargeReferences(parts.map, parts.clock);
  }

  /** An entry of a counter or set has been replaced or deleted. */
  take(replaced: ReplacedEntry): void {
    this.#counts.take(replaced);
  }

  references(): Iterable<string> {
    return this.#large.all();
  }

  close(): void {
    this.#counts.close();
    this.#large.close();
  }
}
