/** The words of `map` after its name: the program, the words for the program, and the options of `map` itself. */
import { StarfishError } from "../../base/errors.ts";
import { parseArguments } from "../options.ts";
import { TERMS } from "./terms.ts";
import type { Options } from "./task.ts";

const KINDS = {
  range: "value",
  chunks: "value",
  lines: "value",
  size: "value",
  at: "value",
  out: "value",
  reduce: "value",
  bodies: "value",
  frames: "value",
  ...TERMS,
  json: "flag",
  "each-file": "flag",
  "ignore-case": "flag",
} as const;

/** A module contains its own reduction. */
const OF_MODULES: Readonly<Record<string, "flag" | "value">> = { ...KINDS, reduce: "flag" };

export interface MapWords {
  readonly name: string | undefined;
  readonly words: readonly string[];
  readonly options: Options;
}

/** All words after it are the program's. */
const ARGS = "--args";

/**
 * A module gets the words that `map` does not know, and all words after `--args`; other programs get only known
 * options. Throws "usage".
 */
export function mapWords(args: readonly string[], isModule: (name: string) => boolean): MapWords {
  const name = firstOperand(args);
  if (name === undefined || !isModule(name)) {
    const { options, operands } = parseArguments(args, KINDS, { i: "ignore-case" });
    return { name: operands[0], words: operands.slice(1), options };
  }
  const end = args.indexOf(ARGS);
  const own: string[] = [];
  const words: string[] = [];
  const before = end < 0 ? args : args.slice(0, end);
  for (let i = 0; i < before.length; i++) {
    const word = before[i] ?? "";
    const option = word.startsWith("--") ? word.slice(2).split("=")[0] : undefined;
    const kind = option !== undefined && Object.hasOwn(OF_MODULES, option) ? OF_MODULES[option] : undefined;
    if (kind === undefined) words.push(word);
    else own.push(word);
    if (kind === "value" && !word.includes("=")) {
      const value = before[++i];
      if (value === undefined) throw new StarfishError("usage", `--${option} needs a value`);
      own.push(value);
    }
  }
  const { options } = parseArguments(own, OF_MODULES);
  return { name, words: [...words.slice(1), ...(end < 0 ? [] : args.slice(end + 1))], options };
}

/** The first word that is neither an option nor an option's value. */
function firstOperand(args: readonly string[]): string | undefined {
  for (let i = 0; i < args.length; i++) {
    const word = args[i] ?? "";
    if (!word.startsWith("--")) return word;
    const option = word.slice(2);
    if (Object.hasOwn(KINDS, option) && KINDS[option as keyof typeof KINDS] === "value") i++;
  }
  return undefined;
}
