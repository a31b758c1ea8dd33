/** JavaScript Promise Integration (webassembly/js-promise-integration), which not every engine has. */

interface PromiseIntegration {
  /** A function that suspends its caller until its promise settles. */
  Suspending: new (call: (...args: never[]) => unknown) => object;
  /** Wraps an export: the promise settles when the export returns, however often it was suspended. */
  promising(call: unknown): () => Promise<unknown>;
}

const engine = WebAssembly as unknown as PromiseIntegration;

export function canSuspend(): boolean {
  return "Suspending" in WebAssembly && "promising" in WebAssembly;
}

export function suspending(call: (...args: never[]) => unknown): object {
  return new engine.Suspending(call);
}

export function promising(call: unknown): () => Promise<unknown> {
  return engine.promising(call);
}
