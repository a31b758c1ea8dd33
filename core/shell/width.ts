/**
 * How many terminal cells a text takes, grapheme by grapheme: two for East Asian characters and emoji, none for
 * combining marks.
 */

/**
 * UTF-16 units that are looked at for each cell when a text is cut: an emoji of a family of four takes 11 units for its
 * two cells.
 */
export const UNITS_A_CELL_MAX = 16;

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** The user-perceived characters of a text. */
export function graphemes(text: string): string[] {
  return Array.from(segmenter.segment(text), (part) => part.segment);
}

/**
 * Code points that take two cells (Unicode 16, East_Asian_Width W and F; ranges are merged over unassigned code
 * points).
 */
const WIDE: readonly (readonly [first: number, last: number])[] = [
  [0x1100, 0x115f],
  [0x2329, 0x232a],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x17000, 0x18aff],
  [0x1b000, 0x1b2ff],
  [0x20000, 0x3fffd],
];

/** Cells of one grapheme: 0, 1 or 2. */
export function graphemeWidth(grapheme: string): number {
  const code = grapheme.codePointAt(0) ?? 0;
  if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return 0;
  if (code < 0x300) return grapheme.includes("\ufe0f") ? 2 : 1;
  if (/^[\p{M}\u200b-\u200f\u2060\ufeff]/u.test(grapheme)) return 0;
  if (/^\p{Emoji_Presentation}/u.test(grapheme) || grapheme.includes("\ufe0f")) return 2;
  return WIDE.some(([first, last]) => code >= first && code <= last) ? 2 : 1;
}

/** Most text, which need not be segmented, and has nothing that a terminal would act on. */
const PLAIN = /^[ -~]*$/;

export function isPlain(text: string): boolean {
  return PLAIN.test(text);
}

/** Cells of a text without escape sequences. */
export function widthOf(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let width = 0;
  for (const grapheme of graphemes(text)) width += graphemeWidth(grapheme);
  return width;
}

/** The text without colours and other CSI sequences. */
export function withoutColours(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replaceAll(/\x1b\[[0-9;?]*[ -/]*[@-~]/g, "");
}

/** As much of a text without escape sequences as fits into this many cells (1 to Infinity); "…" replaces the rest. */
export function cut(text: string, cells: number): string {
  if (cells === Number.POSITIVE_INFINITY) return text;
  if (text.length <= cells && PLAIN.test(text)) return text;
  let width = 0;
  let at = 0;
  /** As far as it fits with "…" after it. */
  let end = 0;
  for (const grapheme of graphemes(text.slice(0, cells * UNITS_A_CELL_MAX))) {
    width += graphemeWidth(grapheme);
    if (width > cells) return `${text.slice(0, end)}…`;
    at += grapheme.length;
    if (width < cells) end = at;
  }
  return at < text.length ? `${text.slice(0, end)}…` : text;
}
