/** Assertions are for our own bugs only; what the world does wrong is a StarfishError. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`Assertion failed: ${message}`);
}

/** For the default branch of an exhaustive switch: a missing case is a compile error. */
export function unreachable(value: never): never {
  throw new Error(`Assertion failed: unexpected ${String(value)}`);
}
