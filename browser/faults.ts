/**
 * What is thrown where nobody can catch it: in a callback of a library, by a promise that was forgotten, by a bug of ours there.
 * The tab goes on, as browsers have it; each is told on the console as an error, with how many there were.
 */
let count = 0;

export function noteFault(error: unknown): void {
  count++;
  console.error(`Starfish goes on after fault ${count}:`, error);
}

export function watchFaults(): void {
  addEventListener("error", (event) => {
    // An element that could not be loaded has no error, and is told by the browser.
    if (!(event instanceof ErrorEvent)) return;
    event.preventDefault();
    noteFault(event.error ?? event.message);
  });
  addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    noteFault(event.reason);
  });
}
