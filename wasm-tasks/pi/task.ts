/**
 * Counts how many of the points LO to HI of a sequence in the unit square lie in a quarter of a circle. The input is
 * "LO HI", the output "INSIDE ALL", all in decimal. A point's place follows from its number, so that the count of a
 * range does not depend on how it is cut.
 */
import { mixed } from "../sdk/mix";
import { text, utf8 } from "../sdk/text";

/** Bits of a coordinate: its square, doubled, fits 64 bits. */
const BITS: u64 = 31;
const MASK: u64 = (1 << BITS) - 1;

export function task(input: Uint8Array): Uint8Array {
  const words = text(input).trim().split(" ");
  assert(words.length == 2, "the input is: LO HI");
  const lo = U64.parseInt(words[0]);
  const hi = U64.parseInt(words[1]);
  let inside: u64 = 0;
  for (let i = lo; i < hi; i++) {
    const z = mixed(i);
    const x = z >> (64 - BITS);
    const y = z & MASK;
    if (x * x + y * y <= MASK * MASK) inside++;
  }
  return utf8(inside.toString() + " " + (hi - lo).toString());
}

export function reduce(first: Uint8Array, second: Uint8Array): Uint8Array {
  const a = text(first).split(" ");
  const b = text(second).split(" ");
  const inside = U64.parseInt(a[0]) + U64.parseInt(b[0]);
  const all = U64.parseInt(a[1]) + U64.parseInt(b[1]);
  return utf8(inside.toString() + " " + all.toString());
}
