import { beforeAll, expect, test } from "vitest";
import { loadTask } from "../run.ts";

/** The compiler takes some seconds, more on a busy machine. */
const COMPILE_TIMEOUT_MS = 60_000;

let run: (input: string) => Promise<Uint8Array>;

beforeAll(async () => {
  run = await loadTask("film", { debug: false });
}, COMPILE_TIMEOUT_MS);

const WIDTH = 120;
const HEIGHT = 90;
const HEAD = 13 + 3 * 256 + 19;
const FRAME_HEAD = 18;

async function film(frames: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for (let i = 0; i < frames; i++) {
    pieces.push(await run(`${i} ${frames} ${WIDTH} ${HEIGHT} -0.743643887 0.131825904 1000`));
  }
  return new Uint8Array(await new Blob(pieces.map((piece) => piece.slice())).arrayBuffer());
}

/** Decompresses LZW as appendix F of GIF89a describes it, word for word. */
function decompressed(bytes: Uint8Array): number[] {
  const pixels: number[] = [];
  let strings: number[][] = [];
  let length = 9;
  let before: number[] | undefined;
  let bit = 0;
  const next = (): number => {
    let code = 0;
    for (let i = 0; i < length; i++, bit++) code |= (((bytes[bit >> 3] ?? 0) >> (bit & 7)) & 1) << i;
    return code;
  };
  for (;;) {
    const code = next();
    if (code === 257) return pixels;
    if (code === 256) {
      strings = Array.from({ length: 258 }, (_, i) => [i]);
      length = 9;
      before = undefined;
      continue;
    }
    const known = strings[code];
    const string: number[] = known ?? [...(before ?? []), before?.[0] ?? 0];
    pixels.push(...string);
    if (before !== undefined && strings.length < 4096) strings.push([...before, string[0] ?? 0]);
    if (strings.length === 1 << length && length < 12) length++;
    before = string;
  }
}

/** The frames' pixels, by their places in the palette. */
function framesOf(gif: Uint8Array): number[][] {
  const frames: number[][] = [];
  let at = HEAD;
  while (gif[at] !== 0x3b) {
    expect([...gif.subarray(at, at + 3)]).toEqual([0x21, 0xf9, 4]);
    expect(gif[at + FRAME_HEAD]).toBe(8);
    at += FRAME_HEAD + 1;
    const data: number[] = [];
    for (let size = gif[at] ?? 0; size > 0; size = gif[at] ?? 0) {
      data.push(...gif.subarray(at + 1, at + 1 + size));
      at += size + 1;
    }
    at++;
    frames.push(decompressed(Uint8Array.from(data)));
  }
  expect(at).toBe(gif.length - 1);
  return frames;
}

test("frames one after the other are a GIF, whose pixels come out whole", async () => {
  const gif = await film(3);
  const view = new DataView(gif.buffer);
  expect(new TextDecoder().decode(gif.subarray(0, 6))).toBe("GIF89a");
  expect([view.getUint16(6, true), view.getUint16(8, true)]).toEqual([WIDTH, HEIGHT]);
  const frames = framesOf(gif);
  expect(frames.map((pixels) => pixels.length)).toEqual([1, 2, 3].map(() => WIDTH * HEIGHT));
  // Each frame shows a smaller part of the set, magnified further.
  expect(frames[1]).not.toEqual(frames[0]);
  expect(new Set(frames[0]).size).toBeGreaterThan(20);
  expect(frames.every((pixels) => pixels.every((place) => place >= 0 && place < 256))).toBe(true);
});

test("a film of one frame is whole by itself: the set, and it mirrors itself", async () => {
  const gif = await run(`0 1 ${WIDTH} ${HEIGHT} -0.6 0 1`);
  const [pixels = []] = framesOf(gif);
  expect(pixels[(HEIGHT / 2) * WIDTH + WIDTH / 2]).toBe(0);
  expect(pixels[0]).toBeGreaterThan(0);
  const row = (y: number): number[] => pixels.slice(y * WIDTH, (y + 1) * WIDTH);
  for (let y = 0; y < HEIGHT / 2; y++) expect(row(y)).toEqual(row(HEIGHT - 1 - y));
});
