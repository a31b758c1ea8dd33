/** A transaction of several statements. It has the index to itself, so it ends by itself if it is left idle. */
import { StarfishError } from "../base/errors.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import { AnswerCursor } from "./answer-cursor.ts";
import type { StatementAnswer, StatementCall } from "./engine/messages.ts";
import { QUERY_MS_MAX, TRANSACTION_IDLE_MS } from "./limits.ts";
import { queriesOf } from "./query.ts";
import type { Queries, Transaction } from "./types.ts";

interface TransactionParts {
  readonly clock: Clock;
  readonly execute: (call: StatementCall, signal: AbortSignal | undefined) => Promise<StatementAnswer>;
  readonly commit: () => Promise<void>;
  readonly rollback: () => Promise<void>;
  /** Lets others use the index. */
  readonly end: () => void;
}

/** The state of one transaction; `openTransaction` makes of it what programs use. */
class OpenTransaction {
  readonly #parts: TransactionParts;
  #state: "open" | "committed" | "rolled back" | "left alone" = "open";
  #idle: Timer | undefined;
  #calls: Promise<unknown> = Promise.resolve();

  constructor(parts: TransactionParts) {
    this.#parts = parts;
    this.#rest();
  }

  /** Runs one after the other, in the order in which they were asked for. */
  run<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#check();
    const result = this.#calls.then(async () => {
      this.#check();
      this.#idle?.cancel();
      try {
        return await work();
      } finally {
        if (this.#state === "open") this.#rest();
      }
    });
    this.#calls = result.catch(() => {});
    return result;
  }

  commit(): Promise<void> {
    return this.run(async () => {
      try {
        await this.#parts.commit();
        this.#end("committed");
      } catch (error) {
        await this.#undo("rolled back");
        throw error;
      }
    });
  }

  async rollback(): Promise<void> {
    if (this.#state !== "open") return;
    await this.run(() => this.#undo("rolled back"));
  }

  #check(): void {
    if (this.#state === "open") return;
    if (this.#state === "left alone") {
      throw new StarfishError(
        "timeout",
        `The transaction was left alone for ${TRANSACTION_IDLE_MS / 1_000} s and was rolled back: others waited for it`,
      );
    }
    throw new StarfishError("closed", `The transaction was ${this.#state} already`);
  }

  async #undo(state: "rolled back" | "left alone"): Promise<void> {
    this.#idle?.cancel();
    this.#state = state;
    await this.#parts.rollback().catch(() => {});
    this.#parts.end();
  }

  #end(state: "committed"): void {
    this.#idle?.cancel();
    this.#state = state;
    this.#parts.end();
  }

  #rest(): void {
    this.#idle?.cancel();
    this.#idle = this.#parts.clock.timer(TRANSACTION_IDLE_MS, () => void this.#undo("left alone"));
  }
}

export function openTransaction(parts: TransactionParts): Transaction {
  const life = new OpenTransaction(parts);
  const queries: Queries = queriesOf({
    watched: undefined,
    open: async (sql, parameters, { signal, timeoutMs = QUERY_MS_MAX }) => {
      const call: StatementCall = { sql, parameters, timeoutMs: Math.min(timeoutMs, QUERY_MS_MAX) };
      return new AnswerCursor(await life.run(() => parts.execute(call, signal)), undefined);
    },
  });
  return Object.assign(queries, {
    commit: () => life.commit(),
    rollback: () => life.rollback(),
    [Symbol.asyncDispose]: () => life.rollback(),
  });
}
