/**
 * Local writes on their way to gossip: gathered for a moment, each key once, and sent in few messages within a rate. What
 * is over the rate is not queued: `overflow` is called, and reconciliation brings it, which has backpressure.
 */
import { type Clock, type Timer } from "../ports/clock.ts";
import { GOSSIP_BURST_BYTES, GOSSIP_BYTES_MAX, GOSSIP_BYTES_PER_SECOND, GOSSIP_DELAY_MS } from "./limits.ts";
import { type Keyed, Packer } from "./pack.ts";

export interface OutboxPorts {
  readonly clock: Clock;
  readonly entry: (key: string) => Keyed | undefined;
  readonly publish: (packed: Uint8Array) => void;
  readonly overflow: () => void;
}

export class Outbox {
  readonly #ports: OutboxPorts;
  readonly #keys = new Set<string>();
  readonly #packer = new Packer();
  #allowance: number = GOSSIP_BURST_BYTES;
  #allowedAtMs: number;
  #timer: Timer | undefined;

  constructor(ports: OutboxPorts) {
    this.#ports = ports;
    this.#allowedAtMs = ports.clock.monotonic();
  }

  add(keys: readonly string[]): void {
    for (const key of keys) this.#keys.add(key);
    this.#timer ??= this.#ports.clock.timer(GOSSIP_DELAY_MS, () => this.flush());
  }

  flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#refill();
    let overflows = false;
    for (const key of this.#keys) {
      const keyed = this.#ports.entry(key);
      if (keyed === undefined) continue;
      const { length } = keyed.entry.value;
      if (this.#packer.length > 0 && this.#packer.length + key.length + length > GOSSIP_BYTES_MAX) this.#send();
      if (this.#allowance < this.#packer.length + length || length > GOSSIP_BYTES_MAX) {
        overflows = true;
        continue;
      }
      this.#packer.add(key, keyed.entry);
    }
    this.#keys.clear();
    if (this.#packer.length > 0) this.#send();
    if (overflows) this.#ports.overflow();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #send(): void {
    const packed = this.#packer.take();
    this.#allowance -= packed.length;
    this.#ports.publish(packed);
  }

  #refill(): void {
    const nowMs = this.#ports.clock.monotonic();
    const gained = ((nowMs - this.#allowedAtMs) / 1000) * GOSSIP_BYTES_PER_SECOND;
    this.#allowance = Math.min(GOSSIP_BURST_BYTES, this.#allowance + gained);
    this.#allowedAtMs = nowMs;
  }
}
