/**
 * Puts statements together that are transactions of their own. Those that arrive while others are being written are
 * written as one transaction, which costs little more than a single one. Each still succeeds or fails by itself.
 */
import { cancelled, StarfishError, throwIfAborted } from "../base/errors.ts";
import type { Outcome, StatementAnswer, StatementCall } from "./engine/messages.ts";
import { SqlError } from "./sql-error.ts";
import { GROUP_MAX, WAITING_MAX } from "./limits.ts";

interface Waiting {
  readonly call: StatementCall;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (answer: StatementAnswer) => void;
  readonly reject: (error: unknown) => void;
}

/** Undefined: they can't be written together, and have to be written one by one. */
export type GroupOutcomes = readonly Outcome<StatementAnswer>[] | undefined;

export interface GroupsOptions {
  readonly run: (calls: readonly StatementCall[]) => Promise<GroupOutcomes>;
}

export class Groups {
  readonly #run: GroupsOptions["run"];
  readonly #waiting: Waiting[] = [];
  #isRunning = false;

  constructor({ run }: GroupsOptions) {
    this.#run = run;
  }

  run(call: StatementCall, signal: AbortSignal | undefined): Promise<StatementAnswer> {
    throwIfAborted(signal);
    if (this.#waiting.length >= WAITING_MAX) {
      throw new StarfishError("busy", "Too many statements wait for the database", { retryable: true });
    }
    const { promise, resolve, reject } = Promise.withResolvers<StatementAnswer>();
    this.#waiting.push({ call, signal, resolve, reject });
    if (!this.#isRunning) void this.#work();
    return promise;
  }

  async #work(): Promise<void> {
    this.#isRunning = true;
    // Statements of the same turn of the event loop come together.
    await Promise.resolve();
    while (this.#waiting.length > 0) await this.#write(this.#waiting.splice(0, GROUP_MAX));
    this.#isRunning = false;
  }

  async #write(waiting: readonly Waiting[]): Promise<void> {
    const group = waiting.filter(({ signal, reject }) => {
      if (signal?.aborted === true) reject(cancelled(signal));
      return signal?.aborted !== true;
    });
    if (group.length === 0) return;
    let outcomes: GroupOutcomes;
    try {
      outcomes = await this.#run(group.map(({ call }) => call));
    } catch (error) {
      for (const { reject } of group) reject(error);
      return;
    }
    if (outcomes === undefined) {
      for (const one of group) await this.#write([one]);
      return;
    }
    for (const [i, { resolve, reject }] of group.entries()) {
      const outcome = outcomes[i];
      if (outcome === undefined) reject(new StarfishError("closed", "The statement was not run", { retryable: true }));
      else if (outcome.error === undefined) resolve(outcome.value);
      else reject(new SqlError(outcome.error));
    }
  }
}
