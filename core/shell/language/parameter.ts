/** Parameter expansion: `$x` and `${…}` with all its operators (bash manual, "Shell Parameter Expansion"). */
import type { ParameterExpansionPart, ParameterOperation, SimpleExpansionPart, Word } from "unbash";
import { AssociativeArray } from "./associative-array.ts";
import { unescape } from "./ansi-c.ts";
import { byteText, rejoined } from "./bytes.ts";
import { ShellFault } from "./faults.ts";
import type { Frame } from "./frame.ts";
import { TEXT_CHARS_MAX } from "./limits.ts";
import { compile, patternSource, patternTest, type PatternOptions, type Piece } from "./pattern.ts";
import { quoteAlways, quoteDouble } from "./quoting.ts";
import {
  elementOf,
  elementsOf,
  IndexedArray,
  isName,
  keysOf,
  scalarOf,
  type Variable,
  type Variables,
} from "./variables.ts";
import { wordOf } from "./source-text.ts";
import { subscriptOf } from "./subscript.ts";

export interface Expansion {
  readonly values: readonly string[];
  /** Several values: `@` keeps them apart in double quotes, `*` joins them. */
  readonly list?: "at" | "star" | undefined;
  /** An operand in place of the value, to be expanded there. */
  readonly word?: Word | undefined;
}

/** How operands are expanded depends on the parameter's place. */
export interface Operands {
  text(word: Word): Promise<string>;
  pieces(word: Word): Promise<Piece[]>;
  number(text: string): Promise<bigint>;
  readonly isQuoted: boolean;
  /** Expands it as outside of all quotes, as a subscript is. */
  raw(word: Word): Promise<string>;
}

/** The present value of a parameter. */
interface Found {
  /** Undefined if it is unset; a list has one for each element. */
  readonly values: readonly string[] | undefined;
  readonly list?: "at" | "star" | undefined;
  readonly name: string;
  readonly index?: number | string | undefined;
  readonly variable?: Variable | undefined;
}

export async function expandParameter(
  part: SimpleExpansionPart | ParameterExpansionPart,
  frame: Frame,
  operands: Operands,
): Promise<Expansion> {
  if (part.type === "SimpleExpansion") {
    const found = await lookUp(part.text.slice(1), frame, operands);
    checkSet(found, frame);
    return { values: found.values ?? [""], list: found.list };
  }
  return await new Parameter(part, frame, operands).expand();
}

