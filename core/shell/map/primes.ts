/** map primes: a range of numbers cut into ranges, and the sum of what was counted in each. */
import { text, utf8 } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";
import { wholeNumber } from "../options.ts";
import { parseRange, splitRange } from "./split.ts";
import { CHUNKS_MAX, type MapTask } from "./task.ts";

/** Several for each core of a swarm of tens, so that a slow one holds nobody up for long. */
const CHUNKS_DEFAULT = 64;

export const primes: MapTask = {
  prepare({ range, chunks }, { stdout }) {
    if (typeof range !== "string") throw new StarfishError("usage", "--range is missing, like --range 0..20000000");
    const pieces = typeof chunks === "string" ? wholeNumber(chunks, "--chunks", 1, CHUNKS_MAX) : CHUNKS_DEFAULT;
    const inputs = splitRange(parseRange(range), pieces).map(({ lo, hi }) => utf8(`${lo} ${hi}`));
    let sum = 0;
    return Promise.resolve({
      inputs,
      take: ({ output }) => {
        sum += Number(text(output));
      },
      finish: () => stdout.write(utf8(`${sum}\n`)),
    });
  },
};
