/**
 * Pictures as PNG, and in the form that terminals take. Imported when the first picture is drawn, to keep the page
 * small.
 */
import { encode } from "fast-png";
import { base64pad } from "multiformats/bases/base64";
import type { Bytes } from "../../base/bytes.ts";
import { blank, type Picture } from "./canvas.ts";

/** As PNG, RGB or RGBA. */
export function toPng(picture: Picture): Bytes {
  return encode({ width: picture.width, height: picture.height, data: picture.pixels, channels: 4, depth: 8 });
}

/** The picture in its own size, for terminals that show inline pictures (iTerm2's OSC 1337). */
export function inlinePicture(picture: Picture): string {
  const png = toPng(picture);
  return `\x1b]1337;File=inline=1;size=${png.length}:${base64pad.baseEncode(png)}\x07`;
}

/** Black and white from rows of modules (true is black), each `scale` pixels wide and high. */
export function bitmap(modules: readonly (readonly boolean[])[], scale: number): Picture {
  const picture = blank((modules[0]?.length ?? 0) * scale, modules.length * scale);
  for (let y = 0; y < picture.height; y++) {
    for (let x = 0; x < picture.width; x++) {
      const black = modules[Math.floor(y / scale)]?.[Math.floor(x / scale)] === true;
      picture.pixels.set(black ? [0, 0, 0, 255] : [255, 255, 255, 255], (y * picture.width + x) * 4);
    }
  }
  return picture;
}
