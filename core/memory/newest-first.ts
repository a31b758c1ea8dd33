/**
 * In which order a side of a reconciliation sends what the other lacks: the newest first, and what has one version at once.
 * So at any moment the other side holds all that this one has of some version and of later ones, and every batch is whole
 * there (replica.ts), also when the session breaks off.
 *
 * That holds for the map as it was at the session's beginning. Of what has changed since, nothing need be sent; but where a
 * key that was to be sent has changed, all that has changed goes first.
 */
import { DueQueue } from "./due.ts";
import type { Entry } from "./entry.ts";
import { BATCH_BYTES_MAX, BATCH_ENTRY_BYTES } from "./limits.ts";
import type { Replica } from "./replica.ts";

export interface Sending {
  readonly key: string;
  readonly entry: Entry;
}

export class NewestFirst {
  readonly #replica: Replica;
  /** By stamp, the greatest first. */
  readonly #queue = new DueQueue();
  /** Taken out of the queue together, and not sent yet. */
  readonly #ready: (readonly Sending[])[] = [];
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

  /** The other side has sent these, so it holds what is here now. */
  heard(keys: Iterable<string>): void {
    for (const key of keys) this.#changed.delete(key);
  }

  /** The next entries, to be applied together; undefined if none are left. */
  next(): readonly Sending[] | undefined {
    for (;;) {
      const ready = this.#ready.shift();
      if (ready !== undefined) return ready;
      const at = this.#queue.nextMs;
      if (at === undefined) return undefined;
      const found = this.#takeAt(at);
      if (found.length > 1) this.#ready.push(...unitsOf(found));
      else if (found.length === 1) return found;
    }
  }

  /** The entries of that stamp that are still there; none where others have to go first, and these have to wait. */
  #takeAt(at: number): Sending[] {
    const found: Sending[] = [];
    let isLate = false;
    for (let key = this.#queue.take(at); key !== undefined; key = this.#queue.take(at)) {
      const { table } = this.#replica;
      if (this.#changed.has(key)) isLate = true;
      const entry = table.head(key)?.stamp === -at ? table.get(key) : undefined;
      if (entry !== undefined) found.push({ key, entry });
    }
    if (!isLate) return found;
    this.addChanged();
    for (const { key } of found) this.#push(key);
    return [];
  }

  /** Something is lacking that has changed: all that has is to be sent. */
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

/**
 * Entries of one stamp by writer, each key once. A set larger than a batch may be was not written by an honest node, and is
 * cut.
 */
function unitsOf(found: readonly Sending[]): Sending[][] {
  const byWriter = Map.groupBy(new Map(found.map((one) => [one.key, one])).values(), ({ entry }) => entry.writer);
  return [...byWriter].sort(([x], [y]) => y - x).flatMap(([, unit]) => cut(unit));
}

function cut(unit: Sending[]): Sending[][] {
  const parts: Sending[][] = [];
  let bytes = Infinity;
  for (const one of unit) {
    const size = one.key.length + one.entry.value.length + BATCH_ENTRY_BYTES;
    bytes += size;
    if (bytes > BATCH_BYTES_MAX) {
      parts.push([]);
      bytes = size;
    }
    parts.at(-1)?.push(one);
  }
  return parts;
}
