/**
 * A kept map in the node's store. Writes are gathered and stored as segments, numbered upwards; from time to time the
 * whole map is written anew as segments, and those before are deleted, the oldest first. Since merging is idempotent
 * and knows no order, starting again is merging all segments that are there, and a crash between any two steps costs
 * nothing.
 *
 * Batches stay whole: segments that are written one after the other belong together, and count only if the last of them
 * is there, which says so. The last segment also contains what has changed while the others were written, so that
 * together they are the map of that moment. Segments that a crash has left without their last one are ignored.
 *
 * Each segment names the oldest segment that has to be there. If one is missing or damaged, this node no longer
 * believes its causal context (causal-context.ts), and the others give back what is lost.
 */
import * as v from "valibot";
import { bytesOf, decode, encode, integerOf, type Schema } from "../base/codec.ts";
import { messageOf, StarfishError } from "../base/errors.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { Store } from "../ports/store.ts";
import { unpackVector, type Vector } from "./causal-context.ts";
import {
  COMPACT_BYTES_MIN,
  SEGMENT_BYTES_MAX,
  SEGMENT_NUMBER_MAX,
  SEGMENTS_MAX,
  SEGMENT_READ_BYTES_MAX,
  STORE_DELAY_MS,
} from "./limits.ts";
import { type Keyed, Packer, unpack } from "./pack.ts";
import type { Replica } from "./replica.ts";
import { timeOf } from "./version.ts";

interface Segment {
  /** Number of the oldest segment that has to be there too. */
  readonly first: number;
  readonly entries: Uint8Array;
  /** Number of the first segment that belongs together with this one; earlier versions of this program did not say. */
  readonly group?: number | undefined;
  /** The last of them. */
  readonly last?: true | undefined;
  readonly vector?: Uint8Array | undefined;
}

interface Read extends Pick<Segment, "first" | "group" | "last"> {
  readonly entries: Keyed[];
  readonly vector: Vector | undefined;
}

