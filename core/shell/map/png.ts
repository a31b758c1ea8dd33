/** Pictures as PNG, and as terminals take them. Imported when the first picture is drawn: a page is small without it. */
import { encode } from "fast-png";
import { base64pad } from "multiformats/bases/base64";
import type { Bytes } from "../../base/bytes.ts";
import type { Picture } from "./canvas.ts";

/** As PNG, RGB or with its alpha. */
export function toPng(picture: Picture): Bytes {
  return encode({ width: picture.width, height: picture.height, data: picture.pixels, channels: 4, depth: 8 });
}

/** The picture in its own size, for terminals that show pictures inline (iTerm2's OSC 1337). */
export function inlinePicture(picture: Picture): string {
  const png = toPng(picture);
  return `\x1b]1337;File=inline=1;size=${png.length}:${base64pad.baseEncode(png)}\x07`;
}
