/** map mandelbrot: a picture in tiles, shown in the terminal as they arrive, or written as a PNG. */
import { concat, utf8, type Bytes } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";
import { sequence } from "../styled.ts";
import type { CommandContext } from "../types.ts";
import { blank, place, type Picture } from "./canvas.ts";
import { toPng } from "./png.ts";
import { ScreenPicture } from "./screen-picture.ts";
import type { MapTask, Options, Work } from "./task.ts";

const SIZE_DEFAULT = "1024x768";
/** The whole set; its centre is left of the origin. */
const AT_DEFAULT = "-0.6,0,1";
/** 64 MiB of pixels. */
const SIDE_MAX = 4_096;
/** The result of a chunk is 64 KiB, and a picture of the usual size has 48 of them. */
const TILE = 128;
/** The digits of f64 end at about 1e15 times; the picture becomes coarse long before that. */
const ZOOM_MAX = 1e13;

interface View {
  readonly width: number;
  readonly height: number;
  readonly re: number;
  readonly im: number;
  readonly zoom: number;
}

interface Tile {
  readonly left: number;
  readonly top: number;
  readonly columns: number;
  readonly rows: number;
}

/** Bytes of a strip: few enough for a message, like those of a tile. */
const STRIP_BYTES_MAX: number = 64 * 1024;

export const mandelbrot: MapTask = {
  /** Strips from top to bottom, which together are a picture; the first strip begins with the picture's header. */
  async job(options, { computer, signal }) {
    if (options["out"] !== undefined)
      throw new StarfishError("usage", "--out is not for a job of the swarm: use 'cat /proc/ID/result > FILE.bmp'");
    const view = viewOf(options);
    const { width, height } = view;
    const rows = Math.max(1, Math.min(TILE, Math.floor(STRIP_BYTES_MAX / (width * 4))));
    const strips = Array.from({ length: Math.ceil(height / rows) }, (_, i) => {
      return { left: 0, top: i * rows, columns: width, rows: Math.min(rows, height - i * rows) };
    });
    const inputs = strips.map((strip) => concat([inputOf(view, strip), utf8(" bmp")]));
    const list = await computer.jobs.listOf(inputs, { signal });
    return { title: `mandelbrot ${width}x${height}`, inputs: list, combine: "concat", isPicture: true };
  },

  prepare(options, context) {
    const view = viewOf(options);
    const tiles = tilesOf(view);
    const inputs = tiles.map((tile) => inputOf(view, tile));
    const out = typeof options["out"] === "string" ? options["out"] : undefined;
    const screen = context.terminal.stdout;
    const work =
      screen === undefined || out !== undefined ? asPng(view, tiles, out, context) : onScreen(view, tiles, context);
    return Promise.resolve({ inputs, ...work });
  },
};

function onScreen(view: View, tiles: readonly Tile[], { stdout, terminal }: CommandContext): Omit<Work, "inputs"> {
  const info = terminal.stdout ?? { columns: 80, rows: 24, colours: false, pictures: "blocks" };
  const picture = new ScreenPicture({ ...view, tileWidth: TILE, tileHeight: TILE }, info);
  let begun = false;
  return {
    take: async ({ index, output, by }) => {
      const tile = tileOf(tiles, index);
      let drawn = picture.tile(pictureOf(tile, output), tile.left, tile.top, by);
      if (!begun) drawn = `\r\x1b[K${picture.begin()}${drawn}`;
      begun = true;
      await stdout.print(sequence(drawn));
    },
    finish: () => Promise.resolve(),
  };
}

function asPng(
  view: View,
  tiles: readonly Tile[],
  out: string | undefined,
  context: CommandContext,
): Omit<Work, "inputs"> {
  const picture = blank(view.width, view.height);
  return {
    take: ({ index, output }) => {
      const tile = tileOf(tiles, index);
      place(picture, pictureOf(tile, output), tile.left, tile.top);
    },
    finish: async () => {
      const png = toPng(picture);
      if (out === undefined) return await context.stdout.write(png);
      await context.host.writeFile(out, png, { signal: context.signal });
      await context.stderr.write(
        utf8(`${context.host.savedAs?.(out) ?? out}: ${view.width} x ${view.height} pixels, ${png.length} bytes\n`),
      );
    },
  };
}

/** Throws "usage". */
export function viewOf({ size = SIZE_DEFAULT, at = AT_DEFAULT }: Options): View {
  const [, width, height] = (/^(\d+)x(\d+)$/.exec(String(size)) ?? []).map(Number);
  const isSide = (side: number | undefined): side is number => side !== undefined && side >= 1 && side <= SIDE_MAX;
  if (!isSide(width) || !isSide(height)) {
    throw new StarfishError(
      "usage",
      `--size must be WIDTHxHEIGHT, each 1 to ${SIDE_MAX}, like ${SIZE_DEFAULT}, not '${String(size)}'`,
    );
  }
  const numbers = String(at)
    .split(",")
    .map((number) => (number.trim() === "" ? Number.NaN : Number(number)));
  const [re = Number.NaN, im = Number.NaN, zoom = 1] = numbers;
  if (numbers.length > 3 || !Number.isFinite(re) || !Number.isFinite(im) || !(zoom > 0 && zoom <= ZOOM_MAX)) {
    throw new StarfishError("usage", `--at must be RE,IM,ZOOM, like -0.7436,0.1318,200, not '${String(at)}'`);
  }
  return { width, height, re, im, zoom };
}

function tilesOf({ width, height }: View): Tile[] {
  const tiles: Tile[] = [];
  for (let top = 0; top < height; top += TILE) {
    for (let left = 0; left < width; left += TILE) {
      tiles.push({ left, top, columns: Math.min(TILE, width - left), rows: Math.min(TILE, height - top) });
    }
  }
  return tiles;
}

/** The deeper the zoom, the more steps it takes to tell the inside from its surroundings. */
function iterationsAt(zoom: number): number {
  return Math.round(400 + 200 * Math.max(0, Math.log2(zoom)));
}

function inputOf({ width, height, re, im, zoom }: View, { left, top, columns, rows }: Tile): Bytes {
  return utf8([width, height, left, top, columns, rows, re, im, zoom, iterationsAt(zoom)].join(" "));
}

function tileOf(tiles: readonly Tile[], index: number): Tile {
  const tile = tiles[index];
  if (tile === undefined) throw new StarfishError("malformed", `There is no tile ${index}`);
  return tile;
}

function pictureOf({ columns, rows }: Tile, pixels: Uint8Array): Picture {
  if (pixels.length !== columns * rows * 4) {
    throw new StarfishError("malformed", `A tile of ${pixels.length} bytes came instead of ${columns * rows * 4}`);
  }
  return { width: columns, height: rows, pixels };
}
