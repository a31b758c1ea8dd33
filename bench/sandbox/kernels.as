// AssemblyScript: what bench/sandbox/run.ts runs as it is and rewritten. Each gives a number that depends on all it did.
// Not .ts: its numbers have types that TypeScript does not know.

// Loops

export function sum(n: i32): i32 {
  let total = 0;
  for (let i = 0; i < n; i++) total = (total * 31 + i) ^ (total >>> 7);
  return total;
}

export function sieve(n: i32): i32 {
  const place = memory.size() * 65536 - 131072;
  const size = 100_000;
  let count = 0;
  for (let round = 0; round < n; round++) {
    memory.fill(place, 1, size);
    count = 0;
    for (let i = 2; i < size; i++) {
      if (load<u8>(place + i) == 0) continue;
      count++;
      for (let j = 2 * i; j < size; j += i) store<u8>(place + j, 0);
    }
  }
  return count;
}

export function matrix(n: i32): i32 {
  const place = memory.size() * 65536 - 131072;
  const size = 64;
  const b = place + size * size * 8;
  const c = place;
  for (let i = 0; i < size * size; i++) store<f64>(b + i * 8, f64(i % 17) * 0.5);
  let total: f64 = 0;
  for (let round = 0; round < n; round++) {
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) {
        let sum: f64 = 0;
        for (let k = 0; k < size; k++) sum += load<f64>(b + (i * size + k) * 8) * load<f64>(b + (k * size + j) * 8);
        store<f64>(c + (i * size + j) * 8, sum);
        total += sum;
      }
    }
  }
  return i32(total % 1_000_000);
}

export function mandelbrot(n: i32): i32 {
  let inside = 0;
  for (let y = 0; y < n; y++) {
    for (let x = 0; x < 100; x++) {
      const cx = f64(x) * 0.03 - 2;
      const cy = f64(y % 100) * 0.02 - 1;
      let zx: f64 = 0;
      let zy: f64 = 0;
      let i = 0;
      while (i < 200 && zx * zx + zy * zy < 4) {
        const next = zx * zx - zy * zy + cx;
        zy = 2 * zx * zy + cy;
        zx = next;
        i++;
      }
      inside += i;
    }
  }
  return inside;
}

export function hash(n: i32): i32 {
  const place = memory.size() * 65536 - 131072;
  let h: u32 = 2166136261;
  for (let round = 0; round < n; round++) {
    for (let i = 0; i < 65536; i++) {
      h = (h ^ load<u8>(place + i)) * 16777619;
      if ((h & 0xff) == 0) h ^= h >>> 15;
    }
    store<u32>(place, h);
  }
  return h;
}

export function vectors(n: i32): i32 {
  const place = memory.size() * 65536 - 131072;
  for (let i = 0; i < 8192; i++) store<f32>(place + i * 4, f32(i) * 0.25);
  let sum = f32x4.splat(0);
  for (let round = 0; round < n; round++) {
    for (let i = 0; i < 32768; i += 16) {
      const v = v128.load(place + i);
      sum = f32x4.add(sum, f32x4.mul(v, f32x4.splat(0.001)));
    }
  }
  return i32(f32x4.extract_lane(sum, 0));
}

// Calls

export function fib(n: i32): i32 {
  return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

export function tak(n: i32): i32 {
  return takOf(n, 12, 6);
}
function takOf(x: i32, y: i32, z: i32): i32 {
  return y >= x ? z : takOf(takOf(x - 1, y, z), takOf(y - 1, z, x), takOf(z - 1, x, y));
}

export function queens(n: i32): i32 {
  return place(n, 0, 0, 0);
}
function place(n: i32, columns: i32, left: i32, right: i32): i32 {
  const all = (1 << n) - 1;
  if (columns == all) return 1;
  let count = 0;
  let free = all & ~(columns | left | right);
  while (free != 0) {
    const bit = free & -free;
    free ^= bit;
    count += place(n, columns | bit, (left | bit) << 1, (right | bit) >> 1);
  }
  return count;
}

export function collatz(n: i32): i32 {
  let steps = 0;
  for (let i = 1; i < n; i++) {
    let value: i64 = i;
    while (value != 1) {
      value = step(value);
      steps++;
    }
  }
  return steps;
}
// @ts-ignore: a decorator
@noinline
function step(value: i64): i64 {
  return (value & 1) == 0 ? value >> 1 : 3 * value + 1;
}

export function indirect(n: i32): i32 {
  let value = 1;
  for (let i = 0; i < n; i++) value = OPERATIONS[i & 3](value, i);
  return value;
}
const OPERATIONS: ((a: i32, b: i32) => i32)[] = [
  (a, b) => a + b,
  (a, b) => a ^ (b << 3),
  (a, b) => a * 7 - b,
  (a, b) => (a >>> 3) | (b & 0xff),
];
