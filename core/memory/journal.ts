/**
 * A kept map in the node's store. Writes are gathered and stored as segments, numbered upwards; from time to time the whole
 * map is written anew as segments, and those before are deleted, the oldest first. Since merging is idempotent and knows no
 * order, starting again is merging all segments that are there, and a crash between any two steps costs nothing.
 *
 * Each segment names the oldest that belongs with it: if one is missing or damaged, what this node knew of when it was last
 * equal with others (acquaintances.ts) is not believed any more, and the others give back what is lost.
 */
import * as v from "valibot";
import { bytesOf, decode, encode, integerOf, type Schema } from "../base/codec.ts";
import { messageOf } from "../base/errors.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { Store } from "../ports/store.ts";
import { unpackVector } from "./acquaintances.ts";
import { COMPACT_BYTES_MIN, SEGMENT_BYTES_MAX, SEGMENTS_MAX, STORE_DELAY_MS, VALUE_BYTES_MAX } from "./limits.ts";
import { type Keyed, Packer, unpack } from "./pack.ts";
import type { Replica } from "./replica.ts";
import { timeOf } from "./version.ts";

interface Segment {
  /** Number of the oldest segment that has to be there too. */
  readonly first: number;
  readonly entries: Uint8Array;
  readonly vector?: Uint8Array | undefined;
}

const segmentSchema: Schema<Segment> = v.object({
  first: integerOf(0),
  entries: bytesOf(0, SEGMENT_BYTES_MAX + 2 * VALUE_BYTES_MAX),
  vector: v.optional(bytesOf(0, SEGMENT_BYTES_MAX)),
});

export interface JournalPorts {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
}

export class Journal {
  readonly #prefix: string;
  readonly #replica: Replica;
  readonly #ports: JournalPorts;
  /** Keys whose entries are not stored yet. */
  #dirty = new Set<string>();
  #first = 0;
  #next = 0;
  /** Bytes in segments, and how many of them the last compaction wrote. */
  #bytes = 0;
  #compactBytes = 0;
  #timer: Timer | undefined;
  /** Writes take turns. */
  #last: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(map: string, replica: Replica, ports: JournalPorts) {
    this.#prefix = `memory/${map}/`;
    this.#replica = replica;
    this.#ports = ports;
  }

  /** Fills the replica with what an earlier life has stored. Rejects with "io". */
  async load(): Promise<void> {
    const { store } = this.#ports;
    const names = await store.keys(this.#prefix);
    const numbers = names.map((name) => Number.parseInt(name.slice(this.#prefix.length), 36)).sort((x, y) => x - y);
    let isWhole = true;
    let last: Segment | undefined;
    for (const [i, number] of numbers.entries()) {
      if (i > 0 && number !== (numbers[i - 1] ?? 0) + 1) isWhole = false;
      const segment = await this.#read(number);
      if (segment === undefined) isWhole = false;
      last = segment ?? last;
    }
    const [first = 0] = numbers;
    if (last !== undefined && first > last.first) isWhole = false;
    if (!isWhole) {
      this.#replica.acquaintances.clear();
      this.#ports.log.write("warn", "memory.damaged", { map: this.#prefix });
    }
    const aside = [...this.#replica.aside()];
    if (aside.length > 0) {
      const latestMs = aside.reduce((latest, { entry }) => Math.max(latest, timeOf(entry.stamp)), 0);
      const until = new Date(latestMs).toISOString();
      this.#ports.log.write("warn", "memory.future", { map: this.#prefix, entries: aside.length, until });
    }
    this.#first = first;
    this.#next = (numbers.at(-1) ?? -1) + 1;
  }

  /** These keys have changed; they are stored soon. */
  add(keys: readonly string[]): void {
    if (this.#closed) return;
    for (const key of keys) this.#dirty.add(key);
    this.#timer ??= this.#ports.clock.timer(STORE_DELAY_MS, () => {
      this.flush().catch((error: unknown) => {
        this.#ports.log.write("warn", "memory.not-stored", { map: this.#prefix, error: messageOf(error) });
      });
    });
  }

  /** Resolves when all that was added before is stored. Rejects with "io"; what could not be stored is tried again. */
  flush(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    const written = this.#last.then(() => this.#write());
    this.#last = written.catch(() => {});
    return written;
  }

  async close(): Promise<void> {
    await this.flush();
    this.#closed = true;
    this.#timer?.cancel();
    await this.#last;
  }

  async #read(number: number): Promise<Segment | undefined> {
    const { store, log } = this.#ports;
    try {
      const bytes = await store.get(this.#name(number));
      if (bytes === undefined) return undefined;
      const segment = decode(segmentSchema, bytes);
      this.#replica.restore(unpack(segment.entries));
      if (segment.vector !== undefined) this.#replica.restoreVector(unpackVector(segment.vector));
      this.#bytes += bytes.length;
      return segment;
    } catch (error) {
      log.write("warn", "memory.segment", { segment: this.#name(number), error: messageOf(error) });
      return undefined;
    }
  }

  async #write(): Promise<void> {
    const dirty = this.#dirty;
    if (dirty.size === 0) return;
    this.#dirty = new Set();
    try {
      await this.#append(dirty);
    } catch (error) {
      for (const key of dirty) this.#dirty.add(key);
      throw error;
    }
    const isLong = this.#bytes > Math.max(COMPACT_BYTES_MIN, 2 * this.#compactBytes);
    if (isLong || this.#next - this.#first > SEGMENTS_MAX + this.#compactBytes / SEGMENT_BYTES_MAX)
      await this.#compact();
  }

  async #append(keys: Iterable<string>, aside: Iterable<Keyed> = []): Promise<void> {
    const packer = new Packer();
    for (const keyed of this.#all(keys, aside)) {
      if (keyed !== undefined) packer.add(keyed.key, keyed.entry, keyed.heldAtMs);
      if (packer.length >= SEGMENT_BYTES_MAX) await this.#store({ first: this.#first, entries: packer.take() });
    }
    // With the last of them, so that it never says more than is stored.
    await this.#store({ first: this.#first, entries: packer.take(), vector: this.#replica.acquaintances.pack() });
  }

  *#all(keys: Iterable<string>, aside: Iterable<Keyed>): Generator<Keyed | undefined, void, undefined> {
    for (const key of keys) yield this.#replica.keyed(key);
    yield* aside;
  }

  async #compact(): Promise<void> {
    const before = { first: this.#first, next: this.#next };
    const bytesBefore = this.#bytes;
    this.#first = this.#next;
    await this.#append(this.#replica.table.keys(""), this.#replica.aside());
    for (let number = before.first; number < before.next; number++) {
      await this.#ports.store.delete(this.#name(number));
    }
    this.#bytes -= bytesBefore;
    this.#compactBytes = this.#bytes;
  }

  async #store(segment: Segment): Promise<void> {
    const bytes = encode(segment);
    await this.#ports.store.set(this.#name(this.#next), bytes);
    this.#next++;
    this.#bytes += bytes.length;
  }

  #name(number: number): string {
    return `${this.#prefix}${number.toString(36)}`;
  }
}

/** For the suite that sends the extremes of every schema (test/adversary). */
export const SCHEMAS: Readonly<Record<string, Schema<unknown>>> = { segmentSchema };
