/**
 * The listeners of a map, which are told what has changed on this node: by prefix, everything that was applied at once,
 * or its keys.
 */
import { Listeners, type Unsubscribe } from "../base/events.ts";
import type { MapChange, MapEntry, ReplacedEntry } from "./types.ts";

export class Watchers {
  readonly #entry: (key: string) => MapEntry | undefined;
  readonly #byPrefix = new Map<string, Listeners<MapChange>>();
  readonly #whole = new Listeners<readonly MapChange[]>();
  readonly #keys = new Listeners<readonly string[]>();
  readonly #replaced = new Listeners<ReplacedEntry>();

  /** `entry` reads the map. */
  constructor(entry: (key: string) => MapEntry | undefined) {
    this.#entry = entry;
  }

  watch(prefix: string, listener: (change: MapChange) => void): Unsubscribe {
    let listeners = this.#byPrefix.get(prefix);
    if (listeners === undefined) {
      listeners = new Listeners();
      this.#byPrefix.set(prefix, listeners);
    }
    const unsubscribe = listeners.add(listener);
    return () => {
      unsubscribe();
      if (listeners.size === 0 && this.#byPrefix.get(prefix) === listeners) this.#byPrefix.delete(prefix);
    };
  }

  watchAll(listener: (changes: readonly MapChange[]) => void): Unsubscribe {
    return this.#whole.add(listener);
  }

  watchKeys(listener: (keys: readonly string[]) => void): Unsubscribe {
    return this.#keys.add(listener);
  }

  watchReplaced(listener: (replaced: ReplacedEntry) => void): Unsubscribe {
    return this.#replaced.add(listener);
  }

  /** Whether anybody listens to replaced entries: reading them takes time. */
  get isReplacedWatched(): boolean {
    return this.#replaced.size > 0;
  }

  tellReplaced(replaced: ReplacedEntry): void {
    this.#replaced.emit(replaced);
  }

  tell(keys: readonly string[], isLocal: boolean): void {
    this.#keys.emit(keys);
    if (this.#whole.size > 0) this.#whole.emit(keys.map((key) => ({ key, entry: this.#entry(key), isLocal })));
    if (this.#byPrefix.size === 0) return;
    for (const key of keys) {
      let change: MapChange | undefined;
      for (const [prefix, listeners] of this.#byPrefix) {
        if (!key.startsWith(prefix)) continue;
        change ??= { key, entry: this.#entry(key), isLocal };
        listeners.emit(change);
      }
    }
  }
}
