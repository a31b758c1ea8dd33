/**
 * The order in which a side of a reconciliation sends what the other lacks: the newest first, and entries with the same
 * version together. So at any moment the other side holds everything that this one has of some version and of later
 * ones, and every batch is whole there (replica.ts), even if the session is interrupted.
 *
 * That holds for the map as it was when the session began. Later changes need not be sent. But if a key that was to be
 * sent has changed, everything that has changed is sent first.
 */
import { DueQueue } from "./due.ts";
import type { Entry } from "./entry.ts";
import { BATCH_BYTES_MAX, BATCH_ENTRY_BYTES, BATCH_SMALL_BYTES_MAX } from "./limits.ts";
import { keyBytesOf } from "./pack.ts";
import type { Replica } from "./replica.ts";
import type { Table } from "./table.ts";

export interface Sending {
  readonly key: string;
  readonly entry: Entry;
}

/** The next unit is a large batch, which needs a place. */
export const LARGE = "large";

/** Keys of one version. */
interface Unit {
  readonly stamp: number;
  readonly keys: string[];
  bytes: number;
}

export class NewestFirst {
  readonly #replica: Replica;
  /** By stamp, the greatest first. */
  readonly #queue = new DueQueue();
  /** Taken out of the queue together, and not sent yet. Without the entries, which take more room than the map has. */
  #units: Unit[] = [];
  /** Keys that have changed here since the beginning, or since all of them were taken into the queue. */
  readonly #changed = new Set<string>();
  readonly #stop: () => void;

  constructor(replica: Replica) {
    this.#replica = replica;
    this.#stop = replica.onApplied(({ keys }) => {
      for (const key of keys) this.#changed.add(key);
    });
  }

  close(): void {
    this.#stop();
  }

  add(key: string): void {
    if (this.#changed.has(key)) this.addChanged();
    this.#push(key);
  }

  /** The other side has sent entries for these keys, so it holds the present ones. */
  heard(keys: Iterable<string>): void {
    for (const key of keys) this.#changed.delete(key);
  }

  /** The next entries, to be applied together; undefined if none are left. `mayBeLarge`: LARGE is no answer. */
  next(mayBeLarge = false): readonly Sending[] | typeof LARGE | undefined {
    for (let unit = this.#first(); unit !== undefined; unit = this.#first()) {
      if (unit.bytes > BATCH_SMALL_BYTES_MAX && !mayBeLarge) return LARGE;
      this.#units.shift();
      const { table } = this.#replica;
      const { stamp } = unit;
      const found = unit.keys.flatMap((key) => {
        const entry = table.head(key)?.stamp === stamp ? table.get(key) : undefined;
        return entry === undefined ? [] : [{ key, entry }];
      });
      if (found.length > 0) return found;
    }
    return undefined;
  }

  /** The unit whose turn it is. Units of one stamp are as they are now, or wait for their changed parts. */
  #first(): Unit | undefined {
    for (;;) {
      const at = this.#queue.nextMs;
      const [unit] = this.#units;
      if (unit !== undefined && (at === undefined || at > -unit.stamp)) {
        if (!unit.keys.some((key) => this.#changed.has(key))) return unit;
        // Others have to go first, and these have to wait.
        this.addChanged();
      }
      for (const { keys, stamp } of this.#units) for (const key of keys) this.#queue.add(-stamp, key);
      this.#units = [];
      const first = this.#queue.nextMs;
      if (first === undefined) return undefined;
      this.#units = this.#unitsAt(first);
    }
  }

  /**
   * The entries of that stamp that are still there. None if others have to be sent first, so that these have to wait.
   */
  #unitsAt(at: number): Unit[] {
    const { table } = this.#replica;
    const keys = new Set<string>();
    let isLate = false;
    for (let key = this.#queue.take(at); key !== undefined; key = this.#queue.take(at)) {
      if (this.#changed.has(key)) isLate = true;
      if (table.head(key)?.stamp === -at) keys.add(key);
    }
    if (!isLate) return unitsOf(table, -at, keys);
    this.addChanged();
    for (const key of keys) this.#push(key);
    return [];
  }

  /** Something that is missing has changed, so everything that has changed is sent. */
  addChanged(): void {
    const keys = [...this.#changed];
    this.#changed.clear();
    for (const key of keys) this.#push(key);
  }

  #push(key: string): void {
    const head = this.#replica.table.head(key);
    if (head !== undefined) this.#queue.add(-head.stamp, key);
  }
}

/** Keys by writer. A set larger than a batch may be was not written by an honest node, and is cut. */
function unitsOf(table: Table, stamp: number, keys: Iterable<string>): Unit[] {
  const byWriter = Map.groupBy(keys, (key) => table.head(key)?.writer ?? 0);
  return [...byWriter].sort(([x], [y]) => y - x).flatMap(([, unit]) => cut(table, stamp, unit));
}

function cut(table: Table, stamp: number, keys: readonly string[]): Unit[] {
  const units: Unit[] = [];
  let last: Unit | undefined;
  for (const key of keys) {
    const size = keyBytesOf(key) + (table.head(key)?.valueBytes ?? 0) + BATCH_ENTRY_BYTES;
    if (last === undefined || last.bytes + size > BATCH_BYTES_MAX) {
      last = { stamp, keys: [], bytes: 0 };
      units.push(last);
    }
    last.keys.push(key);
    last.bytes += size;
  }
  return units;
}
