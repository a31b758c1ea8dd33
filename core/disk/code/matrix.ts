/**
 * The matrices of the erasure code, over GF(2^8) with the polynomial x^8 + x^4 + x^3 + x^2 + 1. Shard r of a stripe
 * with k data shards is row r times the data. For r < k that is a row of the identity, and for the parity shards after
 * them a row of a Cauchy matrix.
 *
 * Promises that any k rows are independent, so that any k shards give back all others: with the identity on top, that
 * holds if every square part of the parity's matrix is regular. The square parts of a Cauchy matrix 1 / (x + y) are,
 * also after rows are multiplied by constants (Blömer et al., "An XOR-Based Erasure-Resilient Coding Scheme", 1995).
 * Here x = r, y = the column, and the factor r makes the first column ones: all shards of a stripe with k = 1 are
 * copies.
 *
 * A row depends on k and r only: a stripe gets more parity without a change to what it has.
 */
import { assert } from "../../base/assert.ts";

/** x^8 + x^4 + x^3 + x^2 + 1: the smallest polynomial under which x generates all elements other than zero. */
const POLYNOMIAL = 0x11d;
/** The number of elements other than zero; these are the powers of x. */
const ORDER = 255;

/** x to the power of the index; twice round, so that sums of two logarithms need no modulo. */
const POWER = new Uint8Array(2 * ORDER);
const LOGARITHM = new Uint8Array(ORDER + 1);

for (let exponent = 0, power = 1; exponent < ORDER; exponent++) {
  POWER[exponent] = power;
  POWER[exponent + ORDER] = power;
  LOGARITHM[power] = exponent;
  power <<= 1;
  if (power > ORDER) power ^= POLYNOMIAL;
}

function multiply(a: number, b: number): number {
  if (a === 0 || b === 0) return 0;
  return POWER[(LOGARITHM[a] ?? 0) + (LOGARITHM[b] ?? 0)] ?? 0;
}

/** `b` is not zero. */
function divide(a: number, b: number): number {
  if (a === 0) return 0;
  return POWER[(LOGARITHM[a] ?? 0) + ORDER - (LOGARITHM[b] ?? 0)] ?? 0;
}

/** The rows of the given shards, one behind the other: the matrix that makes these shards of the k data shards. */
export function codeRows(k: number, shards: readonly number[]): Uint8Array {
  const rows = new Uint8Array(shards.length * k);
  shards.forEach((shard, i) => {
    if (shard < k) rows[i * k + shard] = 1;
    else for (let column = 0; column < k; column++) rows[i * k + column] = divide(shard, shard ^ column);
  });
  return rows;
}

/** The matrix that computes the wanted shards from the k different shards `have`: one row for each wanted shard. */
export function decodeRows(k: number, have: readonly number[], want: readonly number[]): Uint8Array {
  const wanted = codeRows(k, want);
  const inverse = invert(k, codeRows(k, have));
  const rows = new Uint8Array(want.length * k);
  for (let row = 0; row < want.length; row++) {
    for (let i = 0; i < k; i++) {
      addMultiple(
        rows.subarray(row * k, (row + 1) * k),
        inverse.subarray(i * k, (i + 1) * k),
        wanted[row * k + i] ?? 0,
      );
    }
  }
  return rows;
}

/**
 * The inverse by Gauss-Jordan elimination: the steps that turn the matrix into the identity turn the identity into the
 * inverse.
 */
function invert(size: number, matrix: Uint8Array): Uint8Array {
  const left = Array.from({ length: size }, (_, i) => matrix.slice(i * size, (i + 1) * size));
  const right = Array.from({ length: size }, (_, i) => new Uint8Array(size).fill(1, i, i + 1));
  for (let column = 0; column < size; column++) {
    const pivot = left.findIndex((row, i) => i >= column && row[column] !== 0);
    assert(pivot >= 0, "any k different rows of the code are independent");
    for (const rows of [left, right]) rows.splice(column, 0, ...rows.splice(pivot, 1));
    const [pivotLeft = EMPTY, pivotRight = EMPTY] = [left[column], right[column]];
    const factor = divide(1, pivotLeft[column] ?? 0);
    scale(pivotLeft, factor);
    scale(pivotRight, factor);
    for (let i = 0; i < size; i++) {
      const [rowLeft = EMPTY, rowRight = EMPTY] = [left[i], right[i]];
      const multiple = rowLeft[column] ?? 0;
      if (i === column || multiple === 0) continue;
      addMultiple(rowLeft, pivotLeft, multiple);
      addMultiple(rowRight, pivotRight, multiple);
    }
  }
  const inverse = new Uint8Array(size * size);
  right.forEach((row, i) => inverse.set(row, i * size));
  return inverse;
}

const EMPTY = new Uint8Array(0);

function scale(row: Uint8Array, factor: number): void {
  for (let i = 0; i < row.length; i++) row[i] = multiply(row[i] ?? 0, factor);
}

/** Adds `factor` times `row` to `to`. */
function addMultiple(to: Uint8Array, row: Uint8Array, factor: number): void {
  if (factor === 0) return;
  for (let i = 0; i < to.length; i++) to[i] = (to[i] ?? 0) ^ multiply(row[i] ?? 0, factor);
}
