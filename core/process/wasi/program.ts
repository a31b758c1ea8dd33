/** One program in its thread: the state that its calls (imports) share. */
import type { Clock } from "../../ports/clock.ts";
import type { Random } from "../../ports/random.ts";
import type { StartMessage } from "../messages.ts";
import type { Channel } from "./channel.ts";
import { DescriptorTable } from "./descriptors.ts";
import { GuestMemory } from "../../sandbox/wasi/guest-memory.ts";
import { RIGHT, RIGHTS_DIRECTORY, RIGHTS_FILE, RIGHTS_STREAM } from "./layout.ts";
import { Stream } from "./open.ts";

/** A call of preview 1. It gives its errno, at once or later; a thrown WasiError gives its errno too. */
export type Import = (...args: never[]) => number | void | Promise<number | void>;

export class Program {
  readonly args: readonly Uint8Array[];
  readonly environment: readonly Uint8Array[];
  readonly channel: Channel;
  readonly clock: Clock;
  readonly random: Random;
  readonly memory: GuestMemory = new GuestMemory();
  readonly table: DescriptorTable = new DescriptorTable();
  readonly startedAtMs: number;
  readonly memoryBytesMax: number;

  constructor(start: StartMessage, channel: Channel, { clock, random }: { clock: Clock; random: Random }) {
    this.args = start.args;
    this.memoryBytesMax = start.memoryBytesMax;
    this.environment = start.environment;
    this.channel = channel;
    this.clock = clock;
    this.random = random;
    this.startedAtMs = clock.monotonic();
    for (const { handle, type, reads, writes } of start.streams) {
      const rights = RIGHTS_STREAM & ~(reads ? 0n : RIGHT.fdRead) & ~(writes ? 0n : RIGHT.fdWrite);
      this.table.set(handle, new Stream(channel, clock, handle, type, rights));
    }
    for (const [i, name] of start.directories.entries()) {
      this.table.set(3 + i, {
        is: "directory",
        type: "directory",
        handle: 3 + i,
        preopen: name,
        rights: RIGHTS_DIRECTORY,
        inheriting: RIGHTS_DIRECTORY | RIGHTS_FILE,
        flags: 0,
      });
    }
  }

  /** Makes writes visible to other calls: sends them to the node, and forgets what was read ahead. */
  async settle(): Promise<void> {
    for (const file of this.table.files()) {
      file.forget();
      if (file.isUnsettled) await file.settle();
    }
    this.send();
  }

  /** Sends collected output, because the program is about to wait. */
  send(): void {
    for (const open of this.table.all) if (open.is === "stream") open.send();
  }

  /** Resolves when everything that was written has been taken. */
  async finish(): Promise<void> {
    for (const open of this.table.all) {
      if (open.is === "file") await open.settle();
      if (open.is !== "stream") continue;
      await open.drain();
      await open.release();
    }
  }
}
