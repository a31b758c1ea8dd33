/**
 * How this page came here, and so how far it can be trusted: whoever could change it on its way could act as this tab.
 */

export type Protection = "https" | "here" | "none";

/** "here": from this very machine, over no network. */
export function protection(): Protection {
  if (!window.isSecureContext) return "none";
  return location.protocol === "https:" ? "https" : "here";
}

const TOLD_KEY = "starfish.unprotected";

/** Whether this tab's person has not been told yet that the page came unprotected. Counts as told from then on. */
export function tellOnce(): boolean {
  try {
    if (sessionStorage.getItem(TOLD_KEY) !== null) return false;
    sessionStorage.setItem(TOLD_KEY, "told");
  } catch {
    // Then they are told at each start.
  }
  return true;
}
