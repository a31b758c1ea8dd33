/**
 * Shell patterns (`*`, `?`, `[…]`, extglob) as regular expressions. A pattern consists of pieces: quoted text is
 * literal, the rest may be special. Used by `case`, `[[ == ]]`, `${x#p}` and, segment by segment, for paths.
 */
import { characterClass } from "./character-classes.ts";
import { literal } from "./posix-regex.ts";

/** A piece of an expanded word; in a quoted piece nothing is special. */
export interface Piece {
  readonly text: string;
  readonly isQuoted: boolean;
}

export interface PatternOptions {
  readonly extglob?: boolean;
  readonly ignoreCase?: boolean;
  /** For paths: no special character matches a slash. */
  readonly isPath?: boolean;
}

/** One character of the pattern, and whether it may be special. */
interface Sign {
  readonly text: string;
  readonly isSpecial: boolean;
}

/** Matches nothing. */
const NEVER = "(?!)";

/** The source of a regular expression, without anchors; compile it with the flags of `flagsOf`. */
export function patternSource(pieces: readonly Piece[], options: PatternOptions = {}): string {
  const signs: Sign[] = [];
  let isEscaping = false;
  for (const { text, isQuoted } of pieces) isEscaping = pushSigns(signs, text, isQuoted, isEscaping);
  if (isEscaping) signs.push({ text: "\\", isSpecial: false });
  return translate(signs, 0, signs.length, options);
}

/**
 * A `\` from an expansion quotes the character after it, even if that is in the next piece. Returns whether such a `\`
 * is open.
 */
function pushSigns(signs: Sign[], text: string, isQuoted: boolean, isEscaping: boolean): boolean {
  for (const character of text) {
    if (!isQuoted && !isEscaping && character === "\\") {
      isEscaping = true;
      continue;
    }
    signs.push({ text: character, isSpecial: !isQuoted && !isEscaping });
    isEscaping = false;
  }
  return isEscaping;
}

function flagsOf(options: PatternOptions): string {
  return options.ignoreCase === true ? "isu" : "su";
}

