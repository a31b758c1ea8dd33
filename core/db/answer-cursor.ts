/** An answer that is read in pages. */
import { StarfishError } from "../base/errors.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { StatementAnswer } from "./engine/messages.ts";
import type { IndexClient } from "./index-client.ts";
import { READER_REST_MS } from "./limits.ts";
import type { Release } from "./turns.ts";
import type { ColumnInfo, Cursor, SqlValue } from "./types.ts";

type Page = readonly (readonly SqlValue[])[];

export interface CursorParts {
  readonly client: IndexClient;
  readonly clock: Clock;
  /** Ends this reader's turn, during which nobody writes. */
  readonly release: Release;
  readonly isWaitedFor: () => boolean;
  readonly signal: AbortSignal | undefined;
}

export class AnswerCursor implements Cursor {
  readonly columns: readonly ColumnInfo[];
  readonly reads: readonly string[];
  readonly changes: number;
  readonly #parts: CursorParts | undefined;
  #first: Page | undefined;
  /** The cursor in the thread; undefined: it has no more rows. */
  #cursor: number | undefined;
  #resting: Timer | undefined;
  #error: StarfishError | undefined;

  constructor(answer: StatementAnswer, parts: CursorParts | undefined) {
    this.columns = answer.columns;
    this.reads = answer.reads;
    this.changes = answer.changes;
    this.#parts = parts;
    this.#first = answer.rows.length > 0 ? answer.rows : undefined;
    this.#cursor = answer.cursor;
    if (answer.isOpen) this.#rest();
  }

  async next(): Promise<Page | undefined> {
    if (this.#error !== undefined) throw this.#error;
    const first = this.#first;
    this.#first = undefined;
    if (first !== undefined) return first;
    const parts = this.#parts;
    if (this.#cursor === undefined || parts === undefined) return undefined;
    this.#resting?.cancel();
    this.#resting = undefined;
    try {
      const { rows, isDone, isOpen } = await parts.client.call("page", [this.#cursor], { signal: parts.signal });
      if (isDone) this.#cursor = undefined;
      if (isOpen) this.#rest();
      else parts.release();
      return rows.length > 0 ? rows : undefined;
    } catch (error) {
      await this.#close();
      throw error;
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Page, void, undefined> {
    try {
      for (let page = await this.next(); page !== undefined; page = await this.next()) yield page;
    } finally {
      await this[Symbol.asyncDispose]();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }

  async #close(): Promise<void> {
    this.#resting?.cancel();
    const [cursor, parts] = [this.#cursor, this.#parts];
    this.#cursor = undefined;
    this.#first = undefined;
    if (cursor !== undefined && parts?.client.isAlive === true) {
      await parts.client.call("close", [cursor]).catch(() => {});
    }
    parts?.release();
  }

  /** Writers wait for this reader, but not forever. */
  #rest(): void {
    const parts = this.#parts;
    this.#resting = parts?.clock.timer(READER_REST_MS, () => {
      if (!parts.isWaitedFor()) return this.#rest();
      this.#error = new StarfishError(
        "timeout",
        `The answer was left unread for ${READER_REST_MS / 1_000} s while others waited to write: read it at once, or use LIMIT`,
      );
      void this.#close();
    });
  }
}
