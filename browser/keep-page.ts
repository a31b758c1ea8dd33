/**
 * Makes the browser keep the page (service-worker.ts), and an app. Browsers do so only for pages that came over https
 * or from this machine.
 */

/**
 * `root` is the folder of the page's files, which an app that a node serves shares (starfish.ts). Resolves once the
 * browser keeps all of them, or has given up.
 */
export async function keepPage(root: string): Promise<void> {
  // The types say that it is always there.
  const workers: ServiceWorkerContainer | undefined = navigator.serviceWorker;
  if (!window.isSecureContext || workers === undefined) return;
  try {
    const { installing } = await workers.register(new URL("service-worker.js", root), { updateViaCache: "none" });
    // Its first change is to have installed everything, or to have failed.
    if (installing?.state === "installing")
      await new Promise((resolve) => installing.addEventListener("statechange", resolve, { once: true }));
  } catch (error) {
    // A private window, or a certificate that the browser does not trust: the page lasts as long as its node.
    console.debug("page.not-kept", error);
  }
}

/**
 * Makes the service worker keep an app. Its page, and what the page has loaded so far, came before there was a service
 * worker, so they are fetched once more, through it. What is loaded later passes through it anyway.
 */
export async function keepApp(root: string): Promise<void> {
  void keepPage(root);
  const workers: ServiceWorkerContainer | undefined = navigator.serviceWorker;
  if (!window.isSecureContext || workers === undefined) return;
  if (workers.controller === null) {
    await new Promise((resolve) => workers.addEventListener("controllerchange", resolve, { once: true }));
  }
  const loaded = performance.getEntriesByType("resource").map(({ name }) => name);
  const page = location.origin + location.pathname;
  const own = [...new Set([page, ...loaded])].filter((url) => url.startsWith(new URL("app/", root).href));
  for (const url of own) await fetch(url).catch(() => {});
}
