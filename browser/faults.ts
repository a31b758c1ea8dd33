/**
 * Errors that nobody can catch: from a callback of a library, from a promise that was forgotten, from a bug of ours in
 * such places. The tab goes on, as browsers do. Each is logged on the console as an error, with the number of errors so
 * far.
 */
let count = 0;

export function noteFault(error: unknown): void {
  count++;
  console.error(`Starfish goes on after fault ${count}:`, error);
}

export function watchFaults(): void {
  addEventListener("error", (event) => {
    // An element that could not be loaded has no error; the browser reports it.
    if (!(event instanceof ErrorEvent)) return;
    event.preventDefault();
    noteFault(event.error ?? event.message);
  });
  addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    noteFault(event.reason);
  });
}
