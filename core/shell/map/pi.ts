/** map pi: how many random points of a square lie in its circle. Tasks add up the counts of the tasks. */
import { type Bytes, text, utf8 } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";
import { rangeInputs, rangesOf } from "./inputs.ts";
import type { MapTask } from "./task.ts";

export const pi: MapTask = {
  /** Its result, as a file, is "INSIDE ALL". */
  job({ range, chunks }) {
    if (typeof range !== "string") throw noRange();
    const inputs = rangeInputs(range, chunks);
    return Promise.resolve({ title: `pi ${range}`, inputs, combine: "reduce" as const, show: shown });
  },

  prepare({ range, chunks }, { stdout }) {
    if (typeof range !== "string") throw noRange();
    return Promise.resolve({
      inputs: rangesOf(range, chunks),
      reduces: true,
      take: ({ output }) => stdout.write(shown(output)),
      finish: () => Promise.resolve(),
    });
  },
};

function noRange(): StarfishError {
  return new StarfishError("usage", "--range is missing, like --range 0..100000000");
}

function shown(output: Bytes): Bytes {
  const [inside = 0, all = 1] = text(output).split(" ").map(Number);
  return utf8(`${((4 * inside) / all).toFixed(9)}\n`);
}
