/**
 * Re-reads all shards of this node, again and again. So damage is found while other nodes can still repair it, and not
 * only when the shard is needed. The store checks each shard, drops damaged ones and tells its listeners
 * (ShardStore.onDamaged).
 *
 * Each pass has a random order. Otherwise nodes that run only for hours would read the same shards every time. Shards
 * that are put during a pass are read in the next one.
 */
import { isStarfishError, messageOf } from "../../base/errors.ts";
import { type Clock, sleep } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import { type Random, sample } from "../../ports/random.ts";
import { SHARD_OVERHEAD_BYTES, type ShardStore } from "../../ports/shard-store.ts";

/** Every shard is read within this time, if the node runs that long and is not busy. */
export const SCRUB_PASS_MS: number = 7 * 24 * 3_600_000;
/** Never faster, however many shards there are. Disks are fifty times as fast, so nobody notices it. */
export const SCRUB_BYTES_PER_MS_MAX = 4_000;
/** Never slower than one shard in this time: with few shards a pass takes only hours. */
export const SCRUB_SHARD_MS_MAX = 60_000;
/** Time lost because the node was busy, asleep or had slow timers is made up for, but only this much. */
const CATCH_UP_MS: number = 10 * 60_000;
/** The time until a busy node is asked again. */
const BUSY_MS = 2_000;
/** The time until a store that is empty, or can't be read now, is looked at again. */
const IDLE_MS = 60_000;

export interface ScrubPorts {
  readonly shards: ShardStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Whether somebody waits for this node's disk or links. */
  readonly isBusy: () => boolean;
}

export interface ScrubStat {
  /** The number of sound shards. */
  readonly shards: number;
  readonly bytes: number;
  readonly passes: number;
}

export class Scrubber implements AsyncDisposable {
  readonly #ports: ScrubPorts;
  readonly #ended = new AbortController();
  readonly #running: Promise<void>;
  /** When the next read is due, by the monotonic clock. */
  #dueMs: number;
  #shards = 0;
  #bytes = 0;
  #passes = 0;

  constructor(ports: ScrubPorts) {
    this.#ports = ports;
    this.#dueMs = ports.clock.monotonic();
    this.#running = this.#run().catch((error: unknown) => {
      const isOver = this.#ended.signal.aborted || isStarfishError(error, "closed");
      if (!isOver) ports.log.write("error", "disk.scrub-ended", { error: messageOf(error) });
    });
  }

  /** What has been read since the start. */
  stat(): ScrubStat {
    return { shards: this.#shards, bytes: this.#bytes, passes: this.#passes };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { shards, random, isBusy } = this.#ports;
    for (;;) {
      const ids = sample(
        random,
        [...shards.ids()].map(({ id }) => id),
      );
      if (ids.length === 0) await this.#pause(IDLE_MS);
      let readBytes = 0;
      for (const id of ids) {
        await this.#turn(Math.min(SCRUB_SHARD_MS_MAX, SCRUB_PASS_MS / ids.length), readBytes);
        while (isBusy()) await this.#pause(BUSY_MS);
        readBytes = await this.#read(id);
      }
      if (ids.length > 0) this.#passes++;
    }
  }

  /** Waits until `periodMs` after the last turn, or longer if the bytes read then require it. */
  async #turn(periodMs: number, readBytes: number): Promise<void> {
    const nowMs = this.#ports.clock.monotonic();
    this.#dueMs = Math.max(this.#dueMs + periodMs, nowMs - CATCH_UP_MS);
    await this.#pause(Math.max(this.#dueMs - nowMs, readBytes / SCRUB_BYTES_PER_MS_MAX));
  }

  /** Returns the number of bytes read. */
  async #read(id: string): Promise<number> {
    const { shards, log } = this.#ports;
    try {
      const bytes = await shards.get(id);
      if (bytes === undefined) return SHARD_OVERHEAD_BYTES;
      this.#shards++;
      this.#bytes += bytes.length;
      return bytes.length + SHARD_OVERHEAD_BYTES;
    } catch (error) {
      if (!isStarfishError(error, "io")) throw error;
      log.write("warn", "disk.scrub-failed", { id, error: messageOf(error) });
      await this.#pause(IDLE_MS);
      return 0;
    }
  }

  #pause(delayMs: number): Promise<void> {
    return sleep(this.#ports.clock, delayMs, { signal: this.#ended.signal });
  }
}
