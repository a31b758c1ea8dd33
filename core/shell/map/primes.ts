/** map primes: splits a range of numbers, counts the primes in each part, and adds up the counts. */
import { text, utf8 } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";
import { rangeInputs, rangesOf } from "./inputs.ts";
import type { MapTask } from "./task.ts";

export const primes: MapTask = {
  job({ range, chunks }) {
    if (typeof range !== "string") throw noRange();
    const inputs = rangeInputs(range, chunks);
    return Promise.resolve({ title: `primes ${range}`, inputs, combine: "sum" as const });
  },

  prepare({ range, chunks }, { stdout }) {
    if (typeof range !== "string") throw noRange();
    let sum = 0;
    return Promise.resolve({
      inputs: rangesOf(range, chunks),
      take: ({ output }) => {
        sum += Number(text(output));
      },
      finish: () => stdout.write(utf8(`${sum}\n`)),
    });
  },
};

function noRange(): StarfishError {
  return new StarfishError("usage", "--range is missing, like --range 0..20000000");
}
