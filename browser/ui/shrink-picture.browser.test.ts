/** Pictures as a browser writes them: their types and sizes are read right, and any becomes a person's. */
import { expect, test } from "vitest";
import { PICTURE_BYTES_MAX } from "../../core/io/people/limits.ts";
import { pictureOf } from "../../core/io/people/picture.ts";
import { shrinkPicture } from "./shrink-picture.ts";

/** Noise, with a corner that can be seen through, as a browser writes it. */
async function written(width: number, height: number, type: string, quality: number): Promise<Uint8Array> {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  const noise = Uint8ClampedArray.from({ length: 4 * width * height }, (_, i) => ((i * i * 31) % 251) | 1);
  context?.putImageData(new ImageData(noise, width, height), 0, 0);
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, type, quality));
  if (blob?.type !== type) throw new Error(`This browser writes no ${type}`);
  return new Uint8Array(await blob.arrayBuffer());
}

test.each([
  ["image/png", 1],
  ["image/jpeg", 0.5],
  ["image/webp", 0.5],
  ["image/webp", 1],
])("type and size of %s at quality %d are read from its first bytes", async (type, quality) => {
  expect(pictureOf(await written(40, 30, type, quality)).type).toBe(type);
  const wide = await written(300, 5, type, quality);
  expect(() => pictureOf(wide)).toThrow(/300 × 5 pixels/);
  const small = await shrinkPicture(await written(1_300, 700, type, quality));
  expect(small.length).toBeLessThanOrEqual(PICTURE_BYTES_MAX);
  expect(pictureOf(small).type).toMatch(/^image\/(webp|jpeg)$/);
  const bitmap = await createImageBitmap(new Blob([new Uint8Array(small)]));
  expect([bitmap.width, bitmap.height]).toEqual([96, 96]);
});

test("what the browser can't show is no picture", async () => {
  await expect(shrinkPicture(new TextEncoder().encode("<svg/>"))).rejects.toMatchObject({ code: "malformed" });
});
