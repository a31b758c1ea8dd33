/** Nodes that send to each other in a simulated world: their nets, devices and transfers, and what they send. */
import { concat } from "../../core/base/bytes.ts";
import { createDevices } from "../../core/io/devices/devices.ts";
import type { Devices } from "../../core/io/devices/types.ts";
// This module is loaded when something is sent; it is imported here because virtual time does not wait for imports.
import "../../core/io/transfer/incoming.ts";
import "../../core/io/transfer/outgoing.ts";
import { createTransfer } from "../../core/io/transfer/transfer.ts";
import type { Transfer, TransferEntry, TransferSource } from "../../core/io/transfer/types.ts";
import { sleep } from "../../core/ports/clock.ts";
import type { Net } from "../../core/net/types.ts";
import { Swarm } from "./nets.ts";
import type { WorldOptions } from "./world.ts";

export interface Peer {
  readonly net: Net;
  readonly devices: Devices;
  readonly transfer: Transfer;
}

/** The space that each node offers to the swarm, which includes its inbox. */
const QUOTA_BYTES = 200_000_000;

export class TransferLab {
  readonly swarm: Swarm;
  readonly peers: Map<string, Peer> = new Map();
  #invite: string | undefined;

  constructor(seed: number, options: Omit<WorldOptions, "seed"> = {}) {
    this.swarm = new Swarm(seed, options);
  }

  /** A new node, or one that has crashed and starts again. It takes links `lateMs` before it takes transfers. */
  async up(name: string, quotaBytes: number = QUOTA_BYTES, lateMs = 0): Promise<Peer> {
    const net = await this.swarm.up(name, this.#invite === undefined ? {} : { invite: this.#invite });
    this.#invite ??= net.invite();
    const { ports } = this.swarm.world.node(name);
    ports.shards.setQuota(quotaBytes);
    const devices = await this.swarm.settle(createDevices({ ...ports, net }));
    if (lateMs > 0) await this.swarm.world.runFor(lateMs);
    const transfer = await this.swarm.settle(createTransfer({ ...ports, net, devices }));
    const peer = { net, devices, transfer };
    this.peers.set(name, peer);
    return peer;
  }

  peer(name: string): Peer {
    const peer = this.peers.get(name);
    if (peer === undefined) throw new Error(`${name} is not up`);
    return peer;
  }

  crash(name: string): void {
    this.swarm.crash(name);
    this.peers.delete(name);
  }

  /** Two nodes that see each other; the second accepts everything that the first sends. */
  async pair(): Promise<{ readonly from: Peer; readonly to: Peer }> {
    const from = await this.up("from");
    const to = await this.up("to");
    await this.swarm.agreement(20_000);
    await this.swarm.settle(to.transfer.answer(from.net.self, "allow"));
    return { from, to };
  }

  /** All files of a transfer in an inbox, by path. */
  async filesOf({ transfer }: Peer, id: string): Promise<Map<string, Uint8Array>> {
    const files = new Map<string, Uint8Array>();
    for (const entry of await this.swarm.settle(transfer.inbox.entries(id), 600_000)) {
      if (entry.kind === "file")
        files.set(entry.path, await this.swarm.settle(all(transfer.inbox.read(id, entry)), 600_000));
    }
    return files;
  }
}

export async function all(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const piece of pieces) parts.push(Uint8Array.from(piece));
  return concat(parts);
}

/** A source of files with these bytes, given in chunks of a length, with a pause after each if there is one to make. */
export function sourceOf(
  files: ReadonlyMap<string, Uint8Array>,
  options: {
    readonly chunkBytes?: number;
    readonly folders?: readonly string[];
    readonly isPipe?: boolean;
    readonly pause?: () => Promise<void>;
  } = {},
): TransferSource {
  const { chunkBytes = 100_000, folders = [], isPipe = false, pause } = options;
  const entries: TransferEntry[] = folders.map((path) => ({ kind: "folder", path, sizeBytes: 0, modifiedMs: 0 }));
  for (const [path, { length }] of files)
    entries.push({ kind: "file", path, sizeBytes: isPipe ? undefined : length, modifiedMs: 1 });
  return {
    entries,
    async *read(index) {
      const bytes = files.get(entries[index]?.path ?? "") ?? new Uint8Array(0);
      for (let at = 0; at < bytes.length; at += chunkBytes) {
        await pause?.();
        yield bytes.slice(at, at + chunkBytes);
      }
    },
  };
}

/** Bytes that nobody would guess, the same for the same seed. */
export function noise(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed * 2_654_435_761;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

/** A pause of virtual time. */
export function pauseOf(lab: TransferLab, name: string, ms: number): () => Promise<void> {
  return () => sleep(lab.swarm.world.node(name).ports.clock, ms);
}
