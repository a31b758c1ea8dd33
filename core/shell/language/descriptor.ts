/**
 * Open files of a shell: what a descriptor's number refers to. Descriptors that were duplicated share one file, which
 * is closed with the last of them.
 */
import { concat, type Bytes } from "../../base/bytes.ts";
import type { Text } from "../styled.ts";
import type { ScreenSource } from "../terminal/full-screen.ts";
import type { Output, TerminalInfo } from "../types.ts";

export interface OpenFile {
  /** The next piece, or undefined at the end. Absent if it is not open for reading. */
  read?(): Promise<Uint8Array | undefined>;
  /** Takes pieces back that the reader has used up. Set if the reader owns what it gets. */
  reuse?(pieces: readonly Uint8Array[]): void;
  /**
   * Absent if it is not open for writing. Keeps nothing of the memory once it has resolved. Rejects with "closed" when
   * nobody reads any more.
   */
  write?(bytes: Bytes): Promise<void>;
  /** Set for a terminal: prints text with escape sequences of ours. */
  print?(text: Text): Promise<void>;
  /** Set for a terminal: shows what was held back. */
  flush?(): Promise<void>;
  /** When it resolves, everything that was written is there. */
  close?(): Promise<void>;
  /** Set for a terminal: what is known of it. */
  readonly terminal?: (() => TerminalInfo | undefined) | undefined;
  /** Set for a terminal: gives a program the whole screen. */
  readonly screen?: ScreenSource | undefined;
  /** The name that a person would use: the path, "pipe". */
  readonly name?: string;
}

/** One open file, with a count of its references. Bytes that were read too far can be given back. */
export class Descriptor {
  readonly file: OpenFile;
  #references = 1;
  #unread: Uint8Array | undefined;
  /** An end that was seen by `ready` and not read yet. */
  #isAtEnd = false;
  #reading: Promise<Uint8Array | undefined> | undefined;

  constructor(file: OpenFile) {
    this.file = file;
  }

  retain(): this {
    this.#references++;
    return this;
  }

  /** Drops a reference; the last one closes the file. Rejects with the error of closing. */
  async release(): Promise<void> {
    if (--this.#references === 0) await this.file.close?.();
  }

  get isReadable(): boolean {
    return this.file.read !== undefined;
  }

  /** Resolves when there is a piece, or the end; it stays for the next reader. */
  async ready(): Promise<void> {
    if (this.#unread !== undefined || this.#isAtEnd) return;
    const reading = (this.#reading ??= this.file.read?.() ?? Promise.resolve(undefined));
    const piece = await reading;
    if (this.#reading !== reading) return;
    this.#reading = undefined;
    if (piece === undefined) this.#isAtEnd = true;
    else this.#unread = this.#unread === undefined ? piece : concat([this.#unread, piece]);
  }

  /**
   * The next piece, or undefined at the end. A cancelled read keeps its piece for the next reader. If the reader's
   * process has been stopped meanwhile (`turn`), the read waits until the process goes on.
   */
  async read(turn?: () => Promise<void> | undefined): Promise<Uint8Array | undefined> {
    if (this.#isAtEnd && this.#unread === undefined) {
      this.#isAtEnd = false;
      return undefined;
    }
    const unread = this.#unread;
    if (unread !== undefined) {
      this.#unread = undefined;
      return unread;
    }
    const reading = (this.#reading ??= this.file.read?.() ?? Promise.resolve(undefined));
    const piece = await reading;
    const stopped = turn?.();
    if (stopped !== undefined) {
      await stopped;
      return await this.read(turn);
    }
    if (this.#reading === reading) this.#reading = undefined;
    else return await this.read(turn);
    return piece;
  }

  unread(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#unread = this.#unread === undefined ? bytes : concat([bytes, this.#unread]);
  }

  /** The input of a command. Leaving the loop keeps unread bytes for the next command. */
  input(turn?: () => Promise<void> | undefined): AsyncIterable<Uint8Array> {
    return {
      [Symbol.asyncIterator]: () => ({
        next: async () => {
          const piece = await this.read(turn);
          return piece === undefined ? { done: true, value: undefined } : { done: false, value: piece };
        },
      }),
    };
  }

  output(): Output | undefined {
    const { file } = this;
    return file.write === undefined ? undefined : { write: (bytes) => file.write?.(bytes) ?? Promise.resolve() };
  }
}

/** The descriptors of one shell by number. `fork` copies them. */
export class Descriptors {
  readonly #table = new Map<number, Descriptor>();

  get(number: number): Descriptor | undefined {
    return this.#table.get(number);
  }

  numbers(): number[] {
    return [...this.#table.keys()].sort((a, b) => a - b);
  }

  /** Takes over the reference, and releases the file that was there. */
  async set(number: number, descriptor: Descriptor): Promise<void> {
    const before = this.#table.get(number);
    this.#table.set(number, descriptor);
    await before?.release();
  }

  async close(number: number): Promise<void> {
    const before = this.#table.get(number);
    this.#table.delete(number);
    await before?.release();
  }

  /** The lowest free number from `from` on. */
  free(from: number): number {
    let number = from;
    while (this.#table.has(number)) number++;
    return number;
  }

  copy(): Descriptors {
    const copy = new Descriptors();
    for (const [number, descriptor] of this.#table) copy.#table.set(number, descriptor.retain());
    return copy;
  }

  /** Restores a copy, after a command with redirections. */
  async restore(saved: Descriptors): Promise<void> {
    const mine = [...this.#table.values()];
    this.#table.clear();
    for (const [number, descriptor] of saved.#table) this.#table.set(number, descriptor);
    saved.#table.clear();
    for (const descriptor of mine) await descriptor.release();
  }

  async closeAll(): Promise<void> {
    const all = [...this.#table.values()];
    this.#table.clear();
    let failure: unknown;
    for (const descriptor of all) {
      try {
        await descriptor.release();
      } catch (error) {
        failure ??= error;
      }
    }
    if (failure !== undefined) throw failure;
  }
}
