/**
 * The thread that holds SQLite's index, behind calls that return promises. When the thread dies, all of them reject,
 * and the index has to be made anew.
 */
import { isStarfishError, StarfishError, throwIfAborted } from "../base/errors.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { SqlEngine, SqlThread } from "../ports/sql-engine.ts";
import type { AnswerMessage, CallMessage, CallName, IndexCalls } from "./engine/messages.ts";
import { CANCEL_MS } from "./limits.ts";
import { SqlError } from "./sql-error.ts";

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export class IndexClient {
  readonly #thread: SqlThread;
  readonly #clock: Clock;
  readonly #waiting = new Map<number, Waiting>();
  readonly #lost: (error: StarfishError) => void;
  #id = 0;
  #death: StarfishError | undefined;

  /** `lost` is called once, when the thread has died. */
  constructor(engine: SqlEngine, clock: Clock, lost: (error: StarfishError) => void) {
    this.#clock = clock;
    this.#lost = lost;
    this.#thread = engine.spawn({
      receive: (message) => this.#receive(message as AnswerMessage),
      died: (message) => this.#die(`SQLite's thread has ended: ${message}`),
    });
    this.#thread.setBusy(false);
  }

  /** On the signal it rejects with "cancelled". A thread that does not answer then is ended. */
  async call<Name extends CallName>(
    call: Name,
    input: Parameters<IndexCalls[Name]>,
    options: { readonly signal?: AbortSignal | undefined; readonly transfer?: readonly ArrayBuffer[] } = {},
  ): Promise<ReturnType<IndexCalls[Name]>> {
    const { signal, transfer = [] } = options;
    throwIfAborted(signal);
    if (this.#death !== undefined) throw this.#death;
    const id = ++this.#id;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#waiting.set(id, { resolve, reject });
    if (this.#waiting.size === 1) this.#thread.setBusy(true);
    const message: CallMessage = { id, call, input };
    this.#thread.post(message, transfer);
    let timer: Timer | undefined;
    const interrupt = (): void => {
      this.#thread.interrupt(id);
      timer = this.#clock.timer(CANCEL_MS, () => this.end("A statement was cancelled, and SQLite did not stop"));
    };
    signal?.addEventListener("abort", interrupt, { once: true });
    try {
      return (await promise) as ReturnType<IndexCalls[Name]>;
    } catch (error) {
      throwIfAborted(signal);
      throw error;
    } finally {
      timer?.cancel();
      signal?.removeEventListener("abort", interrupt);
    }
  }

  get isAlive(): boolean {
    return this.#death === undefined;
  }

  end(why: string): void {
    this.#thread.terminate();
    this.#die(why);
  }

  #receive({ id, outcome }: AnswerMessage): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    if (this.#waiting.size === 0) this.#thread.setBusy(false);
    if (outcome.error === undefined) return waiting.resolve(outcome.value);
    waiting.reject(new SqlError(outcome.error));
  }

  #die(why: string): void {
    if (this.#death !== undefined) return;
    const death = new StarfishError("closed", why, { retryable: true });
    this.#death = death;
    this.#thread.setBusy(false);
    for (const { reject } of this.#waiting.values()) reject(death);
    this.#waiting.clear();
    this.#lost(death);
  }
}

/** Whether the thread has died during a call, which is not the fault of the call itself. */
export function isLoss(error: unknown): boolean {
  return isStarfishError(error, "closed") && error.retryable;
}
