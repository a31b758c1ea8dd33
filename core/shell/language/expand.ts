/**
 * Expansion of words, in the order of the bash manual ("Shell Expansions"): braces, tilde, parameters, commands and
 * arithmetic from left to right, splitting, pathnames, and quotes removed.
 */
import type { ArithmeticExpansionPart, DoubleQuotedChild, Word, WordPart } from "unbash";
import { StarfishError } from "../../base/errors.ts";
import { evaluate, type ArithmeticScope } from "./arithmetic.ts";
import { arithmeticScope } from "./arithmetic-scope.ts";
import { unescape } from "./ansi-c.ts";
import { expandBraces } from "./brace.ts";
import { ShellFault } from "./faults.ts";
import type { Frame } from "./frame.ts";
import { absolutePath, expandPath } from "./glob.ts";
import { TEXT_CHARS_MAX, WORDS_MAX } from "./limits.ts";
import { expandParameter, type Expansion } from "./parameter.ts";
import { isPattern, patternTest, type Piece } from "./pattern.ts";
import { templateOf, wordOf } from "./source-text.ts";
import { joiner, splitFields, type Token } from "./split.ts";

interface Mode {
  /** Within double quotes or a here-document. */
  readonly isQuoted: boolean;
  /** Whether results are split; not in assignments, `case` and `[[`. */
  readonly isSplit: boolean;
  /** Whether a tilde is expanded after `=` and `:` too. */
  readonly isAssignment?: boolean;
  /** A here-document's body, where double quotes mean nothing. */
  readonly isTemplate?: boolean;
}

const FIELDS: Mode = { isQuoted: false, isSplit: true };
const WHOLE: Mode = { isQuoted: false, isSplit: false };
const ASSIGNED: Mode = { isQuoted: false, isSplit: false, isAssignment: true };
const TEMPLATE: Mode = { isQuoted: true, isSplit: false, isTemplate: true };

/** The words of a command, with braces, splitting and pathnames. */
export async function expandWords(words: readonly Word[], frame: Frame): Promise<string[]> {
  const fields: string[] = [];
  for (const word of words) {
    const simple = simpleText(word);
    if (simple === undefined) for (const field of await expandWord(word, frame)) fields.push(field);
    else fields.push(simple);
    if (fields.length > WORDS_MAX) throw new ShellFault(`more than ${WORDS_MAX} words`);
  }
  return fields;
}

/** Text that always means itself. */
const PLAIN = /^[\w./:@%+,=-]*$/;

/** The text of a word that needs no expansion, as most words. */
function simpleText(word: Word): string | undefined {
  return word.parts === undefined && PLAIN.test(word.text) ? word.text : undefined;
}

async function expandWord(word: Word, frame: Frame): Promise<string[]> {
  const { state } = frame;
  if (state.option("braceexpand") && word.text.includes("{")) {
    const sources = expandBraces(word.text);
    if (sources.length > 1 || sources[0] !== word.text) {
      const fields: string[] = [];
      for (const source of sources) {
        if (source === "") continue;
        if (PLAIN.test(source)) {
          fields.push(source);
          continue;
        }
        for (const field of await expandFields(wordOf(source), frame)) fields.push(field);
      }
      return fields;
    }
  }
  return await expandFields(word, frame);
}

async function expandFields(word: Word, frame: Frame): Promise<string[]> {
  const { state } = frame;
  const tokens = await tokensOf(word, FIELDS, frame);
  const ifs = state.variables.get("IFS") ?? " \t\n";
  const fields: string[] = [];
  for (const field of splitFields(tokens, ifs)) {
    if (state.option("noglob") || !isPattern(field, state.isSetOption("extglob"))) fields.push(textOf(field));
    else for (const path of await glob(field, frame)) fields.push(path);
  }
  return fields;
}

async function glob(field: readonly Piece[], frame: Frame): Promise<string[]> {
  const { state, files, signal } = frame;
  const ignored = ignoredPatterns(state.variables.get("GLOBIGNORE") ?? "");
  let paths = await expandPath(field, {
    cwd: state.cwd,
    files,
    signal,
    extglob: state.isSetOption("extglob"),
    dotglob: state.isSetOption("dotglob") || ignored.length > 0,
    ignoreCase: state.isSetOption("nocaseglob"),
    globstar: state.isSetOption("globstar"),
    hasDots: !state.isSetOption("globskipdots"),
  });
  if (ignored.length > 0) {
    const tests = ignored.map((text) => patternTest([{ text, isQuoted: false }], { isPath: true }));
    paths = paths.filter((path) => !/(^|\/)\.\.?$/.test(path) && !tests.some((test) => test(path)));
  }
  if (paths.length > 0) return paths;
  if (state.isSetOption("failglob")) throw new ShellFault(`no match: ${textOf(field)}`);
  return state.isSetOption("nullglob") ? [] : [textOf(field)];
}

