/** What all POSIX utilities here have in common: options, operands that are files, GNU's messages, exit status. */
import { utf8, type Bytes } from "../../base/bytes.ts";
import { isStarfishError, StarfishError } from "../../base/errors.ts";
import { getopt, Options, type GetoptOptions, type OptionSpecs } from "../getopt.ts";
import { encodeText } from "../language/bytes.ts";
import { reasonOf } from "../language/redirect.ts";
import type { Command, CommandContext } from "../types.ts";

export interface UtilityContext extends CommandContext {
  readonly options: Options;
  readonly operands: readonly string[];
  /** Writes text; small writes are collected until `flush`, or until there are many. */
  readonly out: (text: string) => Promise<void>;
  readonly outBytes: (bytes: Bytes) => Promise<void>;
  readonly flush: () => Promise<void>;
  /** Reports a problem on standard error. The status will be `failed`, and the command goes on. */
  readonly problem: (message: string) => Promise<void>;
  /** Each operand in turn, or standard input if there is none. A file that can't be read is reported and skipped. */
  readonly eachInput: (
    work: (input: AsyncIterable<Uint8Array>, name: string) => Promise<void>,
    operands?: readonly string[],
  ) => Promise<void>;
}

export interface UtilityOptions {
  readonly name: string;
  readonly summary: string;
  readonly help: string;
  readonly specs?: OptionSpecs;
  readonly parsing?: GetoptOptions;
  /** The status if some of the work failed; 1 by default. */
  readonly failed?: number;
  /** The status for wrong usage; `failed` by default. */
  readonly usageStatus?: number;
  readonly isVerbatim?: true;
  /** Resolves to the exit status. If there were problems and it is 0, `failed` takes its place. */
  run(context: UtilityContext): Promise<number | undefined>;
}

/** Text that is collected before it is written: as much as a pipe takes. */
const GATHERED_CHARS_MAX: number = 32 * 1024;

export function utility(spec: UtilityOptions): Command {
  const { name, summary, help, specs = {}, failed = 1 } = spec;
  return {
    name,
    summary,
    help,
    usageStatus: spec.usageStatus ?? failed,
    ...(spec.isVerbatim === true ? { verbatim: true as const } : {}),
    async run(context) {
      // The words of an expression may look like options.
      const isExpression = spec.isVerbatim === true && spec.specs === undefined;
      const options = isExpression ? new Options([], [...context.args]) : getopt(context.args, specs, spec.parsing);
      const run = new Run(context, options, name);
      let status: number | undefined;
      try {
        status = await spec.run(run.context);
      } finally {
        if (!context.signal.aborted) await run.flush();
      }
      return status === undefined || status === 0 ? (run.hasProblems ? failed : 0) : status;
    },
    complete: (words) => ((words.at(-1) ?? "").startsWith("-") ? optionWords(specs) : []),
  };
}

function optionWords(specs: OptionSpecs): string[] {
  return Object.entries(specs).flatMap(([key, { long }]) => [
    ...(key.length === 1 ? [`-${key}`] : []),
    ...(long !== undefined || key.length > 1 ? [`--${long ?? key}`] : []),
  ]);
}

class Run {
  readonly context: UtilityContext;
  readonly #outer: CommandContext;
  readonly #name: string;
  #gathered: string[] = [];
  #gatheredChars = 0;
  hasProblems = false;

  constructor(outer: CommandContext, options: Options, name: string) {
    this.#outer = outer;
    this.#name = name;
    const terminal = outer.terminal;
    this.context = Object.assign(Object.create(null) as object, outer, {
      terminal,
      options,
      operands: options.operands,
      out: (text: string) => this.#out(text),
      outBytes: (bytes: Bytes) => this.#outBytes(bytes),
      flush: () => this.flush(),
      problem: (message: string) => this.#problem(message),
      eachInput: (
        work: (input: AsyncIterable<Uint8Array>, name: string) => Promise<void>,
        operands?: readonly string[],
      ) => this.#eachInput(work, operands ?? options.operands),
    });
  }

  async #out(text: string): Promise<void> {
    this.#gathered.push(text);
    this.#gatheredChars += text.length;
    if (this.#gatheredChars >= GATHERED_CHARS_MAX) await this.flush();
  }

  async #outBytes(bytes: Bytes): Promise<void> {
    await this.flush();
    await this.#outer.stdout.write(bytes);
  }

  async flush(): Promise<void> {
    if (this.#gatheredChars === 0) return;
    const text = this.#gathered.join("");
    this.#gathered = [];
    this.#gatheredChars = 0;
    await this.#outer.stdout.write(encodeText(text));
  }

  async #problem(message: string): Promise<void> {
    this.hasProblems = true;
    await this.flush();
    await this.#outer.stderr.write(utf8(`${this.#name}: ${message}\n`));
  }

  async #eachInput(
    work: (input: AsyncIterable<Uint8Array>, name: string) => Promise<void>,
    operands: readonly string[],
  ): Promise<void> {
    for (const operand of operands.length === 0 ? ["-"] : operands) {
      try {
        await work(this.#outer.input(operand), operand);
      } catch (error) {
        if (
          !isStarfishError(error) ||
          ["closed", "cancelled", "usage"].includes(error.code) ||
          this.#outer.signal.aborted
        )
          throw error;
        await this.#problem(`${operand}: ${reasonOf(error)}`);
      }
    }
  }
}

/** A whole number, given as an option's value. Throws "usage". */
export function numberValue(text: string, what: string): number {
  if (!/^\d+$/.test(text)) throw new StarfishError("usage", `invalid ${what}: '${text}'`);
  return Math.min(Number(text), Number.MAX_SAFE_INTEGER);
}

const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  b: 512,
  k: 1024,
  K: 1024,
  kB: 1000,
  KiB: 1024,
  M: 1024 ** 2,
  MB: 1000 ** 2,
  MiB: 1024 ** 2,
  G: 1024 ** 3,
  GB: 1000 ** 3,
  GiB: 1024 ** 3,
  T: 1024 ** 4,
  TB: 1000 ** 4,
};

/** A count with GNU's suffixes: "10k" is 10,240. */
export function sizeValue(text: string, what: string): number {
  const [, digits, unit = ""] = /^(\d+)([a-zA-Z]*)$/.exec(text) ?? [];
  const factor = Object.hasOwn(UNITS, unit) ? UNITS[unit] : undefined;
  if (digits === undefined || factor === undefined) throw new StarfishError("usage", `invalid ${what}: '${text}'`);
  return Number(digits) * factor;
}
