/**
 * Slots: the places for tabs in one browser. Each tab holds one by a Web Lock, which the browser frees when the tab goes,
 * however it goes; so two tabs never share an identity, and a reopened tab takes a free slot and is the node that it was.
 */
import type { Locks } from "./tab-locks.ts";
import { StarfishError } from "../core/base/errors.ts";

/** More tabs of one page than this is a mistake, not a swarm. */
const SLOTS_MAX = 64;
/** A reload asks for its lock while the page before it may still hold it; it goes with that page, in milliseconds. */
const RELOAD_PATIENCE_MS = 2_000;
const SESSION_KEY = "starfish.slot";

/** The slot's number, held until the tab goes. Rejects with "busy" when there are too many tabs. */
export async function claimSlot(locks: Locks): Promise<number> {
  const before = slotBefore();
  const slot = (before === undefined ? undefined : await reclaim(locks, before)) ?? (await firstFree(locks));
  rememberSlot(slot);
  return slot;
}

async function firstFree(locks: Locks): Promise<number> {
  for (let slot = 0; slot < SLOTS_MAX; slot++) {
    if (await hold(locks, slot, { ifAvailable: true })) return slot;
  }
  throw new StarfishError("busy", `This browser has ${SLOTS_MAX} tabs of Starfish open. Close some and reload`);
}

/** After a reload: the slot of the page before, for which it waits. A duplicated tab finds it taken, and waits for nothing. */
async function reclaim(locks: Locks, slot: number): Promise<number | undefined> {
  const [navigation] = performance.getEntriesByType("navigation");
  const reloaded = navigation instanceof PerformanceNavigationTiming && navigation.type === "reload";
  const options = reloaded ? { signal: AbortSignal.timeout(RELOAD_PATIENCE_MS) } : { ifAvailable: true };
  return (await hold(locks, slot, options)) ? slot : undefined;
}

/** Whether the lock was got; it is kept until the page goes. */
function hold(locks: Locks, slot: number, options: LockOptions): Promise<boolean> {
  return new Promise((resolve) => {
    const held = locks.request(`starfish/slot/${slot}`, options, (lock) => {
      resolve(lock !== null);
      return lock === null ? undefined : new Promise(() => {});
    });
    // Rejects when the patience is over.
    held.catch(() => resolve(false));
  });
}

/** Session storage lives as long as the tab, over reloads. Without it a reload takes any free slot. */
function slotBefore(): number | undefined {
  try {
    const kept = Number.parseInt(sessionStorage.getItem(SESSION_KEY) ?? "", 10);
    return kept >= 0 && kept < SLOTS_MAX ? kept : undefined;
  } catch {
    return undefined;
  }
}

function rememberSlot(slot: number): void {
  try {
    sessionStorage.setItem(SESSION_KEY, String(slot));
  } catch {
    // Said above.
  }
}
