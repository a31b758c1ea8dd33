/** Splits a command's arguments into options and operands, as GNU's getopt_long does. Pure. */
import { StarfishError } from "../base/errors.ts";
import { suggest } from "./suggest.ts";

/** The options of a command by their long names, with or without a value. */
export type OptionKinds = Readonly<Record<string, "flag" | "value">>;

export interface ParsedArguments<K extends OptionKinds> {
  readonly options: { readonly [Name in keyof K]?: K[Name] extends "flag" ? true : string };
  readonly operands: readonly string[];
}

/**
 * `--name value`, `--name=value`, `--flag`, and operands between them; after `--` there are only operands. Throws
 * "usage". `letters` are short names of flags, which may share a word (`-rf`). A command without them takes a word like
 * `-0.5,0,1` as an operand. "-" alone always is one.
 */
export function parseArguments<const K extends OptionKinds>(
  args: readonly string[],
  kinds: K,
  letters: Readonly<Record<string, string>> = {},
): ParsedArguments<K> {
  const options: Record<string, string | true> = {};
  const operands: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const word = args[i] ?? "";
    if (word === "--") {
      operands.push(...args.slice(i + 1));
      break;
    }
    if (/^-[A-Za-z]/.test(word) && Object.keys(letters).length > 0) {
      for (const letter of word.slice(1)) options[longName(letter, letters)] = true;
      continue;
    }
    if (!word.startsWith("--")) {
      operands.push(word);
      continue;
    }
    const equals = word.indexOf("=");
    const name = word.slice(2, equals < 0 ? undefined : equals);
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
    if (kind === undefined) throw unknownOption(name, Object.keys(kinds));
    if (kind === "flag") {
      if (equals >= 0) throw new StarfishError("usage", `--${name} takes no value`);
      options[name] = true;
      continue;
    }
    const value = equals >= 0 ? word.slice(equals + 1) : args[++i];
    if (value === undefined) throw new StarfishError("usage", `--${name} needs a value`);
    options[name] = value;
  }
  return { options: options as ParsedArguments<K>["options"], operands };
}

function longName(letter: string, letters: Readonly<Record<string, string>>): string {
  const name = Object.hasOwn(letters, letter) ? letters[letter] : undefined;
  if (name !== undefined) return name;
  throw new StarfishError("usage", `there is no option -${letter}; a file of that name is given as ./-${letter}`);
}

function unknownOption(name: string, known: readonly string[]): StarfishError {
  const near = suggest(name, known);
  return new StarfishError(
    "usage",
    `there is no option --${name}${near === undefined ? "" : `; did you mean --${near}?`}`,
  );
}

/** A whole number in [min, max]. Throws "usage", which names what it is for. */
export function wholeNumber(text: string, what: string, min: number, max: number): number {
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(number >= min && number <= max)) {
    throw new StarfishError("usage", `${what} must be a whole number from ${min} to ${max}, not '${text}'`);
  }
  return number;
}

const MS_OF = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
/** A longer span means for ever. */
const SPAN_DAYS_MAX = 3650;

/** A span of time like "90s", "10m", "1.5h" or "2d", in ms. Throws "usage", which names what it is for. */
export function timeSpan(text: string, what: string): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text) ?? [];
  const ms = Math.round(Number(amount) * MS_OF[(unit ?? "s") as keyof typeof MS_OF]);
  if (!(ms > 0 && ms <= SPAN_DAYS_MAX * MS_OF.d)) {
    throw new StarfishError("usage", `${what} must be a time like 90s, 10m, 2h or 1d, not '${text}'`);
  }
  return ms;
}

const PREFIXES = ["", "k", "m", "g", "t"];
/** A larger size means everything there is. */
const SIZE_BYTES_MAX = 1e15;

/**
 * A size like "500M", "10G" or "1.5TB" in bytes: in powers of 1000, as disks are sold, or of 1024 if it says so
 * ("10GiB"). Throws "usage", which names what it is for.
 */
export function byteSize(text: string, what: string): number {
  const [, amount, prefix = "", binary = ""] = /^(\d+(?:\.\d+)?)(?:([kmgt])(i?))?b?$/i.exec(text) ?? [];
  const unit = (binary === "" ? 1000 : 1024) ** PREFIXES.indexOf(prefix.toLowerCase());
  const bytes = Math.floor(Number(amount) * unit);
  if (!(bytes <= SIZE_BYTES_MAX)) {
    throw new StarfishError("usage", `${what} must be a size like 500M, 10G or 1.5T, not '${text}'`);
  }
  return bytes;
}
