/** declare, typeset, local, export, readonly, unset, let, shift, getopts: variables and positional parameters. */
import type { Assignment } from "unbash";

import { AssociativeArray } from "../associative-array.ts";
import { assign, setVariable } from "../assign.ts";
import { evaluateText, expandText } from "../expand.ts";
import { ShellFault } from "../faults.ts";
import type { Builtin, BuiltinCall, Frame } from "../frame.ts";
import { arrayText, attributeLetters } from "../parameter.ts";
import { splitPlace } from "../place.ts";
import { quoteDouble, quoteIfNeeded } from "../quoting.ts";
import { wordOf } from "../source-text.ts";
import { functionText } from "../function-text.ts";
import { IndexedArray, isName, type Variable } from "../variables.ts";

interface Wanted {
  readonly on: ReadonlySet<string>;
  readonly off: ReadonlySet<string>;
}

export const declare: Builtin = declaring(
  "declare",
  "give variables values and attributes",
  "declare [-aAcfFgiIlnrtux] [-p] [NAME[=VALUE]…]",
);
export const typeset: Builtin = declaring(
  "typeset",
  "the same as declare",
  "typeset [-aAcfFgiIlnrtux] [-p] [NAME[=VALUE]…]",
);
export const local: Builtin = declaring(
  "local",
  "make variables of the running function",
  "local [OPTION] [NAME[=VALUE]…]",
);
export const exportVariables: Builtin = declaring(
  "export",
  "pass variables on to commands",
  "export [-fn] [-p] [NAME[=VALUE]…]",
  true,
);
export const readonly: Builtin = declaring(
  "readonly",
  "make variables that can't be changed",
  "readonly [-aAf] [-p] [NAME[=VALUE]…]",
  true,
);

function declaring(name: string, summary: string, usage: string, isSpecial = false): Builtin {
  return { name, summary, usage, isDeclaration: true, isSpecial, run: runDeclare };
}

const LETTERS: Readonly<Record<string, string>> = {
  declare: "aAcfFgiIlnprtux",
  typeset: "aAcfFgiIlnprtux",
  local: "aAcfFgiIlnprtux",
  export: "fnp",
  readonly: "aAfp",
};

async function runDeclare(call: BuiltinCall): Promise<number> {
  const { name, declarations, frame, complain } = call;
  const on = new Set<string>();
  const off = new Set<string>();
  let at = 0;
  for (; at < declarations.length; at++) {
    const word = declarations[at];
    if (typeof word !== "string" || !/^[-+]./.test(word)) break;
    if (word === "--") {
      at++;
      break;
    }
    for (const letter of word.slice(1)) {
      if (!(LETTERS[name] ?? "").includes(letter)) {
        await complain(`${word.charAt(0)}${letter}: invalid option`);
        return 2;
      }
      (word.startsWith("-") ? on : off).add(letter);
    }
  }
  if (name === "local" && !frame.state.variables.isInFunction) {
    await complain("can only be used in a function");
    return 1;
  }
  if (name === "export" && !on.has("n")) on.add("x");
  if (name === "export" && on.delete("n")) off.add("x");
  if (name === "readonly") on.add("r");
  const rest = declarations.slice(at);
  if (on.has("f") || on.has("F")) return await functions(rest, on, call);
  if (rest.length === 0) return await list(on, call);
  if (on.has("p") && name !== "export" && name !== "readonly") return await show(rest, call);
  let status = 0;
  const [first] = rest;
  if (name === "export" && typeof first === "string" && first.startsWith("/")) {
    await complain(`archives are made by 'get --tar ${first}' now (or --zip, --car)`);
    return 2;
  }
  for (const one of rest) {
    try {
      if (name === "local" && one === "-") {
        frame.state.localOptions ??= new Set(frame.state.options);
        continue;
      }
      await declareOne(typeof one === "string" ? parsed(one) : one, { on, off }, call);
    } catch (error) {
      if (!(error instanceof ShellFault) || error.isFatal) throw error;
      await complain(error.message);
      status = 1;
    }
  }
  return status;
}

