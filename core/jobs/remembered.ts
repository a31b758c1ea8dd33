/**
 * Results of long tasks (over a second each) that the swarm remembers for a day, in the map `work` under
 * `t/KEY/WRITER`. KEY names what the task computes (sandbox/task-key.ts). Each node states the results of tasks that it
 * has run itself, and signs them. A statement is only one node's word. So a job believes it only if it asks for
 * whatever is remembered or, in a verified job, if as many devices have stated the same as have to agree. This file is
 * loaded when it is first needed.
 *
 * The more nodes there are, the less each says: the map and the links hold only so much. Results of the longest tasks
 * are stated first. When a node's share of the map is full, its oldest statement is deleted.
 */
import * as v from "valibot";
import { type Bytes, toHex } from "../base/bytes.ts";
import { bytesOf, check, encode, integerOf, type Schema } from "../base/codec.ts";
import { isStarfishError } from "../base/errors.ts";
import type { MapEntry, ReplicatedMap } from "../memory/types.ts";
import { isSignedBy } from "../net/identity/statement.ts";
import type { Net } from "../net/types.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { Crypto } from "../ports/crypto.ts";
import type { Log } from "../ports/log.ts";
import type { PeerId } from "../ports/network.ts";
import { FUEL_MAX } from "../sandbox/limits.ts";
import {
  LONG_TASK_SAID_EVERY_MS,
  LONG_TASK_SAID_EVERY_NODE_MS,
  LONG_TASK_WAITS_MS,
  LONG_TASKS_BYTES_MAX,
  LONG_TASKS_LOOKED_MAX,
  LONG_TASKS_SAID_MAX,
  LONG_TASKS_WAITING_MAX,
  OUTPUT_INLINE_BYTES_MAX,
  REMEMBERED_MS,
} from "./limits.ts";
import type { Remembered } from "./memo.ts";
import { peerSchema } from "./spec.ts";
import { RADIX, type Writers } from "./view.ts";

interface Said extends Remembered {
  readonly by: PeerId;
  readonly signature: Bytes;
}

const SIGNATURE_BYTES = 64;

const rememberedSchema: Schema<Said> = v.strictObject({
  by: peerSchema,
  output: bytesOf(0, OUTPUT_INLINE_BYTES_MAX),
  fuelUsed: integerOf(0, FUEL_MAX),
  signature: bytesOf(SIGNATURE_BYTES),
});

/** The purpose of the signature. */
export const LONG_TASK = "result of a task";

/** What is signed: the result of the task with this key. */
export function longTaskStatement(key: string, { output, fuelUsed }: Remembered): Bytes {
  return encode([key, output, fuelUsed]);
}

const PREFIX = "t/";

function prefixOf(key: string): string {
  return `${PREFIX}${key}/`;
}

export interface LongTasksParts {
  readonly net: Net;
  readonly work: ReplicatedMap;
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly log: Log;
  readonly writers: Writers;
  /** Nodes that were named lately: their statements do not count. */
  readonly distrusted: () => ReadonlySet<PeerId>;
}

interface Waiting extends Remembered {
  readonly runMs: number;
  readonly mayBeSaid: () => boolean;
  readonly sinceMs: number;
}

export class LongTasks {
  readonly #parts: LongTasksParts;
  /** Results that this node has computed and not said yet, by key. */
  readonly #waiting = new Map<string, Waiting>();
  /** Keys in the map that this node has written, with their bytes; the oldest first. */
  readonly #own = new Map<string, number>();
  #saying: Timer | undefined;
  #isClosed = false;

  constructor(parts: LongTasksParts) {
    this.#parts = parts;
  }

