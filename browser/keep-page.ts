/** Has the browser keep the page (service-worker.ts). Browsers do so only for pages that came protected. */

export function keepPage(): void {
  // The types say that it is always there.
  const workers: ServiceWorkerContainer | undefined = navigator.serviceWorker;
  if (!window.isSecureContext || workers === undefined) return;
  workers
    .register(new URL("service-worker.js", document.baseURI), { updateViaCache: "none" })
    // A private window, or a certificate that the browser does not trust: the page lasts as long as its node.
    .catch((error: unknown) => console.debug("page.not-kept", error));
}