/** GLOBIGNORE is split at its colons, except for those in brackets. */
function ignoredPatterns(list: string): string[] {
  return [...list.matchAll(/(?:\[[!^]?\]?(?:\[:\w+:\]|[^\]])*\]|\\.|[^:])+/gs)].map(([pattern]) => pattern);
}

/** One text: an assignment's value, a `case` word. It is not split, and no pathnames are expanded. */
export async function expandText(word: Word, frame: Frame, options: { isAssignment?: boolean } = {}): Promise<string> {
  const simple = simpleText(word);
  if (simple !== undefined) return simple;
  return textOf(await expandPieces(word, frame, options));
}

/** A pattern, which keeps which of its characters were quoted. */
export async function expandPieces(
  word: Word,
  frame: Frame,
  options: { isAssignment?: boolean } = {},
): Promise<Piece[]> {
  const tokens = await tokensOf(word, options.isAssignment === true ? ASSIGNED : WHOLE, frame);
  return tokens.map((token) =>
    token.kind === "break" ? { text: " ", isQuoted: true } : { text: token.text, isQuoted: token.isQuoted },
  );
}

/** A here-document's body, or the text of an arithmetic expression. */
export async function expandTemplate(word: Word, frame: Frame): Promise<string> {
  const tokens = await tokensOf(word, TEMPLATE, frame);
  return tokens.map((token) => (token.kind === "break" ? " " : token.text)).join("");
}

/** The right side of `=~`; quoted parts are literal. */
export async function expandRegex(word: Word, frame: Frame): Promise<string> {
  const pieces = await expandPieces(word, frame);
  return pieces
    .map(({ text, isQuoted }) => (isQuoted ? text.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&") : text))
    .join("");
}

export async function evaluateText(text: string, frame: Frame): Promise<bigint> {
  const expanded = /[$`\\]/.test(text) ? await expandTemplate(templateOf(text), frame) : text;
  return evaluate(expanded.replaceAll('"', ""), scopeOf(frame));
}

export function scopeOf(frame: Frame): ArithmeticScope {
  return arithmeticScope(frame.state);
}

function textOf(pieces: readonly Piece[]): string {
  return pieces.length === 1 ? (pieces[0]?.text ?? "") : pieces.map(({ text }) => text).join("");
}

async function tokensOf(word: Word, mode: Mode, frame: Frame): Promise<Token[]> {
  const tokens = new Tokens();
  const parts = word.parts ?? [literalPart(word)];
  for (const [i, part] of parts.entries())
    await addPart(part, { isFirst: i === 0, isLast: i === parts.length - 1, mode }, tokens, frame);
  return tokens.all;
}

function literalPart(word: Word): WordPart {
  return { type: "Literal", pos: word.pos, end: word.end, value: word.value, text: word.text };
}

class Tokens {
  readonly all: Token[] = [];
  #length = 0;

  add(text: string, isQuoted: boolean, isSplit: boolean): void {
    this.#length += text.length;
    if (this.#length > TEXT_CHARS_MAX) throw new ShellFault(`an expansion has at most ${TEXT_CHARS_MAX} characters`);
    this.all.push({ kind: "text", text, isQuoted, isSplit });
  }

  break(): void {
    this.all.push({ kind: "break" });
  }
}

interface At {
  readonly isFirst: boolean;
  readonly isLast: boolean;
  readonly mode: Mode;
}

async function addPart(part: WordPart, at: At, tokens: Tokens, frame: Frame): Promise<void> {
  const { mode } = at;
  switch (part.type) {
    case "Literal":
      if (mode.isTemplate === true) tokens.add(templateLiteral(part.text), true, false);
      else addLiteral(part.text, at, tokens, frame);
      return;
    case "SingleQuoted":
      return tokens.add(part.value, true, false);
    case "AnsiCQuoted":
      return tokens.add(unescape(part.text.slice(2, -1), { style: "quoted" }).text, true, false);
    case "DoubleQuoted":
    case "LocaleString":
      return await addDoubleQuoted(part.parts, mode, tokens, frame);
    case "Glob":
    case "ExtendedGlob":
    case "BraceExpansion":
      return await addPatternPart(part, at, tokens, frame);
    case "ProcessSubstitution":
      return tokens.add(await frame.interpreter.processSubstitution(part.text, part.operator, frame), true, false);
    default:
      await addExpansion(part, mode, tokens, frame);
  }
}

/** Characters as typed; a pattern's own parts may contain expansions. */
async function addPatternPart(
  part: Extract<WordPart, { type: "Glob" | "ExtendedGlob" | "BraceExpansion" }>,
  at: At,
  tokens: Tokens,
  frame: Frame,
): Promise<void> {
  if (part.parts === undefined) return addLiteral(part.text, { ...at, isFirst: false }, tokens, frame);
  let from = part.pos;
  const source = (start: number, end: number): string => part.text.slice(start - part.pos, end - part.pos);
  for (const child of part.parts) {
    if (child.pos > from) addLiteral(source(from, child.pos), { ...at, isFirst: false }, tokens, frame);
    await addPart(child, { ...at, isFirst: false }, tokens, frame);
    from = child.end;
  }
  if (part.end > from) addLiteral(source(from, part.end), { ...at, isFirst: false }, tokens, frame);
}

/** Text outside of quotes: a backslash quotes the next character, and a tilde may be a home directory. */
function addLiteral(text: string, at: At, tokens: Tokens, frame: Frame): void {
  const { mode } = at;
  let rest = text;
  if (at.isFirst || mode.isAssignment === true) rest = addTildes(rest, at, tokens, frame);
  for (;;) {
    const backslash = rest.indexOf("\\");
    if (backslash < 0) break;
    if (backslash > 0) tokens.add(rest.slice(0, backslash), false, false);
    const quoted = String.fromCodePoint(rest.codePointAt(backslash + 1) ?? 0x5c);
    if (backslash === rest.length - 1) tokens.add("\\", true, false);
    else if (quoted !== "\n") tokens.add(quoted, true, false);
    rest = rest.slice(backslash + 1 + quoted.length);
  }
  if (rest !== "") tokens.add(rest, false, false);
}

/** In a here-document only `\$`, `` \` ``, `\\` and a line's end are escapes. */
function templateLiteral(text: string): string {
  return text.replaceAll(/\\([$`\\\n])/g, (_, character: string) => (character === "\n" ? "" : character));
}

