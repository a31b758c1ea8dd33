/**
 * The number of this tab among the tabs of its browser. Each tab holds a number by a Web Lock, which the browser frees
 * when the tab goes in any way. So two tabs never share an identity, and a reopened tab takes a free number and is the
 * node that it was before.
 */
import type { Locks } from "./tab-locks.ts";
import { StarfishError } from "../core/base/errors.ts";

/** More tabs of one page than this are a mistake, not a swarm. */
const TABS_MAX = 64;
/** After a reload the page before may still hold the lock for some milliseconds. */
const RELOAD_PATIENCE_MS = 2_000;
const SESSION_KEY = "starfish.slot";

/** The number, held until the tab goes. Rejects with "busy" if there are too many tabs. */
export async function claimTabIndex(locks: Locks): Promise<number> {
  const before = indexBefore();
  const index = (before === undefined ? undefined : await reclaim(locks, before)) ?? (await firstFree(locks));
  rememberIndex(index);
  return index;
}

async function firstFree(locks: Locks): Promise<number> {
  for (let index = 0; index < TABS_MAX; index++) {
    if (await hold(locks, index, { ifAvailable: true })) return index;
  }
  throw new StarfishError("busy", `This browser has ${TABS_MAX} tabs of Starfish open. Close some and reload`);
}

/**
 * After a reload: waits for the number of the page before. A duplicated tab finds that number taken, and does not wait.
 */
async function reclaim(locks: Locks, index: number): Promise<number | undefined> {
  const [navigation] = performance.getEntriesByType("navigation");
  const reloaded = navigation instanceof PerformanceNavigationTiming && navigation.type === "reload";
  const options = reloaded ? { signal: AbortSignal.timeout(RELOAD_PATIENCE_MS) } : { ifAvailable: true };
  return (await hold(locks, index, options)) ? index : undefined;
}

/** Whether it got the lock, which it keeps until the page goes. */
function hold(locks: Locks, index: number, options: LockOptions): Promise<boolean> {
  return new Promise((resolve) => {
    const held = locks.request(`starfish/slot/${index}`, options, (lock) => {
      resolve(lock !== null);
      return lock === null ? undefined : new Promise(() => {});
    });
    // Rejects when the time is over.
    held.catch(() => resolve(false));
  });
}

/** Session storage lives as long as the tab, over reloads. Without it a reload takes any free number. */
function indexBefore(): number | undefined {
  try {
    const kept = Number.parseInt(sessionStorage.getItem(SESSION_KEY) ?? "", 10);
    return kept >= 0 && kept < TABS_MAX ? kept : undefined;
  } catch {
    return undefined;
  }
}

function rememberIndex(index: number): void {
  try {
    sessionStorage.setItem(SESSION_KEY, String(index));
  } catch {
    // The comment above says why.
  }
}
