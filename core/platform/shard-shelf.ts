/**
 * What all shard stores have in common, over anything that keeps bytes by name: index, quota, checksums, order of
 * calls. A shard is kept as one frame:
 *
 *     "SFS2" | SHA-256 of the bytes 32 | id length 1 | id | bytes
 *
 * The checksum is the hash by which all nodes know the shard, so that a caller who puts or gets it need not hash it
 * twice. The parts before the bytes are compared with the expected ones, and so need no checksum. The id is among them,
 * so that a frame under a wrong name counts as damaged. The frame's length is not written down, because a frame that is
 * cut off fails its checksum.
 */
import { assert } from "../base/assert.ts";
import { type Bytes, concat, equal, utf8 } from "../base/bytes.ts";
import { StarfishError } from "../base/errors.ts";
import { Listeners, type Unsubscribe } from "../base/events.ts";
import {
  type GetOptions,
  type PutOptions,
  SHARD_ID_CHARS_MAX,
  SHARD_OVERHEAD_BYTES,
  type ShardStore,
  type ShardUsage,
  STORED_SHARD_BYTES_MAX,
  type StoredShard,
  UNSETTLED_BYTES_MAX,
} from "../ports/shard-store.ts";

/**
 * Keeps frames by name. A name is "ID.BYTES", so that a list of names is an index with lengths. Faults are
 * StarfishErrors ("full", "io"). The shelf makes only one call at a time for each id.
 */
export interface FrameStore {
  /** The frame, however damaged; undefined if there is none or the disk can't read it any more. */
  read(name: string): Promise<Bytes | undefined>;
  /**
   * Writes the frame (the head, then the bytes) whole or not at all, so that it survives the end of the process. It
   * replaces a frame of this name, and the frame named `replaced`. It only borrows the bytes.
   */
  write(name: string, head: Bytes, bytes: Bytes, replaced: string | undefined): Promise<void>;
  /** Makes earlier writes survive a power cut. Returns the names of the frames for which that failed. */
  flush(): Promise<readonly string[]>;
  remove(name: string): Promise<void>;
  close(): Promise<void>;
}

export interface ShelfOptions {
  readonly frames: FrameStore;
  /** The names of all kept frames; names that no shelf has given are ignored. */
  readonly names: Iterable<string>;
  readonly quotaBytes: number;
  readonly sha256: (message: Bytes) => Uint8Array | Promise<Uint8Array>;
}

const MAGIC: Bytes = utf8("SFS2");
const CHECKSUM_BYTES = 32;
const ID_FROM: number = MAGIC.length + CHECKSUM_BYTES;
const ID = new RegExp(`^[a-z0-9-]{1,${SHARD_ID_CHARS_MAX}}$`);
const NAME = new RegExp(`^([a-z0-9-]{1,${SHARD_ID_CHARS_MAX}})\\.(\\d{1,6})$`);

export class ShardShelf implements ShardStore {
  readonly #frames: FrameStore;
  readonly #sha256: ShelfOptions["sha256"];
  /** The length of each shard. */
  readonly #index = new Map<string, number>();
  /** The last call for an id, as long as it is running. */
  readonly #lastCalls = new Map<string, Promise<unknown>>();
  readonly #damagedListeners = new Listeners<string>();
  #usedBytes = 0;
  #unsettledBytes = 0;
  #quotaBytes: number;
  #damaged = 0;
  #closing: Promise<void> | undefined;

  constructor(options: ShelfOptions) {
    this.#frames = options.frames;
    this.#sha256 = options.sha256;
    this.#quotaBytes = options.quotaBytes;
    for (const name of options.names) this.#recall(name);
  }

