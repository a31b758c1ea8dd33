/** touch: creates files, and sets their times. */
import { isStarfishError, StarfishError } from "../../base/errors.ts";
import { reasonOf } from "../language/redirect.ts";
import type { Command } from "../types.ts";
import { utility } from "./utility.ts";

export const touch: Command = utility({
  name: "touch",
  summary: "make empty files, or files newer",
  help: `
usage: touch [-acm] FILE…

Makes each FILE if there is none, and its time now otherwise; -c makes none. The time is always now: -d, -r and -t
have no effect, since a tree keeps the time of the last write only.

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
