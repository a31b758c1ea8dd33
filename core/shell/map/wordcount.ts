/**
 * map wordcount: splits the lines of stdin, counts words in each part, and adds up the counts, the most frequent word
 * first.
 */
import { type Bytes, text, utf8 } from "../../base/bytes.ts";
import { wholeNumber } from "../options.ts";
import { chunksOf, isLetter } from "./split.ts";
import { CHUNK_BYTES_MAX, type MapTask, type Options } from "./task.ts";

const LINES_DEFAULT = 500;
/**
 * If the user does not set the lines, a chunk has at least this many bytes: a smaller one costs more to send than to
 * count.
 */
const BYTES_DEFAULT: number = 16 * 1024;
const LINES_MAX = 1_000_000;
/** Lines that are printed together: a write for each would be slow, one for all would be large. */
const LINES_PER_WRITE = 1_000;

export const wordcount: MapTask = {
  async job(options, { computer, stdin, signal }) {
    const inputs = await computer.jobs.listOf(piecesOf(options, stdin), { signal });
    return { title: "wordcount", inputs, combine: "merge" };
  },

  prepare(options, { stdin, stdout }) {
    const inputs = piecesOf(options, stdin);
    const counts = new Map<string, number>();
    return Promise.resolve({
      inputs,
      take: ({ output }) => {
        for (const line of text(output).split("\n")) {
          const blank = line.indexOf(" ");
          if (blank < 0) continue;
          const word = line.slice(blank + 1);
          counts.set(word, (counts.get(word) ?? 0) + Number(line.slice(0, blank)));
        }
      },
      finish: async () => {
        // Words are ASCII, so the order of UTF-16 units is that of bytes.
        const sorted = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
        for (let i = 0; i < sorted.length; i += LINES_PER_WRITE) {
          const part = sorted.slice(i, i + LINES_PER_WRITE);
          await stdout.write(utf8(part.map(([word, count]) => `${count} ${word}\n`).join("")));
        }
      },
    });
  },
};

function piecesOf({ lines }: Options, stdin: AsyncIterable<Bytes>): AsyncIterable<Bytes> {
  return chunksOf(stdin, {
    linesMax: typeof lines === "string" ? wholeNumber(lines, "--lines", 1, LINES_MAX) : LINES_DEFAULT,
    bytesMin: lines === undefined ? BYTES_DEFAULT : 0,
    bytesMax: CHUNK_BYTES_MAX,
    isBreak: (byte) => !isLetter(byte),
  });
}
