/** map ./my.wasm: a module of one's own over a range of numbers or the lines of stdin; results in the order of inputs. */
import { utf8 } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";
import { wholeNumber } from "../options.ts";
import { chunksOf, parseRange, splitRange } from "./split.ts";
import { CHUNK_BYTES_MAX, CHUNKS_MAX, type MapTask, type Options, type Work } from "./task.ts";
import type { CommandContext } from "../types.ts";

const CHUNKS_DEFAULT = 64;
const LINES_DEFAULT = 500;
const BLANK = 0x20;

export const own: MapTask = {
  prepare(options, context) {
    return Promise.resolve({
      inputs: inputsOf(options, context),
      // The first results show while the last are still computed.
      ordered: true,
      take: ({ output }) => context.stdout.write(output),
      finish: () => Promise.resolve(),
    });
  },
};

function inputsOf({ range, chunks, lines }: Options, { stdin }: CommandContext): Work["inputs"] {
  if (typeof range === "string") {
    if (lines !== undefined) throw new StarfishError("usage", "--lines is for standard input, not for a --range");
    const pieces = typeof chunks === "string" ? wholeNumber(chunks, "--chunks", 1, CHUNKS_MAX) : CHUNKS_DEFAULT;
    return splitRange(parseRange(range), pieces).map(({ lo, hi }) => utf8(`${lo} ${hi}`));
  }
  if (chunks !== undefined)
    throw new StarfishError("usage", "--chunks is for a --range; standard input goes by --lines");
  const linesMax = typeof lines === "string" ? wholeNumber(lines, "--lines", 1, 1_000_000) : LINES_DEFAULT;
  return chunksOf(stdin, { linesMax, bytesMin: 0, bytesMax: CHUNK_BYTES_MAX, isBreak: (byte) => byte <= BLANK });
}
