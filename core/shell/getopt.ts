/**
 * Options as GNU's getopt_long reads them: `-n5`, `-n 5`, `-rf`, `--lines=5`, `--lines 5`, abbreviations of long names,
 * and operands between them; after `--` there are only operands. Pure.
 */
import { StarfishError } from "../base/errors.ts";

interface OptionSpec {
  /** Long name, without dashes. */
  readonly long?: string;
  /** Whether it takes a value; "optional" values only in the same word (`--color=auto`). */
  readonly value?: true | "optional";
}

/** By letter, or by long name if it has no letter. */
export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

export interface Given {
  /** The key in the specs. */
  readonly name: string;
  readonly value: string | undefined;
}

export class Options {
  /** In the order given. */
  readonly given: readonly Given[];
  readonly operands: readonly string[];

  constructor(given: readonly Given[], operands: readonly string[]) {
    this.given = given;
    this.operands = operands;
  }

  has(name: string): boolean {
    return this.given.some((one) => one.name === name);
  }

  /** The last given value of the option. */
  value(name: string): string | undefined {
    return this.given.findLast((one) => one.name === name)?.value;
  }

  values(name: string): string[] {
    return this.given.filter((one) => one.name === name).map(({ value }) => value ?? "");
  }

  /** Which of several mutually exclusive options was given last. */
  last(...names: readonly string[]): string | undefined {
    return this.given.findLast(({ name }) => names.includes(name))?.name;
  }
}

export interface GetoptOptions {
  /** Whether the first operand ends the options, as for `env` and `xargs`. */
  readonly isPosix?: boolean;
  /** Words that begin with a dash and are operands nevertheless. */
  readonly operand?: RegExp;
  /** The option that a bare number sets: `-5` means `-n 5`. */
  readonly number?: string;
}

/** Throws "usage". */
export function getopt(args: readonly string[], specs: OptionSpecs, options: GetoptOptions = {}): Options {
  const given: Given[] = [];
  const operands: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const word = args[i] ?? "";
    if (word === "--") {
      operands.push(...args.slice(i + 1));
      break;
    }
    if (!word.startsWith("-") || word === "-" || options.operand?.test(word) === true) {
      if (options.isPosix === true) {
        operands.push(...args.slice(i));
        break;
      }
      operands.push(word);
      continue;
    }
    const number = /^-(\d+)$/.exec(word)?.[1];
    if (number !== undefined && options.number !== undefined && !Object.hasOwn(specs, number.charAt(0))) {
      given.push({ name: options.number, value: number });
      continue;
    }
    if (word.startsWith("--")) i += longOption(word.slice(2), args[i + 1], specs, given);
    else i += shortOptions(word.slice(1), args[i + 1], specs, given);
  }
  return new Options(given, operands);
}

/** Returns how many of the next words it used. */
function longOption(text: string, next: string | undefined, specs: OptionSpecs, given: Given[]): number {
  const equals = text.indexOf("=");
  const typed = equals < 0 ? text : text.slice(0, equals);
  const names = Object.entries(specs).map(([key, spec]) => ({
    key,
    spec,
    long: spec.long ?? (key.length > 1 ? key : ""),
  }));
  const exact = names.find(({ long }) => long === typed);
  const near = names.filter(({ long }) => long !== "" && long.startsWith(typed));
  const found = exact ?? (near.length === 1 ? near[0] : undefined);
  if (found === undefined) {
    throw new StarfishError(
      "usage",
      near.length > 1 ? `option '--${typed}' is ambiguous` : `unrecognized option '--${typed}'`,
    );
  }
  const value = equals < 0 ? undefined : text.slice(equals + 1);
  if (found.spec.value === undefined) {
    if (value !== undefined) throw new StarfishError("usage", `option '--${found.long}' doesn't allow an argument`);
    given.push({ name: found.key, value: undefined });
    return 0;
  }
  if (value !== undefined || found.spec.value === "optional") {
    given.push({ name: found.key, value });
    return 0;
  }
  if (next === undefined) throw new StarfishError("usage", `option '--${found.long}' requires an argument`);
  given.push({ name: found.key, value: next });
  return 1;
}

function shortOptions(letters: string, next: string | undefined, specs: OptionSpecs, given: Given[]): number {
  for (let i = 0; i < letters.length; i++) {
    const letter = letters.charAt(i);
    const spec = Object.hasOwn(specs, letter) ? specs[letter] : undefined;
    if (spec === undefined) throw new StarfishError("usage", `invalid option -- '${letter}'`);
    if (spec.value === undefined) {
      given.push({ name: letter, value: undefined });
      continue;
    }
    const rest = letters.slice(i + 1);
    if (rest !== "" || spec.value === "optional") {
      given.push({ name: letter, value: rest === "" ? undefined : rest });
      return 0;
    }
    if (next === undefined) throw new StarfishError("usage", `option requires an argument -- '${letter}'`);
    given.push({ name: letter, value: next });
    return 1;
  }
  return 0;
}