/** A word like `x=1` that came from an expansion. */
function parsed(word: string): Assignment | string {
  const [, name = "", index, append = "", value] = /^([A-Za-z_]\w*)(?:\[([^\]]*)\])?(\+?)=(.*)$/s.exec(word) ?? [];
  if (name === "") return word;
  const literal = { type: "SingleQuoted" as const, pos: 0, end: 0, text: "", value: value ?? "" };
  return {
    type: "Assignment",
    pos: 0,
    end: 0,
    text: word,
    name,
    append: append === "+",
    index: index === undefined ? undefined : wordOf(index),
    value: { type: "Word", pos: 0, end: 0, text: value ?? "", value: value ?? "", parts: [literal] },
  };
}

async function declareOne(
  one: Assignment | string,
  wanted: Wanted,
  { name: command, frame }: BuiltinCall,
): Promise<void> {
  const { variables } = frame.state;
  const { on, off } = wanted;
  const text = typeof one === "string" ? one : one.name;
  const plain = /^([A-Za-z_]\w*)(?:\[.*\])?$/s.exec(text)?.[1];
  if (plain === undefined) throw new ShellFault(`\`${text}': not a valid identifier`);
  const isGlobal = on.has("g") || command === "export" || command === "readonly";
  const existing = isGlobal && !on.has("g") ? variables.raw(referenceTarget(plain, on, frame)) : undefined;
  const target = on.has("n") || off.has("n") ? plain : referenceTarget(plain, on, frame);
  const variable =
    existing ??
    variables.declare(target, {
      global: isGlobal,
      inherit: on.has("I") || frame.state.isSetOption("localvar_inherit"),
    });
  if (existing !== undefined && variables.find(target) !== existing) variables.declare(target, { global: true });
  const declared = existing === undefined ? variable : (ensured(target, frame) ?? variable);
  checkReadonly(target, declared, one, wanted);
  // `readonly -a x` without a value makes it readonly, but no array, as in bash.
  if (command !== "readonly" || typeof one !== "string") setKind(target, declared, wanted);
  if (on.has("n") && typeof one === "string") checkReference(target, declared);
  setAttributes(declared, wanted);
  if (typeof one !== "string") await setValue(one, target, declared, on, frame);
  // Readonly is set last, so that the value of the same command is still assigned.
  if (on.has("r")) declared.isReadonly = true;
}

/** The value of a reference is the name of a variable or of an element. */
function checkReference(name: string, { value }: Variable): void {
  const text = typeof value === "string" ? value : "";
  if (text !== "" && !/^[A-Za-z_]\w*(?:\[.+\])?$/s.test(text))
    throw new ShellFault(`\`${text}': invalid variable name for name reference`);
  if (value instanceof IndexedArray || value instanceof AssociativeArray)
    throw new ShellFault(`${name}: reference variable cannot be an array`);
}

/** A special variable that is given attributes becomes an ordinary one. */
function ensured(name: string, { state: { variables } }: Frame): Variable | undefined {
  const found = variables.raw(name);
  return found !== undefined && variables.raw(name) === found
    ? found
    : variables.declare(name, { global: true, inherit: true });
}

function referenceTarget(name: string, on: ReadonlySet<string>, { state: { variables } }: Frame): string {
  if (on.has("n")) return name;
  const variable = variables.raw(name);
  return variable?.isReference === true && variable.value !== undefined ? variables.resolve(name).name : name;
}

function checkReadonly(name: string, variable: Variable, one: Assignment | string, { on, off }: Wanted): void {
  if (variable.isReadonly !== true) return;
  const changes = typeof one !== "string" || off.has("r") || on.has("a") || on.has("A") || on.has("i");
  if (changes) throw new ShellFault(`${name}: readonly variable`);
}

function setKind(name: string, variable: Variable, { on, off }: Wanted): void {
  if ((off.has("a") || off.has("A")) && variable.isArray !== undefined)
    throw new ShellFault(`${name}: cannot destroy array variables in this way`);
  const { value } = variable;
  if (on.has("A")) {
    if (value instanceof IndexedArray) throw new ShellFault(`${name}: cannot convert indexed to associative array`);
    if (typeof value === "string") variable.value = AssociativeArray.of([["0", value]]);
    variable.isArray = "associative";
  } else if (on.has("a")) {
    if (value instanceof AssociativeArray) throw new ShellFault(`${name}: cannot convert associative to indexed array`);
    if (typeof value === "string") variable.value = IndexedArray.of([value]);
    variable.isArray = "indexed";
  }
}

