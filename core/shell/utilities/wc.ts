/** wc: counts lines, words, characters and bytes. */
import type { Command } from "../types.ts";
import { utility, type UtilityContext } from "./utility.ts";

interface Counts {
  lines: number;
  words: number;
  characters: number;
  bytes: number;
  longest: number;
}

export const wc: Command = utility({
  name: "wc",
  summary: "count lines, words and bytes",
  help: `
usage: wc [-clmwL] [FILE…]

Counts lines (-l), words (-w), characters (-m), bytes (-c) of each FILE, or of standard input; without an option lines,
words and bytes. -L is the length of the longest line.

  seq 10 | wc -l
`,
  specs: {
    c: { long: "bytes" },
    l: { long: "lines" },
    m: { long: "chars" },
    w: { long: "words" },
    L: { long: "max-line-length" },
  },
  async run(context) {
    const { options, operands, out, eachInput } = context;
    const given = ["l", "w", "m", "c", "L"].filter((name) => options.has(name));
    const columns = given.length > 0 ? given : ["l", "w", "c"];
    const rows: { counts: Counts; name: string }[] = [];
    await eachInput(async (input, name) => {
      rows.push({ counts: await count(input, columns), name: name === "-" && operands.length === 0 ? "" : name });
    });
    if (operands.length > 1) rows.push({ counts: total(rows.map(({ counts }) => counts)), name: "total" });
    const width = await widthOf(rows, columns, context);
    for (const { counts, name } of rows) {
      const numbers = columns.map((column) => String(valueOf(counts, column)).padStart(width));
      await out(`${numbers.join(" ")}${name === "" ? "" : ` ${name}`}\n`);
    }
    return 0;
  },
});

/** As in GNU's wc: as wide as the size of all files, or seven if that is not known. */
async function widthOf(
  rows: readonly { counts: Counts }[],
  columns: readonly string[],
  { operands, names, path }: UtilityContext,
): Promise<number> {
  if (rows.length === 1 && columns.length === 1) return 0;
  let size = 0;
  for (const operand of operands) {
    const entry = operand === "-" ? undefined : await names.stat(path(operand));
    if (entry?.kind !== "file") return 7;
    size += entry.sizeBytes;
  }
  return operands.length === 0 ? 7 : String(size).length;
}

function valueOf(counts: Counts, column: string): number {
  if (column === "l") return counts.lines;
  if (column === "w") return counts.words;
  if (column === "m") return counts.characters;
  return column === "c" ? counts.bytes : counts.longest;
}

function total(all: readonly Counts[]): Counts {
  const sum: Counts = { lines: 0, words: 0, characters: 0, bytes: 0, longest: 0 };
  for (const one of all) {
    sum.lines += one.lines;
    sum.words += one.words;
    sum.characters += one.characters;
    sum.bytes += one.bytes;
    sum.longest = Math.max(sum.longest, one.longest);
  }
  return sum;
}

async function count(input: AsyncIterable<Uint8Array>, columns: readonly string[]): Promise<Counts> {
  const counts: Counts = { lines: 0, words: 0, characters: 0, bytes: 0, longest: 0 };
  const isDeep = columns.some((column) => "wmL".includes(column));
  const needsLines = columns.includes("l");
  let isInWord = false;
  let length = 0;
  for await (const piece of input) {
    counts.bytes += piece.length;
    if (!isDeep) {
      if (needsLines) counts.lines += breaksIn(piece);
      continue;
    }
    for (const byte of piece) {
      // A character is counted at its first byte.
      const isFirst = (byte & 0xc0) !== 0x80;
      if (isFirst) counts.characters++;
      if (byte === 0x0a) {
        counts.lines++;
        counts.longest = Math.max(counts.longest, length);
        length = 0;
      } else if (byte === 0x09) length += 8 - (length % 8);
      else if (byte === 0x0d) length = 0;
      else if (isFirst && byte >= 0x20) length++;
      const isSpace = byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
      if (isSpace) isInWord = false;
      else if (!isInWord) {
        isInWord = true;
        counts.words++;
      }
    }
  }
  counts.longest = Math.max(counts.longest, length);
  return counts;
}

/** Lines are short, so a plain loop is faster than a search for each. */
function breaksIn(piece: Uint8Array): number {
  let count = 0;
  for (let i = 0; i < piece.length; i++) if (piece[i] === 0x0a) count++;
  return count;
}
