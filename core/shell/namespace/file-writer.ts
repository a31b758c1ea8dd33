/**
 * A file that is being written piece by piece. A tree takes whole sources, so the pieces go through a pipe into one
 * write of the tree. A flush ends that write, and the next write appends what comes after it. Small files cost one
 * write.
 */
import { concat, type Bytes } from "../../base/bytes.ts";
import { createPipe, type Pipe } from "../pipe.ts";
import type { Tree } from "./tree.ts";

/** Bytes that wait in memory until a write begins: most files of a script are smaller, and are flushed at most once. */
const WAITING_BYTES_MAX: number = 1024 * 1024;

export class FileWriter {
  readonly #tree: Tree;
  readonly #path: string;
  #isAppend: boolean;
  /** Whether the file has to be written even if no bytes come. */
  #isDue = false;
  #waiting: Bytes[] = [];
  #waitingBytes = 0;
  #stream: { pipe: Pipe; written: Promise<void> } | undefined;
  /** Writes and flushes run one after the other. */
  #last: Promise<void> = Promise.resolve();

  constructor(tree: Tree, path: string, options: { isAppend: boolean }) {
    this.#tree = tree;
    this.#path = path;
    this.#isAppend = options.isAppend;
  }

  /** Empties the file, or creates it. */
  async begin(): Promise<void> {
    this.#isDue = true;
    await this.flush();
  }

  write(bytes: Bytes): Promise<void> {
    return this.#inTurn(() => this.#write(bytes));
  }

  /** When it resolves, everything that was written is in the tree. */
  flush(): Promise<void> {
    if (!this.#isDue && this.#waitingBytes === 0 && this.#stream === undefined) return this.#last;
    return this.#inTurn(() => this.#flush());
  }

  close(): Promise<void> {
    return this.flush();
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done;
  }

  async #write(bytes: Bytes): Promise<void> {
    if (this.#stream === undefined) {
      this.#waiting.push(Uint8Array.from(bytes));
      this.#waitingBytes += bytes.length;
      if (this.#waitingBytes <= WAITING_BYTES_MAX) return;
      this.#begin();
      await this.#push(this.#take());
      return;
    }
    await this.#push(bytes);
  }

  #begin(): void {
    const pipe = createPipe();
    const written = this.#tree.write(this.#path, pipe.input, { isAppend: this.#isAppend });
    // A write that fails closes its pipe, so that the writer sees the failure.
    written.catch(() => pipe.close());
    this.#stream = { pipe, written };
    this.#isAppend = true;
    this.#isDue = false;
  }

  async #push(bytes: Bytes): Promise<void> {
    const stream = this.#stream;
    if (stream === undefined) return;
    try {
      await stream.pipe.output.write(bytes);
    } catch (error) {
      this.#stream = undefined;
      await stream.written;
      throw error;
    }
  }

  #take(): Uint8Array {
    const bytes = concat(this.#waiting);
    this.#waiting = [];
    this.#waitingBytes = 0;
    return bytes;
  }

  async #flush(): Promise<void> {
    const stream = this.#stream;
    if (stream !== undefined) {
      this.#stream = undefined;
      stream.pipe.output.end();
      await stream.written;
      return;
    }
    if (!this.#isDue && this.#waitingBytes === 0) return;
    const bytes = this.#take();
    const isAppend = this.#isAppend;
    this.#isAppend = true;
    this.#isDue = false;
    await this.#tree.write(this.#path, pieces(bytes), { isAppend });
  }
}

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  if (bytes.length > 0) yield await Promise.resolve(bytes);
}
