/**
 * A node's store in virtual time: calls take a while, and what is being written when the node crashes ends as the old
 * value or the new one, by chance. The content survives; it belongs to the machine.
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

  /** The node has crashed: of what was being written each half-done write has reached the disk or has not. */
  crash(random: Random): void {
    // The disk itself answers at once, so its promises need no waiting for; a refused key is nobody's business any more.
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
