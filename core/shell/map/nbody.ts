/**
 * map nbody: the potential energy of a number of bodies, with each pair counted once. Tasks add up the sums of the
 * tasks.
 */
import { type Bytes, text, utf8 } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";
import { wholeNumber } from "../options.ts";
import { rangesOf } from "./inputs.ts";
import type { MapTask, Options } from "./task.ts";

/** Half a billion pairs. */
const BODIES_MAX = 32_000;

export const nbody: MapTask = {
  async job(options, { computer, signal }) {
    const inputs = await computer.jobs.listOf(inputsOf(options), { signal });
    const show = (result: Bytes): Bytes => utf8(`${text(result)}\n`);
    return { title: `nbody ${String(options["bodies"])}`, inputs, combine: "reduce", show };
  },

  prepare(options, { stdout }) {
    return Promise.resolve({
      inputs: inputsOf(options),
      reduces: true,
      take: ({ output }) => stdout.write(utf8(`${text(output)}\n`)),
      finish: () => Promise.resolve(),
    });
  },
};

function inputsOf({ bodies, chunks }: Options): Bytes[] {
  if (typeof bodies !== "string") throw new StarfishError("usage", "--bodies is missing, like --bodies 10000");
  const count = wholeNumber(bodies, "--bodies", 2, BODIES_MAX);
  return rangesOf(`0..${count}`, chunks).map((range) => utf8(`${count} ${text(range)}`));
}
