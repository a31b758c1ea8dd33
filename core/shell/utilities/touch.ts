/** touch: creates files, and sets their times. */
import { isStarfishError, StarfishError } from "../../base/errors.ts";
import { reasonOf } from "../language/redirect.ts";
import type { Command } from "../types.ts";
import { utility } from "./utility.ts";

export const touch: Command = utility({
  name: "touch",
  summary: "make empty files, or set files' time to now",
  help: `
usage: touch [-acm] FILE…

Sets the time of each FILE to now, and makes an empty FILE if there is none; -c makes none. -d, -r and -t have no effect:
a tree keeps only the time of the last write.

  touch /tmp/a
`,
  specs: {
    a: {},
    c: { long: "no-create" },
    m: {},
    d: { long: "date", value: true },
    r: { long: "reference", value: true },
    t: { value: true },
  },
  async run({ options, operands, names, path, signal, problem }) {
    if (operands.length === 0) throw new StarfishError("usage", "missing file operand");
    for (const operand of operands) {
      const target = path(operand);
      const entry = await names.stat(target, { signal });
      if (entry === undefined && options.has("c")) continue;
      try {
        if (entry?.kind !== "directory")
          await names.write(target, nothing(), { signal, isAppend: entry !== undefined });
      } catch (error) {
        if (!isStarfishError(error) || error.code === "cancelled") throw error;
        await problem(`cannot touch '${operand}': ${reasonOf(error)}`);
      }
    }
    return 0;
  },
});

async function* nothing(): AsyncGenerator<Uint8Array, void, undefined> {}