/** Adds the expansions of tildes, up to the last of them; returns the rest of the text. */
function addTildes(text: string, at: At, tokens: Tokens, frame: Frame): string {
  const places = at.mode.isAssignment === true ? /(^|:)(~[^/:\\\s]*)(?=$|[/:])/gs : /(^)(~[^/\\\s]*)(?=$|\/)/gs;
  let done = 0;
  for (const match of text.matchAll(places)) {
    const [whole, before = "", name = ""] = match;
    if (match.index === 0 && before === "" && !at.isFirst) continue;
    if (match.index + whole.length === text.length && !at.isLast) continue;
    const home = tilde(name, frame);
    if (home === undefined) continue;
    const start = match.index + before.length;
    if (start > done) tokens.add(text.slice(done, start), false, false);
    tokens.add(home, true, false);
    done = start + name.length;
  }
  return text.slice(done);
}

function tilde(name: string, { state: { variables, cwd, directoryStack } }: Frame): string | undefined {
  if (name === "~") return variables.get("HOME") ?? "/";
  if (name === "~+") return variables.get("PWD") ?? cwd;
  if (name === "~-") return variables.get("OLDPWD");
  if (name === "~root") return "/root";
  const [, sign, digits] = /^~([+-]?)(\d+)$/.exec(name) ?? [];
  if (digits === undefined) return undefined;
  const stack = [cwd, ...directoryStack];
  return sign === "-" ? stack.at(-1 - Number(digits)) : stack[Number(digits)];
}

async function addDoubleQuoted(
  parts: readonly DoubleQuotedChild[],
  mode: Mode,
  tokens: Tokens,
  frame: Frame,
): Promise<void> {
  const before = tokens.all.length;
  let isEmptyList = false;
  for (const part of parts) {
    if (part.type === "Literal") tokens.add(part.value, true, false);
    else isEmptyList = (await addExpansion(part, { ...mode, isQuoted: true }, tokens, frame)) || isEmptyList;
  }
  // `""` is an empty word, and `"$@"` without parameters is no word.
  if (tokens.all.length === before && !isEmptyList) tokens.add("", true, false);
}

/** Returns whether it was a list without elements. */
async function addExpansion(
  part: Exclude<DoubleQuotedChild, { type: "Literal" }>,
  mode: Mode,
  tokens: Tokens,
  frame: Frame,
): Promise<boolean> {
  switch (part.type) {
    case "CommandExpansion": {
      const text = await frame.interpreter.capture(part.script, part.text, frame);
      tokens.add(text, mode.isQuoted, !mode.isQuoted && mode.isSplit);
      return false;
    }
    case "ArithmeticExpansion": {
      tokens.add(await arithmeticResult(part, frame), mode.isQuoted, !mode.isQuoted && mode.isSplit);
      return false;
    }
    case "SimpleExpansion":
    case "ParameterExpansion":
      return await addParameter(part, mode, tokens, frame);
    default:
      return part satisfies never;
  }
}

