/**
 * What the words of sed ask for: the script, the files that it reads and writes, and the files that it changes in
 * place.
 */
import { cancelled, isStarfishError, StarfishError } from "../../base/errors.ts";
import { encodeText } from "../language/bytes.ts";
import type { OpenFile } from "../language/descriptor.ts";
import { reasonOf } from "../language/redirect.ts";
import { turns } from "../language/turns.ts";
import { join, nameOf, parentOf } from "../namespace/paths.ts";
import { textBlocks } from "../utilities/lines.ts";
import type { UtilityContext } from "../utilities/utility.ts";
import { runSed, type Line, type SedWorld } from "./run.ts";
import { parseScript } from "./script.ts";

export async function runSedWords(context: UtilityContext): Promise<number> {
  const { options } = context;
  const operands = [...context.operands];
  const source = await scriptOf(context, operands);
  const isQuiet = options.has("n") || options.has("silent") || /^#n(?:\n|$)/.test(source);
  const commands = parseScript(source, { isExtended: options.has("E") || options.has("r") });
  const delimiter = options.has("z") ? "\0" : "\n";
  const files = operands.length === 0 ? ["-"] : operands;
  const isInPlace = options.has("i");
  const outputs = new Outputs(context);
  const run = async (inputs: readonly string[], write: (text: string) => Promise<void>): Promise<number> =>
    await runSed(commands, new World(inputs, { context, delimiter, write, outputs }), { isQuiet, delimiter });
  try {
    if (!isInPlace && !options.has("s")) return await run(files, context.out);
    let status = 0;
    for (const file of files)
      status = isInPlace ? await inPlace(file, context, (write) => run([file], write)) : await run([file], context.out);
    return status;
  } finally {
    await outputs.close();
  }
}

async function scriptOf({ options, input }: UtilityContext, operands: string[]): Promise<string> {
  const parts: string[] = [];
  for (const { name, value = "" } of options.given) {
    if (name === "e") parts.push(value);
    if (name !== "f") continue;
    let text = "";
    for await (const block of textBlocks(input(value))) text += block;
    parts.push(text.replace(/\n$/, ""));
  }
  if (parts.length > 0) return parts.join("\n");
  const first = operands.shift();
  if (first === undefined) throw new StarfishError("usage", "a script is missing, like sed 's/old/new/' FILE");
  return first;
}

/** The file is replaced once all of the output is there; the old one may be kept under another name. */
async function inPlace(
  file: string,
  context: UtilityContext,
  run: (write: (text: string) => Promise<void>) => Promise<number>,
): Promise<number> {
  const { names, signal, options, problem } = context;
  const path = context.path(file);
  const entry = await names.stat(path, { signal });
  if (entry?.kind !== "file") {
    await problem(
      entry === undefined
        ? `can't read ${file}: No such file or directory`
        : `couldn't edit ${file}: not a regular file`,
    );
    return 0;
  }
  const parts: string[] = [];
  const status = await run((text) => {
    parts.push(text);
    return Promise.resolve();
  });
  const suffix = options.value("i") ?? "";
  if (suffix !== "") {
    const name = suffix.includes("*") ? suffix.replaceAll("*", nameOf(path)) : nameOf(path) + suffix;
    await names.copy(path, name.includes("/") ? context.path(name) : join(parentOf(path), name), { signal });
  }
  await names.write(path, only(encodeText(parts.join(""))), { signal, mode: entry.mode });
  return status;
}

async function* only(bytes: Uint8Array<ArrayBuffer>): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  yield await Promise.resolve(bytes);
}

/** The files that `w` writes, which are open until the end. */
class Outputs {
  readonly #context: UtilityContext;
  readonly #open = new Map<string, OpenFile>();

  constructor(context: UtilityContext) {
    this.#context = context;
  }

  async write(file: string, text: string): Promise<void> {
    const { names, path, signal, stderr } = this.#context;
    if (file === "/dev/stdout") return await this.#context.out(text);
    if (file === "/dev/stderr") return await stderr.write(encodeText(text));
    let open = this.#open.get(file);
    if (open === undefined) {
      open = await names.open(path(file), "write", { signal });
      this.#open.set(file, open);
    }
    await open.write?.(encodeText(text));
  }

  async close(): Promise<void> {
    for (const file of this.#open.values()) await file.close?.();
  }
}

interface WorldParts {
  readonly context: UtilityContext;
  readonly delimiter: string;
  readonly write: (text: string) => Promise<void>;
  readonly outputs: Outputs;
}

class World implements SedWorld {
  readonly #parts: WorldParts;
  readonly #lines: AsyncGenerator<Line & { file: string }, void, undefined>;
  readonly #readers = new Map<string, AsyncGenerator<Line, void, undefined>>();
  #ahead: (Line & { file: string }) | undefined;
  #hasAhead = false;
  line = 0;
  file = "-";

  constructor(inputs: readonly string[], parts: WorldParts) {
    this.#parts = parts;
    this.#lines = this.#all(inputs);
  }

  async *#all(inputs: readonly string[]): AsyncGenerator<Line & { file: string }, void, undefined> {
    const { context, delimiter } = this.#parts;
    for (const file of inputs) {
      try {
        for await (const line of linesOf(context.input(file), delimiter)) yield { ...line, file };
      } catch (error) {
        if (!isStarfishError(error) || ["closed", "cancelled"].includes(error.code) || context.signal.aborted)
          throw error;
        await context.problem(`can't read ${file}: ${reasonOf(error)}`);
      }
    }
  }

  async next(): Promise<Line | undefined> {
    const line = this.#hasAhead ? this.#ahead : ((await this.#lines.next()).value ?? undefined);
    this.#hasAhead = false;
    if (line === undefined) return undefined;
    this.line++;
    this.file = line.file;
    return line;
  }

  async isLast(): Promise<boolean> {
    if (!this.#hasAhead) {
      this.#ahead = (await this.#lines.next()).value ?? undefined;
      this.#hasAhead = true;
    }
    return this.#ahead === undefined;
  }

  async rest(): Promise<void> {
    const { computer, signal } = this.#parts.context;
    await turns.due(computer.clock);
    if (signal.aborted) throw cancelled(signal);
  }

  write(text: string): Promise<void> {
    return this.#parts.write(text);
  }

  writeTo(file: string, text: string): Promise<void> {
    return this.#parts.outputs.write(file, text);
  }

  async read(file: string): Promise<string> {
    let text = "";
    try {
      for await (const block of textBlocks(this.#parts.context.input(file === "/dev/stdin" ? "-" : file)))
        text += block;
    } catch (error) {
      // POSIX: a file that can't be read is no error.
      if (!isStarfishError(error) || this.#parts.context.signal.aborted) throw error;
    }
    return text;
  }

  async readLine(file: string): Promise<string | undefined> {
    const reader = this.#readers.get(file) ?? linesOf(this.#parts.context.input(file), this.#parts.delimiter);
    this.#readers.set(file, reader);
    try {
      return (await reader.next()).value?.text;
    } catch (error) {
      if (!isStarfishError(error) || this.#parts.context.signal.aborted) throw error;
      return undefined;
    }
  }
}

async function* linesOf(stream: AsyncIterable<Uint8Array>, delimiter: string): AsyncGenerator<Line, void, undefined> {
  for await (const block of textBlocks(stream, delimiter.charCodeAt(0))) {
    const lines = block.split(delimiter);
    const last = lines.pop() ?? "";
    for (const text of lines) yield { text, isEnded: true };
    if (last !== "") yield { text: last, isEnded: false };
  }
}