const SPECIAL = /^(?:[@*#?$!0_-]|\d+)$/;

function lookUp(name: string, frame: Frame, operands: Operands): Found | Promise<Found> {
  const { state } = frame;
  const scalar = (value: string | undefined): Found => ({ name, values: value === undefined ? undefined : [value] });
  switch (name) {
    case "@":
      return { name, values: state.positional, list: "at" };
    case "*":
      return { name, values: state.positional, list: "star" };
    case "#":
      return scalar(String(state.positional.length));
    case "?":
      return scalar(String(state.status));
    case "$":
      return scalar(String(state.shellPid));
    case "!":
      return scalar(state.lastBackgroundPid === undefined ? undefined : String(state.lastBackgroundPid));
    case "-":
      return scalar(state.flags);
    case "0":
      return scalar(state.name);
    case "_":
      return scalar(state.variables.get("_") ?? state.lastArgument);
    default:
  }
  if (/^\d+$/.test(name)) return scalar(state.positional[Number(name) - 1]);
  return lookUpVariable(name, frame, operands);
}

function lookUpVariable(name: string, frame: Frame, operands: Operands): Found | Promise<Found> {
  const { variables } = frame.state;
  let target: ReturnType<Variables["resolve"]>;
  try {
    target = variables.resolve(name);
  } catch (error) {
    if (!(error instanceof ShellFault)) throw error;
    // A circle of references leads nowhere: a warning, as in bash.
    return frame.interpreter.complain(`warning: ${error.message}`, frame).then(() => ({ name, values: undefined }));
  }
  if (target.subscript !== undefined)
    return referenced(name, { name: target.name, subscript: target.subscript }, frame, operands);
  const variable = variables.raw(target.name);
  const value = scalarOf(variable?.value);
  return { name, values: value === undefined ? undefined : [value], variable };
}

/** What `name` refers to: an element, or a whole array. */
async function referenced(
  name: string,
  { name: target, subscript }: { name: string; subscript: string },
  frame: Frame,
  operands: Operands,
): Promise<Found> {
  const variable = frame.state.variables.raw(target);
  if (subscript === "@" || subscript === "*") {
    return { name, values: elementsOf(variable?.value), list: subscript === "@" ? "at" : "star", variable };
  }
  const expanded = (): Promise<string> => operands.raw(wordOf(subscript));
  const index = await subscriptOf(target, subscript, expanded, frame, (text) => operands.number(text));
  const value = variable && elementOf(variable, index);
  return { name, values: value === undefined ? undefined : [value], index, variable };
}

function checkSet(found: Found, { state }: Frame): void {
  if (found.values !== undefined || !state.option("nounset")) return;
  throw new ShellFault(`${found.name}: unbound variable`, { isFatal: true, status: 1 });
}

interface CaseChange {
  /** "^" or "^^", "," or ",,", "~" or "~~". */
  readonly operator: string;
  readonly operand?: Word | undefined;
}

/** `${x~}` is not in bash's manual, and the parser does not know it. */
function caseChangeOf(operation: ParameterOperation | undefined): CaseChange | undefined {
  if (operation?.type === "CaseModification") return operation;
  const [, operator, operand = ""] = (operation?.type === "Unknown" && /^(~~?)([^]*)$/.exec(operation.operator)) || [];
  if (operator === undefined) return undefined;
  return { operator, operand: operand === "" ? undefined : wordOf(operand) };
}

class Parameter {
  readonly #part: ParameterExpansionPart;
  readonly #frame: Frame;
  readonly #operands: Operands;

  constructor(part: ParameterExpansionPart, frame: Frame, operands: Operands) {
    this.#part = part;
    this.#frame = frame;
    this.#operands = operands;
  }

  async expand(): Promise<Expansion> {
    const { prefix, operation, index, parameter } = this.#part;
    if (operation?.type === "Unknown" && caseChangeOf(operation) === undefined) throw this.#bad();
    if (prefix === "!") {
      if (operation?.type === "Names") return this.#names(operation.operator);
      // With an operator, the text of the array names a parameter.
      if (operation === undefined && (index?.text === "@" || index?.text === "*")) return this.#keys(index.text);
    }
    let found = await this.#find(parameter, index);
    if (prefix === "#") return await this.#length(found);
    if (prefix === "!") found = await this.#indirect(found);
    return await this.#operate(found, operation);
  }

  #bad(): ShellFault {
    return new ShellFault(`${this.#part.text}: bad substitution`, { isFatal: true });
  }

  async #find(parameter: string, index: Word | undefined): Promise<Found> {
    if (!SPECIAL.test(parameter) && !isName(parameter)) throw this.#bad();
    if (index === undefined) return await lookUp(parameter, this.#frame, this.#operands);
    return await this.#element(parameter, index.text, () => this.#operands.raw(index));
  }

  async #element(name: string, text: string, expanded: () => Promise<string>): Promise<Found> {
    const { variables } = this.#frame.state;
    const variable = variables.find(name);
    if (text === "@" || text === "*") {
      const values = elementsOf(variable?.value);
      return { name: `${name}[${text}]`, values, list: text === "@" ? "at" : "star", variable };
    }
    const index = await subscriptOf(name, text, expanded, this.#frame, (source) => this.#operands.number(source));
    const value = variable && elementOf(variable, index);
    if (
      typeof index === "number" &&
      index < 0 &&
      value === undefined &&
      variable?.value instanceof IndexedArray &&
      variable.value.end + index < 0
    ) {
      await this.#frame.interpreter.complain(`${name}: bad array subscript`, this.#frame);
    }
    return { name: `${name}[${text}]`, values: value === undefined ? undefined : [value], index, variable };
  }

  /** `${!x}`: the value is the name of the parameter. */
  async #indirect(found: Found): Promise<Found> {
    const { variables } = this.#frame.state;
    const { parameter, index } = this.#part;
    const own = variables.raw(parameter);
    if (own?.isReference === true && index === undefined) {
      const target = typeof own.value === "string" ? own.value : "";
      return { name: parameter, values: target === "" ? undefined : [target] };
    }
    const target = found.values?.join(" ") ?? "";
    if (found.values === undefined || target === "") {
      checkSet(found, this.#frame);
      // A declared variable without a value names nothing; one that is not declared is a fault.
      if (found.values === undefined && found.variable !== undefined) return { name: parameter, values: undefined };
      throw new ShellFault(`${parameter}: invalid indirect expansion`);
    }
    const [, name = "", subscript] = /^([A-Za-z_]\w*|[@*#?$!0_-]|\d+)(?:\[(.+)\])?$/s.exec(target) ?? [];
    if (name === "") throw new ShellFault(`${target}: invalid variable name`);
    if (subscript === undefined) return await lookUp(name, this.#frame, this.#operands);
    return await this.#element(name, subscript, () => this.#operands.raw(wordOf(subscript)));
  }

  #names(operator: "@" | "*"): Expansion {
    const { variables } = this.#frame.state;
    const names = variables.names(this.#part.parameter).filter((name) => variables.raw(name)?.value !== undefined);
    return { values: names, list: operator === "@" ? "at" : "star" };
  }

  #keys(index: string): Expansion {
    const variable = this.#frame.state.variables.find(this.#part.parameter);
    return { values: keysOf(variable?.value), list: index === "@" ? "at" : "star" };
  }

  async #length(found: Found): Promise<Expansion> {
    const { operation } = this.#part;
    if (operation !== undefined) throw this.#bad();
    checkSet(found, this.#frame);
    const { parameter } = this.#part;
    if (found.list !== undefined && found.variable === undefined && isName(parameter))
      checkSet({ name: parameter, values: undefined }, this.#frame);
    if (found.list !== undefined) return { values: [String(found.values?.length ?? 0)] };
    return { values: [String(charactersOf(found.values?.[0] ?? "", this.#frame.state.isByteLocale).length)] };
  }

  async #operate(found: Found, operation: ParameterOperation | undefined): Promise<Expansion> {
    if (operation?.type === "Default") return await this.#default(found, operation);
    if (operation?.type === "Transform")
      return await this.#transform(found, await this.#operands.text(operation.operand));
    checkSet(found, this.#frame);
    const { list } = found;
    const values = found.values ?? [""];
    switch (operation?.type) {
      case undefined:
        return { values, list };
      case "Slice":
        return await this.#slice(found, operation);
      case "Remove": {
        const pieces = this.#pattern(await this.#operands.pieces(operation.operand));
        const remove = remover(pieces, operation.operator, this.#patternOptions());
        return { values: this.#inLocale(values, remove), list };
      }
      case "Replace":
        // What is not set stays so, even if the pattern matches nothing at all.
        return { values: found.values === undefined ? values : await this.#replace(values, operation), list };
      default: {
        const caseChange = caseChangeOf(operation);
        if (caseChange === undefined) throw this.#bad();
        return { values: await this.#changeCase(values, caseChange), list };
      }
    }
  }

  async #default(found: Found, operation: Extract<ParameterOperation, { type: "Default" }>): Promise<Expansion> {
    const { operator, operand } = operation;
    const isNullToo = operator.startsWith(":");
    const isList = found.list !== undefined;
    const values = found.values ?? [];
    const isSet = isList ? values.length > 0 : found.values !== undefined;
    // Several empty values are joined by IFS, which may be empty.
    const isJoinedByNothing =
      this.#operands.isQuoted && found.list === "star" && this.#frame.state.variables.get("IFS") === "";
    const isNull = values.every((value) => value === "") && (values.length < 2 || isJoinedByNothing);
    const isThere = isSet && !(isNullToo && isNull);
    const value: Expansion = { values: isList ? values : [values[0] ?? ""], list: found.list };
    switch (operator.at(-1)) {
      case "-":
        return isThere ? value : { values: [], word: operand };
      case "+":
        return isThere ? { values: [], word: operand } : { values: isList ? [] : [""], list: found.list };
      case "=":
        return isThere ? value : await this.#assign(found, operand);
      default:
        if (isThere) return value;
        throw await this.#complaint(found, operand, isNullToo);
    }
  }

  async #assign(found: Found, operand: Word): Promise<Expansion> {
    const { parameter } = this.#part;
    if (!isName(parameter)) throw new ShellFault(`$${parameter}: cannot assign in this way`, { isFatal: true });
    const value = await this.#operands.text(operand);
    const { variables } = this.#frame.state;
    const name = this.#part.prefix === "!" ? (variables.get(parameter) ?? parameter) : parameter;
    const number = (text: string): string => text;
    variables.set({ name, index: found.index }, value, number);
    return { values: [variables.get(name) ?? value] };
  }

  async #complaint(found: Found, operand: Word, isNullToo: boolean): Promise<ShellFault> {
    const message = await this.#operands.text(operand);
    const why = message === "" ? (isNullToo ? "parameter null or not set" : "parameter not set") : message;
    return new ShellFault(`${found.name}: ${why}`, { isFatal: true, status: 1 });
  }

  async #slice(found: Found, { offset, length }: Extract<ParameterOperation, { type: "Slice" }>): Promise<Expansion> {
    // `${x::2}` begins at 0; `${x:}` is empty.
    if (offset.text === "" && length === undefined) throw this.#bad();
    const from = Number(await this.#operands.number(offset.text));
    const count = length === undefined ? undefined : Number(await this.#operands.number(length.text));
    const { list, variable } = found;
    if (list === undefined && found.values === undefined) return { values: [""] };
    const { isByteLocale } = this.#frame.state;
    if (list === undefined) return { values: [sliceText(found.values?.[0] ?? "", from, count, isByteLocale)] };
    if (count !== undefined && count < 0) throw new ShellFault(`${count}: substring expression < 0`);
    if (this.#part.parameter === "@" || this.#part.parameter === "*") {
      const all = [this.#frame.state.name, ...this.#frame.state.positional];
      const start = from < 0 ? all.length + from : from;
      return { values: start < 0 ? [] : all.slice(start, count === undefined ? undefined : start + count), list };
    }
    if (variable?.value instanceof IndexedArray) {
      const array = variable.value;
      const start = from < 0 ? array.end + from : from;
      const keys = start < 0 ? [] : array.keys().filter((key) => key >= start);
      return { values: keys.slice(0, count).map((key) => array.get(key) ?? ""), list };
    }
    const values = found.values ?? [];
    const start =
      from < 0 ? values.length + from : variable?.value instanceof AssociativeArray ? Math.max(0, from - 1) : from;
    return { values: start < 0 ? [] : values.slice(start, count === undefined ? undefined : start + count), list };
  }

  async #replace(
    values: readonly string[],
    operation: Extract<ParameterOperation, { type: "Replace" }>,
  ): Promise<string[]> {
    const pieces = this.#pattern(await this.#operands.pieces(operation.pattern));
    const replacement = await this.#operands.pieces(operation.replacement);
    const substitute = this.#replacement(replacement);
    if (pieces.every(({ text }) => text === "") && (operation.operator === "/" || operation.operator === "//"))
      return [...values];
    const options = this.#patternOptions();
    const source = patternSource(pieces, options);
    const anchored =
      operation.operator === "/#" ? `^(?:${source})` : operation.operator === "/%" ? `(?:${source})$` : source;
    const expression = compile(anchored, options);
    // An empty pattern that is tied to an end matches there.
    const first = pieces.find(({ text }) => text !== "");
    const isStar =
      first === undefined || operation.operator === "/%" || (!first.isQuoted && first.text.startsWith("*"));
    const replacing = { substitute, isAll: operation.operator === "//", isStar };
    return this.#inLocale(values, (value) => replaceIn(value, expression, replacing));
  }

  /** In the C locale a pattern sees bytes. */
  #inLocale(values: readonly string[], change: (value: string) => string): string[] {
    if (!this.#frame.state.isByteLocale) return values.map(change);
    return values.map((value) => rejoined(change(byteText(value))));
  }

  /** An unquoted `&` is what matched (patsub_replacement). */
  #replacement(pieces: readonly Piece[]): (match: string) => string {
    const hasMatch = this.#frame.state.isSetOption("patsub_replacement");
    if (!hasMatch || !pieces.some(({ isQuoted, text }) => !isQuoted && text.includes("&"))) {
      const text = pieces.map((piece) => piece.text).join("");
      return () => text;
    }
    return (match) =>
      pieces
        .map(({ text, isQuoted }) =>
          isQuoted ? text : text.replaceAll(/\\(&|\\)|&/g, (_, escaped: string | undefined) => escaped ?? match),
        )
        .join("");
  }

  async #changeCase(values: readonly string[], operation: CaseChange): Promise<string[]> {
    const pieces = operation.operand === undefined ? [] : await this.#operands.pieces(operation.operand);
    const isAny = pieces.every(({ text }) => text === "");
    const test = isAny ? () => true : patternTest(pieces, this.#patternOptions());
    const [kind] = operation.operator;
    const change = (character: string): string => {
      if (!test(character)) return character;
      const upper = character.toUpperCase();
      const isUpper = kind === "^" || (kind === "~" && character !== upper);
      return isUpper ? upper : character.toLowerCase();
    };
    if (operation.operator.length === 2) return values.map((value) => Array.from(value).map(change).join(""));
    return values.map((value) => {
      const [first, ...rest] = value;
      return first === undefined ? value : change(first) + rest.join("");
    });
  }

  async #transform(found: Found, operator: string): Promise<Expansion> {
    const { list, variable } = found;
    checkSet(found, this.#frame);
    if (operator === "a") return this.#attributes(found);
    if (operator === "A") return this.#assignments(found);
    if (
      (operator === "K" || operator === "k") &&
      list !== undefined &&
      variable?.value !== undefined &&
      typeof variable.value !== "string"
    ) {
      const pairs = keysOf(variable.value).map((key, i) => [key, found.values?.[i] ?? ""] as const);
      if (operator === "k") return { values: pairs.flat(), list };
      const shown = pairs.map(
        ([key, value]) => `${variable.value instanceof AssociativeArray ? keyText(key) : key} ${quoteDouble(value)}`,
      );
      // After an associative array's last value bash prints a space too.
      return { values: [shown.join(" ") + (variable.value instanceof AssociativeArray ? " " : "")] };
    }
    if (found.values === undefined) return { values: [""] };
    if (!/^[QEPUuLKk]$/.test(operator)) throw this.#bad();
    const values: string[] = [];
    for (const value of found.values) values.push(await this.#transformed(value, operator));
    return { values, list };
  }

  async #transformed(value: string, operator: string): Promise<string> {
    switch (operator) {
      case "E":
        return unescape(value, { style: "quoted" }).text;
      case "P":
        return await this.#frame.interpreter.prompt(value, this.#frame);
      case "U":
        return value.toUpperCase();
      case "u":
        return value.charAt(0).toUpperCase() + value.slice(1);
      case "L":
        return value.toLowerCase();
      default:
        return quoteAlways(value);
    }
  }

  #attributes({ variable, list, values }: Found): Expansion {
    const letters = variable === undefined ? "" : attributeLetters(variable);
    return list === undefined ? { values: [letters] } : { values: (values ?? []).map(() => letters), list };
  }

  #assignments({ variable, list, values }: Found): Expansion {
    const name = this.#part.parameter;
    const letters = variable === undefined ? "" : attributeLetters(variable);
    const declared = letters === "" ? "" : `declare -${letters} `;
    if (name === "@" || name === "*") return { values: [`set -- ${(values ?? []).map(quoteAlways).join(" ")}`] };
    if (list !== undefined && variable?.value !== undefined && typeof variable.value !== "string") {
      return { values: [`${declared}${name}=${arrayText(variable.value)}`] };
    }
    if (values === undefined) return { values: [""] };
    return { values: [`${declared}${name}=${quoteAlways(values[0] ?? "")}`] };
  }

  #pattern(pieces: readonly Piece[]): readonly Piece[] {
    if (!this.#frame.state.isByteLocale) return pieces;
    return pieces.map(({ text, isQuoted }) => ({ text: byteText(text), isQuoted }));
  }

  #patternOptions(): PatternOptions {
    const { state } = this.#frame;
    return { extglob: state.isSetOption("extglob"), ignoreCase: false };
  }
}

/** An array as `declare -p` prints it. */
export function arrayText(value: IndexedArray | AssociativeArray): string {
  if (value instanceof IndexedArray) {
    return `(${value
      .keys()
      .map((key) => `[${key}]=${quoteDouble(value.get(key) ?? "")}`)
      .join(" ")})`;
  }
  const pairs = [...value].map(([key, text]) => `[${keyText(key)}]=${quoteDouble(text)} `);
  return `(${pairs.join("")})`;
}

function keyText(key: string): string {
  return /^[\w.@%+,:/-]+$/.test(key) ? key : quoteDouble(key);
}

/** Letters of `declare`, in bash's order. */
export function attributeLetters(variable: Variable): string {
  const { value, isArray } = variable;
  return [
    value instanceof IndexedArray || isArray === "indexed" ? "a" : "",
    value instanceof AssociativeArray || isArray === "associative" ? "A" : "",
    variable.isInteger === true ? "i" : "",
    variable.isReference === true ? "n" : "",
    variable.isReadonly === true ? "r" : "",
    variable.isExported === true ? "x" : "",
    variable.letters === "capital" ? "c" : "",
    variable.letters === "lower" ? "l" : "",
    variable.letters === "upper" ? "u" : "",
  ].join("");
}

/** In the C locale each byte is a character. */
function charactersOf(value: string, isByteLocale: boolean): string[] {
  return Array.from(isByteLocale ? byteText(value) : value);
}

function sliceText(value: string, from: number, count: number | undefined, isByteLocale: boolean): string {
  const characters = charactersOf(value, isByteLocale);
  const start = from < 0 ? characters.length + from : from;
  if (start < 0) return "";
  const end = count === undefined ? characters.length : count < 0 ? characters.length + count : start + count;
  if (count !== undefined && count < 0 && end < start) {
    throw new ShellFault(`${count}: substring expression < 0`);
  }
  const slice = characters.slice(start, end).join("");
  return isByteLocale ? rejoined(slice) : slice;
}

/**
 * Up to this length, each length is tried if a pattern has alternatives; for longer texts the first match of a search
 * is taken.
 */
const EXACT_CHARS_MAX = 4_096;

function remover(
  pieces: readonly Piece[],
  operator: "#" | "##" | "%" | "%%",
  options: PatternOptions,
): (value: string) => string {
  const source = patternSource(pieces, options);
  if (operator === "%" || operator === "%%") {
    const expression = compile(`^(${operator === "%" ? ".*" : ".*?"})(?:${source})$`, options);
    return (value) => expression.exec(value)?.[1] ?? value;
  }
  const isLongest = operator === "##";
  const plain = compile(`^(?:${isLongest ? source : source.replaceAll(/(?<!\\)\.\*/g, ".*?")})`, options);
  if (!source.includes("|") && !source.includes("(?:")) return (value) => value.replace(plain, "");
  const whole = compile(`^(?:${source})$`, options);
  return (value) => {
    if (value.length > EXACT_CHARS_MAX) return value.replace(plain, "");
    for (let i = 0; i <= value.length; i++) {
      const length = isLongest ? value.length - i : i;
      if (whole.test(value.slice(0, length))) return value.slice(length);
    }
    return value;
  };
}

interface Replacing {
  readonly substitute: (match: string) => string;
  readonly isAll: boolean;
  /** Whether an empty text is replaced too: if the pattern begins with `*`, say. */
  readonly isStar: boolean;
}

/**
 * Replaces the first match or, with `//`, all matches, as bash does. If a match of `//` is empty, the replacement is
 * inserted and the search goes on one character later; none is inserted at the end.
 */
function replaceIn(value: string, expression: RegExp, { substitute, isAll, isStar }: Replacing): string {
  if (value === "" && !isStar) return value;
  const flags = isAll ? `${expression.flags}g` : expression.flags;
  let length = value.length;
  const result = value.replace(new RegExp(expression.source, flags), (match: string, ...rest: unknown[]) => {
    const at = rest.find((one): one is number => typeof one === "number") ?? 0;
    if (match === "" && value !== "" && at >= value.length && !expression.source.endsWith("$")) return match;
    const replacement = substitute(match);
    length += replacement.length - match.length;
    if (length > TEXT_CHARS_MAX) throw new ShellFault(`an expansion has at most ${TEXT_CHARS_MAX} characters`);
    return replacement;
  });
  return result;
}
