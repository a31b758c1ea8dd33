import { decode } from "fast-png";
import { describe, expect, test } from "vitest";
import type { TerminalInfo } from "../types.ts";
import { blank, framed, place, scaled, type Picture } from "./canvas.ts";
import { toPng } from "./png.ts";
import { ScreenPicture } from "./screen-picture.ts";

const SOMEBODY = "12D3KooWGzxzKZYveHXtpG6AsrUJBcWxHBFS2HsEoGTxrMLvKXtf";

function plain(width: number, height: number, colour: readonly number[]): Picture {
  const pixels = new Uint8Array(width * height * 4);
  for (let i = 0; i < pixels.length; i++) pixels[i] = colour[i % 4] ?? 0;
  return { width, height, pixels };
}

describe("canvas", () => {
  test("tiles make a PNG that reads back the same", () => {
    const picture = blank(5, 3);
    place(picture, plain(4, 2, [255, 0, 0, 255]), 0, 0);
    place(picture, plain(4, 2, [0, 0, 255, 255]), 4, 2);
    const png = decode(toPng(picture));
    expect([png.width, png.height, png.channels]).toEqual([5, 3, 4]);
    expect(Array.from(png.data.slice(0, 4))).toEqual([255, 0, 0, 255]);
    expect(Array.from(png.data.slice(-4))).toEqual([0, 0, 255, 255]);
  });

  test("a frame changes the border alone, and not the original", () => {
    const tile = plain(4, 4, [0, 0, 0, 255]);
    const { pixels } = framed(tile, [200, 100, 0], 1);
    expect(Array.from(pixels.slice(0, 4))).toEqual([140, 70, 0, 255]);
    expect(Array.from(pixels.slice(20, 24))).toEqual([0, 0, 0, 255]);
    expect(tile.pixels[0]).toBe(0);
  });

  test("scaling averages", () => {
    const picture = plain(4, 2, [0, 0, 0, 255]);
    picture.pixels.set([100, 0, 0, 255], 0);
    expect(Array.from(scaled(picture, 2, 1).pixels)).toEqual([25, 0, 0, 255, 0, 0, 0, 255]);
    expect(scaled(plain(1, 1, [9, 9, 9, 9]), 3, 3).pixels.every((value) => value === 9)).toBe(true);
  });
});

describe("on the screen", () => {
  const grid = { width: 300, height: 200, tileWidth: 128, tileHeight: 128 };
  const terminal: TerminalInfo = { columns: 80, rows: 24, colours: true, pictures: "inline" };

  test("inline tiles go to whole cells and leave the cursor where it was", () => {
    const picture = new ScreenPicture(grid, terminal);
    expect(picture.rows).toBe(16);
    expect(picture.begin()).toBe("\r\n".repeat(16));
    const drawn = picture.tile(plain(128, 72, [1, 2, 3, 255]), 128, 128, SOMEBODY);
    expect(drawn.startsWith("\x1b7\x1b[6A\r\x1b[20C\x1b]1337;File=inline=1;")).toBe(true);
    expect(drawn.endsWith("\x07\x1b8")).toBe(true);
    const encoded = drawn.slice(drawn.indexOf(":") + 1, drawn.indexOf("\x07"));
    const png = decode(Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0)));
    // 72 of a tile's 128 lines of pixels reach into the sixth of its ten rows of cells, which have 12.8 lines each.
    expect([png.width, png.height]).toEqual([128, 77]);
    expect(png.data[3]).toBe(255);
    expect(png.data[76 * 128 * 4 + 3]).toBe(0);
  });

  test("half blocks: two pixels a cell, a tile at the edge takes its share", () => {
    const picture = new ScreenPicture(grid, { ...terminal, pictures: "blocks" });
    const drawn = picture.tile(plain(44, 128, [1, 2, 3, 255]), 256, 0, SOMEBODY);
    expect(drawn.split("▀").length - 1).toBe(7 * 10);
    expect(drawn).toContain("\x1b[38;2;1;2;3m\x1b[48;2;1;2;3m▀");
    expect(drawn).toContain("\x1b[B\x1b[41G");
  });

  test("without colours there is brightness", () => {
    const picture = new ScreenPicture(grid, { ...terminal, pictures: "blocks", colours: false });
    const drawn = picture.tile(plain(128, 128, [255, 255, 255, 255]), 0, 0, SOMEBODY);
    expect(drawn).toContain("@@@");
    expect(drawn).not.toContain("38;2");
  });

  test("it fits into the smallest terminal", () => {
    const picture = new ScreenPicture(
      { width: 4096, height: 4096, tileWidth: 128, tileHeight: 128 },
      { ...terminal, columns: 20, rows: 5 },
    );
    expect(picture.tile(plain(128, 128, [0, 0, 0, 255]), 0, 0, SOMEBODY)).toContain("\x1b8");
  });
});
