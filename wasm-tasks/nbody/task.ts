/**
 * The potential energy of N bodies of mass 1 in a cube of side 1, for rows LO to HI of their pairs. The input is "N LO
 * HI", the output is the sum of 1 / distance in units of 2^-20, all in decimal. The terms are whole numbers, so that
 * the sum does not depend on how the rows are cut into tasks. The bodies are numbered around a circle; row i has the
 * pairs of body i with the half of the circle that follows it. So each pair is in one row, and all rows are equally
 * long.
 */
import { mixed } from "../sdk/mix";
import { text, utf8 } from "../sdk/text";

const UNIT: f64 = 1048576.0;
/** Bodies that are nearer than this count as if they were this far apart: softening, as in simulations of galaxies. */
const SOFTENING: f64 = 0.001;
const FRACTION: f64 = 1.0 / <f64>(1 << 21);

export function task(input: Uint8Array): Uint8Array {
  const words = text(input).trim().split(" ");
  assert(words.length == 3, "the input is: N LO HI");
  const count = I32.parseInt(words[0]);
  const lo = I32.parseInt(words[1]);
  const hi = I32.parseInt(words[2]);
  const places = new StaticArray<f64>(3 * count);
  for (let i = 0; i < count; i++) {
    const z = mixed(i);
    places[3 * i] = <f64>(z & 0x1fffff) * FRACTION;
    places[3 * i + 1] = <f64>((z >> 21) & 0x1fffff) * FRACTION;
    places[3 * i + 2] = <f64>((z >> 42) & 0x1fffff) * FRACTION;
  }
  let sum: i64 = 0;
  for (let i = lo; i < hi; i++) sum += row(places, count, i);
  return utf8(sum.toString());
}

function row(places: StaticArray<f64>, count: i32, i: i32): i64 {
  const x = places[3 * i];
  const y = places[3 * i + 1];
  const z = places[3 * i + 2];
  // With an even number of bodies, each has one that is exactly opposite; only the first half of the rows has these
  // pairs.
  const last = count % 2 == 0 && i >= count / 2 ? count / 2 - 1 : count / 2;
  let sum: i64 = 0;
  for (let step = 1; step <= last; step++) {
    let j = i + step;
    if (j >= count) j -= count;
    const dx = places[3 * j] - x;
    const dy = places[3 * j + 1] - y;
    const dz = places[3 * j + 2] - z;
    sum += <i64>(UNIT / Math.sqrt(dx * dx + dy * dy + dz * dz + SOFTENING * SOFTENING));
  }
  return sum;
}

export function reduce(first: Uint8Array, second: Uint8Array): Uint8Array {
  return utf8((I64.parseInt(text(first)) + I64.parseInt(text(second))).toString());
}
