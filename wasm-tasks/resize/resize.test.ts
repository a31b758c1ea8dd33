import fc from "fast-check";
import jpeg from "jpeg-js";
import { beforeAll, describe, expect, test } from "vitest";
import { loadTask } from "../run.ts";

/** The compiler takes some seconds, more on a busy machine. */
const COMPILE_TIMEOUT_MS = 60_000;

let run: (input: Uint8Array) => Promise<Uint8Array>;

beforeAll(async () => {
  run = await loadTask("resize", { debug: false });
}, COMPILE_TIMEOUT_MS);

async function resized(picture: Uint8Array, width: number, height: number, quality = 90): Promise<Uint8Array> {
  const head = new TextEncoder().encode(`${width} ${height} ${quality}\n`);
  return await run(new Uint8Array([...head, ...picture]));
}

/** Red grows to the right, green downwards; blue has some waves. */
function picture(width: number, height: number): { data: Uint8Array; width: number; height: number } {
  const data = new Uint8Array(4 * width * height);
  for (let i = 0; i < width * height; i++) {
    const [x, y] = [i % width, Math.floor(i / width)];
    data.set([(255 * x) / width, (255 * y) / height, 127 + 100 * Math.sin((x + y) / 15), 255], 4 * i);
  }
  return { data, width, height };
}

/** A picture by another encoder. */
function encoded(width: number, height: number): Uint8Array {
  const { data } = picture(width, height);
  return Uint8Array.from(jpeg.encode({ data, width, height }, 92).data);
}

function meanDifference(a: Uint8Array, b: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) if (i % 4 < 2) sum += Math.abs((a[i] ?? 0) - (b[i] ?? 0));
  return sum / (a.length / 2);
}

describe("resize", () => {
  test.each([
    [320, 240, 100, 4_096, 100, 75],
    [333, 251, 4_096, 60, 80, 60],
    [100, 300, 90, 150, 50, 150],
    [17, 9, 800, 600, 17, 9],
  ])("%i x %i to fit %i x %i is %i x %i", async (width, height, boxWidth, boxHeight, newWidth, newHeight) => {
    const small = jpeg.decode(await resized(encoded(width, height), boxWidth, boxHeight), { useTArray: true });
    expect([small.width, small.height]).toEqual([newWidth, newHeight]);
    expect(meanDifference(small.data, picture(newWidth, newHeight).data)).toBeLessThan(3);
  });

  test("the better quality, the larger and the nearer", async () => {
    const [worse, better] = [
      await resized(encoded(200, 200), 150, 150, 20),
      await resized(encoded(200, 200), 150, 150, 95),
    ];
    expect(better.length).toBeGreaterThan(2 * worse.length);
    const reference = picture(150, 150).data;
    const of = (bytes: Uint8Array): number => meanDifference(jpeg.decode(bytes, { useTArray: true }).data, reference);
    expect(of(better)).toBeLessThan(of(worse));
  });

  test("EXIF goes along", async () => {
    const exif = [0xff, 0xe1, 0x00, 0x0a, ...new TextEncoder().encode("Exif\0\0MM")];
    const plain = encoded(40, 40);
    const withExif = new Uint8Array([...plain.subarray(0, 2), ...exif, ...plain.subarray(2)]);
    expect([...(await resized(withExif, 20, 20)).subarray(2, 2 + exif.length)]).toEqual(exif);
  });

  test.each([
    ["no JPEG", new Uint8Array([1, 2, 3, 4, 5]), "it is no JPEG"],
    ["progressive", progressive(), "progressive"],
    ["nothing but a beginning", encoded(40, 40).subarray(0, 100), "it ends too early"],
  ])("what is %s is told", async (_what, bytes, why) => {
    expect(new TextDecoder().decode(await resized(bytes, 20, 20))).toMatch(new RegExp(`^!.*${why}`));
  });

  test("whatever comes, it says what is wrong or gives a JPEG", async () => {
    const whole = encoded(60, 60);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 6 }),
        fc.nat(whole.length),
        async (changes, length) => {
          const bytes = whole.slice(0, length);
          for (const [at, byte] of changes) if (at < length) bytes[at] = byte;
          const output = await resized(bytes, 30, 30);
          expect([0xff, 0x21]).toContain(output[0]);
        },
      ),
      { numRuns: 100 },
    );
  });
});

/** A progressive JPEG, as far as the marker of its frame says. */
function progressive(): Uint8Array {
  const bytes = encoded(40, 40);
  const at = bytes.findIndex((byte, i) => byte === 0xff && bytes[i + 1] === 0xc0);
  bytes[at + 1] = 0xc2;
  return bytes;
}
