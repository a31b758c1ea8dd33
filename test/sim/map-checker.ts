/**
 * What must always hold for a replicated map; checked in every run of a story (map-story.ts), and available to the
 * parts that are built on the map.
 *
 * - The versions of a key never go back on a node, and the writes of one writer to a key come in the order in which
 *   they were made.
 * - What `sync` has acknowledged, or something newer, is there at the end on every living node; an acknowledged
 *   deletion stays deleted. The exception is a write whose holders have all died: a map in RAM on one side of a cut
 *   can't outlive that side. Such writes are counted separately.
 * - When all is quiet, all living nodes are equal, and have no entry that nobody wrote.
 */
import type { MapEntry, Version } from "../../core/memory/types.ts";
import type { MapNode } from "./maps.ts";

interface Written {
  readonly stamp: number;
  readonly writer: number;
  /** Undefined for a deletion. */
  readonly value: unknown;
  readonly expiresInMs: number | undefined;
}

export class MapChecker {
  readonly #written = new Map<string, Written[]>();
  readonly #acknowledged = new Map<string, Written>();
  readonly #faults: string[] = [];
  #outlived = 0;

  /** Watches one life of a node. */
  watch(node: MapNode): void {
    const seen = new Map<string, Version>();
    node.map.watch("", ({ key, entry }) => {
      if (entry === undefined) return;
      const before = seen.get(key);
      if (before !== undefined && isNewer(before, entry.version)) {
        this.#fault(`${node.machine.name} went back at ${key}: ${say(before)} to ${say(entry.version)}`);
      }
      seen.set(key, entry.version);
    });
  }

  wrote(key: string, version: Version, value: unknown, expiresInMs?: number): Written {
    const made: Written = { ...version, value, expiresInMs };
    const writes = this.#written.get(key) ?? [];
    const before = writes.findLast(({ writer }) => writer === made.writer);
    if (before !== undefined && before.stamp >= made.stamp) {
      this.#fault(`${version.writer} wrote ${key} at ${made.stamp} after ${before.stamp}`);
    }
    writes.push(made);
    this.#written.set(key, writes);
    return made;
  }

  acknowledged(key: string, written: Written): void {
    const before = this.#acknowledged.get(key);
    if (before === undefined || isNewer(written, before)) this.#acknowledged.set(key, written);
  }

  /** Call it when a life has ended: writes that nobody holds any more are not required at the end. */
  ended(living: readonly MapNode[]): void {
    for (const [key, written] of this.#acknowledged) {
      const isHeld = living.some(({ map }) => {
        const fault = missing(written, map.entry(key), this.#written.get(key) ?? []);
        return fault === undefined;
      });
      if (isHeld) continue;
      this.#acknowledged.delete(key);
      this.#outlived++;
    }
  }

  /** Acknowledged writes whose holders have all died. */
  get outlived(): number {
    return this.#outlived;
  }

  get writes(): number {
    return [...this.#written.values()].reduce((sum, { length }) => sum + length, 0);
  }

  get acknowledgements(): number {
    return this.#acknowledged.size;
  }

  /** Everything that is wrong with these nodes, which have been quiet for a while; empty if nothing is wrong. */
  faults(nodes: readonly MapNode[]): string[] {
    const faults = [...this.#faults];
    for (const node of nodes) {
      for (const entry of node.map.entries()) {
        const known = this.#written.get(entry.key)?.some((written) => isSame(written, entry));
        if (known !== true)
          faults.push(`${node.machine.name} has ${entry.key}=${String(entry.value)}, which nobody wrote`);
      }
      for (const [key, written] of this.#acknowledged) {
        const entry = node.map.entry(key);
        const fault = missing(written, entry, this.#written.get(key) ?? []);
        if (fault !== undefined) faults.push(`${node.machine.name}: ${key} ${fault}`);
      }
    }
    return faults;
  }

  #fault(text: string): void {
    this.#faults.push(text);
  }
}

/** What is wrong with an entry whose key has an acknowledged write. */
function missing(written: Written, entry: MapEntry | undefined, all: readonly Written[]): string | undefined {
  if (entry !== undefined) {
    if (isNewer(written, entry.version)) return `is older than what was acknowledged (${say(written)})`;
    return undefined;
  }
  if (written.value === undefined || written.expiresInMs !== undefined) return undefined;
  // Something newer may have deleted it, or may have expired.
  const isGone = all.some(
    (other) => isNewer(other, written) && (other.value === undefined || other.expiresInMs !== undefined),
  );
  return isGone ? undefined : `was acknowledged (${say(written)}) and is not there`;
}

function isSame(written: Written, { version, value }: MapEntry): boolean {
  return written.stamp === version.stamp && written.writer === version.writer && written.value === value;
}

function isNewer(x: Version, y: Version): boolean {
  return x.stamp > y.stamp || (x.stamp === y.stamp && x.writer > y.writer);
}

function say({ stamp, writer }: Version): string {
  return `${stamp}/${writer}`;
}
