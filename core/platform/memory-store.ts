/** A store in memory: for the simulator, for tests, and for nodes that must leave no trace. */
import { type Bytes, copyOf } from "../base/bytes.ts";
import { StarfishError } from "../base/errors.ts";
import { checkKey, type Store } from "../ports/store.ts";

export class MemoryStore implements Store {
  readonly #disk: Map<string, Uint8Array>;
  #closed = false;

  /** Stores that share a `disk` have the same content, like one node's store before and after a restart. */
  constructor(disk: Map<string, Uint8Array> = new Map()) {
    this.#disk = disk;
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    this.#check(key);
    return this.#disk.get(key)?.slice();
  }

  async set(key: string, value: Bytes): Promise<void> {
    this.#check(key);
    this.#disk.set(key, copyOf(value));
  }

  async delete(key: string): Promise<void> {
    this.#check(key);
    this.#disk.delete(key);
  }

  async keys(prefix: string): Promise<string[]> {
    this.#check(prefix);
    return [...this.#disk.keys()].filter((key) => key.startsWith(prefix)).sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
  }

  #check(key: string): void {
    if (this.#closed) throw new StarfishError("closed", "The store is closed");
    checkKey(key);
  }
}
