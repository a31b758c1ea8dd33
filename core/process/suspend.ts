/** JavaScript Promise Integration (webassembly/js-promise-integration), which not every engine has. */

interface PromiseIntegration {
  /** A call that suspends who calls it until its promise settles. */
  Suspending: new (call: (...args: never[]) => unknown) => object;
  /** An export whose promise settles when it returns, however often it was suspended. */
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
