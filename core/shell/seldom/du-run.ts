/** The code of `du`: the sizes of files, and of directories with their contents. */
import { isStarfishError, StarfishError } from "../../base/errors.ts";
import { LEVELS_MAX } from "../compare/limits.ts";
import { reasonOf } from "../language/redirect.ts";
import { turns } from "../language/turns.ts";
import type { TreeEntry } from "../namespace/tree.ts";
import { join } from "../namespace/paths.ts";
import { sizeWords } from "../utilities/sizes.ts";
import { numberValue, type UtilityContext } from "../utilities/utility.ts";

const KIB = 1024;

export async function runDu(context: UtilityContext): Promise<number> {
  const { options, operands, out } = context;
  const levels = options.value("d");
  const isSummary = options.has("s");
  if (isSummary && options.has("a")) throw new StarfishError("usage", "cannot both summarize and show all entries");
  const most = isSummary ? 0 : levels === undefined ? Infinity : numberValue(levels, "maximum depth");
  if (isSummary && levels !== undefined && numberValue(levels, "maximum depth") !== 0)
    throw new StarfishError("usage", `summarizing conflicts with --max-depth=${levels}`);
  const sizes = new Sizes(context, most);
  let total = 0;
  for (const operand of operands.length === 0 ? ["."] : operands) total += await sizes.of(operand);
  if (options.has("c")) await out(`${sizes.words(total)}\ttotal\n`);
  return 0;
}

class Sizes {
  readonly #context: UtilityContext;
  readonly #most: number;

  constructor(context: UtilityContext, most: number) {
    this.#context = context;
    this.#most = most;
  }

  async of(operand: string): Promise<number> {
    const { names, path, signal, problem } = this.#context;
    const target = path(operand);
    const entry = await names.stat(target, { signal });
    if (entry !== undefined) return await this.#entry(entry, operand, target, 0);
    await problem(`cannot access '${operand}': No such file or directory`);
    return 0;
  }

  words(bytes: number): string {
    const last = this.#context.options.last("b", "h", "k", "m");
    if (last === "b") return String(bytes);
    if (last === "h") return sizeWords(bytes);
    return String(Math.ceil(bytes / (last === "m" ? KIB * KIB : KIB)));
  }

  /** The contents of a directory come before it. */
  async #entry(entry: TreeEntry, shown: string, path: string, level: number): Promise<number> {
    const { options, out, computer, signal } = this.#context;
    await turns.due(computer.clock);
    signal.throwIfAborted();
    const isDirectory = entry.kind === "directory";
    const bytes = isDirectory ? await this.#within(shown, path, level) : (entry.sizeBytes ?? 0);
    const isTold = level <= this.#most && (isDirectory || level === 0 || options.has("a"));
    if (isTold) await out(`${this.words(bytes)}\t${shown}\n`);
    return bytes;
  }

  async #within(shown: string, path: string, level: number): Promise<number> {
    const { names, signal, problem } = this.#context;
    if (level >= LEVELS_MAX) throw new StarfishError("too-large", `${shown}: directories are nested too deeply`);
    let bytes = 0;
    try {
      const entries = [...(await names.list(path, { signal }))].sort((a, b) => (a.name < b.name ? -1 : 1));
      for (const entry of entries)
        bytes += await this.#entry(
          entry,
          `${shown.replace(/\/+$/, "")}/${entry.name}`,
          join(path, entry.name),
          level + 1,
        );
    } catch (error) {
      if (!isStarfishError(error) || ["closed", "cancelled", "too-large"].includes(error.code) || signal.aborted)
        throw error;
      await problem(`cannot read directory '${shown}': ${reasonOf(error)}`);
    }
    return bytes;
  }
}