  /**
   * Takes in a result that this node has computed. In a verified job, other nodes must not see it before they have
   * given their own: it is stated only once `mayBeSaid` returns true.
   */
  add(key: string, { output, fuelUsed }: Remembered, runMs: number, mayBeSaid: () => boolean): void {
    if (output.length > OUTPUT_INLINE_BYTES_MAX || this.#isClosed) return;
    this.#waiting.set(key, { output, fuelUsed, runMs, mayBeSaid, sinceMs: this.#parts.clock.monotonic() });
    if (this.#waiting.size > LONG_TASKS_WAITING_MAX) {
      const [shortest] = byLength(this.#waiting).toReversed();
      if (shortest !== undefined) this.#waiting.delete(shortest[0]);
    }
    this.#saySoon();
  }

  /**
   * The result on which most devices agree; undefined if none may be believed.
   * @param agree this many devices must have stated the same result, and none another one. That is so strict because
   *   any node may state a result, while a verified job draws its nodes: a few identities of one member could outvote
   *   honest nodes. Undefined if any member's word will do
   */
  get(key: string, agree: number | undefined): Remembered | undefined {
    const { net, work, crypto, distrusted } = this.#parts;
    const bad = distrusted();
    const all = new Map<string, { readonly said: Said; readonly devices: Set<string> }>();
    let looked = 0;
    for (const entry of work.entries(prefixOf(key))) {
      const said = this.#read(key, entry);
      if (said === undefined || bad.has(said.by)) continue;
      if (++looked > LONG_TASKS_LOOKED_MAX) break;
      const statement = longTaskStatement(key, said);
      if (!isSignedBy(crypto, said.by, LONG_TASK, statement, said.signature)) continue;
      const same = all.get(toHex(statement)) ?? { said, devices: new Set<string>() };
      all.set(toHex(statement), same);
      same.devices.add(net.member(said.by)?.record.device ?? said.by);
    }
    const [most] = [...all.values()].toSorted((a, b) => b.devices.size - a.devices.size);
    if (most === undefined || most.devices.size < (agree ?? 1)) return undefined;
    if (agree !== undefined && all.size > 1) return undefined;
    return { output: most.said.output, fuelUsed: most.said.fuelUsed };
  }

  close(): void {
    this.#isClosed = true;
    this.#saying?.cancel();
    this.#waiting.clear();
  }

  /** An entry that a member has written for itself. */
  #read(key: string, { key: path, value, version: { writer } }: MapEntry): Said | undefined {
    const { net, writers } = this.#parts;
    const peer = writers.peerOf(writer);
    if (peer === undefined || net.member(peer) === undefined || path !== pathOf(key, writer)) return undefined;
    try {
      const said = check(rememberedSchema, value);
      return said.by === peer ? said : undefined;
    } catch (error) {
      if (isStarfishError(error, "malformed")) return undefined;
      throw error;
    }
  }

  #saySoon(): void {
    if (this.#saying !== undefined || this.#waiting.size === 0 || this.#isClosed) return;
    const { clock, net } = this.#parts;
    const everyMs = Math.max(LONG_TASK_SAID_EVERY_MS, LONG_TASK_SAID_EVERY_NODE_MS * net.members().length);
    this.#saying = clock.timer(everyMs, () => {
      this.#saying = undefined;
      this.#say();
      this.#saySoon();
    });
  }

  /** Says one result, that of the longest task. */
  #say(): void {
    const { clock, work, net, writers, log } = this.#parts;
    const sinceMs = clock.monotonic() - LONG_TASK_WAITS_MS;
    for (const [key, waiting] of this.#waiting) if (waiting.sinceMs < sinceMs) this.#waiting.delete(key);
    const longest = byLength(this.#waiting).find(([, { mayBeSaid }]) => mayBeSaid());
    if (longest === undefined) return;
    const [key, { output, fuelUsed }] = longest;
    this.#waiting.delete(key);
    if (work.count(prefixOf(key)) >= LONG_TASKS_SAID_MAX) return;
    const signature = net.sign(LONG_TASK, longTaskStatement(key, { output, fuelUsed }));
    const said: Said = { by: net.self, output, fuelUsed, signature };
    const path = pathOf(key, writers.numberOf(net.self));
    try {
      work.set(path, said, { expiresInMs: REMEMBERED_MS });
      this.#own.delete(path);
      this.#own.set(path, path.length + encode(said).length);
      this.#makeRoom();
    } catch (error) {
      // The clock is not in line yet, or the map is full.
      if (!isStarfishError(error)) throw error;
      log.write("debug", "jobs.remembered", { error: error.message });
    }
  }

  /** Deletes the oldest of this node's own entries as long as they take more than its share. */
  #makeRoom(): void {
    const { work, net } = this.#parts;
    const bytesMax = LONG_TASKS_BYTES_MAX / Math.max(1, net.members().length);
    let bytes = [...this.#own.values()].reduce((sum, each) => sum + each, 0);
    for (const [path, each] of this.#own) {
      if (bytes <= bytesMax) return;
      this.#own.delete(path);
      work.delete(path);
      bytes -= each;
    }
  }
}

/** The longest first. */
function byLength(waiting: ReadonlyMap<string, Waiting>): [string, Waiting][] {
  return [...waiting].toSorted(([, a], [, b]) => b.runMs - a.runMs);
}

function pathOf(key: string, writer: number): string {
  return `${prefixOf(key)}${writer.toString(RADIX)}`;
}

/** For the suite that sends the extremes of every schema (test/adversary). */
export const SCHEMAS: Readonly<Record<string, Schema<unknown>>> = { rememberedSchema };
