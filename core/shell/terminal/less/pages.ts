/**
 * The lines of a file or a pipe, by number, in bounded memory. The text is kept in blocks. Of a file, blocks that were
 * not used for long are dropped and read again; of a pipe, the oldest are dropped for good.
 */
import { concat } from "../../../base/bytes.ts";
import { sleep, type Clock } from "../../../ports/clock.ts";
import { decodeText } from "../../language/bytes.ts";

const BLOCK_BYTES: number = 64 * 1024;
/** Blocks of a file in memory: 4 MiB of text. */
const BLOCKS_OF_FILE_MAX = 64;
/** Blocks of a pipe, which can't be read twice: 32 MiB. */
const BLOCKS_OF_PIPE_MAX = 512;

/** If a pipe pauses for this long, the text so far is shown. */
const GATHER_MS = 30;

export interface Source {
  /** Reads from a byte on, to the present end. */
  read(from: number, to?: number): AsyncIterable<Uint8Array>;
  /** Whether a part can be read again. */
  readonly isSeekable: boolean;
}

interface Block {
  readonly offset: number;
  readonly length: number;
  readonly firstLine: number;
  readonly count: number;
  lines: readonly string[] | undefined;
}

export class Pages {
  readonly #source: Source;
  readonly #clock: Clock;
  #more: Promise<void> | undefined;
  #piecePending: Promise<IteratorResult<Uint8Array>> | undefined;
  readonly #blocks: Block[] = [];
  #reading: AsyncIterator<Uint8Array> | undefined;
  /** Bytes that were read and are in no block yet, and their position. */
  #rest: Uint8Array = new Uint8Array();
  #restAt = 0;
  /** The last lines, which have no line break yet, as a last block that is made again each time. */
  #tail: Block | undefined;
  /** The most recently used last. */
  #recent: Block[] = [];
  isEnd = false;
  /** Lines dropped from the beginning of a pipe. */
  lost = 0;

  constructor(source: Source, clock: Clock) {
    this.#source = source;
    this.#clock = clock;
  }

  /** The number of lines that are known so far. */
  get count(): number {
    const last = this.#tail ?? this.#blocks.at(-1);
    return last === undefined ? 0 : last.firstLine + last.count;
  }

  /** The number of bytes read so far. */
  get bytes(): number {
    return this.#restAt + this.#rest.length;
  }

  /** Undefined if that line is not known (yet). A dropped line of a pipe is empty. */
  async line(number: number): Promise<string | undefined> {
    if (number < 0 || number >= this.count) return undefined;
    const block = this.#blockOf(number);
    if (block === undefined || number < block.firstLine) return "";
    const lines = await this.#linesOf(block);
    return lines[number - block.firstLine];
  }

  /** Reads on: a block, or what has arrived when nothing more comes for a moment. */
  more(): Promise<void> {
    this.#more ??= this.#read().finally(() => (this.#more = undefined));
    return this.#more;
  }

  async #read(): Promise<void> {
    if (this.isEnd) return;
    this.#reading ??= this.#source.read(this.bytes)[Symbol.asyncIterator]();
    const pieces = [this.#rest];
    let length = this.#rest.length;
    for (let isFirst = true; length < BLOCK_BYTES; isFirst = false) {
      const result = await this.#piece(isFirst);
      if (result === undefined) break;
      if (result.done === true) {
        this.isEnd = true;
        this.#reading = undefined;
        break;
      }
      pieces.push(result.value.slice());
      length += result.value.length;
    }
    this.#rest = concat(pieces);
    while (this.#rest.length >= BLOCK_BYTES) this.#cut();
    this.#tail = this.#rest.length === 0 ? undefined : this.#blockFrom(this.#rest);
  }

  /** The next piece; after the first, only if it comes soon. A late one is taken the next time. */
  async #piece(isFirst: boolean): Promise<IteratorResult<Uint8Array> | undefined> {
    const piece = (this.#piecePending ??= this.#reading?.next());
    if (piece === undefined) return undefined;
    const stop = new AbortController();
    const pause = sleep(this.#clock, GATHER_MS, { signal: stop.signal }).then(
      () => undefined,
      () => undefined,
    );
    const result = isFirst ? await piece : await Promise.race([piece, pause]);
    stop.abort();
    if (result !== undefined) this.#piecePending = undefined;
    return result;
  }

  /** The file may have grown: looks for its end again. */
  goOn(): void {
    this.isEnd = false;
  }

  #cut(): void {
    const end = this.#rest.lastIndexOf(0x0a, BLOCK_BYTES - 1);
    // An endless line is cut, because it must not fill the memory.
    const length = end < 0 ? BLOCK_BYTES : end + 1;
    const block = this.#blockFrom(this.#rest.subarray(0, length));
    this.#blocks.push(block);
    this.#rest = this.#rest.slice(length);
    this.#restAt += length;
    this.#use(block);
  }

  #blockFrom(bytes: Uint8Array): Block {
    const last = this.#blocks.at(-1);
    const lines = linesIn(bytes);
    const firstLine = last === undefined ? 0 : last.firstLine + last.count;
    return { offset: this.#restAt, length: bytes.length, firstLine, count: lines.length, lines };
  }

  #blockOf(number: number): Block | undefined {
    if (this.#tail !== undefined && number >= this.#tail.firstLine) return this.#tail;
    let low = 0;
    let high = this.#blocks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#blocks[middle]?.firstLine ?? 0) <= number) low = middle;
      else high = middle - 1;
    }
    return this.#blocks[low];
  }

  async #linesOf(block: Block): Promise<readonly string[]> {
    if (block === this.#tail) return block.lines ?? [];
    if (block.lines === undefined) {
      if (!this.#source.isSeekable) return [];
      const pieces: Uint8Array[] = [];
      for await (const piece of this.#source.read(block.offset, block.offset + block.length))
        pieces.push(piece.slice());
      block.lines = linesIn(concat(pieces));
    }
    this.#use(block);
    return block.lines;
  }

  #use(block: Block): void {
    const at = this.#recent.lastIndexOf(block);
    if (at >= 0) this.#recent.splice(at, 1);
    this.#recent.push(block);
    if (this.#source.isSeekable) {
      if (this.#recent.length > BLOCKS_OF_FILE_MAX) this.#forget(this.#recent.shift());
    } else if (this.#blocks.length > BLOCKS_OF_PIPE_MAX) {
      const oldest = this.#blocks.shift();
      this.#recent = this.#recent.filter((one) => one !== oldest);
      this.#forget(oldest);
      this.lost = this.#blocks[0]?.firstLine ?? 0;
    }
  }

  #forget(block: Block | undefined): void {
    if (block !== undefined) block.lines = undefined;
  }

  async close(): Promise<void> {
    await this.#reading?.return?.().catch(() => {});
  }
}

function linesIn(bytes: Uint8Array): string[] {
  const lines = decodeText(bytes).split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}