function setAttributes(variable: Variable, { on, off }: Wanted): void {
  if (on.has("x")) variable.isExported = true;
  if (off.has("x")) variable.isExported = false;
  if (on.has("i")) variable.isInteger = true;
  if (off.has("i")) variable.isInteger = false;
  if (on.has("n")) variable.isReference = true;
  if (off.has("n")) variable.isReference = false;
  if (on.has("u")) variable.letters = "upper";
  if (on.has("l")) variable.letters = "lower";
  if (on.has("c")) variable.letters = "capital";
  const letter = { upper: "u", lower: "l", capital: "c" }[variable.letters ?? "upper"];
  if (off.has(letter)) delete variable.letters;
}

async function setValue(
  one: Assignment,
  target: string,
  variable: Variable,
  on: ReadonlySet<string>,
  frame: Frame,
): Promise<void> {
  if (on.has("n")) {
    if (one.value.type === "ArrayValue") throw new ShellFault(`${one.name}: reference variable cannot be an array`);
    const value = await expandText(one.value, frame, { isAssignment: true });
    if (value !== "" && !/^[A-Za-z_]\w*(?:\[.+\])?$/s.test(value))
      throw new ShellFault(`\`${value}': invalid variable name for name reference`);
    if (value === one.name) throw new ShellFault(`${one.name}: nameref variable self references not allowed`);
    variable.value = value;
    return;
  }
  // `declare -a x='(1 2)'`: the text is a list.
  if (one.value.type === "Word" && (on.has("a") || on.has("A")) && one.index === undefined) {
    const text = await expandText(one.value, frame, { isAssignment: true });
    if (/^\(.*\)$/s.test(text)) {
      await frame.interpreter.runText(`${target}${one.append === true ? "+" : ""}=${text}`, frame);
      return;
    }
  }
  await assign(target === one.name ? one : renamed(one, target), frame);
}

function renamed({ pos, end, text, append, index, value }: Assignment, name: string): Assignment {
  return { type: "Assignment", pos, end, text, append, index, value, name };
}

async function functions(
  rest: readonly (string | Assignment)[],
  on: ReadonlySet<string>,
  { frame, out, complain, name }: BuiltinCall,
): Promise<number> {
  const { state } = frame;
  if (rest.length === 0) {
    for (const shellFunction of [...state.functions.values()].sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (name === "export" && shellFunction.isExported !== true) continue;
      await out(on.has("F") ? `declare -f ${shellFunction.name}\n` : functionText(shellFunction));
    }
    return 0;
  }
  let status = 0;
  for (const one of rest) {
    const wanted = typeof one === "string" ? one : one.text;
    const found = state.functions.get(wanted);
    if (found === undefined) {
      status = 1;
      if (name === "export" || name === "readonly") await complain(`${wanted}: not a function`);
    } else if (name === "readonly") continue;
    else if (name === "export" || on.has("x")) found.isExported = on.has("x");
    else if (on.has("t")) found.isTraced = true;
    else if (on.has("F"))
      await out(state.isSetOption("extdebug") ? `${wanted} ${found.line} ${found.source.name}\n` : `${wanted}\n`);
    else await out(functionText(found));
  }
  return status;
}

async function list(on: ReadonlySet<string>, { name, frame, out }: BuiltinCall): Promise<number> {
  const { variables } = frame.state;
  const names = name === "local" ? variables.locals() : variables.names();
  const wanted = [...on].filter((letter) => letter !== "p" && letter !== "g");
  for (const one of names) {
    const variable = variables.raw(one);
    if (variable === undefined) continue;
    const letters = attributeLetters(variable);
    if (!wanted.every((letter) => letters.includes(letter))) continue;
    const isDeclared = name === "local" || on.has("p") || wanted.length > 0;
    if (isDeclared) await out(`${declaration(one, variable)}\n`);
    else if (variable.value !== undefined) await out(`${one}=${valueText(variable)}\n`);
  }
  if (name === "declare" && on.size === 0) {
    for (const shellFunction of frame.state.functions.values()) await out(functionText(shellFunction));
  }
  return 0;
}

