/**
 * A store that keeps some room in reserve, so that a node can always write down what it has accepted. When a write
 * fails because the disk is full, the reserve is given up, and the write is done again. Until the reserve can be made
 * again, `check` rejects, so that nothing new is accepted that would have to be taken back. (CockroachDB calls this a
 * ballast file.)
 *
 * It also notices when somebody has deleted the store's content.
 */
import { type Bytes, copyOf } from "../base/bytes.ts";
import { isStarfishError, messageOf, StarfishError } from "../base/errors.ts";
import type { Log } from "../ports/log.ts";
import type { Store } from "../ports/store.ts";

const ROOM = "reserve/room";
const MARK = "reserve/mark";

export interface ReserveOptions {
  readonly bytes: number;
  readonly log: Log;
}

/** Never rejects because of a full disk: then the store starts without a reserve, and the log says so. */
export async function reservedStore(store: Store, options: ReserveOptions): Promise<Store> {
  const reserved = new ReservedStore(store, options);
  await reserved.open();
  return reserved;
}

class ReservedStore implements Store {
  readonly #store: Store;
  readonly #options: ReserveOptions;
  #isHeld = false;
  /** Writes take turns, because a write that is repeated must not come after later ones. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(store: Store, options: ReserveOptions) {
    this.#store = store;
    this.#options = options;
  }

  async open(): Promise<void> {
    const there = await this.#store.keys("reserve/");
    if (there.includes(ROOM) && there.includes(MARK)) this.#isHeld = true;
    else await this.#take().catch((error: unknown) => this.#tellFull(error));
  }

  get(key: string): Promise<Uint8Array | undefined> {
    return this.#store.get(key);
  }

  set(key: string, value: Bytes): Promise<void> {
    const copy = copyOf(value);
    return this.#inTurn(async () => {
      try {
        await this.#store.set(key, copy);
      } catch (error) {
        if (!isStarfishError(error, "io") || !this.#isHeld) throw error;
        this.#isHeld = false;
        this.#tellFull(error);
        await this.#store.delete(ROOM);
        await this.#store.set(key, copy);
      }
    });
  }

  delete(key: string): Promise<void> {
    return this.#inTurn(() => this.#store.delete(key));
  }

  keys(prefix: string): Promise<string[]> {
    return this.#store.keys(prefix);
  }

  async check(): Promise<void> {
    await this.#store.check?.();
    if (!this.#isHeld) return await this.#inTurn(() => this.#take());
    if ((await this.#store.get(MARK)) !== undefined) return;
    throw new StarfishError(
      "io",
      "Somebody has deleted what this node had stored: restart it (in a browser, reload the page)",
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#last;
    await this.#store[Symbol.asyncDispose]();
  }

  async #take(): Promise<void> {
    if (this.#isHeld) return;
    await this.#store.set(MARK, new Uint8Array(1));
    await this.#store.set(ROOM, incompressible(this.#options.bytes));
    this.#isHeld = true;
  }

  #tellFull(error: unknown): void {
    this.#options.log.write("warn", "store.full", {
      error: messageOf(error),
      means: "this node reads, serves and forwards, but stores nothing new until there is room",
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done;
  }
}

/** Bytes that no file system can compress. */
function incompressible(length: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(length / 4));
  let state = 1;
  for (let i = 0; i < words.length; i++) {
    // Xorshift, by Marsaglia.
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[i] = state;
  }
  return new Uint8Array(words.buffer, 0, length);
}
