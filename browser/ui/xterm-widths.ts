/**
 * Tells xterm.js the widths that the line editor uses: the same graphemes (Intl.Segmenter) and the same table
 * (core/shell/width.ts), so that the cursor is where the editor assumes it. xterm.js has older tables of its own, and
 * an add-on with another one (@xterm/addon-unicode-graphemes 0.4, 15 kB gzip), which would differ again.
 */
import type { IUnicodeVersionProvider } from "@xterm/xterm";
import { graphemes, graphemeWidth } from "../../core/shell/width.ts";

export const WIDTHS_VERSION = "starfish";

/** Lower states are characters themselves; higher ones name a grapheme that is remembered. */
const STATES_MIN = 0x80;
/** xterm.js keeps 24 bits of state. */
const STATES_MAX = 0xffffff;
/** Almost always the last one is asked for; an earlier one only if a write was cut into pieces. */
const REMEMBERED = 256;
/** A grapheme may have any number of marks; those after the first still join. */
const UNITS_MAX = 64;

export function sharedWidths(): IUnicodeVersionProvider {
  const remembered: { state: number; grapheme: string }[] = [];
  let newest = STATES_MIN - 1;

  const stateOf = (grapheme: string): number => {
    const code = grapheme.length === 1 ? grapheme.charCodeAt(0) : STATES_MIN;
    if (code < STATES_MIN) return code;
    newest = newest >= STATES_MAX ? STATES_MIN : newest + 1;
    remembered[newest % REMEMBERED] = { state: newest, grapheme };
    return newest;
  };
  const graphemeOf = (state: number): string => {
    if (state < STATES_MIN) return state === 0 ? "" : String.fromCharCode(state);
    const found = remembered[state % REMEMBERED];
    return found?.state === state ? found.grapheme : "";
  };

  return {
    version: WIDTHS_VERSION,
    wcwidth: (code) => cells(String.fromCodePoint(code)),
    charProperties(code, preceding) {
      const before = preceding >> 3;
      // The usual case: an ASCII letter after another.
      if (code < STATES_MIN && before < STATES_MIN)
        return properties(code, code < 0x20 || code === 0x7f ? 0 : 1, false);
      const character = String.fromCodePoint(code);
      const grapheme = graphemeOf(before);
      const both = grapheme + character;
      if (grapheme !== "" && graphemes(both).length === 1) {
        return properties(stateOf(both.length > UNITS_MAX ? grapheme : both), cells(both), true);
      }
      const width = cells(character);
      // Otherwise xterm.js would give it a cell.
      if (width === 0) return properties(before, (preceding >> 1) & 3, true);
      return properties(stateOf(character), width, false);
    },
  };
}

type Width = 0 | 1 | 2;

function cells(grapheme: string): Width {
  const width = graphemeWidth(grapheme);
  return width === 0 ? 0 : width === 1 ? 1 : 2;
}

/** In the form in which xterm.js packs them (common/services/UnicodeService.ts). */
function properties(state: number, width: number, joins: boolean): number {
  return (state << 3) | (width << 1) | (joins ? 1 : 0);
}
