/**
 * What a tab needs only when somebody asks for it (tasks and their worker, pictures in the terminal, archives) it fetches
 * when there is nothing better to do: the node that serves it may be gone by then, and a tab goes on without it. The build
 * lists the files in the page (vite.config.ts): all that the page does not load by itself. They never change under their
 * names, so the browser's cache keeps them. test/browser/page-size.test.ts bounds each.
 */

/** From joining to the first of them: the swarm's state and the first commands come before. */
const QUIET_MS = 1_500;

export function fetchLater(): void {
  const list = document.querySelector<HTMLMetaElement>('meta[name="starfish-later"]')?.content ?? "";
  setTimeout(() => void fetchAll(list.split(" ").filter(Boolean)), QUIET_MS);
}

/** One after the other, each in an idle moment, so that none takes the line from what somebody waits for. */
async function fetchAll(files: readonly string[]): Promise<void> {
  for (const file of files) {
    await idle();
    // Whoever needs it will ask again, and tells the person if it is not to be had.
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
