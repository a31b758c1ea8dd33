/** Pictures as RGBA bytes: assembled from tiles, framed, scaled down. Pure. */

export interface Picture {
  readonly width: number;
  readonly height: number;
  /** RGBA, row by row from the top. */
  readonly pixels: Uint8Array;
}

export type Rgb = readonly [red: number, green: number, blue: number];

export function blank(width: number, height: number): Picture {
  return { width, height, pixels: new Uint8Array(width * height * 4) };
}

/** Copies `tile` into `picture` with its upper left corner at that point; what is outside is cut off. */
export function place(picture: Picture, tile: Picture, left: number, top: number): void {
  const columns = Math.min(tile.width, picture.width - left);
  for (let y = 0; y < tile.height && top + y < picture.height; y++) {
    const row = tile.pixels.subarray(y * tile.width * 4, (y * tile.width + columns) * 4);
    picture.pixels.set(row, ((top + y) * picture.width + left) * 4);
  }
}

/** A copy with a border of one colour, mixed with the pixels below so that the picture stays complete. */
export function framed(tile: Picture, colour: Rgb, thickness: number): Picture {
  const { width, height } = tile;
  const pixels = tile.pixels.slice();
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const edge = Math.min(x, y, width - 1 - x, height - 1 - y);
      if (edge >= thickness) continue;
      const at = (y * width + x) * 4;
      colour.forEach(
        (value, channel) => (pixels[at + channel] = Math.round(0.3 * (pixels[at + channel] ?? 0) + 0.7 * value)),
      );
      pixels[at + 3] = 255;
    }
  }
  return { width, height, pixels };
}

/** The picture scaled down: each pixel is the average of those that it replaces. */
export function scaled(picture: Picture, width: number, height: number): Picture {
  const result = blank(width, height);
  for (let y = 0; y < height; y++) {
    const [top, bottom] = span(y, height, picture.height);
    for (let x = 0; x < width; x++) {
      const [left, right] = span(x, width, picture.width);
      average(picture, left, top, right, bottom, result.pixels, (y * width + x) * 4);
    }
  }
  return result;
}

/** The source pixels of one target pixel: at least one. */
function span(index: number, size: number, sourceSize: number): [first: number, end: number] {
  const first = Math.min(sourceSize - 1, Math.floor((index * sourceSize) / size));
  return [first, Math.max(first + 1, Math.floor(((index + 1) * sourceSize) / size))];
}

function average(
  from: Picture,
  left: number,
  top: number,
  right: number,
  bottom: number,
  to: Uint8Array,
  at: number,
): void {
  const sums = [0, 0, 0, 0];
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const source = (y * from.width + x) * 4;
      for (let channel = 0; channel < 4; channel++)
        sums[channel] = (sums[channel] ?? 0) + (from.pixels[source + channel] ?? 0);
    }
  }
  const pixels = (right - left) * (bottom - top);
  sums.forEach((sum, channel) => (to[at + channel] = Math.round(sum / pixels)));
}
