/**
 * Programs of the user: a script as text or file, a module of ABI 1, a WASI command. They run over the lines of
 * standard input, the numbers of a range, or files; results come in the order of the inputs.
 */
import { StarfishError } from "../../base/errors.ts";
import type { SandboxProgram } from "../../ports/sandbox.ts";
import { isScript } from "../../sandbox/languages/engines.ts";
import type { CommandContext } from "../types.ts";
import { filesOf, linesOf, numbersOf, rangeInputs, rangesOf } from "./inputs.ts";
import { intoFolder, Named, shown } from "./output.ts";
import type { JobWork, Options, Work } from "./task.ts";

export async function ownWork(program: SandboxProgram, options: Options, context: CommandContext): Promise<Work> {
  if (options["json"] !== undefined && !isScript(program.kind))
    throw new StarfishError("usage", "--json is for scripts: a module gets the bytes as they are");
  const { stdout } = context;
  const named = new Named(options["out"] !== undefined);
  const reduces = options["reduce"] !== undefined;
  const isOne = reduces && isScript(program.kind);
  const keep = options["out"] === undefined ? undefined : await intoFolder(options, named, context);
  return {
    program,
    inputs: inputsOf(program, options, context, (name) => named.add(name)),
    // The first results show while the last ones are still computed.
    ordered: true,
    reduces,
    take: ({ index, output }) => keep?.(index, output) ?? stdout.write(isOne ? shown(output) : output),
    finish: () => Promise.resolve(),
  };
}

/** As a job of the swarm: its outputs one after the other, or their reduction. */
export async function ownJob(
  program: SandboxProgram,
  options: Options,
  context: CommandContext,
): Promise<Omit<JobWork, "title">> {
  const { range, chunks, out, reduce } = options;
  if (out !== undefined)
    throw new StarfishError("usage", "--out is not for a job of the swarm: its result is /proc/ID/result");
  const isPlainRange = typeof range === "string" && !(isScript(program.kind) && program.form === "numbers");
  const inputs = isPlainRange
    ? rangeInputs(range, chunks)
    : await context.computer.jobs.listOf(
        inputsOf(program, options, context, () => {}),
        { signal: context.signal },
      );
  const isOne = reduce !== undefined;
  return {
    program,
    inputs,
    combine: isOne ? "reduce" : "concat",
    ...(isOne && isScript(program.kind) && { show: shown }),
  };
}

/** Throws "usage" for options that do not fit together. */
export function checkOwn(options: Options): void {
  const { range, chunks, lines, json, reduce, out, "each-file": eachFile } = options;
  if (range !== undefined && lines !== undefined)
    throw new StarfishError("usage", "--lines is for standard input, not for a --range");
  if (range === undefined && chunks !== undefined)
    throw new StarfishError("usage", "--chunks is for a --range; --lines splits standard input");
  if (eachFile !== undefined && (range ?? lines ?? json) !== undefined)
    throw new StarfishError("usage", "--each-file takes files whole, without --range, --lines or --json");
  if (out !== undefined && eachFile === undefined)
    throw new StarfishError("usage", "--out DIR is for --each-file; other results go to standard output");
  if (out !== undefined && reduce !== undefined)
    throw new StarfishError("usage", "--reduce makes one result, and --out a file each");
}

function inputsOf(
  { kind, form }: SandboxProgram,
  options: Options,
  context: CommandContext,
  named: (name: string) => void,
): Work["inputs"] {
  const { range, chunks } = options;
  if (options["each-file"] !== undefined) return filesOf([], context, named);
  if (typeof range !== "string") return linesOf(options, context);
  return isScript(kind) && form === "numbers" ? numbersOf(range, chunks) : rangesOf(range, chunks);
}
