/**
 * Web Locks or, if a page came unprotected and has none, locks among the code of this tab. Such tabs share nothing that
 * would have to be locked between them: each is a node that is forgotten with the tab (tab-node.ts).
 */
import { StarfishError } from "../core/base/errors.ts";

/** What is used of LockManager. */
export interface Locks {
  request<T>(name: string, options: LockOptions, work: (lock: Lock | null) => T | PromiseLike<T>): Promise<T>;
}

interface Waiting {
  readonly enter: () => void;
}

/** Exclusive locks with the options `ifAvailable` and `signal`. */
export class TabLocks implements Locks {
  /** The waiting callers, by the name of a held lock. */
  readonly #held = new Map<string, Waiting[]>();

  async request<T>(name: string, options: LockOptions, work: (lock: Lock | null) => T | PromiseLike<T>): Promise<T> {
    const { ifAvailable = false, signal } = options;
    signal?.throwIfAborted();
    if (this.#held.has(name)) {
      if (ifAvailable) return await work(null);
      await this.#wait(name, signal);
    } else {
      this.#held.set(name, []);
    }
    try {
      return await work({ name, mode: "exclusive" });
    } finally {
      this.#release(name);
    }
  }

  #wait(name: string, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiting = this.#held.get(name) ?? [];
      const giveUp = (): void => {
        waiting.splice(waiting.indexOf(entry), 1);
        reject(signal?.reason ?? new StarfishError("cancelled", "Nobody waits for this any more"));
      };
      const entry: Waiting = {
        enter: () => {
          signal?.removeEventListener("abort", giveUp);
          resolve();
        },
      };
      waiting.push(entry);
      signal?.addEventListener("abort", giveUp, { once: true });
    });
  }

  #release(name: string): void {
    const next = this.#held.get(name)?.shift();
    if (next === undefined) this.#held.delete(name);
    else next.enter();
  }
}

/** The types claim that every page has Web Locks; pages that came unprotected do not. */
const ofBrowser: LockManager | undefined = typeof navigator === "undefined" ? undefined : navigator.locks;

export const locks: Locks = ofBrowser ?? new TabLocks();