/** Whether a whole text matches. */
export function patternTest(pieces: readonly Piece[], options: PatternOptions = {}): (text: string) => boolean {
  if (pieces.every(({ isQuoted, text }) => isQuoted || !/[*?[\\]|[@+!]\(/.test(text)) && options.ignoreCase !== true) {
    const literal = pieces.map(({ text }) => text).join("");
    return (text) => text === literal;
  }
  const expression = compile(`^(?:${patternSource(pieces, options)})$`, options);
  return (text) => expression.test(text);
}

export function compile(source: string, options: PatternOptions = {}): RegExp {
  try {
    return new RegExp(source, flagsOf(options));
  } catch {
    // A range like [z-a] is valid in a shell and matches nothing.
    return new RegExp(NEVER, "u");
  }
}

/** Whether anything in it is special. */
export function isPattern(pieces: readonly Piece[], extglob: boolean): boolean {
  const source = pieces
    .map(({ text, isQuoted }) => (isQuoted ? text.replaceAll(/[[\]*?\\(@+!]/g, "x") : text))
    .join("");
  const plain = unescaped(source);
  return /[*?]|\[.*\]/s.test(plain) || (extglob && /[@+!]\(/.test(plain));
}

function unescaped(text: string): string {
  return text.replaceAll(/\\./gsu, "");
}

function translate(signs: readonly Sign[], from: number, to: number, options: PatternOptions): string {
  let source = "";
  for (let i = from; i < to; i++) {
    const sign = signs[i];
    if (sign === undefined) break;
    if (!sign.isSpecial) {
      source += literal(sign.text);
      continue;
    }
    const opening = signs[i + 1];
    if (
      options.extglob !== false &&
      /^[?*+@!]$/.test(sign.text) &&
      opening?.isSpecial === true &&
      opening.text === "("
    ) {
      const close = closingParenthesis(signs, i + 1, to);
      if (close >= 0) {
        source += group(sign.text, signs, i + 2, close, to, options);
        // `!(…)` includes the rest of the pattern.
        if (sign.text === "!") return source;
        i = close;
        continue;
      }
    }
    if (sign.text === "*") {
      while (
        signs[i + 1]?.isSpecial === true &&
        signs[i + 1]?.text === "*" &&
        !(signs[i + 2]?.isSpecial === true && signs[i + 2]?.text === "(")
      )
        i++;
      source += options.isPath === true ? "[^/]*" : ".*";
    } else if (sign.text === "?") source += options.isPath === true ? "[^/]" : ".";
    else if (sign.text === "[") {
      const set = bracket(signs, i, to, options);
      if (set === undefined) source += "\\[";
      else {
        source += set.source;
        i = set.end;
      }
    } else source += literal(sign.text);
  }
  return source;
}

function closingParenthesis(signs: readonly Sign[], open: number, to: number): number {
  let depth = 0;
  for (let i = open; i < to; i++) {
    const sign = signs[i];
    if (sign?.isSpecial !== true) continue;
    if (sign.text === "(") depth++;
    if (sign.text === ")" && --depth === 0) return i;
  }
  return -1;
}

function group(
  kind: string,
  signs: readonly Sign[],
  from: number,
  close: number,
  to: number,
  options: PatternOptions,
): string {
  const alternatives: string[] = [];
  let start = from;
  let depth = 0;
  for (let i = from; i <= close; i++) {
    const sign = signs[i];
    const text = sign?.isSpecial === true ? sign.text : "";
    if (text === "(") depth++;
    if (text === ")") depth--;
    if (i === close || (text === "|" && depth === 0)) {
      alternatives.push(translate(signs, start, i, options));
      start = i + 1;
    }
  }
  const inner = `(?:${alternatives.join("|")})`;
  if (kind === "@") return inner;
  if (kind !== "!") return `${inner}${kind}`;
  // The text up to where the rest of the pattern matches must be none of the alternatives.
  const rest = translate(signs, close + 1, to, options);
  const any = options.isPath === true ? "[^/]*" : ".*";
  return `(?:(?!${inner}${rest}$)${any}${rest === "" ? "" : `(?:${rest})`})`;
}

function bracket(
  signs: readonly Sign[],
  open: number,
  to: number,
  options: PatternOptions,
): { source: string; end: number } | undefined {
  let i = open + 1;
  const first = signs[i];
  const isNegated = first?.isSpecial === true && (first.text === "!" || first.text === "^");
  if (isNegated) i++;
  let body = "";
  for (let isFirst = true; i < to; isFirst = false, i++) {
    const sign = signs[i];
    if (sign === undefined) return undefined;
    if (options.isPath === true && sign.text === "/") return undefined;
    if (sign.isSpecial && sign.text === "]" && !isFirst) return { source: set(body, isNegated, options), end: i };
    const named = namedClass(signs, i, to);
    if (named !== undefined) {
      body += named.source;
      i = named.end;
      continue;
    }
    const dash = signs[i + 1];
    const upper = signs[i + 2];
    if (
      dash?.isSpecial === true &&
      dash.text === "-" &&
      upper !== undefined &&
      i + 2 < to &&
      !(upper.isSpecial && upper.text === "]")
    ) {
      const end = upper;
      if ((sign.text.codePointAt(0) ?? 0) <= (end.text.codePointAt(0) ?? 0))
        body += `${inSet(sign.text)}-${inSet(end.text)}`;
      i += 2;
      continue;
    }
    body += inSet(sign.text);
  }
  return undefined;
}

function set(body: string, isNegated: boolean, options: PatternOptions): string {
  const slash = options.isPath === true ? "(?!/)" : "";
  if (body === "") return isNegated ? `${slash}.` : NEVER;
  return `${slash}[${isNegated ? "^" : ""}${body}]`;
}

/** `[:alpha:]`, `[=a=]`, `[.-.]` within brackets. */
function namedClass(signs: readonly Sign[], at: number, to: number): { source: string; end: number } | undefined {
  const kind = signs[at + 1]?.text ?? "";
  if (signs[at]?.text !== "[" || !/^[:=.]$/.test(kind)) return undefined;
  for (let i = at + 2; i + 1 < to; i++) {
    if (signs[i]?.text !== kind || signs[i + 1]?.text !== "]") continue;
    const name = signs
      .slice(at + 2, i)
      .map(({ text }) => text)
      .join("");
    if (kind !== ":") return { source: Array.from(name).map(inSet).join(""), end: i + 1 };
    return { source: characterClass(name), end: i + 1 };
  }
  return undefined;
}

function inSet(text: string): string {
  return text.replaceAll(
    /[\\^$.*+?()[\]{}|/&~-]/g,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}
