/** map pi: how many of so many random points of a square lie in its circle. The tasks' counts are added up by tasks. */
import { text, utf8 } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";
import { rangesOf } from "./inputs.ts";
import type { MapTask } from "./task.ts";

export const pi: MapTask = {
  prepare({ range, chunks }, { stdout }) {
    if (typeof range !== "string") throw new StarfishError("usage", "--range is missing, like --range 0..100000000");
    return Promise.resolve({
      inputs: rangesOf(range, chunks),
      reduces: true,
      take: ({ output }) => {
        const [inside = 0, all = 1] = text(output).split(" ").map(Number);
        return stdout.write(utf8(`${((4 * inside) / all).toFixed(9)}\n`));
      },
      finish: () => Promise.resolve(),
    });
  },
};
