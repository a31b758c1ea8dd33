/**
 * A picture that grows in a terminal, tile by tile: as inline images (iTerm2's OSC 1337, which xterm's image add-on and
 * several terminals understand), or as half blocks in 24-bit colours, which all other terminals show. Every tile covers
 * the same whole number of cells, so that moving the cursor puts it in its place. This file only produces bytes.
 */
import { base64pad } from "multiformats/bases/base64";
import { shadeOf } from "../format.ts";
import type { PeerId } from "../../ports/network.ts";
import type { TerminalInfo } from "../types.ts";
import { blank, framed, place, scaled, type Picture, type Rgb } from "./canvas.ts";
import { toPng } from "./png.ts";

export interface TileGrid {
  /** Of the whole picture, in pixels. */
  readonly width: number;
  readonly height: number;
  /** Of a tile that is not at the edge. */
  readonly tileWidth: number;
  readonly tileHeight: number;
}

/** Cells are about twice as high as wide. The exact ratio depends on the font, which nobody tells. */
const CELL_ASPECT = 2;
/** Rows that are left free for the command line and the progress line. */
const ROWS_SPARE = 4;
const FRAME_PIXELS = 2;

export class ScreenPicture {
  readonly #grid: TileGrid;
  readonly #terminal: TerminalInfo;
  /** Cells of a tile. */
  readonly #columns: number;
  readonly #rows: number;

  constructor(grid: TileGrid, terminal: TerminalInfo) {
    const across = Math.ceil(grid.width / grid.tileWidth);
    const down = Math.ceil(grid.height / grid.tileHeight);
    const columnsByWidth = Math.floor(terminal.columns / across);
    const rowsByHeight = Math.floor((terminal.rows - ROWS_SPARE) / down);
    const ratio = (grid.tileWidth / grid.tileHeight) * CELL_ASPECT;
    this.#rows = Math.max(1, Math.min(rowsByHeight, Math.floor(columnsByWidth / ratio)));
    this.#columns = Math.max(1, Math.min(columnsByWidth, Math.round(this.#rows * ratio)));
    this.#grid = grid;
    this.#terminal = terminal;
  }

  /** The lines that it takes; the last row of tiles may take fewer than the others. */
  get rows(): number {
    return Math.ceil((this.#grid.height / this.#grid.tileHeight) * this.#rows);
  }

  /** Makes room. The cursor ends in the line below the picture, where the progress goes. */
  begin(): string {
    return "\r\n".repeat(this.rows);
  }

  /**
   * Draws a tile whose upper left pixel is at that point. Expects and leaves the cursor in the line below the picture.
   */
  tile(tile: Picture, left: number, top: number, by: PeerId): string {
    const column = (left / this.#grid.tileWidth) * this.#columns;
    const row = (top / this.#grid.tileHeight) * this.#rows;
    const up = this.rows - row;
    const to = `\x1b7\x1b[${up}A\r${column > 0 ? `\x1b[${column}C` : ""}`;
    const colour = shadeOf(by, this.#terminal).rgb;
    const drawn =
      this.#terminal.pictures === "inline"
        ? this.#inline(framed(tile, colour, FRAME_PIXELS))
        : this.#blocks(tile, colour, column);
    return `${to}${drawn}\x1b8`;
  }

  /**
   * A tile at the edge is smaller. It covers as many cells as it needs, and the rest of its last cells stays unchanged.
   */
  #inline(tile: Picture): string {
    const { tileWidth, tileHeight } = this.#grid;
    const columns = Math.ceil((tile.width / tileWidth) * this.#columns);
    const rows = Math.ceil((tile.height / tileHeight) * this.#rows);
    const covered = blank(
      Math.round((columns / this.#columns) * tileWidth),
      Math.round((rows / this.#rows) * tileHeight),
    );
    place(covered, tile, 0, 0);
    const png = toPng(covered);
    const size = `size=${png.length};width=${columns};height=${rows};preserveAspectRatio=0`;
    return `\x1b]1337;File=inline=1;${size}:${base64pad.baseEncode(png)}\x07`;
  }

  #blocks(tile: Picture, colour: Rgb, left: number): string {
    const { tileWidth, tileHeight } = this.#grid;
    const columns = Math.max(1, Math.round((this.#columns * tile.width) / tileWidth));
    const rows = Math.max(1, Math.round((this.#rows * tile.height) / tileHeight));
    const small = framed(scaled(tile, columns, rows * 2), colour, columns >= 4 && rows >= 2 ? 1 : 0);
    const lines: string[] = [];
    for (let row = 0; row < rows; row++) {
      let line = "";
      for (let column = 0; column < columns; column++) line += this.#block(small, column, row);
      lines.push(`${line}\x1b[39;49m`);
    }
    // Moves to a column by its number, because at the right edge the cursor's position is ambiguous.
    return lines.join(`\x1b[B\x1b[${left + 1}G`);
  }

  #block(picture: Picture, column: number, row: number): string {
    const upper = rgbAt(picture, column, row * 2);
    const lower = rgbAt(picture, column, row * 2 + 1);
    if (this.#terminal.colours) return `\x1b[38;2;${upper.join(";")}m\x1b[48;2;${lower.join(";")}m▀`;
    const brightness = [...upper, ...lower].reduce((sum, value) => sum + value, 0) / (6 * 256);
    return " .:-=+*#%@".charAt(Math.floor(brightness * 10));
  }
}

function rgbAt({ pixels, width }: Picture, x: number, y: number): Rgb {
  const at = (y * width + x) * 4;
  return [pixels[at] ?? 0, pixels[at + 1] ?? 0, pixels[at + 2] ?? 0];
}
