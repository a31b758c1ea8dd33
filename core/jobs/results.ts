/**
 * Results of a job's tasks that this node holds, its own and copies of others', until the job's result is safe. Small
 * ones lie one after the other in blocks of tasks, so that a million cost little more than their bytes. A large result,
 * or one beyond the node's budget, is a content of the disk, and only its name is here.
 */
import type { Bytes } from "../base/bytes.ts";
import type { ContentRef } from "../disk/types.ts";
import { add, type Intervals, NONE } from "./intervals.ts";
import { HELD_BYTES_MAX, HELD_JOB_BYTES_MAX } from "./limits.ts";

/** A task's output: its bytes, or the content that has them. */
export type Output = Bytes | ContentRef;

export interface Held {
  readonly output: Output;
  readonly fuelUsed: number;
}

/** Tasks of one block: its tables take 16 KiB. */
const BLOCK_TASKS = 1_024;
const TABLES_BYTES_PER_TASK = 16;
const BLOCK_BYTES_MIN = 1_024;
/** What the name of a content costs. */
const REF_BYTES = 200;

interface Block {
  /**
   * The place in `bytes` of each task's output: its beginning and its length, 0 and 0 if it is not here or is a
   * content.
   */
  readonly begins: Uint32Array;
  readonly lengths: Uint32Array;
  readonly fuels: Float64Array;
  bytes: Uint8Array;
  used: number;
}

/** The bytes that all jobs of a node hold together. */
export class HeldBytes {
  used = 0;
}

export class Results {
  readonly #all: HeldBytes;
  readonly #blocks = new Map<number, Block>();
  readonly #contents = new Map<number, { readonly output: ContentRef; readonly fuelUsed: number }>();
  #held: Intervals = NONE;
  #used = 0;
  /** Results that are held as bytes, and their bytes. */
  #outputs = 0;
  #outputBytes = 0;

  constructor(all: HeldBytes) {
    this.#all = all;
  }

  get held(): Intervals {
    return this.#held;
  }

  /** The mean bytes of the outputs that are held as bytes; undefined if there are none. */
  get meanBytes(): number | undefined {
    return this.#outputs === 0 ? undefined : this.#outputBytes / this.#outputs;
  }

  /** Whether there is room for this many more bytes. */
  hasRoom(bytes: number): boolean {
    return this.#used + bytes <= HELD_JOB_BYTES_MAX && this.#all.used + bytes <= HELD_BYTES_MAX;
  }

  has(task: number): boolean {
    return this.get(task) !== undefined;
  }

  /** The first result of a task stays, because another one is equal. */
  add(task: number, output: Output, fuelUsed: number): void {
    if (this.has(task)) return;
    if (output instanceof Uint8Array) this.#addBytes(task, output, fuelUsed);
    else {
      this.#contents.set(task, { output, fuelUsed });
      this.#count(REF_BYTES);
    }
    this.#held = add(this.#held, task);
  }

  get(task: number): Held | undefined {
    const content = this.#contents.get(task);
    if (content !== undefined) return content;
    const block = this.#blocks.get(Math.floor(task / BLOCK_TASKS));
    const place = task % BLOCK_TASKS;
    const end = block?.lengths[place] ?? 0;
    if (block === undefined || end === 0) return undefined;
    const begin = block.begins[place] ?? 0;
    // Lengths are stored plus 1, so that an empty output differs from none.
    return { output: block.bytes.slice(begin, begin + end - 1), fuelUsed: block.fuels[place] ?? 0 };
  }

  /** Contents that are named here, so that they are not collected. */
  *contents(): Iterable<string> {
    for (const { output } of this.#contents.values()) yield output.cid;
  }

  clear(): void {
    this.#all.used -= this.#used;
    this.#used = this.#outputs = this.#outputBytes = 0;
    this.#blocks.clear();
    this.#contents.clear();
    this.#held = NONE;
  }

  #addBytes(task: number, output: Bytes, fuelUsed: number): void {
    const number = Math.floor(task / BLOCK_TASKS);
    let block = this.#blocks.get(number);
    if (block === undefined) {
      block = {
        begins: new Uint32Array(BLOCK_TASKS),
        lengths: new Uint32Array(BLOCK_TASKS),
        fuels: new Float64Array(BLOCK_TASKS),
        bytes: new Uint8Array(BLOCK_BYTES_MIN),
        used: 0,
      };
      this.#blocks.set(number, block);
      this.#count(BLOCK_TASKS * TABLES_BYTES_PER_TASK);
    }
    const end = block.used + output.length;
    if (end > block.bytes.length) {
      const larger = new Uint8Array(Math.max(end, 2 * block.bytes.length));
      larger.set(block.bytes.subarray(0, block.used));
      block.bytes = larger;
    }
    block.bytes.set(output, block.used);
    block.begins[task % BLOCK_TASKS] = block.used;
    block.lengths[task % BLOCK_TASKS] = output.length + 1;
    block.fuels[task % BLOCK_TASKS] = fuelUsed;
    block.used = end;
    this.#outputs++;
    this.#outputBytes += output.length;
    this.#count(output.length);
  }

  #count(bytes: number): void {
    this.#used += bytes;
    this.#all.used += bytes;
  }
}
