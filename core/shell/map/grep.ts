/**
 * map grep: the matching lines of files, as grep prints them. It is a script, so its pattern is a JavaScript regular
 * expression.
 */
import { utf8 } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";
import { filesOf, linesOf } from "./inputs.ts";
import { Named } from "./output.ts";
import type { MapTask } from "./task.ts";

export const grep: MapTask = {
  takesWords: true,
  async job(options, context, words) {
    const [pattern, ...files] = words;
    if (files.length > 0 || options["each-file"] !== undefined)
      throw new StarfishError("usage", "with files it names each one in its output, so it can't be a job of the swarm");
    const { program } = await this.prepare(options, context, words);
    const inputs = await context.computer.jobs.listOf(linesOf(options, context), { signal: context.signal });
    return { title: `grep ${pattern ?? ""}`, inputs, combine: "concat", ...(program && { program }) };
  },

  prepare(options, context, words) {
    const [pattern, ...files] = words;
    if (pattern === undefined) throw new StarfishError("usage", "PATTERN is missing, like map grep error /logs/*");
    const isOfFiles = files.length > 0 || options["each-file"] !== undefined;
    if (isOfFiles && options["lines"] !== undefined)
      throw new StarfishError("usage", "--lines is for standard input; a file is one task");
    const named = new Named(false);
    const flags = `u${options["ignore-case"] === undefined ? "" : "i"}`;
    checkPattern(pattern, flags);
    return Promise.resolve({
      program: { kind: "javascript" as const, source: sourceOf(pattern, flags, isOfFiles), form: "text" as const },
      inputs: isOfFiles ? filesOf(files, context, (name) => named.add(name)) : linesOf(options, context),
      ordered: true,
      take: ({ index, output }) => {
        if (!isOfFiles) return context.stdout.write(output);
        const lines = new TextDecoder().decode(output).split("\n").slice(0, -1);
        return context.stdout.write(utf8(lines.map((line) => `${named.of(index)}:${line}\n`).join("")));
      },
      finish: () => Promise.resolve(),
    });
  },
};

function checkPattern(pattern: string, flags: string): RegExp {
  try {
    return new RegExp(pattern, flags);
  } catch {
    throw new StarfishError("usage", `'${pattern}' is no regular expression`);
  }
}

/** Takes a text and returns its matching lines, with line numbers if asked for. */
function sourceOf(pattern: string, flags: string, isNumbered: boolean): string {
  const expression = `new RegExp(${JSON.stringify(pattern)}, ${JSON.stringify(flags)})`;
  const line = isNumbered ? "(i + 1) + ':' + line + '\\n'" : "line + '\\n'";
  return `const pattern = ${expression};
export default (text) => {
  const lines = (text.endsWith("\\n") ? text.slice(0, -1) : text).split("\\n");
  let found = "";
  for (const [i, line] of lines.entries()) if (pattern.test(line)) found += ${line};
  return found;
};`;
}
