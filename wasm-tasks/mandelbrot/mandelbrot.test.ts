import { beforeAll, describe, expect, test } from "vitest";
import { loadTask } from "../run.ts";

/** The compiler takes some seconds, more on a busy machine. */
const COMPILE_TIMEOUT_MS = 60_000;

let run: (input: string) => Promise<Uint8Array>;

beforeAll(async () => {
  run = await loadTask("mandelbrot", { debug: false });
}, COMPILE_TIMEOUT_MS);

/** The tile of a picture of 64 x 48 of the whole set. */
function tile(left: number, top: number, columns: number, rows: number): Promise<Uint8Array> {
  return run(`64 48 ${left} ${top} ${columns} ${rows} -0.6 0 1 200`);
}

describe("mandelbrot", () => {
  test("the middle is inside and black, the corner outside and coloured, everything opaque", async () => {
    const pixels = await tile(0, 0, 64, 48);
    expect(pixels.length).toBe(64 * 48 * 4);
    const at = (x: number, y: number): number[] => [...pixels.subarray((y * 64 + x) * 4, (y * 64 + x) * 4 + 4)];
    expect(at(32, 24)).toEqual([0, 0, 0, 255]);
    expect(at(0, 0).slice(0, 3)).not.toEqual([0, 0, 0]);
    expect(pixels.every((value, i) => i % 4 !== 3 || value === 255)).toBe(true);
  });

  test("the upper half mirrors the lower", async () => {
    const pixels = await tile(0, 0, 64, 48);
    for (let y = 0; y < 24; y++) {
      const mirrored = 47 - y;
      expect(pixels.subarray(y * 256, (y + 1) * 256)).toEqual(pixels.subarray(mirrored * 256, (mirrored + 1) * 256));
    }
  });

  test.each([
    [7, 5],
    [16, 16],
    [1, 1],
  ])("tiles of %i x %i, odd ones too, are the picture", async (columns, rows) => {
    const whole = await tile(0, 0, 64, 48);
    const part = await tile(20, 10, columns, rows);
    for (let y = 0; y < rows; y++) {
      const from = ((10 + y) * 64 + 20) * 4;
      expect(part.subarray(y * columns * 4, (y + 1) * columns * 4)).toEqual(whole.subarray(from, from + columns * 4));
    }
  });
});
