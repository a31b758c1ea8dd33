/**
 * Open files of a shell: what stands behind a descriptor's number. A file is shared by all descriptors that were
 * duplicated from it, and is closed with the last of them.
 */
import { concat, type Bytes } from "../../base/bytes.ts";
import type { Text } from "../styled.ts";
import type { ScreenSource } from "../terminal/full-screen.ts";
import type { Output, TerminalInfo } from "../types.ts";

export interface OpenFile {
  /** The next piece, or undefined at the end. Absent where it is not open for reading. */
  read?(): Promise<Uint8Array | undefined>;
  /** The pieces that it gives belong to who reads them. */
  readonly givesAway?: boolean;
  /** Absent where it is not open for writing. Rejects with "closed" once nobody reads. */
  write?(bytes: Bytes): Promise<void>;
  /** Text with escape sequences of our own, where it is a terminal. */
  print?(text: Text): Promise<void>;
  /** What a terminal held back is shown. */
  flush?(): Promise<void>;
  /** Everything that was written is there when it resolves. */
  close?(): Promise<void>;
  /** Where it is a terminal, what is known of it. */
  readonly terminal?: (() => TerminalInfo | undefined) | undefined;
  /** Gives a program all of the terminal, where this is one. */
  readonly screen?: ScreenSource | undefined;
  /** What a person would call it: the path, "pipe". */
  readonly name?: string;
}

/** One open file, counted by its references. Bytes that were read too far can be given back. */
export class Descriptor {
  readonly file: OpenFile;
  #references = 1;
  #unread: Uint8Array | undefined;
  /** An end that somebody waited for and nobody has read. */
  #isAtEnd = false;
  #reading: Promise<Uint8Array | undefined> | undefined;

  constructor(file: OpenFile) {
    this.file = file;
  }

  retain(): this {
    this.#references++;
    return this;
  }

  /** Closes the file with the last reference. Rejects with what closing rejects with. */
  async release(): Promise<void> {
    if (--this.#references === 0) await this.file.close?.();
  }

  get isReadable(): boolean {
    return this.file.read !== undefined;
  }

  /** Resolves when a piece is there, or the end; it stays for whoever reads next. */
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
   * The next piece, or undefined at the end. A read that was given up keeps its piece for the next reader; so does one
   * whose process has stopped meanwhile (`turn`), which waits until it goes on.
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

  /** As commands read it. Leaving the loop keeps what was not read for the next command. */
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

/** The descriptors of one shell by number. Copying it is what fork does. */
export class Descriptors {
  readonly #table = new Map<number, Descriptor>();

  get(number: number): Descriptor | undefined {
    return this.#table.get(number);
  }

  numbers(): number[] {
    return [...this.#table.keys()].sort((a, b) => a - b);
  }

  /** Takes over the reference; what was there is released. */
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

  /** Puts back what a copy had, as after a command with redirections. */
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