async function show(rest: readonly (string | Assignment)[], { frame, out, complain }: BuiltinCall): Promise<number> {
  let status = 0;
  for (const one of rest) {
    const name = typeof one === "string" ? one : one.name;
    const variable = frame.state.variables.raw(name);
    if (variable === undefined) {
      await complain(`${name}: not found`);
      status = 1;
    } else await out(`${declaration(name, variable)}\n`);
  }
  return status;
}

export function declaration(name: string, variable: Variable): string {
  const letters = attributeLetters(variable);
  const head = `declare -${letters === "" ? "-" : letters} ${name}`;
  const { value } = variable;
  if (value === undefined) return head;
  return `${head}=${typeof value === "string" ? quoteDouble(value) : arrayText(value)}`;
}

function valueText({ value }: Variable): string {
  if (value === undefined) return "";
  return typeof value === "string" ? quoteIfNeeded(value) : arrayText(value);
}

/** All variables, as `set` without words prints them. */
export function allVariables({ state: { variables } }: Frame): string {
  const lines: string[] = [];
  for (const name of variables.names()) {
    const variable = variables.raw(name);
    if (variable?.value !== undefined) lines.push(`${name}=${valueText(variable)}\n`);
  }
  return lines.join("");
}

export const unset: Builtin = {
  name: "unset",
  summary: "forget variables, elements of arrays, functions",
  usage: "unset [-fvn] NAME…",
  isSpecial: true,
  async run({ args, frame, complain }) {
    const { state } = frame;
    let at = 0;
    let kind = "";
    for (; /^-[fvn]+$/.test(args[at] ?? ""); at++) kind = (args[at] ?? "").slice(1);
    if (args[at] === "--") at++;
    else if (/^-./.test(args[at] ?? "")) {
      await complain(`${args[at] ?? ""}: invalid option`);
      return 2;
    }
    let status = 0;
    for (const word of args.slice(at)) {
      try {
        await unsetOne(word, kind, frame);
      } catch (error) {
        if (!(error instanceof ShellFault)) throw error;
        await complain(error.message);
        status = 1;
      }
    }
    state.status = status;
    return status;
  },
};

async function unsetOne(word: string, kind: string, frame: Frame): Promise<void> {
  const { variables, functions } = frame.state;
  if (kind.includes("f")) {
    functions.delete(word);
    return;
  }
  const subscript = /^([A-Za-z_]\w*)\[(.+)\]$/s.exec(word);
  if (subscript !== null) {
    const [, name = "", key = ""] = subscript;
    if (key === "@" || key === "*") {
      if (variables.find(name)?.value instanceof AssociativeArray && key === "@") return variables.unset(name);
      return variables.unset(name);
    }
    const place = await splitPlace(word, frame);
    const variable = variables.find(name);
    if (variable === undefined) return;
    if (typeof variable.value === "string" && place?.index !== 0)
      throw new ShellFault(`${name}: not an array variable`);
    let index = place?.index ?? 0;
    if (typeof index === "number" && index < 0 && variable.value instanceof IndexedArray) index += variable.value.end;
    if (typeof index === "number" && index < 0) throw new ShellFault(`[${key}]: bad array subscript`);
    variables.unsetElement(name, index);
    return;
  }
  if (!isName(word)) {
    if (kind === "") {
      functions.delete(word);
      return;
    }
    throw new ShellFault(`\`${word}': not a valid identifier`);
  }
  if (kind.includes("n")) variables.unsetRaw(word);
  else if (variables.raw(word) === undefined && kind === "") functions.delete(word);
  else variables.unset(word);
}

export const letBuiltin: Builtin = {
  name: "let",
  summary: "evaluate arithmetic expressions",
  usage: "let EXPRESSION…",
  async run({ args, frame, complain }) {
    if (args.length === 0) {
      await complain("expression expected");
      return 1;
    }
    let value = 0n;
    for (const arg of args) value = await evaluateText(arg, frame);
    return value === 0n ? 1 : 0;
  },
};

