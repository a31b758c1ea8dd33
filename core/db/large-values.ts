/**
 * Large values on a node: they are put on the disk before their cells are written, and fetched from it for the index. Each
 * fetch is tried again until the content comes; nothing else waits for it.
 */
import { concat, type Bytes } from "../base/bytes.ts";
import { isStarfishError, messageOf, StarfishError } from "../base/errors.ts";
import type { Contents } from "../disk/types.ts";
import { type Clock, type Timer, withDeadline } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import { contentOf, type LargeRef, packLarge } from "./cells/large.ts";
import type { Captured, LargeCell } from "./engine/messages.ts";
import { largeWrites } from "./engine/packed-writes.ts";
import {
  CELL_BYTES_MAX,
  LARGE_AGAIN_MS,
  LARGE_AGAIN_MS_MAX,
  LARGE_CACHE_BYTES,
  LARGE_FETCHED_MAX,
  LARGE_FETCH_MS,
  LARGE_PUT_MS,
  LARGE_WANTED_MAX,
  LARGE_YOUNG_ATTEMPTS,
} from "./limits.ts";
import { partsOfKey } from "./schema/names.ts";

/** Where large values are kept. */
export type LargeStore = Pick<Contents, "put" | "read">;

export interface LargeValuesParts {
  readonly contents: () => LargeStore;
  readonly clock: Clock;
  readonly log: Log;
}

/** Reads rows that have large values. */
export interface LargeReader {
  /** A value of the row is here now. */
  arrived(row: string): void;
  /** Whether the row still has that value. */
  wants(row: string, ref: LargeRef): boolean;
}

interface Wanted {
  readonly ref: LargeRef;
  /** The rows that wait for it, and who reads them. */
  readonly rows: Map<string, LargeReader>;
  attempts: number;
  /** Whether it was wanted only a moment ago: a content may arrive a little later than the cell that refers to it. */
  isYoung: boolean;
  timer: Timer | undefined;
}

/** Bytes that go into a content at once. */
const PIECE_BYTES: number = 256 * 1024;

export class LargeValues {
  readonly #parts: LargeValuesParts;
  /** By CID, the latest used last. */
  readonly #kept = new Map<string, Bytes>();
  #keptBytes = 0;
  readonly #wanted = new Map<string, Wanted>();
  readonly #queue: Wanted[] = [];
  #fetching = 0;
  #young = 0;
  #waiters: (() => void)[] = [];
  #refused = 0;
  readonly #ended = new AbortController();

  constructor(parts: LargeValuesParts) {
    this.#parts = parts;
  }

  /** Values whose contents are not here yet, and values that were too many to wait for. */
  get missing(): number {
    return this.#wanted.size + this.#refused;
  }

