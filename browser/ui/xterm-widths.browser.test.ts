/** The line editor on the real xterm.js: the cursor is where the editor computes it to be, whatever is typed. */
import { Terminal as Xterm } from "@xterm/xterm";
import fc from "fast-check";
import { afterEach, expect, test } from "vitest";
import { Editor } from "../../core/shell/editor.ts";
import { graphemes, graphemeWidth, widthOf } from "../../core/shell/width.ts";
import { sharedWidths, WIDTHS_VERSION } from "./xterm-widths.ts";

const PROMPT = "$ ";
const ABOVE = "what stands above";

const SAMPLES: readonly (readonly [what: string, text: string])[] = [
  ["ASCII", "abc"],
  ["CJK", "漢字かな한글"],
  ["halfwidth and fullwidth", "ｱＡ￥"],
  ["combining marks", "e\u0301a\u0308\u0323o"],
  ["conjoining jamo", "\u1112\u1161\u11ab"],
  ["emoji", "👍😀🪿🫩"],
  ["emoji with a skin", "👍🏽👋🏿"],
  ["emoji that are joined", "👩‍🚀👨‍👩‍👧‍👦🏳️‍🌈❤️‍🔥"],
  ["flags", "🇩🇪🇯🇵🇪"],
  ["a flag of a region", "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}"],
  ["text turned emoji", "❤️☂️✈️©️"],
  ["text that may be emoji", "❤☂✈©"],
  ["emoji turned text", "👍\ufe0e⌚\ufe0e"],
  ["keycaps", "1️⃣#️⃣"],
  ["ambiguous ones", "αЖ→■○…±§"],
  ["boxes and blocks", "│─┼█▀"],
  ["Indic conjuncts", "क्षिनमस्ते"],
  ["Thai", "ที่นี่กำ"],
  ["Arabic", "السلام\u0651"],
  ["math beyond the first plane", "𝒜𝔘𝟘"],
  ["ideographs beyond the first plane", "𠀋𠮷"],
];

const opened: Xterm[] = [];
afterEach(() => {
  for (const terminal of opened.splice(0)) terminal.dispose();
});

function open(columns: number): { xterm: Xterm; write: (text: string) => Promise<void> } {
  const xterm = new Xterm({ cols: columns, rows: 12, allowProposedApi: true });
  opened.push(xterm);
  xterm.unicode.register(sharedWidths());
  xterm.unicode.activeVersion = WIDTHS_VERSION;
  return { xterm, write: (text) => new Promise((resolve) => xterm.write(text, resolve)) };
}

/** The end of a line as the editor computes it: a wide character never crosses the edge. */
function endOf(line: readonly string[], columns: number): [row: number, column: number] {
  let [row, column] = [0, PROMPT.length];
  for (const grapheme of line) {
    const width = graphemeWidth(grapheme);
    if (column + width > columns) [row, column] = [row + 1, 0];
    column += width;
  }
  return column === columns ? [row + 1, 0] : [row, column];
}

const lines = (xterm: Xterm): string[] =>
  Array.from({ length: 12 }, (_, i) => xterm.buffer.active.getLine(i)?.translateToString(true) ?? "");

test.each(SAMPLES)("%s", async (_what, text) => {
  const { xterm, write } = open(60);
  const editor = new Editor({ columns: 60 });
  await write(`${ABOVE}\r\n${editor.start(PROMPT)}`);
  for (const grapheme of graphemes(text)) {
    await write(editor.key({ kind: "text", text: grapheme }).screen);
    expect([grapheme, xterm.buffer.active.cursorX]).toEqual([grapheme, PROMPT.length + widthOf(editor.line)]);
  }
  // Goes back to the beginning; the line is drawn anew at each step.
  for (const _grapheme of graphemes(text)) await write(editor.key({ kind: "named", name: "left" }).screen);
  expect(xterm.buffer.active.cursorX).toBe(PROMPT.length);
  expect(lines(xterm).slice(0, 2)).toEqual([ABOVE, PROMPT + text]);
});

test("whatever is typed, at any width: the cursor is where it should be, and nothing above is erased", async () => {
  const grapheme = fc.constantFrom(
    ...SAMPLES.flatMap(([, text]) => graphemes(text)),
    "a",
    " ",
    "\u200b",
    "\u0301",
    "🏽",
  );
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 8, max: 24 }), fc.array(grapheme, { maxLength: 30 }), async (columns, typed) => {
      const { xterm, write } = open(columns);
      const editor = new Editor({ columns });
      await write(`above\r\n${editor.start(PROMPT)}`);
      for (const text of typed) await write(editor.key({ kind: "text", text }).screen);
      const shown = graphemes(editor.line).map((one) => (graphemeWidth(one) === 0 ? "\ufffd" : one));
      const [row, column] = endOf(shown, columns);
      const { cursorY, cursorX, baseY } = xterm.buffer.active;
      expect([cursorY + baseY, cursorX]).toEqual([row + 1, column]);
      await write(editor.key({ kind: "named", name: "home" }).screen);
      expect([xterm.buffer.active.cursorX, lines(xterm)[0]]).toEqual([PROMPT.length, "above"]);
      xterm.dispose();
    }),
    {
      numRuns: 60,
      examples: [
        [8, ["a", "\u200b", "🏽"]],
        [8, ["a", "\u202e", "\u0301"]],
      ],
    },
  );
});
