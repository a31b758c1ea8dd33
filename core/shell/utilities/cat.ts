/** cat: files one after the other. */
import type { Command } from "../types.ts";
import { textBlocks } from "./lines.ts";
import { utility } from "./utility.ts";

export const cat: Command = utility({
  name: "cat",
  summary: "write files one after the other",
  help: `
usage: cat [-AbeEnsTuv] [FILE…]

Writes each FILE to standard output; '-', or no FILE at all, is standard input. -n numbers lines, -b those that are not
empty, -s makes many empty lines one, -E shows line ends as $, -T tabs as ^I, -v control characters.

  echo hello > /tmp/a; cat -n /tmp/a
`,
  specs: {
    A: { long: "show-all" },
    b: { long: "number-nonblank" },
    e: {},
    E: { long: "show-ends" },
    n: { long: "number" },
    s: { long: "squeeze-blank" },
    t: {},
    T: { long: "show-tabs" },
    u: {},
    v: { long: "show-nonprinting" },
  },
  async run({ options, eachInput, outBytes, out, flush, problem, terminal }) {
    const isPlain = !["A", "b", "e", "E", "n", "s", "t", "T", "v"].some((name) => options.has(name));
    let number = 0;
    let blanks = 0;
    const isNumbered = options.has("n") || options.has("b");
    const hasEnds = ["A", "e", "E"].some((name) => options.has(name));
    const hasTabs = ["A", "t", "T"].some((name) => options.has(name));
    const hasMarks = ["A", "e", "t", "v"].some((name) => options.has(name));
    await eachInput(async (input, name) => {
      if (isPlain) {
        let isFirst = true;
        for await (const piece of input) {
          if (isFirst && terminal.stdout !== undefined && piece.includes(0)) {
            return await problem(`${name}: binary data, which a terminal can't show; look with 'xxd', or 'get' it`);
          }
          isFirst = false;
          await outBytes(piece);
        }
        return;
      }
      for await (const block of textBlocks(input)) {
        for (const line of block.match(/[^\n]*\n|[^\n]+$/g) ?? []) {
          const isBlank = line === "\n";
          blanks = isBlank ? blanks + 1 : 0;
          if (options.has("s") && blanks > 1) continue;
          const numbered = isNumbered && !(options.has("b") && isBlank) ? `${String(++number).padStart(6)}\t` : "";
          let shown = hasMarks ? marked(line) : line;
          if (hasTabs) shown = shown.replaceAll("\t", "^I");
          if (hasEnds) shown = shown.replace(/\n$/, "$\n");
          await out(numbered + shown);
        }
        await flush();
      }
    });
    return 0;
  },
});

/** `^X` and `M-X`, as in `cat -v`; tabs and line breaks stay. */
function marked(line: string): string {
  return Array.from(line)
    .map((character) => {
      const code = character.codePointAt(0) ?? 0;
      if (code === 9 || code === 10 || (code >= 32 && code < 127)) return character;
      if (code < 32) return `^${String.fromCharCode(code + 64)}`;
      if (code === 127) return "^?";
      return [...new TextEncoder().encode(character)].map(meta).join("");
    })
    .join("");
}

function meta(byte: number): string {
  const low = byte & 0x7f;
  return `M-${low < 32 ? `^${String.fromCharCode(low + 64)}` : low === 127 ? "^?" : String.fromCharCode(low)}`;
}
