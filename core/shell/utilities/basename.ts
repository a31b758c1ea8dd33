/** basename: the last part of a path. */
import { StarfishError } from "../../base/errors.ts";
import { noMoreOperands } from "../operands.ts";
import type { Command } from "../types.ts";
import { utility } from "./utility.ts";

export const basename: Command = utility({
  name: "basename",
  summary: "the last part of a path",
  help: `
usage: basename PATH [SUFFIX]
       basename -a [-s SUFFIX] PATH…

Writes the last part of each PATH, without SUFFIX if it ends with it.

  basename /docs/letter.txt .txt
`,
  specs: { a: { long: "multiple" }, s: { long: "suffix", value: true }, z: { long: "zero" } },
  async run({ options, operands, out }) {
    if (operands.length === 0) throw new StarfishError("usage", "missing operand");
    const isMany = options.has("a") || options.has("s");
    if (!isMany) noMoreOperands(operands, 2);
    const suffix = options.value("s") ?? (isMany ? "" : (operands[1] ?? ""));
    for (const operand of isMany ? operands : operands.slice(0, 1)) {
      await out(lastPart(operand, suffix) + (options.has("z") ? "\0" : "\n"));
    }
    return 0;
  },
});

function lastPart(path: string, suffix: string): string {
  const trimmed = path.replace(/\/+$/, "");
  if (trimmed === "") return path === "" ? "" : "/";
  const name = trimmed.slice(trimmed.lastIndexOf("/") + 1);
  return suffix !== "" && name !== suffix && name.endsWith(suffix) ? name.slice(0, -suffix.length) : name;
}
