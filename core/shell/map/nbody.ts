/** map nbody: the potential energy of so many bodies, each pair of them once. The tasks' sums are added up by tasks. */
import { text, utf8 } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";
import { wholeNumber } from "../options.ts";
import { rangesOf } from "./inputs.ts";
import type { MapTask } from "./task.ts";

/** Half a billion pairs. */
const BODIES_MAX = 32_000;

export const nbody: MapTask = {
  prepare({ bodies, chunks }, { stdout }) {
    if (typeof bodies !== "string") throw new StarfishError("usage", "--bodies is missing, like --bodies 10000");
    const count = wholeNumber(bodies, "--bodies", 2, BODIES_MAX);
    return Promise.resolve({
      inputs: rangesOf(`0..${count}`, chunks).map((range) => utf8(`${count} ${text(range)}`)),
      reduces: true,
      take: ({ output }) => stdout.write(utf8(`${text(output)}\n`)),
      finish: () => Promise.resolve(),
    });
  },
};
