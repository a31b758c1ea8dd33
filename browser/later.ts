/**
 * What the page may need later (decoders, the tasks' worker, the tasks) is fetched when there is nothing better to do:
 * the node that serves it may be gone by then, and a tab goes on without it. The build lists the files in the page
 * (vite.config.ts); they never change under their names, so the browser's cache keeps them.
 */
export function fetchLater(): void {
  const list = document.querySelector<HTMLMetaElement>('meta[name="starfish-later"]')?.content ?? "";
  const idle =
    typeof requestIdleCallback === "function" ? requestIdleCallback : (work: () => void) => setTimeout(work, 500);
  idle(() => {
    for (const file of list.split(" ").filter(Boolean)) {
      // Whoever needs it will ask again, and tells the person if it is not to be had.
      fetch(new URL(file, document.baseURI))
        .then((response) => response.arrayBuffer())
        .catch(() => {});
    }
  });
}
