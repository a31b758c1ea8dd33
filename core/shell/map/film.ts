/** map film: a film that falls into the Mandelbrot set, frame by frame. The frames one after the other are a GIF. */
import { utf8, type Bytes } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";
import { wholeNumber } from "../options.ts";
import type { MapTask, Options } from "./task.ts";
import { viewOf } from "./mandelbrot.ts";

const FRAMES_DEFAULT = 48;
/** A film of a minute; each frame takes some hundred kB. */
const FRAMES_MAX = 750;
/** A spiral at the edge of the set. */
const AT_DEFAULT = "-0.743643887,0.131825904,20000";
const SIZE_DEFAULT = "320x240";
/** A frame is the output of one task. */
const PIXELS_MAX: number = 1920 * 1080;

export const film: MapTask = {
  async job(options, { computer, signal }) {
    const inputs = inputsOf(options);
    const list = await computer.jobs.listOf(inputs, { signal });
    return { title: `film of ${inputs.length} frames`, inputs: list, combine: "concat", isPicture: true };
  },

  prepare(options, { stdout, terminal }) {
    if (terminal.stdout !== undefined)
      throw new StarfishError("usage", "a film is a file: send it to one with '> film.gif', or --detach it");
    return Promise.resolve({
      inputs: inputsOf(options),
      ordered: true,
      take: ({ output }) => stdout.write(output),
      finish: () => Promise.resolve(),
    });
  },
};

function inputsOf({ size = SIZE_DEFAULT, at = AT_DEFAULT, frames }: Options): Bytes[] {
  const { width, height, re, im, zoom } = viewOf({ size, at });
  if (width * height > PIXELS_MAX)
    throw new StarfishError(
      "usage",
      `a frame has at most ${PIXELS_MAX} pixels, like 1920x1080, not ${width}x${height}`,
    );
  const count = typeof frames === "string" ? wholeNumber(frames, "--frames", 1, FRAMES_MAX) : FRAMES_DEFAULT;
  return Array.from({ length: count }, (_, i) => utf8([i, count, width, height, re, im, zoom].join(" ")));
}
