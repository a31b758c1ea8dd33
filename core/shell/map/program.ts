/**
 * The program that `map` runs, as data: the module's bytes and how it is run, from the text of a script, a file, or the
 * name of a task.
 */
import { type Bytes, concat, text, utf8 } from "../../base/bytes.ts";
import { isStarfishError, StarfishError } from "../../base/errors.ts";
import type { InputForm, SandboxProgram } from "../../ports/sandbox.ts";
import type { ScriptKind } from "../../sandbox/languages/engines.ts";
import { MODULE_BYTES_MAX } from "../../sandbox/limits.ts";
import { kindOf } from "../../sandbox/wasm/kind.ts";
import { nameOf } from "../namespace/paths.ts";
import { noOperands } from "../operands.ts";
import type { CommandContext } from "../types.ts";
import type { Options } from "./task.ts";

export interface Runnable {
  /** For people, and in the progress. */
  readonly title: string;
  readonly module: Bytes;
  readonly program: SandboxProgram;
}

/** Words that name a language; they are also the endings of its files. */
export const LANGUAGES: Readonly<Record<string, ScriptKind>> = { js: "javascript", ts: "javascript", python: "python" };
const ENDS: Readonly<Record<string, string>> = { js: "js", mjs: "js", ts: "ts", mts: "ts", py: "python" };

/** The first bytes of a WebAssembly module. */
const MAGIC: Bytes = utf8("\0asm");

/** The language of a file, by its ending; undefined for a module. */
function languageOf(name: string): string | undefined {
  const end = name.slice(name.lastIndexOf(".") + 1);
  return Object.hasOwn(ENDS, end) ? ENDS[end] : undefined;
}

/** A script: its text, or the path of a file with it. */
export async function script(
  language: string,
  source: string,
  options: Options,
  context: CommandContext,
): Promise<Runnable> {
  const kind = LANGUAGES[language] ?? "javascript";
  const { reduce } = options;
  const [module, code, reduction] = await Promise.all([
    context.computer.engine(kind),
    sourceOf(source, language, context),
    typeof reduce === "string" ? sourceOf(reduce, language, context) : undefined,
  ]);
  return {
    title: language,
    module,
    program: { kind, source: code, form: formOf(options), ...(reduction === undefined ? {} : { reduce: reduction }) },
  };
}

function formOf({ json, range, "each-file": eachFile }: Options): InputForm {
  if (eachFile !== undefined) return "text";
  if (range !== undefined) return "numbers";
  return json === undefined ? "lines" : "values";
}

/** A file: by its ending a script, or else a module, whose exports tell its kind. */
export async function ownFile(
  name: string,
  words: readonly string[],
  options: Options,
  context: CommandContext,
): Promise<Runnable> {
  const language = languageOf(name);
  if (language !== undefined) {
    noOperands(words);
    return await script(language, name, options, context);
  }
  const module = await bytesOf(name, context);
  if (!MAGIC.every((byte, i) => module[i] === byte)) {
    const ways = "a WebAssembly module, or a script whose name ends with .js, .ts or .py";
    throw new StarfishError("not-wasm", `${name} is no program: it has to be ${ways}`);
  }
  const kind = kindOf(module);
  const [first] = words;
  if (kind === "bytes" && first !== undefined) {
    throw new StarfishError("usage", `'${first}' is one word too many: only a WASI command has arguments`);
  }
  if (kind === "command" && options["reduce"] !== undefined)
    throw new StarfishError("usage", "a WASI command has one entry: --reduce needs a module that exports reduce");
  const title = nameOf(name).replace(/\.wasm$/, "");
  return { title, module, program: kind === "command" ? { kind, args: words } : { kind } };
}

async function sourceOf(source: string, language: string, context: CommandContext): Promise<string> {
  const end = languageOf(source);
  const isFile = end !== undefined && !/[\s(]/.test(source);
  const code = isFile ? text(await bytesOf(source, context)) : source;
  // `.ts` and `.mts` name the same language.
  return (isFile ? end : language) === "ts" ? await withoutTypes(code) : code;
}

/** Removes the types from TypeScript, and keeps the lines. Throws "usage" with the place of an error. */
async function withoutTypes(code: string): Promise<string> {
  const { transform } = await import("sucrase");
  try {
    return transform(code, { transforms: ["typescript"], disableESTransforms: true }).code;
  } catch (error) {
    throw new StarfishError("usage", `not valid TypeScript: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** A file of the swarm, or else of the user's machine. */
async function bytesOf(name: string, { names, path, host, signal }: CommandContext): Promise<Bytes> {
  const entry = await names.entry(path(name), { signal }).catch((error: unknown) => {
    if (isStarfishError(error)) return undefined;
    throw error;
  });
  if (entry === undefined) return await host.readFile(name, { signal });
  const parts: Bytes[] = [];
  let length = 0;
  for await (const part of names.read(path(name), { signal })) {
    length += part.length;
    if (length > MODULE_BYTES_MAX)
      throw new StarfishError("too-large", `${name} has more than ${MODULE_BYTES_MAX} bytes`);
    parts.push(part);
  }
  return concat(parts);
}