  get(id: string, options: GetOptions = {}): Promise<Uint8Array | undefined> {
    return this.#inTurn(id, async () => {
      const name = this.#nameOf(id);
      if (name === undefined) return undefined;
      const frame = await this.#frames.read(name);
      const bytes = frame === undefined ? undefined : await this.#open(id, frame, options.sha256);
      if (bytes === undefined) await this.#lose(id, name);
      return bytes;
    });
  }

  async put(id: string, bytes: Bytes, options: PutOptions = {}): Promise<void> {
    assert(bytes.length <= STORED_SHARD_BYTES_MAX, "a shard is not too long");
    const cost = costOf(bytes.length);
    if (this.#unsettledBytes + cost > UNSETTLED_BYTES_MAX) {
      throw new StarfishError("busy", "Too many shards wait to be written to the disk", { retryable: true });
    }
    // The frame that it replaces stays on the disk until the new one is written.
    this.#reserve(cost);
    this.#unsettledBytes += cost;
    try {
      await this.#inTurn(id, async () => {
        const head = headOf(id, options.sha256 ?? (await this.#sha256(bytes)));
        const name = frameName(id, bytes.length);
        const before = this.#nameOf(id);
        await this.#frames.write(name, head, bytes, before === name ? undefined : before);
        this.#unlist(id);
        this.#list(id, bytes.length);
      });
    } finally {
      this.#unsettledBytes -= cost;
      this.#usedBytes -= cost;
    }
  }

  async sync(): Promise<void> {
    if (this.#closing !== undefined) throw closed();
    const names = await this.#frames.flush();
    if (names.length === 0) return;
    for (const name of names) {
      const id = name.slice(0, name.lastIndexOf("."));
      await this.#inTurn(id, async () => {
        if (this.#nameOf(id) === name) await this.#lose(id, name);
      });
    }
    throw new StarfishError("io", `The disk could not keep ${names.length} shards; they count as damaged now`);
  }

  delete(id: string): Promise<void> {
    return this.#inTurn(id, async () => {
      const name = this.#nameOf(id);
      if (name === undefined) return;
      await this.#frames.remove(name);
      this.#unlist(id);
    });
  }

  has(id: string): boolean {
    return this.#index.has(id);
  }

  *ids(): IterableIterator<StoredShard> {
    for (const [id, bytes] of this.#index) yield { id, bytes };
  }

  usage(): ShardUsage {
    return { usedBytes: this.#usedBytes, quotaBytes: this.#quotaBytes, damaged: this.#damaged };
  }

  onDamaged(listener: (id: string) => void): Unsubscribe {
    return this.#damagedListeners.add(listener);
  }

  setQuota(bytes: number): void {
    assert(bytes >= 0, "a quota is not negative");
    this.#quotaBytes = bytes;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= Promise.allSettled(this.#lastCalls.values()).then(() => this.#frames.close());
    return this.#closing;
  }

  /** The shard in a frame, or undefined if it is damaged. */
  async #open(id: string, frame: Bytes, wanted: Bytes | undefined): Promise<Uint8Array | undefined> {
    const checksum = wanted ?? frame.subarray(MAGIC.length, ID_FROM);
    const head = headOf(id, checksum);
    if (!equal(frame.subarray(0, head.length), head)) return undefined;
    const bytes = frame.subarray(head.length);
    return equal(await this.#sha256(bytes), checksum) ? bytes : undefined;
  }

  async #lose(id: string, name: string): Promise<void> {
    this.#damaged++;
    this.#unlist(id);
    // If it can't be removed either, it will be found damaged again when the store is next opened.
    await this.#frames.remove(name).catch(() => {});
    this.#damagedListeners.emit(id);
  }

  #nameOf(id: string): string | undefined {
    const bytes = this.#index.get(id);
    return bytes === undefined ? undefined : frameName(id, bytes);
  }

  #recall(name: string): void {
    const [, id, bytes] = NAME.exec(name) ?? [];
    if (id === undefined) return;
    if (!this.#index.has(id)) return this.#list(id, Number(bytes));
    // A crash came after the new frame was written and before the old one was removed. Either may be kept.
    this.#inTurn(id, () => this.#frames.remove(name)).catch(() => {});
  }

  #reserve(cost: number): void {
    if (this.#usedBytes + cost > this.#quotaBytes) {
      throw new StarfishError("full", `The storage that this node offers is used up (${this.#quotaBytes} bytes)`);
    }
    this.#usedBytes += cost;
  }

  #list(id: string, bytes: number): void {
    this.#index.set(id, bytes);
    this.#usedBytes += costOf(bytes);
  }

  #unlist(id: string): void {
    const bytes = this.#index.get(id);
    if (bytes === undefined) return;
    this.#index.delete(id);
    this.#usedBytes -= costOf(bytes);
  }

  async #inTurn<T>(id: string, work: () => Promise<T>): Promise<T> {
    assert(ID.test(id), "a shard's id is well-formed");
    if (this.#closing !== undefined) throw closed();
    const before = this.#lastCalls.get(id);
    const call = before === undefined ? work() : before.then(work);
    // The calls after it do not care how it ended.
    const ended = call.catch(() => {});
    this.#lastCalls.set(id, ended);
    try {
      return await call;
    } finally {
      if (this.#lastCalls.get(id) === ended) this.#lastCalls.delete(id);
    }
  }
}

/** The length of the frame of that name. */
export function frameBytes(name: string): number {
  const end = name.lastIndexOf(".");
  return ID_FROM + 1 + end + Number(name.slice(end + 1));
}

function frameName(id: string, bytes: number): string {
  return `${id}.${bytes}`;
}

function costOf(bytes: number): number {
  return bytes + SHARD_OVERHEAD_BYTES;
}

/** The part of a frame before the bytes. */
function headOf(id: string, checksum: Bytes): Uint8Array {
  return concat([MAGIC, checksum, Uint8Array.of(id.length), utf8(id)]);
}

function closed(): StarfishError {
  return new StarfishError("closed", "The shard store is closed");
}
