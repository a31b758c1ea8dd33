/**
 * What the comparison needs of a system: a map from text to text that several nodes hold. others/ has one file for each
 * of the others, starfish.ts is ours; each exports `system`.
 */
export interface MapEntry {
  readonly key: string;
  readonly value: string;
}

/** One node's copy of the map. */
export interface MapNode {
  /** What the next node needs to join this one. */
  readonly address: string;
  /** Writes one by one, in the system's own way and without a transaction; resolves when all can be read here. */
  set(entries: readonly MapEntry[]): Promise<void>;
  /** Writes all at once, where the system has transactions. */
  batch?(entries: readonly MapEntry[]): Promise<void>;
  /** Resolves as soon as it holds that many keys. */
  holds(keys: number): Promise<void>;
  entries(): Promise<Map<string, string>>;
}

export interface OpenOptions {
  /** A directory of this node's own. It is empty, and its process's working directory. */
  readonly directory: string;
  /** The address of a node that has the map already; undefined for the first. */
  readonly join: string | undefined;
}

export interface HistoryOptions {
  readonly writes: number;
  readonly writers: number;
  readonly keys: number;
}

export interface System {
  /** Resolves when the node is there and, with `join`, linked. */
  open(options: OpenOptions): Promise<MapNode>;
  /**
   * What a node hears of `writes` writes, each by the next of `writers` writers to the next of `keys` keys, and each
   * with knowledge of the ones before: the system's own messages.
   */
  history(options: HistoryOptions): Promise<Uint8Array[]>;
  /** The map of a new node that takes these in. What it resolves to holds all of it in memory. */
  absorb(history: readonly Uint8Array[]): Promise<{ readonly keys: number; readonly held: unknown }>;
}

/** Entry number i: its key, and 20 characters that look random, so that compression saves nothing. */
export function entryOf(i: number): MapEntry {
  let value = "";
  let state = (i + 1) * 0x9e3779b9;
  while (value.length < 20) {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5;
    value += ((state ^ (state >>> 13)) >>> 0).toString(36).padStart(7, "0").slice(-5);
  }
  return { key: `key-${String(i).padStart(6, "0")}`, value };
}

/** Counts distinct keys as they arrive, and tells when there are as many as are waited for. */
export class Arrivals {
  readonly #keys = new Set<string>();
  readonly #enough = Promise.withResolvers<void>();
  readonly #wanted: number;

  constructor(wanted: number, held: Iterable<string>) {
    this.#wanted = wanted;
    for (const key of held) this.add(key);
  }

  add(key: string): void {
    this.#keys.add(key);
    if (this.#keys.size >= this.#wanted) this.#enough.resolve();
  }

  all(): Promise<void> {
    return this.#enough.promise;
  }
}
