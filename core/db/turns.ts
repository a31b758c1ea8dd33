/** Decides who may use the index: many readers at a time or one writer, in the order in which they came. */
import { cancelled, StarfishError, throwIfAborted } from "../base/errors.ts";
import { WAITING_MAX } from "./limits.ts";

export type Release = () => void;

interface Waiter {
  readonly isExclusive: boolean;
  readonly enter: (release: Release) => void;
}

export class Turns {
  readonly #queue: Waiter[] = [];
  #readers = 0;
  #isWriting = false;

  /** Whether somebody waits for others to finish. */
  get isWaitedFor(): boolean {
    return this.#queue.length > 0;
  }

  /**
   * Rejects with "busy" and "cancelled". The turn lasts until the returned function is called; further calls do
   * nothing.
   */
  take(kind: "shared" | "exclusive", signal?: AbortSignal): Promise<Release> {
    throwIfAborted(signal);
    if (this.#queue.length >= WAITING_MAX) {
      throw new StarfishError("busy", "Too many statements wait for the database", { retryable: true });
    }
    const { promise, resolve, reject } = Promise.withResolvers<Release>();
    const leave = (): void => {
      const at = this.#queue.indexOf(waiter);
      if (at < 0 || signal === undefined) return;
      this.#queue.splice(at, 1);
      reject(cancelled(signal));
      this.#next();
    };
    const waiter: Waiter = {
      isExclusive: kind === "exclusive",
      enter: (release) => {
        signal?.removeEventListener("abort", leave);
        resolve(release);
      },
    };
    signal?.addEventListener("abort", leave, { once: true });
    this.#queue.push(waiter);
    this.#next();
    return promise;
  }

  #next(): void {
    for (;;) {
      const [first] = this.#queue;
      if (first === undefined || this.#isWriting || (first.isExclusive && this.#readers > 0)) return;
      this.#queue.shift();
      if (first.isExclusive) this.#isWriting = true;
      else this.#readers++;
      let isOver = false;
      first.enter(() => {
        if (isOver) return;
        isOver = true;
        if (first.isExclusive) this.#isWriting = false;
        else this.#readers--;
        this.#next();
      });
    }
  }
}
