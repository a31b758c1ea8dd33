/** The code of `patch`. It reads a file whole, changes it in memory, and writes it in one step or not at all. */
import { applyPatch, parsePatch, reversePatch, type StructuredPatch } from "diff";
import { isStarfishError } from "../../base/errors.ts";
import { decodeText, encodeText } from "../language/bytes.ts";
import { reasonOf } from "../language/redirect.ts";
import { turns } from "../language/turns.ts";
import { parentOf } from "../namespace/paths.ts";
import { noMoreOperands } from "../operands.ts";
import { numberValue, type UtilityContext } from "../utilities/utility.ts";
import { wholeBytes } from "./text.ts";

const NOTHING = "/dev/null";

export async function runPatch(context: UtilityContext): Promise<number> {
  const { options, operands, computer, signal, problem } = context;
  const [file, operand] = operands;
  noMoreOperands(operands, 2);
  const source = options.value("i") ?? operand ?? "-";
  let text: string;
  try {
    text = decodeText(await wholeBytes(context.input(source)));
  } catch (error) {
    if (!isStarfishError(error) || ["closed", "cancelled"].includes(error.code) || signal.aborted) throw error;
    await problem(`**** Can't open patch file ${source} : ${reasonOf(error)}`);
    return 2;
  }
  const patches = parsed(text);
  if (patches === undefined || patches.length === 0) {
    await problem(patches === undefined ? "**** malformed patch" : "**** Only garbage was found in the patch input.");
    return 2;
  }
  if (file !== undefined && patches.length > 1) {
    await problem(`**** the patch changes ${patches.length} files, and '${file}' is one`);
    return 2;
  }
  let status = 0;
  for (const one of patches) {
    await turns.due(computer.clock);
    signal.throwIfAborted();
    status = Math.max(status, await new Patching(context, options.has("R") ? reversePatch(one) : one).run(file));
  }
  return status;
}

/** Undefined if the patch can't be parsed. */
function parsed(text: string): StructuredPatch[] | undefined {
  try {
    return parsePatch(text).filter(({ hunks }) => hunks.length > 0);
  } catch {
    return undefined;
  }
}

class Patching {
  readonly #context: UtilityContext;
  readonly #patch: StructuredPatch;

  constructor(context: UtilityContext, patch: StructuredPatch) {
    this.#context = context;
    this.#patch = patch;
  }

  async run(given: string | undefined): Promise<number> {
    const { problem, signal } = this.#context;
    const file = given ?? (await this.#file());
    if (file === undefined) {
      const names = [this.#patch.oldFileName, this.#patch.newFileName].filter((name) => name !== undefined);
      await problem(`can't find file to patch: ${names.join(", ") || "the patch names none"}`);
      return 1;
    }
    try {
      return await this.#change(file);
    } catch (error) {
      if (!isStarfishError(error) || ["closed", "cancelled"].includes(error.code) || signal.aborted) throw error;
      await problem(`${file}: ${reasonOf(error)}`);
      return 2;
    }
  }

  /** The existing one of the files that the patch names, or the one that it creates. */
  async #file(): Promise<string | undefined> {
    const { names, path, signal } = this.#context;
    const { oldFileName, newFileName } = this.#patch;
    for (const name of [oldFileName, newFileName].map((each) => this.#stripped(each))) {
      if (name !== undefined && (await names.stat(path(name), { signal }))?.kind === "file") return name;
    }
    const makesFile = this.#patch.hunks.every(({ oldLines }) => oldLines === 0);
    return makesFile ? (this.#stripped(newFileName) ?? this.#stripped(oldFileName)) : undefined;
  }

  /** The author of a patch must not choose files outside of the current directory. */
  #stripped(name: string | undefined): string | undefined {
    if (name === undefined || name === NOTHING) return undefined;
    const { options } = this.#context;
    const parts = name.split(/\/+/);
    const count = options.has("p") ? numberValue(options.value("p") ?? "", "strip count") : parts.length - 1;
    const left = parts.slice(count);
    return left.length === 0 || left[0] === "" || left.includes("..") ? undefined : left.join("/");
  }

  async #change(file: string): Promise<number> {
    const { names, path, signal, options, out, problem } = this.#context;
    const target = path(file);
    const entry = await names.stat(target, { signal });
    const isTrial = options.has("dry-run");
    if (!options.has("s") && !options.has("silent")) await out(`${isTrial ? "checking" : "patching"} file ${file}\n`);
    const before = entry === undefined ? "" : decodeText(await wholeBytes(names.read(target, { signal })));
    const after = applyPatch(before, this.#patch);
    if (after === false) {
      const isDone = applyPatch(before, reversePatch(this.#patch)) !== false;
      const why = isDone ? "the patch was applied before, or is reversed (-R)" : "it does not fit";
      await problem(`${file}: ${why}; ${entry === undefined ? "no file is made" : "the file stays as it was"}`);
      return 1;
    }
    if (isTrial) return 0;
    if (after === "" && this.#patch.newFileName === NOTHING) {
      if (entry !== undefined) await names.remove(target, { signal });
      return 0;
    }
    await this.#makeParents(target);
    await names.write(target, piece(encodeText(after)), { signal, mode: entry?.mode });
    return 0;
  }

  async #makeParents(target: string): Promise<void> {
    const { names, signal } = this.#context;
    const missing: string[] = [];
    for (let at = parentOf(target); at !== "/"; at = parentOf(at)) {
      if ((await names.stat(at, { signal })) !== undefined) break;
      missing.unshift(at);
    }
    for (const directory of missing) await names.makeDirectory(directory, { signal });
  }
}

async function* piece(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  if (bytes.length > 0) yield await Promise.resolve(bytes);
}