  close(): void {
    this.#ended.abort(new StarfishError("closed", "The computer has ended"));
    for (const { timer } of this.#wanted.values()) timer?.cancel();
    this.#wanted.clear();
    this.#queue.length = 0;
  }

  /** The value, if it is here; else it is fetched for the reader. */
  find(row: string, ref: LargeRef, reader: LargeReader): Bytes | undefined {
    const kept = this.#kept.get(ref.cid);
    if (kept?.length === ref.sizeBytes) {
      this.#keep(ref.cid, kept);
      return kept;
    }
    this.#want(row, ref, reader);
    return undefined;
  }

  /** Resolves once each value that was wanted a moment ago has come or was tried several times, or after this time. */
  async tried(withinMs: number): Promise<void> {
    if (this.#young === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiters.push(resolve);
    const timer = this.#parts.clock.timer(withinMs, resolve);
    await promise;
    timer.cancel();
  }

  /** Stores the large values of a transaction. Rejects as Contents.put does, and with "timeout". */
  async store({ writes }: Captured): Promise<LargeCell[]> {
    const cells: LargeCell[] = [];
    for (const [key, value] of largeWrites(writes, CELL_BYTES_MAX)) {
      const large = contentOf(value);
      const { row, column } = partsOfKey(key) ?? {};
      if (large === undefined || row === undefined || column === undefined) continue;
      const { isText } = large;
      const content = large.content.slice();
      const { clock, contents } = this.#parts;
      const { ref } = await withDeadline(clock, LARGE_PUT_MS, "Storing a large value", (signal) =>
        contents().put(piecesOf(content), { signal }),
      );
      this.#keep(ref.cid, content);
      const { cid, sizeBytes } = ref;
      cells.push({ key, row, column, cid, sizeBytes, packed: packLarge({ isText, sizeBytes, cid }) });
    }
    return cells;
  }

  #keep(cid: string, bytes: Bytes): void {
    const before = this.#kept.get(cid);
    if (before !== undefined) this.#keptBytes -= before.length;
    this.#kept.delete(cid);
    this.#kept.set(cid, bytes);
    this.#keptBytes += bytes.length;
    for (const [oldest, { length }] of this.#kept) {
      if (this.#keptBytes <= LARGE_CACHE_BYTES || oldest === cid) break;
      this.#kept.delete(oldest);
      this.#keptBytes -= length;
    }
  }

  #want(row: string, ref: LargeRef, reader: LargeReader): void {
    const name = `${ref.cid}/${ref.sizeBytes}`;
    let wanted = this.#wanted.get(name);
    if (wanted === undefined) {
      if (this.#wanted.size >= LARGE_WANTED_MAX) {
        if (this.#refused++ === 0) this.#parts.log.write("warn", "db.large", { error: "Too many values are missing" });
        return;
      }
      wanted = { ref, rows: new Map(), attempts: 0, isYoung: true, timer: undefined };
      this.#wanted.set(name, wanted);
      this.#queue.push(wanted);
      this.#young++;
    }
    wanted.rows.set(row, reader);
    this.#next();
  }

  #next(): void {
    while (this.#fetching < LARGE_FETCHED_MAX && !this.#ended.signal.aborted) {
      const wanted = this.#queue.shift();
      if (wanted === undefined) return;
      this.#fetching++;
      void this.#fetch(wanted).finally(() => {
        this.#fetching--;
        this.#next();
      });
    }
  }

  async #fetch(wanted: Wanted): Promise<void> {
    const { ref, rows } = wanted;
    const attempts = wanted.attempts++;
    if (attempts > 0) for (const [row, reader] of rows) if (!reader.wants(row, ref)) rows.delete(row);
    if (rows.size === 0) return this.#done(wanted);
    const { clock, log } = this.#parts;
    try {
      const bytes = await this.#read(ref);
      this.#keep(ref.cid, bytes);
      this.#done(wanted);
      for (const [row, reader] of rows) reader.arrived(row);
    } catch (error) {
      if (this.#ended.signal.aborted) return;
      if (!isStarfishError(error)) throw error;
      if (attempts === 0) log.write("info", "db.large", { cid: ref.cid, error: messageOf(error) });
      if (attempts >= LARGE_YOUNG_ATTEMPTS) this.#grown(wanted);
      wanted.timer = clock.timer(Math.min(LARGE_AGAIN_MS * 2 ** attempts, LARGE_AGAIN_MS_MAX), () => {
        this.#queue.push(wanted);
        this.#next();
      });
    }
  }

  #done(wanted: Wanted): void {
    this.#wanted.delete(`${wanted.ref.cid}/${wanted.ref.sizeBytes}`);
    this.#grown(wanted);
  }

  #grown(wanted: Wanted): void {
    if (!wanted.isYoung) return;
    wanted.isYoung = false;
    if (--this.#young === 0) for (const resolve of this.#waiters.splice(0)) resolve();
  }

  async #read({ cid, sizeBytes }: LargeRef): Promise<Bytes> {
    const { clock, contents } = this.#parts;
    const pieces: Bytes[] = [];
    let bytes = 0;
    await withDeadline(
      clock,
      LARGE_FETCH_MS,
      "Fetching a large value",
      async (signal) => {
        for await (const piece of contents().read({ cid, sizeBytes }, { signal })) {
          bytes += piece.length;
          if (bytes > sizeBytes) break;
          pieces.push(piece);
        }
      },
      { signal: this.#ended.signal },
    );
    if (bytes !== sizeBytes) throw new StarfishError("corrupt", `A content of another size than ${sizeBytes}`);
    return concat(pieces);
  }
}

async function* piecesOf(content: Bytes): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < content.length; at += PIECE_BYTES) yield content.subarray(at, at + PIECE_BYTES);
}