const segmentSchema: Schema<Segment> = v.object({
  first: integerOf(0, SEGMENT_NUMBER_MAX),
  entries: bytesOf(0, SEGMENT_READ_BYTES_MAX),
  group: v.optional(integerOf(0, SEGMENT_NUMBER_MAX)),
  last: v.optional(v.literal(true)),
  vector: v.optional(bytesOf(0, SEGMENT_READ_BYTES_MAX)),
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
    const numbers = names.flatMap((name) => this.#numberIn(name)).sort((x, y) => x - y);
    let isWhole = numbers.every((number, i) => i === 0 || number === (numbers[i - 1] ?? 0) + 1);
    let oldest: number | undefined;
    let group: number | undefined;
    // The last one first, since it says whether those before it count.
    for (const number of numbers.toReversed()) {
      const segment = await this.#read(number);
      if (segment === undefined) {
        isWhole = false;
        continue;
      }
      if (segment.last === true) group = segment.group;
      if (segment.group !== undefined && segment.group !== group) continue;
      oldest ??= segment.first;
      this.#restore(segment);
    }
    const [first = 0] = numbers;
    if (oldest !== undefined && first > oldest) isWhole = false;
    if (!isWhole) {
      this.#replica.causalContext.clear();
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

  /** Rejects with "io" if nothing new can be stored now. */
  async check(): Promise<void> {
    await this.#ports.store.check?.();
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

  #restore({ entries, vector }: Read): void {
    this.#replica.restore(entries);
    if (vector !== undefined) this.#replica.restoreVector(vector);
  }

  async #read(number: number): Promise<Read | undefined> {
    const { store, log } = this.#ports;
    try {
      const bytes = await store.get(this.#name(number));
      if (bytes === undefined) return undefined;
      const { entries, vector, ...segment } = decode(segmentSchema, bytes);
      const { first, group = number } = segment;
      // If such a number were believed, everything that is stored from now on would count as older.
      if (first > number || group > number) throw new StarfishError("corrupt", "It names segments that come after it");
      this.#bytes += bytes.length;
      return { ...segment, entries: unpack(entries), vector: vector && unpackVector(vector) };
    } catch (error) {
      log.write("warn", "memory.segment", { segment: this.#name(number), error: messageOf(error) });
      return undefined;
    }
  }

  async #write(): Promise<void> {
    if (this.#dirty.size === 0) return;
    await this.#append([]);
    const isLong = this.#bytes > Math.max(COMPACT_BYTES_MIN, 2 * this.#compactBytes);
    if (isLong || this.#next - this.#first > SEGMENTS_MAX + this.#compactBytes / SEGMENT_BYTES_MAX)
      await this.#tryToCompact();
  }

  /** Writes the whole map anew. If there is no room for that, nothing is lost: everything is stored already. */
  async #tryToCompact(): Promise<void> {
    const before = { first: this.#first, next: this.#next, bytes: this.#bytes };
    try {
      await this.#compact();
    } catch (error) {
      this.#ports.log.write("warn", "memory.not-compacted", { map: this.#prefix, error: messageOf(error) });
    }
    if (this.#compactBytes === this.#bytes) return;
    // The segments of a failed attempt only take room. The ones before are still complete.
    for (let number = before.next; number < this.#next; number++) {
      // If it can't be deleted, a later segment of that number replaces it.
      await this.#ports.store.delete(this.#name(number)).catch(() => {});
    }
    ({ first: this.#first, next: this.#next, bytes: this.#bytes } = before);
  }

  /** Stores these keys and what is dirty, as segments that belong together. */
  async #append(keys: Iterable<string>, aside: Iterable<Keyed> = []): Promise<void> {
    const group = this.#next;
    const packer = new Packer();
    const written: Set<string>[] = [];
    try {
      for (const key of keys) {
        this.#pack(key, packer);
        if (packer.length >= SEGMENT_BYTES_MAX) await this.#store({ entries: packer.take(), group });
      }
      for (const { key, entry, heldAtMs } of aside) {
        packer.add(key, entry, heldAtMs);
        if (packer.length >= SEGMENT_BYTES_MAX) await this.#store({ entries: packer.take(), group });
      }
      // What changes while this is written goes into it too, until the last segment has all that there is at its
      // moment.
      while (this.#dirty.size > 0) {
        const dirty = this.#dirty;
        this.#dirty = new Set();
        written.push(dirty);
        for (const key of dirty) {
          this.#pack(key, packer);
          if (packer.length >= SEGMENT_BYTES_MAX) await this.#store({ entries: packer.take(), group });
        }
      }
      await this.#store({ entries: packer.take(), group, last: true, vector: this.#replica.causalContext.pack() });
    } catch (error) {
      for (const dirty of written) for (const key of dirty) this.#dirty.add(key);
      throw error;
    }
  }

  #pack(key: string, packer: Packer): void {
    const keyed = this.#replica.keyed(key);
    if (keyed !== undefined) packer.add(key, keyed.entry, keyed.heldAtMs);
  }

  async #compact(): Promise<void> {
    const before = { first: this.#first, next: this.#next };
    const bytesBefore = this.#bytes;
    this.#first = this.#next;
    try {
      await this.#append(this.#replica.table.keys(""), this.#replica.aside());
    } catch (error) {
      this.#first = before.first;
      throw error;
    }
    this.#bytes -= bytesBefore;
    this.#compactBytes = this.#bytes;
    for (let number = before.first; number < before.next; number++) {
      await this.#ports.store.delete(this.#name(number));
    }
  }

  async #store(segment: Omit<Segment, "first">): Promise<void> {
    const bytes = encode({ first: this.#first, ...segment });
    await this.#ports.store.set(this.#name(this.#next), bytes);
    this.#next++;
    this.#bytes += bytes.length;
  }

  /** The number of a segment, from its name. A name that this program has not given has no number. */
  #numberIn(name: string): number[] {
    const number = Number.parseInt(name.slice(this.#prefix.length), 36);
    const isOurs = number <= SEGMENT_NUMBER_MAX && this.#name(number) === name;
    if (!isOurs) this.#ports.log.write("warn", "memory.segment", { segment: name, error: "no segment has this name" });
    return isOurs ? [number] : [];
  }

  #name(number: number): string {
    return `${this.#prefix}${number.toString(36)}`;
  }
}

/** For the suite that sends the extremes of every schema (test/adversary). */
export const SCHEMAS: Readonly<Record<string, Schema<unknown>>> = { segmentSchema };
