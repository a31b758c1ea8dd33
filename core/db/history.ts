/**
 * Earlier values of the map's entries, for a day and within a bound, in RAM. From these, `as-of.ts` shows the database
 * as it was at an earlier moment. Each node knows what it has seen itself. It does not know what was replaced before it
 * started. If other nodes replaced an entry several times while it was away, it knows only the last.
 */
import type { Unsubscribe } from "../base/events.ts";
import { Listeners } from "../base/events.ts";
import { toByteText } from "../memory/byte-text.ts";
import type { ReplacedEntry, ReplicatedMap, Version } from "../memory/types.ts";
import { stampAt, timeOf } from "../memory/version.ts";
import { HISTORY_BYTES_MAX, HISTORY_ENTRY_BYTES, HISTORY_MS } from "./limits.ts";

export interface Past {
  readonly key: string;
  readonly version: Version;
  /** The stamp of the write that replaced it. */
  readonly until: number;
  /** Its value in CBOR, as byte text. */
  readonly value: string;
}

export class History {
  readonly #map: ReplicatedMap;
  readonly #bytesMax: number;
  /** In the order in which they were replaced here. Those before `#first` have been dropped. */
  #past: (Past | undefined)[] = [];
  #first = 0;
  #bytes = 0;
  /** From this stamp on, everything is here that this node has seen. */
  #since: number;
  readonly #added = new Listeners<Past>();
  readonly #stop: Unsubscribe;

  constructor(map: ReplicatedMap, bytesMax: number = HISTORY_BYTES_MAX) {
    this.#map = map;
    this.#bytesMax = bytesMax;
    this.#since = stampAt(map.now());
    this.#stop = map.watchReplaced((replaced) => this.#add(replaced));
  }

  /** From this time on, everything is here that this node has seen; ms since 1970. */
  get sinceMs(): number {
    return Math.max(timeOf(this.#since), this.#map.now() - HISTORY_MS);
  }

  *all(): Generator<Past, void, undefined> {
    for (let i = this.#first; i < this.#past.length; i++) {
      const past = this.#past[i];
      if (past !== undefined) yield past;
    }
  }

  onAdded(listener: (past: Past) => void): Unsubscribe {
    return this.#added.add(listener);
  }

  close(): void {
    this.#stop();
    this.#past = [];
  }

  #add({ key, version, raw, by }: ReplacedEntry): void {
    const past = { key, version, until: by.stamp, value: toByteText(raw) };
    this.#past.push(past);
    this.#bytes += sizeOf(past);
    this.#added.emit(past);
    const oldest = stampAt(this.#map.now() - HISTORY_MS);
    for (;;) {
      const first = this.#past[this.#first];
      if (first === undefined || (this.#bytes <= this.#bytesMax && first.until >= oldest)) break;
      this.#past[this.#first++] = undefined;
      this.#bytes -= sizeOf(first);
      this.#since = Math.max(this.#since, first.until);
    }
    if (this.#first < 1_024 || this.#first < this.#past.length / 2) return;
    this.#past = this.#past.slice(this.#first);
    this.#first = 0;
  }
}

function sizeOf({ key, value }: Past): number {
  return key.length + value.length + HISTORY_ENTRY_BYTES;
}
