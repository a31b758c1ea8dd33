/**
 * Tells the others what this node offers and how much of it is free: from time to time, and when it has changed enough.
 */
import { isStarfishError } from "../../base/errors.ts";
import type { Member, Net } from "../../net/types.ts";
import { type Clock, every, sleep } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { Catalogue } from "../placement/catalogue.ts";
import type { Holdings } from "./holdings.ts";
import {
  SAFE_LOOK_MS,
  STORAGE_EXPIRES_MS,
  STORAGE_FIRST_TOLD_MS,
  STORAGE_TOLD_BYTES_MIN,
  STORAGE_TOLD_MS,
  STORAGE_TOLD_PART,
  STORAGE_TOLD_USED_PART,
  TOLD_PATIENCE_MS,
} from "../limits.ts";

export interface StorageToldParts {
  readonly net: Net;
  readonly catalogue: Catalogue;
  readonly holdings: Holdings;
  readonly clock: Clock;
  readonly log: Log;
}

export interface StorageTold {
  /** Tells it without waiting, if it is news. */
  now(): void;
  close(): void;
}

/** The least change that is told: a part of the offered bytes, or of the used ones while these are few. */
function newsBytes(offeredBytes: number, usedBytes: number): number {
  return Math.min(
    offeredBytes * STORAGE_TOLD_PART,
    Math.max(STORAGE_TOLD_BYTES_MIN, usedBytes * STORAGE_TOLD_USED_PART),
  );
}

export function tellStorage({ net, catalogue, holdings, clock, log }: StorageToldParts): StorageTold {
  let told = { offeredBytes: -1, freeBytes: 0 };
  let toldAtMs: number | undefined;
  function tell(): void {
    const { usedBytes } = holdings.store.usage();
    const { offeredBytes } = holdings;
    // A node that offers nothing still holds what it has put itself. It states that as its offer, so that it counts as
    // a holder.
    const now = { offeredBytes: Math.max(offeredBytes, usedBytes), freeBytes: Math.max(0, offeredBytes - usedBytes) };
    const changedBytes = Math.abs(now.freeBytes - told.freeBytes);
    const enoughBytes = newsBytes(now.offeredBytes, usedBytes);
    const isOther =
      now.offeredBytes !== told.offeredBytes &&
      // For a node that holds more than it offers, this number grows with each of its puts; only larger changes are
      // news.
      (offeredBytes >= usedBytes ||
        told.offeredBytes <= 0 ||
        Math.abs(now.offeredBytes - told.offeredBytes) > enoughBytes);
    const isNews = isOther || changedBytes > enoughBytes;
    // An entry that somebody else wrote before a restart, or that has expired, is written again.
    const isOld =
      clock.monotonic() - (toldAtMs ?? 0) > STORAGE_EXPIRES_MS / 2 || catalogue.storage(net.self) === undefined;
    if (!isNews && !isOld) return;
    try {
      catalogue.writeStorage(net.self, now, STORAGE_EXPIRES_MS);
    } catch (error) {
      // As long as the clock is not in line, nothing can be written. It is tried again later.
      if (!isStarfishError(error)) throw error;
      log.write("debug", "disk.storage-not-told", { error: error.message });
      return;
    }
    told = now;
    toldAtMs = clock.monotonic();
  }
  tell();
  // With its first own put, a node that offers nothing becomes a holder.
  const stop = holdings.onChange(() => {
    if (told.offeredBytes === 0) tell();
  });
  const telling = every(clock, STORAGE_TOLD_MS, tell);
  // A newcomer's clock comes in line within seconds, and until it has told nobody gives it anything.
  const beginning = every(clock, STORAGE_FIRST_TOLD_MS, () => {
    if (toldAtMs === undefined) tell();
    else beginning.cancel();
  });
  return {
    now: tell,
    close() {
      stop();
      telling.cancel();
      beginning.cancel();
    },
  };
}

/**
 * Resolves once this node knows the offers of all members that are there, its own among them. A member that does not
 * tell its offer is not awaited for long.
 */
export async function allHaveTold(
  { net, catalogue, clock }: Pick<StorageToldParts, "net" | "catalogue" | "clock">,
  signal: AbortSignal,
): Promise<void> {
  const untilMs = clock.monotonic() + TOLD_PATIENCE_MS;
  const hasNotTold = ({ record, status }: Member): boolean =>
    status === "awake" && catalogue.storage(record.peer) === undefined;
  while (net.members().some(hasNotTold) && clock.monotonic() < untilMs) await sleep(clock, SAFE_LOOK_MS, { signal });
}
