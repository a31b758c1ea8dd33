/**
 * Local writes on their way to gossip. They are gathered for a moment, each key once, and sent in few messages within a
 * rate. Writes beyond the rate are not queued: `overflow` is called, and reconciliation brings them, with backpressure.
 *
 * What is sent together keeps the batches whole for a receiver that takes it in as a whole (replica.ts). Batches that
 * share a key are sent together, in parts if they don't fit into a message. Each key is sent as it was written here,
 * whatever others have sent since. So all keys of each batch arrive, each as the batch wrote it or in a later write.
 */
import { type Clock, type Timer } from "../ports/clock.ts";
import type { Entry } from "./entry.ts";
import {
  BATCH_ENTRY_BYTES,
  GOSSIP_BURST_BYTES,
  GOSSIP_BYTES_MAX,
  GOSSIP_BYTES_PER_SECOND,
  GOSSIP_DELAY_MS,
  GOSSIP_PARTS_MAX,
} from "./limits.ts";
import { Packer } from "./pack.ts";
import type { Part } from "./parts.ts";

export interface OutboxPorts {
  readonly clock: Clock;
  readonly entry: (key: string) => Entry | undefined;
  /** Sends entries to all members. With `part`, they take them in only together with the other parts. */
  readonly publish: (packed: Uint8Array, part?: Part) => void;
  /** A number that this node has not given to other parts lately. */
  readonly partsId: () => number;
  readonly overflow: () => void;
}

export class Outbox {
  readonly #ports: OutboxPorts;
  readonly #entries = new Map<string, Entry>();
  /** Keys that batches have written, with the keys that have to be sent together with them. */
  readonly #together = new Map<string, string[]>();
  readonly #packer = new Packer();
  #allowance: number = GOSSIP_BURST_BYTES;
  #allowedAtMs: number;
  #timer: Timer | undefined;

  constructor(ports: OutboxPorts) {
    this.#ports = ports;
    this.#allowedAtMs = ports.clock.monotonic();
  }

  /** These keys have just been written, in one batch. */
  add(keys: readonly string[]): void {
    for (const key of keys) {
      const entry = this.#ports.entry(key);
      if (entry !== undefined) this.#entries.set(key, entry);
    }
    if (keys.length > 1) this.#join(keys);
    this.#timer ??= this.#ports.clock.timer(GOSSIP_DELAY_MS, () => this.flush());
  }

  flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#refill();
    let overflows = false;
    for (const key of this.#entries.keys()) {
      const keys = this.#together.get(key);
      // Keys that belong together are sent with the first of them.
      if (keys !== undefined && keys[0] !== key) continue;
      if (!this.#pack(keys ?? [key])) overflows = true;
    }
    this.#entries.clear();
    this.#together.clear();
    if (this.#packer.length > 0) this.#send();
    if (overflows) this.#ports.overflow();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Joins smaller groups to the largest, so that a key that is in every batch costs no more than others. */
  #join(keys: readonly string[]): void {
    let most: string[] = [];
    for (const key of keys) {
      const others = this.#together.get(key);
      if (others !== undefined && others.length > most.length) most = others;
    }
    for (const key of keys) {
      const others = this.#together.get(key);
      if (others === most) continue;
      for (const other of others ?? [key]) {
        most.push(other);
        this.#together.set(other, most);
      }
    }
  }

  /** Returns false if the rate allows no more. */
  #pack(keys: readonly string[]): boolean {
    let bytes = 0;
    for (const key of keys) bytes += key.length + BATCH_ENTRY_BYTES + (this.#entries.get(key)?.value.length ?? 0);
    if (this.#allowance < this.#packer.length + bytes) return false;
    if (this.#packer.length > 0 && this.#packer.length + bytes > GOSSIP_BYTES_MAX) this.#send();
    if (keys.length > 1 && bytes > GOSSIP_BYTES_MAX) return this.#sendInParts(keys);
    if (bytes > GOSSIP_BYTES_MAX) return false;
    for (const key of keys) this.#add(key);
    return true;
  }

  #sendInParts(keys: readonly string[]): boolean {
    const parts: Uint8Array[] = [];
    for (const key of keys) {
      const bytes = key.length + BATCH_ENTRY_BYTES + (this.#entries.get(key)?.value.length ?? 0);
      if (bytes > GOSSIP_BYTES_MAX || parts.length === GOSSIP_PARTS_MAX) {
        this.#packer.take();
        return false;
      }
      if (this.#packer.length + bytes > GOSSIP_BYTES_MAX) parts.push(this.#packer.take());
      this.#add(key);
    }
    parts.push(this.#packer.take());
    const id = this.#ports.partsId();
    for (const [index, packed] of parts.entries()) this.#publish(packed, { id, index, count: parts.length });
    return true;
  }

  #add(key: string): void {
    const entry = this.#entries.get(key);
    if (entry !== undefined) this.#packer.add(key, entry);
  }

  #send(): void {
    this.#publish(this.#packer.take());
  }

  #publish(packed: Uint8Array, part?: Part): void {
    this.#allowance -= packed.length;
    this.#ports.publish(packed, part);
  }

  #refill(): void {
    const nowMs = this.#ports.clock.monotonic();
    const gained = ((nowMs - this.#allowedAtMs) / 1000) * GOSSIP_BYTES_PER_SECOND;
    this.#allowance = Math.min(GOSSIP_BURST_BYTES, this.#allowance + gained);
    this.#allowedAtMs = nowMs;
  }
}
