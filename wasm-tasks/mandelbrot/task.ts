/**
 * Draws a tile of the Mandelbrot set. Input, in decimal:
 *   "WIDTH HEIGHT LEFT TOP COLUMNS ROWS RE IM ZOOM ITERATIONS"
 * the size of the whole picture, the tile in it, the point in the picture's centre, how many times it is magnified (1
 * shows 3 units across the shorter side), and after how many steps a point counts as inside. The output is RGBA, row by
 * row. With the word "bmp" behind the numbers, the tile at the top left of the picture begins with the head of a BMP
 * file: strips that are as wide as the picture, one after the other, are then a BMP file.
 *
 * Two pixels at a time in a 128-bit vector (f64x2). Colours follow the smooth iteration count (Vepstas 1997), so that
 * no bands show, through a cosine palette (Quilez).
 */
import { text } from "../sdk/text";

/** Units of the complex plane across the shorter side at zoom 1: the whole set and a little air. */
const SPAN: f64 = 3.0;
/** |z| squared at which a point has escaped: far beyond 4, so that the smooth count is smooth. */
const ESCAPE: f64 = 65536.0;

export function task(input: Uint8Array): Uint8Array {
  const words = text(input).trim().split(" ");
  const isFile = words.length == 11 && words[10] == "bmp";
  assert(words.length == 10 || isFile, "the input is: WIDTH HEIGHT LEFT TOP COLUMNS ROWS RE IM ZOOM ITERATIONS");
  const width = I32.parseInt(words[0]);
  const height = I32.parseInt(words[1]);
  const left = I32.parseInt(words[2]);
  const top = I32.parseInt(words[3]);
  const columns = I32.parseInt(words[4]);
  const rows = I32.parseInt(words[5]);
  const step = SPAN / F64.parseFloat(words[8]) / <f64>min(width, height);
  // Pixels are sampled in their middle, so that the picture is symmetric where the set is.
  const re = F64.parseFloat(words[6]) + (<f64>left + 0.5 - <f64>width / 2) * step;
  const im = F64.parseFloat(words[7]) - (<f64>top + 0.5 - <f64>height / 2) * step;
  const iterations = I32.parseInt(words[9]);

  const head = isFile && left == 0 && top == 0 ? BMP_HEAD : 0;
  const pixels = new Uint8Array(head + columns * rows * 4);
  if (head > 0) writeHead(pixels.dataStart, width, height);
  for (let y = 0; y < rows; y++) {
    const imaginary = im - <f64>y * step;
    for (let x = 0; x < columns; x += 2) {
      const real = re + <f64>x * step;
      escape(f64x2(real, real + step), f64x2.splat(imaginary), iterations);
      const at = pixels.dataStart + head + ((y * columns + x) << 2);
      store<u32>(at, colour(f64x2.extract_lane(counts, 0), f64x2.extract_lane(sizes, 0), iterations));
      if (x + 1 < columns) {
        store<u32>(at, colour(f64x2.extract_lane(counts, 1), f64x2.extract_lane(sizes, 1), iterations), 4);
      }
    }
  }
  return pixels;
}

/** A file header of 14 bytes and a BITMAPV4HEADER of 108, which says where in 4 bytes each colour is. */
const BMP_HEAD: i32 = 122;

function writeHead(at: usize, width: i32, height: i32): void {
  store<u16>(at, 0x4d42);
  store<u32>(at, BMP_HEAD + width * height * 4, 2);
  store<u32>(at, BMP_HEAD, 10);
  store<u32>(at, 108, 14);
  store<i32>(at, width, 18);
  // Negative: the rows come from the top down.
  store<i32>(at, -height, 22);
  store<u16>(at, 1, 26);
  store<u16>(at, 32, 28);
  // BI_BITFIELDS: the masks of red, green, blue and alpha follow.
  store<u32>(at, 3, 30);
  store<u32>(at, width * height * 4, 34);
  store<u32>(at, 0x000000ff, 54);
  store<u32>(at, 0x0000ff00, 58);
  store<u32>(at, 0x00ff0000, 62);
  store<u32>(at, 0xff000000, 66);
  // "sRGB"
  store<u32>(at, 0x73524742, 70);
}

/** What `escape` found for the two pixels: steps taken, and |z| squared where it stopped. */
let counts: v128 = f64x2.splat(0);
let sizes: v128 = f64x2.splat(0);

/** Iterates z = z^2 + c for two points until both have escaped; one that has stands still. */
function escape(cr: v128, ci: v128, iterations: i32): void {
  const limit = f64x2.splat(ESCAPE);
  const one = f64x2.splat(1);
  let zr = f64x2.splat(0);
  let zi = f64x2.splat(0);
  let count = f64x2.splat(0);
  let size = f64x2.splat(0);
  for (let i = 0; i < iterations; i++) {
    const rr = f64x2.mul(zr, zr);
    const ii = f64x2.mul(zi, zi);
    const live = f64x2.lt(size, limit);
    if (!v128.any_true(live)) break;
    const ri = f64x2.mul(zr, zi);
    const nr = f64x2.add(f64x2.sub(rr, ii), cr);
    const ni = f64x2.add(f64x2.add(ri, ri), ci);
    zr = v128.bitselect(nr, zr, live);
    zi = v128.bitselect(ni, zi, live);
    size = v128.bitselect(f64x2.add(f64x2.mul(nr, nr), f64x2.mul(ni, ni)), size, live);
    count = f64x2.add(count, v128.and(live, one));
  }
  counts = count;
  sizes = size;
}

/** RGBA in memory order (little-endian). */
function colour(count: f64, size: f64, iterations: i32): u32 {
  if (size < ESCAPE) return 0xff000000;
  const smooth = count + 1 - Math.log2(Math.log(size) / 2);
  // Slow at first and ever slower, so that deep zooms don't flicker from pixel to pixel.
  const hue = Math.sqrt(max(smooth, 0)) * 0.27;
  return 0xff000000 | (channel(hue, 0.62) << 16) | (channel(hue, 0.48) << 8) | channel(hue, 0.36);
}

function channel(hue: f64, phase: f64): u32 {
  return <u32>(255 * (0.5 - 0.5 * Math.cos(6.283185307179586 * (hue + phase - 0.4))));
}
