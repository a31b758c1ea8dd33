/** realpath: a path from the root, without `.` and `..`. */
import { StarfishError } from "../../base/errors.ts";
import { physicalPath } from "../language/physical.ts";
import type { Command } from "../types.ts";
import { parentOf } from "../namespace/paths.ts";
import { utility } from "./utility.ts";

export const realpath: Command = utility({
  name: "realpath",
  summary: "a path from the root",
  help: `
usage: realpath [-emqsz] PATH…

Writes each PATH from the root, without '.' and '..'. All parts but the last have to exist; with -e the last one too, with -m none.

  realpath ../tmp
`,
  specs: {
    e: { long: "canonicalize-existing" },
    m: { long: "canonicalize-missing" },
    q: { long: "quiet" },
    s: { long: "strip" },
    z: { long: "zero" },
  },
  async run({ options, operands, names, path, cwd, out, problem, signal }) {
    if (operands.length === 0) throw new StarfishError("usage", "missing operand");
    for (const operand of operands) {
      const full = options.has("s") ? path(operand) : physicalPath(cwd, operand, (at) => names.readLink(at));
      const wanted = options.has("m") ? undefined : options.has("e") ? full : parentOf(full);
      if (wanted !== undefined && (await names.stat(wanted, { signal })) === undefined) {
        if (!options.has("q")) await problem(`${operand}: No such file or directory`);
        continue;
      }
      await out(full + (options.has("z") ? "\0" : "\n"));
    }
    return 0;
  },
});
