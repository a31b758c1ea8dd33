/** map primes: a range of numbers cut into ranges, and the sum of what was counted in each. */
import { text, utf8 } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";
import { rangesOf } from "./inputs.ts";
import type { MapTask } from "./task.ts";

export const primes: MapTask = {
  prepare({ range, chunks }, { stdout }) {
    if (typeof range !== "string") throw new StarfishError("usage", "--range is missing, like --range 0..20000000");
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
