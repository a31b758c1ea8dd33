/**
 * A file of the tree that programs have open; all of them share it. Reads fetch the ranges that are asked for. Bytes
 * that are added at the end stream into the tree. A file that is changed in the middle is held in memory as a whole
 * (bounded), and committed when it is closed or synchronised.
 */
import { concat, type Bytes } from "../base/bytes.ts";
import { StarfishError } from "../base/errors.ts";
import type { Budget } from "./budget.ts";
import type { FileTree } from "./types.ts";

const COMMIT_PIECE_BYTES: number = 256 * 1024;

interface Reader {
  at: number;
  readonly pieces: AsyncIterator<Uint8Array>;
  readonly stop: AbortController;
  rest: Uint8Array;
}

export class FileNode {
  /** Undefined once the file has been removed. */
  path: string | undefined;
  sizeBytes: number;
  modifiedAtMs: number;
  readonly inode: bigint;
  references = 0;
  readonly #tree: FileTree;
  readonly #budget: Budget;
  readonly #life = new AbortController();
  #writer: { write?(bytes: Bytes): Promise<void>; close?(): Promise<void> } | undefined;
  #scratch: Uint8Array | undefined;
  #isChanged = false;
  #reader: Reader | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    tree: FileTree,
    budget: Budget,
    file: {
      readonly path: string;
      readonly sizeBytes: number;
      readonly modifiedAtMs: number;
      readonly inode: bigint;
    },
  ) {
    this.#tree = tree;
    this.#budget = budget;
    this.path = file.path;
    this.sizeBytes = file.sizeBytes;
    this.modifiedAtMs = file.modifiedAtMs;
    this.inode = file.inode;
  }

  /** Runs one piece of work after the other. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done;
  }

  /** The bytes from `at` on, at most `length`; fewer only at the end. */
  async read(at: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const end = Math.min(at + length, this.sizeBytes);
    if (at >= end) return new Uint8Array(0);
    if (this.#scratch !== undefined) return this.#scratch.slice(at, end);
    const reader = await this.#readerAt(at);
    const bytes = new Uint8Array(end - at);
    let filled = 0;
    while (filled < bytes.length) {
      if (reader.rest.length === 0) {
        const { done, value } = await reader.pieces.next();
        if (done === true) break;
        reader.rest = value;
        continue;
      }
      const part = reader.rest.subarray(0, bytes.length - filled);
      bytes.set(part, filled);
      filled += part.length;
      reader.rest = reader.rest.subarray(part.length);
      reader.at += part.length;
    }
    // The file has become shorter since it was opened.
    return filled === bytes.length ? bytes : bytes.slice(0, filled);
  }

  /** A read that continues where the last one ended uses the same reader. */
  async #readerAt(at: number): Promise<Reader> {
    if (this.#reader?.at === at) return this.#reader;
    await this.#stopReading();
    if (this.path === undefined) throw new StarfishError("not-found", "the file is gone");
    const stop = new AbortController();
    const signal = AbortSignal.any([stop.signal, this.#life.signal]);
    const pieces = this.#tree.read(this.path, { from: at, signal })[Symbol.asyncIterator]();
    return (this.#reader = { at, pieces, stop, rest: new Uint8Array(0) });
  }

  async #stopReading(): Promise<void> {
    const reader = this.#reader;
    this.#reader = undefined;
    reader?.stop.abort(new StarfishError("closed", "The file is read elsewhere"));
    await reader?.pieces.return?.(undefined)?.catch(() => {});
  }

  async write(offset: number | undefined, bytes: Bytes, nowMs: number): Promise<void> {
    const at = offset ?? this.sizeBytes;
    await this.#stopReading();
    if (this.#scratch === undefined && at === this.sizeBytes && this.path !== undefined) {
      this.#writer ??= await this.#tree.open(this.path, "append", { signal: this.#life.signal });
      await this.#writer.write?.(bytes);
    } else {
      const scratch = await this.#hold(Math.max(this.sizeBytes, at + bytes.length));
      scratch.set(bytes, at);
      this.#isChanged = true;
    }
    this.sizeBytes = Math.max(this.sizeBytes, at + bytes.length);
    this.modifiedAtMs = nowMs;
  }

  async resize(sizeBytes: number, nowMs: number): Promise<void> {
    this.modifiedAtMs = nowMs;
    if (sizeBytes === this.sizeBytes) return;
    await this.#stopReading();
    if (sizeBytes === 0 && this.path !== undefined) return await this.empty();
    const scratch = await this.#hold(Math.max(sizeBytes, this.sizeBytes));
    scratch.fill(0, Math.min(sizeBytes, this.sizeBytes));
    this.sizeBytes = sizeBytes;
    this.#isChanged = true;
  }

  /** Empties the file, or creates it. */
  async empty(): Promise<void> {
    if (this.path === undefined) return;
    await this.#stopReading();
    await this.#endWriter();
    this.#letGo();
    this.#writer = await this.#tree.open(this.path, "write", { signal: this.#life.signal });
    this.sizeBytes = 0;
  }

  /** The whole file in memory, with room for `sizeBytes`. Throws "full". */
  async #hold(sizeBytes: number): Promise<Uint8Array> {
    const scratch = this.#scratch;
    if (scratch !== undefined && scratch.length >= sizeBytes) return scratch;
    const capacity = scratch === undefined ? sizeBytes : Math.max(sizeBytes, Math.min(scratch.length * 2, 2 ** 26));
    this.#budget.take(capacity - (scratch?.length ?? 0));
    const larger = new Uint8Array(capacity);
    if (scratch === undefined) larger.set(await this.#whole());
    else larger.set(scratch);
    return (this.#scratch = larger);
  }

  async #whole(): Promise<Uint8Array> {
    await this.#endWriter();
    const parts: Uint8Array[] = [];
    if (this.path === undefined || this.sizeBytes === 0) return concat(parts);
    for await (const part of this.#tree.read(this.path, { from: 0, to: this.sizeBytes, signal: this.#life.signal }))
      parts.push(part);
    return concat(parts);
  }

  /** Reads the whole file if its size is not known otherwise. */
  async measure(): Promise<void> {
    if (this.path === undefined) return;
    const parts: Uint8Array[] = [];
    let length = 0;
    for await (const part of this.#tree.read(this.path, { signal: this.#life.signal })) {
      this.#budget.take(part.length);
      length += part.length;
      parts.push(part);
    }
    this.#scratch = concat(parts);
    this.sizeBytes = length;
  }

  /** When it resolves, all writes are in the tree. */
  async commit(): Promise<void> {
    await this.#endWriter();
    if (!this.#isChanged || this.path === undefined || this.#scratch === undefined) return;
    this.#isChanged = false;
    await this.#tree.write(this.path, pieces(this.#scratch.subarray(0, this.sizeBytes)));
  }

  /** Removes the name; programs that have the file open keep its bytes. */
  async unlink(): Promise<void> {
    if (this.references > 0) await this.#hold(this.sizeBytes);
    this.path = undefined;
  }

  async close(): Promise<void> {
    try {
      await this.#stopReading();
      await this.commit();
    } finally {
      this.#letGo();
      this.#life.abort(new StarfishError("closed", "The file is closed"));
    }
  }

  #letGo(): void {
    if (this.#scratch !== undefined) this.#budget.give(this.#scratch.length);
    this.#scratch = undefined;
    this.#isChanged = false;
  }

  async #endWriter(): Promise<void> {
    const writer = this.#writer;
    this.#writer = undefined;
    await writer?.close?.();
  }
}

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += COMMIT_PIECE_BYTES)
    yield await Promise.resolve(bytes.slice(at, at + COMMIT_PIECE_BYTES));
}