async function arithmeticResult(part: ArithmeticExpansionPart, frame: Frame): Promise<string> {
  try {
    return (await evaluateText(arithmeticText(part), frame)).toString();
  } catch (error) {
    if (error instanceof ShellFault) error.isFailure = false;
    throw error;
  }
}

function arithmeticText({ text }: ArithmeticExpansionPart): string {
  return text.startsWith("$((") ? text.slice(3, -2) : text.slice(2, -1);
}

async function addParameter(
  part: Extract<WordPart, { type: "SimpleExpansion" | "ParameterExpansion" }>,
  mode: Mode,
  tokens: Tokens,
  frame: Frame,
): Promise<boolean> {
  const expansion = await expandParameter(part, frame, {
    text: (word) => expandOperand(word, mode, frame),
    pieces: (word) => expandPatternOperand(word, frame),
    number: (text) => evaluateText(text, frame),
    raw: (word) => expandText(word, frame),
    isQuoted: mode.isQuoted,
  });
  if (expansion.word !== undefined) return await addOperand(expansion.word, mode, tokens, frame);
  return addValues(expansion, mode, tokens, frame);
}

function addValues(expansion: Expansion, mode: Mode, tokens: Tokens, frame: Frame): boolean {
  const { values, list } = expansion;
  const isSplit = !mode.isQuoted && mode.isSplit;
  if (list === undefined) {
    tokens.add(values[0] ?? "", mode.isQuoted, isSplit);
    return false;
  }
  const ifs = frame.state.variables.get("IFS");
  const between = joiner(ifs);
  if (list === "star" && (mode.isQuoted || !mode.isSplit)) {
    tokens.add(values.join(between), mode.isQuoted, isSplit);
    return false;
  }
  for (const [i, value] of values.entries()) {
    if (i > 0) {
      if (mode.isQuoted || !mode.isSplit || between === "") tokens.break();
      else tokens.add(between, false, true);
    }
    if (mode.isQuoted || value !== "") tokens.add(value, mode.isQuoted, isSplit);
  }
  return values.length === 0;
}

/** The word of `${x:-word}` and the like is expanded in place: quoted parts stay quoted, the rest is split. */
async function addOperand(word: Word, mode: Mode, tokens: Tokens, frame: Frame): Promise<boolean> {
  if (mode.isQuoted) {
    const inner = await tokensOf(quotedOperand(word, mode), { ...mode, isTemplate: true }, frame);
    for (const token of inner) {
      if (token.kind === "break") tokens.break();
      else tokens.add(token.text, true, false);
    }
    return false;
  }
  const inner = await tokensOf(word, { ...mode, isQuoted: false }, frame);
  for (const token of inner) {
    if (token.kind === "break") tokens.break();
    else tokens.add(token.text, token.isQuoted, token.isSplit || (!token.isQuoted && mode.isSplit));
  }
  return inner.length === 0;
}

/** Within double quotes an operand is a template, whose own double quotes are dropped. */
function quotedOperand(word: Word, mode: Mode): Word {
  return templateOf(mode.isTemplate === true && !word.text.includes('"') ? word.text : withoutQuotes(word.text));
}

function withoutQuotes(text: string): string {
  let result = "";
  for (let i = 0; i < text.length; i++) {
    const character = text[i] ?? "";
    if (character === "\\") {
      const next = text[i + 1] ?? "";
      result += next === '"' || next === "}" ? next : character + next;
      i++;
    } else if (character === "$" && (text[i + 1] === "(" || text[i + 1] === "{")) {
      const end = nestedEnd(text, i + 1);
      result += text.slice(i, end);
      i = end - 1;
    } else if (character !== '"') result += character;
  }
  return result;
}

function nestedEnd(text: string, at: number): number {
  const open = text[at] ?? "";
  const close = open === "(" ? ")" : "}";
  let depth = 0;
  for (let i = at; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === open) depth++;
    else if (text[i] === close && --depth === 0) return i + 1;
  }
  return text.length;
}

async function expandOperand(word: Word, mode: Mode, frame: Frame): Promise<string> {
  if (mode.isQuoted) return await expandTemplate(quotedOperand(word, mode), frame);
  return await expandText(word, frame);
}

/** Quotes in patterns keep their meaning, also within double quotes. */
async function expandPatternOperand(word: Word, frame: Frame): Promise<Piece[]> {
  return await expandPieces(word, frame);
}

/** The path that a redirection or `cd` means. */
export function pathFrom(text: string, frame: Frame): string {
  if (text.includes("\0")) throw new StarfishError("usage", "a path has no NUL");
  return absolutePath(text, frame.state.cwd);
}
