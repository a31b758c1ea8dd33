/** dirname: a path without its last part. */
import { StarfishError } from "../../base/errors.ts";
import type { Command } from "../types.ts";
import { utility } from "./utility.ts";

export const dirname: Command = utility({
  name: "dirname",
  summary: "a path without its last part",
  help: `
usage: dirname PATH…

  dirname /docs/letter.txt
`,
  specs: { z: { long: "zero" } },
  async run({ options, operands, out }) {
    if (operands.length === 0) throw new StarfishError("usage", "missing operand");
    for (const operand of operands) await out(directoryOf(operand) + (options.has("z") ? "\0" : "\n"));
    return 0;
  },
});

function directoryOf(path: string): string {
  const trimmed = path.replace(/\/+$/, "");
  if (trimmed === "") return path === "" ? "." : "/";
  const slash = trimmed.lastIndexOf("/");
  if (slash < 0) return ".";
  return trimmed.slice(0, slash).replace(/\/+$/, "") || "/";
}
