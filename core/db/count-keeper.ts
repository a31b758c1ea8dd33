/**
 * Writes a counter's sum again if it has gone from the map and no other entry contains it. That happens when the network
 * is cut: on one side a node folds an earlier sum of a writer and deletes the writer's entry (counts.ts), while the
 * writer adds more on the other side.
 */
import { isStarfishError } from "../base/errors.ts";
import { decodeValue } from "../memory/replica.ts";
import type { MapWrite, ReplacedEntry, ReplicatedMap, Version } from "../memory/types.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import { addSum, isLater, packSums, readSums, type Sum } from "./cells/counter.ts";
import { sumKey, sumsOf } from "./counts.ts";
import { COUNT_RESCUE_MS, COUNT_RESCUE_SPREAD_MS, COUNTS_RESCUED_MAX } from "./limits.ts";
import { partKey, partsOfKey } from "./schema/names.ts";

interface Gone {
  readonly row: string;
  readonly column: number;
  readonly of: Version;
  readonly sums: Map<number, Sum>;
}

export interface CountKeeperParts {
  readonly map: ReplicatedMap;
  readonly clock: Clock;
  readonly log: Log;
  /** This node as a writer. */
  readonly writer: number;
}

export class CountKeeper {
  readonly #parts: CountKeeperParts;
  /** What was replaced or deleted since the last look, by cell and version of the row. */
  readonly #gone = new Map<string, Gone>();
  #timer: Timer | undefined;

  constructor(parts: CountKeeperParts) {
    this.#parts = parts;
  }

  close(): void {
    this.#timer?.cancel();
    this.#gone.clear();
  }

  /** An entry has been replaced or deleted. */
  take({ key, raw }: ReplacedEntry): void {
    const parts = partsOfKey(key);
    if (parts?.column === undefined || parts.part === undefined) return;
    const value = decodeValue(raw);
    const packed = value instanceof Uint8Array ? readSums(value) : undefined;
    if (packed === undefined) return;
    const { row, column } = parts;
    const { of, sums } = packed;
    const name = `${partKey(row, column, "")}${of.stamp}/${of.writer}`;
    const gone = this.#gone.get(name) ?? { row, column, of, sums: new Map<number, Sum>() };
    if (this.#gone.size >= COUNTS_RESCUED_MAX && !this.#gone.has(name)) {
      this.#parts.log.write("warn", "db.counts", { error: "More counters change than can be looked after" });
      return;
    }
    this.#gone.set(name, gone);
    for (const [writer, sum] of sums) addSum(gone.sums, writer, sum);
    // At different moments, so that one of them does it.
    const { clock, writer: self } = this.#parts;
    this.#timer ??= clock.timer(COUNT_RESCUE_MS + (self % COUNT_RESCUE_SPREAD_MS), () => this.#look());
  }

  #look(): void {
    this.#timer = undefined;
    const writes: MapWrite[] = [];
    for (const gone of this.#gone.values()) writes.push(...this.#missing(gone));
    this.#gone.clear();
    if (writes.length === 0) return;
    try {
      this.#parts.map.batch(writes);
    } catch (error) {
      // No room, or no right time: others have the same task, and its writer will add to its own sum.
      if (!isStarfishError(error)) throw error;
      this.#parts.log.write("warn", "db.counts", { error: error.message });
    }
  }

  #missing({ row, column, of, sums }: Gone): MapWrite[] {
    const version = this.#parts.map.entry(row)?.version;
    if (version?.stamp !== of.stamp || version.writer !== of.writer) return [];
    const there = sumsOf(this.#parts.map, row, column, of);
    const writes: MapWrite[] = [];
    for (const [writer, sum] of sums) {
      const now = there.get(writer);
      if (now !== undefined && !isLater(sum, now)) continue;
      const key = sumKey(row, column, writer);
      writes.push({ key, value: packSums(of, [[writer, sum]]) });
    }
    return writes;
  }
}
