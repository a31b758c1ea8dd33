/**
 * The database as it was at an earlier moment, for reading: an index of its own, filled from the map and from entries
 * that were replaced since then (history.ts). Of each entry, the version that existed at that moment counts, by the
 * clock that all nodes share.
 */
import { StarfishError } from "../base/errors.ts";
import type { Unsubscribe } from "../base/events.ts";
import { fromByteText } from "../memory/byte-text.ts";
import { decodeValue } from "../memory/replica.ts";
import type { MapEntry, ReplicatedMap } from "../memory/types.ts";
import { stampAt } from "../memory/version.ts";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { SqlEngine } from "../ports/sql-engine.ts";
import { Follower } from "./follower.ts";
import type { History, Past } from "./history.ts";
import { IndexClient } from "./index-client.ts";
import type { LargeValues } from "./large-values.ts";
import { HISTORY_OPEN_MAX } from "./limits.ts";
import { fileOf } from "./sql-file.ts";
import type { SqlFile } from "./types.ts";

interface AsOfParts {
  readonly map: ReplicatedMap;
  readonly history: History;
  readonly engine: SqlEngine;
  readonly clock: Clock;
  readonly log: Log;
  readonly large: LargeValues;
}

/** The number of open moments of each history. */
const open = new WeakMap<History, number>();

/** As SqlDatabase.at. */
export async function openAt(atMs: number, parts: AsOfParts): Promise<SqlFile> {
  const { map, history, engine, clock, log, large } = parts;
  check(atMs, map, history);
  const count = open.get(history) ?? 0;
  if (count >= HISTORY_OPEN_MAX) {
    const message = `${HISTORY_OPEN_MAX} earlier moments are open, which is as many as can be`;
    throw new StarfishError("busy", message, { retryable: true });
  }
  open.set(history, count + 1);
  let isOpen = true;
  const client = new IndexClient(engine, clock, () => {
    if (isOpen) open.set(history, (open.get(history) ?? 1) - 1);
    isOpen = false;
  });
  const past = new MapAsOf(map, history, stampAt(atMs + 1) - 1);
  const follower = new Follower({ map: past, log, clock, large }, () => {});
  try {
    await client.call("open", []);
    await follower.load(client);
  } catch (error) {
    client.end("It could not be filled");
    throw error;
  } finally {
    follower.close();
    past.close();
  }
  return fileOf(client, clock, "objects", "Earlier moments are read-only");
}

function check(atMs: number, map: ReplicatedMap, history: History): void {
  if (atMs > map.now()) throw new StarfishError("usage", "That moment is in the future");
  if (atMs >= history.sinceMs) return;
  const since = new Date(history.sinceMs).toISOString().slice(0, 19).replace("T", " ");
  throw new StarfishError("not-found", `This node remembers what was replaced since ${since} UTC, and nothing before`);
}

/** The map as it was at a stamp, as far as that is known. */
class MapAsOf {
  readonly #map: ReplicatedMap;
  readonly #stamp: number;
  /** The versions of each key that were replaced after the stamp. */
  readonly #past = new Map<string, Past[]>();
  #keys: string[] | undefined;
  readonly #stop: Unsubscribe;

  constructor(map: ReplicatedMap, history: History, stamp: number) {
    this.#map = map;
    this.#stamp = stamp;
    for (const past of history.all()) this.#take(past);
    this.#stop = history.onAdded((past) => this.#take(past));
  }

  close(): void {
    this.#stop();
    this.#past.clear();
  }

  entry(key: string): MapEntry | undefined {
    const now = this.#map.entry(key);
    if (now !== undefined && now.version.stamp <= this.#stamp) return now;
    const past = this.#past.get(key)?.find(({ version }) => version.stamp <= this.#stamp);
    if (past === undefined) return undefined;
    const value = decodeValue(fromByteText(past.value));
    return { key, value, version: past.version, expiresAtMs: undefined };
  }

  /** The entries of now and those of the past, in order. */
  *entries(prefix: string): Generator<MapEntry, void, undefined> {
    this.#keys ??= [...this.#past.keys()].toSorted((a, b) => (a < b ? -1 : 1));
    const gone = this.#keys;
    let at = firstFrom(gone, prefix);
    const goneBefore = (key: string | undefined): MapEntry | undefined => {
      for (; at < gone.length; at++) {
        const next = gone[at];
        if (next === undefined || !next.startsWith(prefix) || (key !== undefined && next > key)) return undefined;
        const entry = next === key ? undefined : this.entry(next);
        if (entry !== undefined) {
          at++;
          return entry;
        }
      }
      return undefined;
    };
    for (const { key } of this.#map.entries(prefix)) {
      for (let was = goneBefore(key); was !== undefined; was = goneBefore(key)) yield was;
      const entry = this.entry(key);
      if (entry !== undefined) yield entry;
    }
    for (let was = goneBefore(undefined); was !== undefined; was = goneBefore(undefined)) yield was;
  }

  /** A key that changes meanwhile is read again; its past version is the same. */
  watchKeys(listener: (keys: readonly string[]) => void): Unsubscribe {
    return this.#map.watchKeys(listener);
  }

  #take(past: Past): void {
    if (past.until <= this.#stamp) return;
    const known = this.#past.get(past.key);
    if (known !== undefined) return void known.push(past);
    this.#past.set(past.key, [past]);
    this.#keys = undefined;
  }
}

/** The index of the first element that is `from` or after it. */
function firstFrom(sorted: readonly string[], from: string): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? "") < from) low = middle + 1;
    else high = middle;
  }
  return low;
}
