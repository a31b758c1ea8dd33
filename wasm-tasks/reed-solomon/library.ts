/**
 * Multiplies a matrix over GF(2^8) with shards, which takes most of the time of Reed-Solomon coding. A library of
 * Starfish's own (core/disk/code/reed-solomon.ts calls it), not a task.
 *
 * Multiplying by a constant is linear in the bits, so the product of a byte is the sum of the products of its two
 * halves: two look-ups in tables of 16 values, sixteen of which one swizzle does at a time (Plank, Greenan and Miller,
 * "Screaming Fast Galois Field Arithmetic Using Intel SIMD Instructions", FAST 2013). The tables of all 256 constants
 * are 8 KiB and stay in the L1 cache; the caller passes pieces of shards that are short enough to stay in the L2 cache.
 */

/** x^8 + x^4 + x^3 + x^2 + 1. */
const POLYNOMIAL: u32 = 0x11d;

/** For each constant its products with 0x00, 0x01 to 0x0f, then with 0x00, 0x10 to 0xf0. */
const TABLES: usize = memory.data(256 * 32, 16);

/** Bytes that one step works on: lengths are multiples of it. */
const STEP: usize = 32;

/** Where the caller writes the matrix, row by row: at most 128 rows of 64. */
export const MATRIX: usize = memory.data(128 * 64, 16);
/** From here to the end the memory is the caller's. */
export const FREE: usize = 32_768;
const PAGES: i32 = 8;

if (memory.grow(PAGES - memory.size()) < 0) unreachable();
for (let constant: u32 = 0; constant < 256; constant++) {
  for (let half: u32 = 0; half < 16; half++) {
    const table = TABLES + constant * 32 + half;
    store<u8>(table, product(constant, half));
    store<u8>(table, product(constant, half << 4), 16);
  }
}

/** Multiplies by the definition: a sum of shifts, each reduced by the polynomial. */
function product(a: u32, b: u32): u8 {
  let sum: u32 = 0;
  for (; b != 0; b >>= 1) {
    if (b & 1) sum ^= a;
    a <<= 1;
    if (a & 0x100) a ^= POLYNOMIAL;
  }
  return <u8>sum;
}

/**
 * Output i = the sum over j of MATRIX[i][j] * input j. Inputs lie at `from`, outputs at `to`, each `length` bytes long
 * and `stride` behind the one before.
 */
export function multiply(rows: usize, columns: usize, length: usize, stride: usize, from: usize, to: usize): void {
  let row: usize = 0;
  for (; row + 4 <= rows; row += 4) four(MATRIX + row * columns, columns, length, stride, from, to + row * stride);
  for (; row < rows; row++) one(MATRIX + row * columns, columns, length, stride, from, to + row * stride);
}

/** Four outputs at once: each piece of input is loaded and halved once for all of them. */
function four(matrix: usize, columns: usize, length: usize, stride: usize, from: usize, to: usize): void {
  for (const end = from + length; from < end; from += STEP, to += STEP) {
    let a0 = i8x16.splat(0);
    let a1 = a0;
    let b0 = a0;
    let b1 = a0;
    let c0 = a0;
    let c1 = a0;
    let d0 = a0;
    let d1 = a0;
    let input = from;
    for (let constant = matrix, last = matrix + columns; constant < last; constant++, input += stride) {
      const low0 = lowHalves(v128.load(input));
      const low1 = lowHalves(v128.load(input, 16));
      const high0 = highHalves(v128.load(input));
      const high1 = highHalves(v128.load(input, 16));
      let table = tableOf(constant);
      a0 = v128.xor(a0, products(table, low0, high0));
      a1 = v128.xor(a1, products(table, low1, high1));
      table = tableOf(constant + columns);
      b0 = v128.xor(b0, products(table, low0, high0));
      b1 = v128.xor(b1, products(table, low1, high1));
      table = tableOf(constant + 2 * columns);
      c0 = v128.xor(c0, products(table, low0, high0));
      c1 = v128.xor(c1, products(table, low1, high1));
      table = tableOf(constant + 3 * columns);
      d0 = v128.xor(d0, products(table, low0, high0));
      d1 = v128.xor(d1, products(table, low1, high1));
    }
    store2(to, a0, a1);
    store2(to + stride, b0, b1);
    store2(to + 2 * stride, c0, c1);
    store2(to + 3 * stride, d0, d1);
  }
}

/** One output at a time, for the rows that are left over if their number is no multiple of four. */
function one(matrix: usize, columns: usize, length: usize, stride: usize, from: usize, to: usize): void {
  for (const end = from + length; from < end; from += STEP, to += STEP) {
    let a0 = i8x16.splat(0);
    let a1 = a0;
    let input = from;
    for (let constant = matrix, last = matrix + columns; constant < last; constant++, input += stride) {
      const table = tableOf(constant);
      a0 = v128.xor(a0, products(table, lowHalves(v128.load(input)), highHalves(v128.load(input))));
      a1 = v128.xor(a1, products(table, lowHalves(v128.load(input, 16)), highHalves(v128.load(input, 16))));
    }
    store2(to, a0, a1);
  }
}

function lowHalves(bytes: v128): v128 {
  return v128.and(bytes, i8x16.splat(15));
}

function highHalves(bytes: v128): v128 {
  return i8x16.shr_u(bytes, 4);
}

/** The table of the constant that the matrix has at `place`. */
function tableOf(place: usize): usize {
  return TABLES + ((<usize>load<u8>(place)) << 5);
}

function products(table: usize, low: v128, high: v128): v128 {
  return v128.xor(i8x16.swizzle(v128.load(table), low), i8x16.swizzle(v128.load(table, 16), high));
}

function store2(to: usize, first: v128, second: v128): void {
  v128.store(to, first);
  v128.store(to, second, 16);
}