export const shift: Builtin = {
  name: "shift",
  summary: "drop the first positional parameters",
  usage: "shift [N]",
  isSpecial: true,
  async run({ args, frame, complain }) {
    const { state } = frame;
    const [word = "1"] = args[0] === "--" ? args.slice(1) : args;
    if (args.length > 1 && args[0] !== "--") {
      await complain("too many arguments");
      return 1;
    }
    if (!/^[+-]?\d+$/.test(word)) {
      await complain(`${word}: numeric argument required`);
      return 1;
    }
    const count = Number(word);
    if (count < 0) {
      await complain(`${word}: shift count out of range`);
      return 1;
    }
    if (count > state.positional.length) return 1;
    state.positional = state.positional.slice(count);
    return 0;
  },
};

export const getopts: Builtin = {
  name: "getopts",
  summary: "read options from the positional parameters",
  usage: "getopts OPTIONS NAME [WORD…]",
  async run({ args, frame, complain }) {
    const [letters, name, ...words] = args;
    if (letters === undefined || name === undefined) {
      await complain("usage: getopts optstring name [arg ...]");
      return 2;
    }
    const { state } = frame;
    const given = args.length > 2 ? words : state.positional;
    const set = (variable: string, value: string): void => setVariable(variable, undefined, value, false, frame);
    const index = Number(state.variables.get("OPTIND") ?? 1);
    if (index !== state.getoptsAt.index) state.getoptsAt = { index: Math.max(1, index || 1), within: 0 };
    const result = nextOption(letters, given, state.getoptsAt);
    state.getoptsAt = result.at;
    set("OPTIND", String(result.at.index));
    if (result.argument === undefined) state.variables.unset("OPTARG");
    else set("OPTARG", result.argument);
    if (result.problem !== undefined && state.variables.get("OPTERR") !== "0") {
      await frame.interpreter.complain(result.problem, frame);
    }
    if (!isName(name)) {
      await complain(`\`${name}': not a valid identifier`);
      return 1;
    }
    set(name, result.option);
    return result.isOver ? 1 : 0;
  },
};

interface NextOption {
  readonly option: string;
  readonly argument?: string | undefined;
  readonly problem?: string | undefined;
  readonly isOver: boolean;
  readonly at: { index: number; within: number };
}

function nextOption(letters: string, words: readonly string[], at: { index: number; within: number }): NextOption {
  const isSilent = letters.startsWith(":");
  const word = words[at.index - 1];
  if (at.within === 0) {
    if (word === "--") return { option: "?", isOver: true, at: { index: at.index + 1, within: 0 } };
    if (word === undefined) return { option: "?", isOver: true, at: { index: words.length + 1, within: 0 } };
    if (!/^-./s.test(word)) return { option: "?", isOver: true, at: { index: at.index, within: 0 } };
  }
  const position = at.within === 0 ? 1 : at.within;
  const letter = word?.charAt(position) ?? "";
  const isLast = position + 1 >= (word?.length ?? 0);
  const after = isLast ? { index: at.index + 1, within: 0 } : { index: at.index, within: position + 1 };
  const place = letter === ":" ? -1 : letters.indexOf(letter);
  if (place < 0) {
    return isSilent
      ? { option: "?", argument: letter, isOver: false, at: after }
      : { option: "?", problem: `illegal option -- ${letter}`, isOver: false, at: after };
  }
  if (letters[place + 1] !== ":") return { option: letter, isOver: false, at: after };
  if (!isLast)
    return {
      option: letter,
      argument: word?.slice(position + 1) ?? "",
      isOver: false,
      at: { index: at.index + 1, within: 0 },
    };
  const argument = words[at.index];
  const next = { index: at.index + 2, within: 0 };
  if (argument !== undefined) return { option: letter, argument, isOver: false, at: next };
  if (isSilent) return { option: ":", argument: letter, isOver: false, at: { index: at.index + 1, within: 0 } };
  return {
    option: "?",
    problem: `option requires an argument -- ${letter}`,
    isOver: false,
    at: { index: at.index + 1, within: 0 },
  };
}
