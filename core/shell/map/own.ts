/** map ./my.wasm: a module of one's own over a range of numbers or the lines of stdin; results in the order of inputs. */
import { utf8, type Bytes } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";
import { wholeNumber } from "../options.ts";
import { readAll } from "../pipe.ts";
import { parseRange, splitLines, splitRange } from "./split.ts";
import { CHUNK_BYTES_MAX, CHUNKS_MAX, INPUT_BYTES_MAX, type MapTask, type Options } from "./task.ts";
import type { CommandContext } from "../types.ts";

const CHUNKS_DEFAULT = 64;
const LINES_DEFAULT = 500;
const BLANK = 0x20;

export const own: MapTask = {
  async prepare(options, context) {
    const inputs = await inputsOf(options, context);
    const waiting = new Map<number, Bytes>();
    let next = 0;
    return {
      inputs,
      // Written as soon as all before it have been: the first results show while the last are still computed.
      take: async ({ index, output }) => {
        waiting.set(index, output);
        for (let ready = waiting.get(next); ready !== undefined; ready = waiting.get(next)) {
          waiting.delete(next++);
          await context.stdout.write(ready);
        }
      },
      finish: () => Promise.resolve(),
    };
  },
};

async function inputsOf({ range, chunks, lines }: Options, { stdin }: CommandContext): Promise<Bytes[]> {
  if (typeof range === "string") {
    if (lines !== undefined) throw new StarfishError("usage", "--lines is for standard input, not for a --range");
    const pieces = typeof chunks === "string" ? wholeNumber(chunks, "--chunks", 1, CHUNKS_MAX) : CHUNKS_DEFAULT;
    return splitRange(parseRange(range), pieces).map(({ lo, hi }) => utf8(`${lo} ${hi}`));
  }
  if (chunks !== undefined)
    throw new StarfishError("usage", "--chunks is for a --range; standard input goes by --lines");
  const linesMax = typeof lines === "string" ? wholeNumber(lines, "--lines", 1, 1_000_000) : LINES_DEFAULT;
  return splitLines(await readAll(stdin, INPUT_BYTES_MAX), linesMax, CHUNK_BYTES_MAX, (byte) => byte <= BLANK);
}
