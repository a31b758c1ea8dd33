/**
 * Fetches, in idle moments, the files that a tab needs only on request (tasks and their worker, pictures in the
 * terminal, archives): the node that serves them may be gone when they are needed, and a tab goes on without it. The
 * build lists these files in the page (vite.config.ts): all that the page does not load by itself. A file never changes
 * under its name, so the browser's cache keeps it. test/browser/page-size.test.ts bounds each.
 *
 * Where a service worker keeps the page, it has fetched them all by then, and nothing is left to do here: two fetches
 * of a hundred files took half a second of processor time.
 */

/** The time from joining to the first fetch: the swarm's state and the first commands are more important. */
const QUIET_MS = 1_500;

/**
 * `keeping` is settled once the browser has kept the page's files or has given up; what it keeps is not fetched again.
 */
export function fetchLater(keeping: Promise<void>): void {
  const list = document.querySelector<HTMLMetaElement>('meta[name="starfish-later"]')?.content ?? "";
  const urls = list.split(" ").flatMap((file) => (file === "" ? [] : new URL(file, document.baseURI).href));
  setTimeout(() => void keeping.then(() => fetchAll(urls)), QUIET_MS);
}

/** One after the other, each in an idle moment, so that none delays what somebody waits for. */
async function fetchAll(urls: readonly string[]): Promise<void> {
  const kept = await keptUrls().catch(() => new Set<string>());
  for (const url of urls) {
    if (kept.has(url)) continue;
    await idle();
    // A feature that needs the file will fetch it again, and tells the person if it can't be loaded.
    await fetch(url)
      .then((response) => response.arrayBuffer())
      .catch(() => {});
  }
}

/** What the service worker keeps. Throws where there is none: on a page that came unprotected. */
async function keptUrls(): Promise<Set<string>> {
  const kept = new Set<string>();
  for (const name of await caches.keys()) for (const { url } of await (await caches.open(name)).keys()) kept.add(url);
  return kept;
}

function idle(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof requestIdleCallback === "function") requestIdleCallback(() => resolve());
    else setTimeout(resolve, 0);
  });
}
