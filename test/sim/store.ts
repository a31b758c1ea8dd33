/**
 * A node's store in virtual time. Calls take a while. When the node crashes, a value that is being written ends, by
 * chance, as the old one or the new one. The content belongs to the machine, and survives.
 */
import type { Bytes } from "../../core/base/bytes.ts";
import { MemoryStore } from "../../core/platform/memory-store.ts";
import type { Random } from "../../core/ports/random.ts";
import type { Store } from "../../core/ports/store.ts";
import type { Life } from "./life.ts";
import type { Scheduler } from "./scheduler.ts";

/** A small read or durable write on a solid-state disk, roughly. */
const CALL_MS = 1;

export class SimStore implements Store {
  readonly #store: MemoryStore;
  readonly #scheduler: Scheduler;
  readonly #life: Life;
  readonly #writing = new Set<() => Promise<void>>();

  constructor(scheduler: Scheduler, life: Life, disk: Map<string, Uint8Array>) {
    this.#scheduler = scheduler;
    this.#life = life;
    this.#store = new MemoryStore(disk);
  }

  get(key: string): Promise<Uint8Array | undefined> {
    return this.#later(() => this.#store.get(key));
  }

  set(key: string, value: Bytes): Promise<void> {
    const copy = value.slice();
    return this.#write(() => this.#store.set(key, copy));
  }

  delete(key: string): Promise<void> {
    return this.#write(() => this.#store.delete(key));
  }

  keys(prefix: string): Promise<string[]> {
    return this.#later(() => this.#store.keys(prefix));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#store[Symbol.asyncDispose]();
  }

  /** The node has crashed: each write that was under way has reached the disk or not. */
  crash(random: Random): void {
    // The disk itself answers at once, so its promises need not be awaited; a refused key no longer matters.
    for (const write of this.#writing) if (random.real() < 0.5) write().catch(() => {});
  }

  async #write(write: () => Promise<void>): Promise<void> {
    this.#writing.add(write);
    await this.#later(async () => {
      this.#writing.delete(write);
      await write();
    });
  }

  #later<T>(work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#scheduler.after(CALL_MS, "store", () => {
        if (this.#life.alive) work().then(resolve, reject);
      });
    });
  }
}
