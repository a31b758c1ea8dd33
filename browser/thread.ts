/** A Web Worker that carries messages for a port. The caller makes it, so that the bundler finds its file. */

interface Thread {
  post(message: unknown, transfer: readonly ArrayBuffer[]): void;
  setBusy(isBusy: boolean): void;
  terminate(): void;
}

export function threadOf(
  worker: Worker,
  { receive, died }: { readonly receive: (message: unknown) => void; readonly died: (message: string) => void },
): Thread {
  worker.addEventListener("message", (event: MessageEvent<unknown>) => receive(event.data));
  worker.addEventListener("messageerror", () => died("a message could not be read"));
  worker.addEventListener("error", (event) => {
    event.preventDefault();
    died(event.message === undefined ? "its program could not be loaded" : event.message);
  });
  return {
    post: (message, transfer) => worker.postMessage(message, [...transfer]),
    // A page ends when its person closes it.
    setBusy: () => {},
    terminate: () => worker.terminate(),
  };
}
