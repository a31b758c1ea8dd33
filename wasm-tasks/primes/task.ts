/**
 * Counts the primes in [lo, hi). Input "lo hi" in decimal, output the count in decimal.
 *
 * A segmented sieve of Eratosthenes over odd numbers only (Bays and Hudson 1977): one bit a number, a segment that fits
 * the L1 cache, base primes up to sqrt(hi). Needs about sqrt(hi) * 0.55 bytes, so any hi below 2^53 fits in 64 MiB.
 */
import { text, utf8 } from "../sdk/text";

/** Bytes of a segment: 16 KiB stay in any L1 cache, beside the base primes that walk over it. */
const SEGMENT_BYTES: i32 = 16 * 1024;
const SEGMENT_BITS: i32 = SEGMENT_BYTES * 8;

export function task(input: Uint8Array): Uint8Array {
  const words = text(input).trim().split(" ");
  assert(words.length == 2, "the input is: LO HI");
  return utf8(countPrimes(U64.parseInt(words[0]), U64.parseInt(words[1])).toString());
}

function countPrimes(lo: u64, hi: u64): u64 {
  if (hi <= 2 || lo >= hi) return 0;
  // Bit i of the whole sieve stands for 2i + 1; 2 is counted by hand and 1 (bit 0) is left out.
  let count: u64 = lo <= 2 ? 1 : 0;
  const first = max<u64>(lo / 2, 1);
  const end = hi / 2;
  if (first >= end) return count;

  const primes = oddPrimesTo(squareRoot(hi - 1));
  const next = new StaticArray<u32>(primes.length);
  let active = 0;
  const segment = __new(SEGMENT_BYTES, idof<ArrayBuffer>());
  for (let start = first; start < end; start += <u64>SEGMENT_BITS) {
    const bits = <i32>min<u64>(<u64>SEGMENT_BITS, end - start);
    memory.fill(segment, 0, SEGMENT_BYTES);
    active = strike(segment, bits, primes, next, active, start);
    count += <u64>(bits - ones(segment, bits));
  }
  return count;
}

/**
 * Marks the odd multiples of all primes in the segment. `next` says for each of the first `active` primes how many bits
 * after the segment's start its next multiple is; the other primes have had no multiple to mark so far. Returns how
 * many are active now.
 */
function strike(
  segment: usize,
  bits: i32,
  primes: StaticArray<u32>,
  next: StaticArray<u32>,
  active: i32,
  start: u64,
): i32 {
  const last = 2 * (start + <u64>bits) - 1;
  // A prime whose square is beyond the segment strikes nothing in it, nor do the larger ones.
  for (; active < primes.length; active++) {
    const prime = <u64>unchecked(primes[active]);
    if (prime * prime > last) break;
    unchecked((next[active] = firstMultiple(prime, start)));
  }
  for (let k = 0; k < active; k++) {
    const prime = unchecked(primes[k]);
    let bit = unchecked(next[k]);
    for (; bit < <u32>bits; bit += prime) mark(segment, bit);
    unchecked((next[k] = bit - <u32>bits));
  }
  return active;
}

/** How many bits after `start` the first odd multiple of the prime is that is at least its square. */
function firstMultiple(prime: u64, start: u64): u32 {
  const square = (prime * prime) / 2;
  if (square >= start) return <u32>(square - start);
  // Odd multiples of p are p bits apart, the first of them at bit (p - 1) / 2.
  return <u32>((prime - ((start - prime / 2) % prime)) % prime);
}

function ones(segment: usize, bits: i32): i32 {
  const whole = bits >> 6;
  let count: i64 = 0;
  for (let i = 0; i < whole; i++) count += popcnt<i64>(load<i64>(segment + (i << 3)));
  const rest = bits & 63;
  if (rest != 0) count += popcnt<i64>(load<i64>(segment + (whole << 3)) & ((<i64>1 << rest) - 1));
  return <i32>count;
}

/** The odd primes up to `limit`, by the plain sieve. */
function oddPrimesTo(limit: u32): StaticArray<u32> {
  const size = (limit + 1) / 2;
  const composite = __new((size + 7) / 8 + 8, idof<ArrayBuffer>());
  memory.fill(composite, 0, (size + 7) / 8 + 8);
  let count = 0;
  for (let i: u32 = 1; i < size; i++) {
    if (isMarked(composite, i)) continue;
    count++;
    const prime = 2 * i + 1;
    for (let j: u64 = (<u64>prime * prime) / 2; j < <u64>size; j += prime) mark(composite, <u32>j);
  }
  const primes = new StaticArray<u32>(count);
  for (let i: u32 = 1, k = 0; i < size; i++) {
    if (!isMarked(composite, i)) unchecked((primes[k++] = 2 * i + 1));
  }
  return primes;
}

// @ts-ignore: decorator
@inline
function mark(bits: usize, bit: u32): void {
  const byte = bits + (bit >> 3);
  store<u8>(byte, load<u8>(byte) | (<u8>1 << <u8>(bit & 7)));
}

// @ts-ignore: decorator
@inline
function isMarked(bits: usize, bit: u32): bool {
  return ((load<u8>(bits + (bit >> 3)) >> <u8>(bit & 7)) & 1) != 0;
}

/** Whole part of the square root; the float's last bit is put right by hand. */
function squareRoot(value: u64): u32 {
  let root = <u64>Math.sqrt(<f64>value);
  while (root * root > value) root--;
  while ((root + 1) * (root + 1) <= value) root++;
  return <u32>root;
}
