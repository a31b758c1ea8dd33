/**
 * The number of this tab among those of its browser. Each tab holds one by a Web Lock, which the browser frees when the tab
 * goes, however it goes; so two tabs never share an identity, and a reopened tab takes a free number and is the node that it
 * was.
 */
import type { Locks } from "./tab-locks.ts";
import { StarfishError } from "../core/base/errors.ts";

/** More tabs of one page than this is a mistake, not a swarm. */
const TABS_MAX = 64;
/** A reload asks for its lock while the page before it may still hold it; it goes with that page, in milliseconds. */
const RELOAD_PATIENCE_MS = 2_000;
const SESSION_KEY = "starfish.slot";

/** The number, held until the tab goes. Rejects with "busy" when there are too many tabs. */
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

/** After a reload: the index of the page before, for which it waits. A duplicated tab finds it taken, and waits for nothing. */
async function reclaim(locks: Locks, index: number): Promise<number | undefined> {
  const [navigation] = performance.getEntriesByType("navigation");
  const reloaded = navigation instanceof PerformanceNavigationTiming && navigation.type === "reload";
  const options = reloaded ? { signal: AbortSignal.timeout(RELOAD_PATIENCE_MS) } : { ifAvailable: true };
  return (await hold(locks, index, options)) ? index : undefined;
}

/** Whether the lock was got; it is kept until the page goes. */
function hold(locks: Locks, index: number, options: LockOptions): Promise<boolean> {
  return new Promise((resolve) => {
    const held = locks.request(`starfish/slot/${index}`, options, (lock) => {
      resolve(lock !== null);
      return lock === null ? undefined : new Promise(() => {});
    });
    // Rejects when the patience is over.
    held.catch(() => resolve(false));
  });
}

/** Session storage lives as long as the tab, over reloads. Without it a reload takes any free index. */
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
    // Said above.
  }
}
