/**
 * A node's shards in virtual time. Calls take a while. When the node crashes, a shard that is being written ends, by
 * chance, as the new one, the old one, or both. The disk belongs to the machine, survives, and can be damaged behind
 * the program's back.
 */
import { hash } from "node:crypto";
import { assert } from "../../core/base/assert.ts";
import { type Bytes, concat } from "../../core/base/bytes.ts";
import { StarfishError } from "../../core/base/errors.ts";
import { type FrameStore, ShardShelf } from "../../core/platform/shard-shelf.ts";
import { memoryFrames } from "../../core/platform/memory-shard-store.ts";
import type { Random } from "../../core/ports/random.ts";
import type { ShardStore } from "../../core/ports/shard-store.ts";
import type { Life } from "./life.ts";
import type { Scheduler } from "./scheduler.ts";

/**
 * Roughly a solid-state disk: a read or a flush takes this long. Several may run at once, but their bytes are
 * transferred one after the other.
 */
const CALL_MS = 1;
const BYTES_PER_MS = 400_000;

const NOTHING = new Uint8Array(0);

/** The shards on a machine's disk, and the faults of the disk. */
export class SimShardDisk {
  readonly frames: Map<string, Bytes> = new Map();
  /** All of its space. If a test lowers this, writes find the disk full. */
  roomBytes: number = Infinity;
  /** Until when it is busy with bytes. */
  busyUntilMs = 0;

  /** Changes the stored bytes of a shard behind the program's back; `undefined` removes the shard. */
  tamper(id: string, change: (kept: Bytes) => Bytes | undefined): void {
    const name = [...this.frames.keys()].find((key) => key.startsWith(`${id}.`));
    assert(name !== undefined, `shard ${id} is on the disk`);
    const changed = change(this.frames.get(name)?.slice() ?? new Uint8Array(0));
    if (changed === undefined) this.frames.delete(name);
    else this.frames.set(name, changed);
  }

  flip(id: string, random: Random): void {
    this.tamper(id, (kept) => {
      const bit = Math.floor(random.real() * kept.length * 8);
      kept[bit >> 3] = (kept[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      return kept;
    });
  }

  truncate(id: string, random: Random): void {
    this.tamper(id, (kept) => kept.slice(0, Math.floor(random.real() * kept.length)));
  }

  /** Throws "full" if there is no room for the frame. */
  makeRoom(frame: Bytes): void {
    let usedBytes = frame.length;
    if (this.roomBytes < Infinity) for (const { length } of this.frames.values()) usedBytes += length;
    if (usedBytes > this.roomBytes) throw new StarfishError("full", "The disk is full: free some space.");
  }
}

export class SimFrames implements FrameStore {
  readonly #scheduler: Scheduler;
  readonly #life: Life;
  readonly #disk: SimShardDisk;
  readonly #frames: FrameStore;
  readonly #writing = new Set<(random: Random) => void>();

  constructor(scheduler: Scheduler, life: Life, disk: SimShardDisk) {
    this.#scheduler = scheduler;
    this.#life = life;
    this.#disk = disk;
    this.#frames = memoryFrames(disk.frames);
  }

  /** The port. A program's own limit is set by `setQuota`. */
  store(): ShardStore {
    const names = this.#disk.frames.keys();
    return new ShardShelf({ frames: this, names, quotaBytes: Infinity, sha256 });
  }

  read(name: string): Promise<Bytes | undefined> {
    return this.#later(this.#disk.frames.get(name)?.length ?? 0, () => this.#frames.read(name));
  }

  async write(name: string, head: Bytes, bytes: Bytes, replaced: string | undefined): Promise<void> {
    const frame = concat([head, bytes]);
    this.#disk.makeRoom(frame);
    const halfDone = (random: Random): void => {
      if (random.real() < 0.5) return;
      this.#disk.frames.set(name, frame);
      if (replaced !== undefined && random.real() < 0.5) this.#disk.frames.delete(replaced);
    };
    this.#writing.add(halfDone);
    await this.#later(frame.length, async () => {
      this.#writing.delete(halfDone);
      await this.#frames.write(name, frame, NOTHING, replaced);
    });
  }

  flush(): Promise<readonly string[]> {
    return this.#later(0, async () => []);
  }

  remove(name: string): Promise<void> {
    return this.#later(0, () => this.#frames.remove(name));
  }

  close(): Promise<void> {
    return this.#frames.close();
  }

  /** The node has crashed: each write that was under way has reached the disk or not. */
  crash(random: Random): void {
    for (const halfDone of this.#writing) halfDone(random);
  }

  #later<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    const { nowMs } = this.#scheduler;
    this.#disk.busyUntilMs = Math.max(this.#disk.busyUntilMs, nowMs) + bytes / BYTES_PER_MS;
    return new Promise((resolve, reject) => {
      this.#scheduler.after(this.#disk.busyUntilMs - nowMs + CALL_MS, "shards", () => {
        if (this.#life.alive) work().then(resolve, reject);
      });
    });
  }
}

function sha256(message: Bytes): Uint8Array {
  return new Uint8Array(hash("sha256", message, "buffer"));
}
