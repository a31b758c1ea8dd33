/**
 * Garbage collection, by each node for itself. It drops entries of contents to which no source refers, and shards that
 * no entry and no lease names. Both happen only after a long time, and never while members are missing that have not
 * said goodbye: another part of the swarm may still refer to these contents, and expects them when it comes back.
 */
import { isStarfishError, toStarfishError } from "../../base/errors.ts";
import type { Unsubscribe } from "../../base/events.ts";
import type { Net } from "../../net/types.ts";
import { type Clock, every, type Timer } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { Catalogue, Stored } from "../placement/catalogue.ts";
import type { Holdings } from "../shards/holdings.ts";
import { COLLECT_EVERY_MS, REPLACED_KEPT_MS, RESTORE_DELAY_MS } from "../limits.ts";

export interface CollectParts {
  readonly net: Net;
  readonly catalogue: Catalogue;
  readonly holdings: Holdings;
  readonly clock: Clock;
  readonly log: Log;
  /** How long contents without references are kept, ms. */
  readonly unreferencedKeptMs: number;
  /** Contents that this node holds whole, whoever refers to them. */
  readonly kept: () => Iterable<string>;
}

export class Collect {
  readonly #parts: CollectParts;
  readonly #sources = new Set<() => Iterable<string>>();
  /** The time, in this node's monotonic ms, since which nothing refers to them: contents by CID, shards by layout. */
  readonly #contents = new Map<string, number>();
  readonly #layouts = new Map<string, number>();
  readonly #stops: Unsubscribe[] = [];
  /** Contents that lost their only entry since the last look for references, by CID. */
  readonly #lost = new Map<string, Stored>();
  #isCollecting = false;
  #restoring: Timer | undefined;

  constructor(parts: CollectParts) {
    this.#parts = parts;
    const collecting = every(parts.clock, COLLECT_EVERY_MS, () => void this.#collect());
    const lost = (stored: Stored): void => {
      this.#lost.set(stored.cid, stored);
      this.#restoring ??= parts.clock.timer(RESTORE_DELAY_MS, () => {
        this.#restoring = undefined;
        this.#tryToRestore();
      });
    };
    this.#stops.push(
      () => collecting.cancel(),
      parts.catalogue.onLost(lost),
      () => this.#restoring?.cancel(),
    );
  }

  close(): void {
    for (const stop of this.#stops) stop();
  }

  addReferences(source: () => Iterable<string>): Unsubscribe {
    this.#sources.add(source);
    return () => this.#sources.delete(source);
  }

  async #collect(): Promise<void> {
    if (this.#isCollecting) return;
    this.#isCollecting = true;
    try {
      const wanted = this.#wanted();
      this.#restore(wanted);
      // If there are no sources of references, nothing counts as unreferenced.
      if (this.#sources.size > 0 && !this.#isSomebodyMissing()) this.#dropEntries(wanted);
      await this.#dropShards();
    } catch (error) {
      this.#parts.log.write("warn", "disk.collect", { error: toStarfishError(error, "io").message });
    } finally {
      this.#isCollecting = false;
    }
  }

  /** All contents that something refers to, and those that hold their lists. */
  #wanted(): Set<string> {
    const wanted = new Set<string>(this.#parts.kept());
    for (const source of this.#sources) for (const cid of source()) wanted.add(cid);
    // The set grows during the loop: lists have lists.
    for (const cid of wanted) {
      for (const { list } of this.#parts.catalogue.layouts(cid))
        if (!(list instanceof Uint8Array)) wanted.add(list.cid);
    }
    return wanted;
  }

  #tryToRestore(): void {
    try {
      this.#restore(this.#wanted());
    } catch (error) {
      // The next collection tries again.
      if (!isStarfishError(error)) throw error;
    }
  }

  /** Writes entries again that somebody has deleted without knowing that something refers to them. */
  #restore(wanted: Set<string>): void {
    const { catalogue } = this.#parts;
    // The set grows during the loop: a content needs its list.
    for (const cid of this.#lost.size === 0 ? [] : wanted) {
      const stored = this.#lost.get(cid);
      if (stored === undefined || catalogue.layoutCount(cid) > 0) continue;
      catalogue.write(stored);
      if (!(stored.list instanceof Uint8Array)) wanted.add(stored.list.cid);
    }
    this.#lost.clear();
  }

  #dropEntries(wanted: ReadonlySet<string>): void {
    const { catalogue, clock, unreferencedKeptMs } = this.#parts;
    const nowMs = clock.monotonic();
    for (const cid of this.#contents.keys()) if (wanted.has(cid)) this.#contents.delete(cid);
    for (const stored of [...catalogue.all()]) {
      if (wanted.has(stored.cid)) continue;
      const sinceMs = this.#contents.get(stored.cid) ?? nowMs;
      this.#contents.set(stored.cid, sinceMs);
      const isOld = catalogue.map.now() - stored.writtenAtMs >= unreferencedKeptMs;
      if (!isOld || nowMs - sinceMs < unreferencedKeptMs) continue;
      try {
        catalogue.remove(stored);
      } catch (error) {
        // While the clock is not in line, nothing is collected.
        if (!isStarfishError(error)) throw error;
      }
    }
  }

  async #dropShards(): Promise<void> {
    const { catalogue, clock, holdings, unreferencedKeptMs } = this.#parts;
    const nowMs = clock.monotonic();
    const isSomebodyMissing = this.#isSomebodyMissing();
    const held = new Set(holdings.layouts());
    for (const id of this.#layouts.keys()) if (!held.has(id) || catalogue.isWanted(id)) this.#layouts.delete(id);
    for (const id of held) {
      if (catalogue.isWanted(id)) continue;
      const sinceMs = this.#layouts.get(id) ?? nowMs;
      this.#layouts.set(id, sinceMs);
      const isReplaced = catalogue.isReplaced(id);
      if (isSomebodyMissing && !isReplaced) continue;
      if (nowMs - sinceMs >= (isReplaced ? REPLACED_KEPT_MS : unreferencedKeptMs)) await holdings.dropAll(id);
    }
  }

  /** Whether a member has gone without saying goodbye. */
  #isSomebodyMissing(): boolean {
    return this.#parts.net.members().some(({ record, status }) => status === "gone" && record.state !== "left");
  }
}
