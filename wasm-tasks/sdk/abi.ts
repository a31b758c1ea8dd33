/**
 * ABI 1: what Starfish calls in a module. build.ts wraps a task with it, so that its author writes bytes to bytes only.
 * Memory is never freed (runtime "stub"): each task gets an instance of its own, which is dropped as a whole.
 */

/** Room for `len` bytes of input; Starfish writes them there and calls `run`. */
export function alloc(len: i32): usize {
  return __new(len, idof<ArrayBuffer>());
}

/** The input that was written to `alloc`'s room, without a copy. */
export function input(ptr: usize, len: i32): Uint8Array {
  return Uint8Array.wrap(changetype<ArrayBuffer>(ptr), 0, len);
}

/** What `run` returns: the pointer to the output in the high, its length in the low 32 bits. */
export function output(bytes: Uint8Array): u64 {
  return ((<u64>bytes.dataStart) << 32) | <u64>bytes.byteLength;
}

/** Bytes before the two outputs that `reduce` gets: the length of the first, little-endian. */
const LENGTH_BYTES: i32 = 4;

/** The first of the two outputs that `reduce` is to join. */
export function first(ptr: usize): Uint8Array {
  return Uint8Array.wrap(changetype<ArrayBuffer>(ptr), LENGTH_BYTES, load<i32>(ptr));
}

export function second(ptr: usize, len: i32): Uint8Array {
  const start = LENGTH_BYTES + load<i32>(ptr);
  return Uint8Array.wrap(changetype<ArrayBuffer>(ptr), start, len - start);
}
