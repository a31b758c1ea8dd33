/**
 * One frame of a film that falls into the Mandelbrot set, as a piece of a GIF. Input, in decimal:
 *   "FRAME FRAMES WIDTH HEIGHT RE IM ZOOM"
 * the number of the frame, how many there are, the size of the picture, the point that the film falls to, and how many
 * times the last frame is magnified. The first piece begins with the head of the file, and the last one ends it: all
 * pieces one after the other are the film (GIF89a, with its LZW of variable code length).
 */
import { text } from "../sdk/text";

/** Units of the complex plane across the shorter side at zoom 1. */
const SPAN: f64 = 3.0;
const ESCAPE: f64 = 65536.0;
/** Hundredths of a second that a frame is shown; the last one is shown longer. */
const DELAY: i32 = 8;
const LAST_DELAY: i32 = 150;

export function task(input: Uint8Array): Uint8Array {
  const words = text(input).trim().split(" ");
  assert(words.length == 7, "the input is: FRAME FRAMES WIDTH HEIGHT RE IM ZOOM");
  const frame = I32.parseInt(words[0]);
  const frames = I32.parseInt(words[1]);
  const width = I32.parseInt(words[2]);
  const height = I32.parseInt(words[3]);
  const zoom = frames < 2 ? 1.0 : Math.pow(F64.parseFloat(words[6]), <f64>frame / <f64>(frames - 1));
  const pixels = drawn(width, height, F64.parseFloat(words[4]), F64.parseFloat(words[5]), zoom);
  const isLast = frame == frames - 1;
  out = new Uint8Array(2048 + pixels.length * 2);
  at = 0;
  if (frame == 0) writeHead(width, height);
  // Graphic control extension: how long it is shown.
  bytes([0x21, 0xf9, 4, 0]);
  word(isLast ? LAST_DELAY : DELAY);
  bytes([0, 0, 0x2c, 0, 0, 0, 0]);
  word(width);
  word(height);
  byte(0);
  compress(pixels);
  if (isLast) byte(0x3b);
  return out.subarray(0, at);
}

/** The colour of each pixel, by its place in the palette: 0 is the inside. */
function drawn(width: i32, height: i32, re: f64, im: f64, zoom: f64): Uint8Array {
  const pixels = new Uint8Array(width * height);
  const step = SPAN / zoom / <f64>min(width, height);
  // The deeper the film is, the more steps it takes to tell the inside from its neighbourhood.
  const iterations = <i32>(400 + 200 * max(0.0, Math.log2(zoom)));
  for (let y = 0; y < height; y++) {
    const ci = im - (<f64>y + 0.5 - <f64>height / 2) * step;
    for (let x = 0; x < width; x++) {
      const cr = re + (<f64>x + 0.5 - <f64>width / 2) * step;
      let zr: f64 = 0;
      let zi: f64 = 0;
      let rr: f64 = 0;
      let ii: f64 = 0;
      let count = 0;
      while (count < iterations && rr + ii < ESCAPE) {
        zi = 2 * zr * zi + ci;
        zr = rr - ii + cr;
        rr = zr * zr;
        ii = zi * zi;
        count++;
      }
      if (rr + ii < ESCAPE) continue;
      const smooth = <f64>count + 1 - Math.log2(Math.log(rr + ii) / 2);
      const hue = Math.sqrt(max(smooth, 0)) * 0.27;
      pixels[y * width + x] = <u8>(1 + <i32>((hue - Math.floor(hue)) * 255));
    }
  }
  return pixels;
}

let out: Uint8Array = new Uint8Array(0);
let at: i32 = 0;

function byte(value: i32): void {
  if (at == out.length) {
    const larger = new Uint8Array(out.length * 2);
    larger.set(out);
    out = larger;
  }
  out[at++] = <u8>value;
}

function bytes(values: i32[]): void {
  for (let i = 0; i < values.length; i++) byte(values[i]);
}

function word(value: i32): void {
  byte(value & 0xff);
  byte(value >> 8);
}

/** Signature, screen, a palette of 256 colours for all frames, and that the film begins anew at its end. */
function writeHead(width: i32, height: i32): void {
  bytes([0x47, 0x49, 0x46, 0x38, 0x39, 0x61]);
  word(width);
  word(height);
  bytes([0xf7, 0, 0]);
  bytes([0, 0, 0]);
  for (let i = 0; i < 255; i++) {
    const hue = <f64>i / 255;
    byte(channel(hue, 0.36));
    byte(channel(hue, 0.48));
    byte(channel(hue, 0.62));
  }
  bytes([0x21, 0xff, 11, 0x4e, 0x45, 0x54, 0x53, 0x43, 0x41, 0x50, 0x45, 0x32, 0x2e, 0x30, 3, 1, 0, 0, 0]);
}

function channel(hue: f64, phase: f64): i32 {
  return <i32>(255 * (0.5 - 0.5 * Math.cos(6.283185307179586 * (hue + phase - 0.4))));
}

const CLEAR: i32 = 256;
const END: i32 = 257;
const CODES_MAX: i32 = 4096;

/** Bits that wait for a whole byte, and the bytes of the block that is being filled. */
let waiting: i32 = 0;
let bits: i32 = 0;
const block: Uint8Array = new Uint8Array(255);
let filled: i32 = 0;

function code(value: i32, length: i32): void {
  waiting |= value << bits;
  bits += length;
  while (bits >= 8) {
    push(waiting & 0xff);
    waiting >>>= 8;
    bits -= 8;
  }
}

function push(value: i32): void {
  block[filled++] = <u8>value;
  if (filled == 255) flush();
}

function flush(): void {
  if (filled == 0) return;
  byte(filled);
  for (let i = 0; i < filled; i++) byte(block[i]);
  filled = 0;
}

/** LZW (GIF89a, appendix F). `next[prefix, byte]` is the code of that string, 0 where it has none yet. */
function compress(pixels: Uint8Array): void {
  const next = new Uint16Array(CODES_MAX << 8);
  let codes = END + 1;
  let length = 9;
  byte(8);
  code(CLEAR, length);
  let prefix: i32 = pixels[0];
  for (let i = 1; i < pixels.length; i++) {
    const value: i32 = pixels[i];
    const known: i32 = next[(prefix << 8) | value];
    if (known != 0) {
      prefix = known;
      continue;
    }
    code(prefix, length);
    if (codes == CODES_MAX) {
      code(CLEAR, length);
      next.fill(0);
      codes = END + 1;
      length = 9;
    } else {
      if (codes == 1 << length) length++;
      next[(prefix << 8) | value] = <u16>codes;
      codes++;
    }
    prefix = value;
  }
  code(prefix, length);
  code(END, length);
  if (bits > 0) push(waiting & 0xff);
  flush();
  byte(0);
}
