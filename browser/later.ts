/**
 * Fetches, in idle moments, the files that a tab needs only on request (tasks and their worker, pictures in the
 * terminal, archives): the node that serves them may be gone when they are needed, and a tab goes on without it. The
 * build lists these files in the page (vite.config.ts): all that the page does not load by itself. A file never changes
 * under its name, so the browser's cache keeps it. test/browser/page-size.test.ts bounds each.
 */

/** The time from joining to the first fetch: the swarm's state and the first commands are more important. */
const QUIET_MS = 1_500;

export function fetchLater(): void {
  const list = document.querySelector<HTMLMetaElement>('meta[name="starfish-later"]')?.content ?? "";
  setTimeout(() => void fetchAll(list.split(" ").filter(Boolean)), QUIET_MS);
}

/** One after the other, each in an idle moment, so that none delays what somebody waits for. */
async function fetchAll(files: readonly string[]): Promise<void> {
  for (const file of files) {
    await idle();
    // A feature that needs the file will fetch it again, and tells the person if it can't be loaded.
    await fetch(new URL(file, document.baseURI))
      .then((response) => response.arrayBuffer())
      .catch(() => {});
  }
}

function idle(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof requestIdleCallback === "function") requestIdleCallback(() => resolve());
    else setTimeout(resolve, 0);
  });
}
