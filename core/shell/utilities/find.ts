/** find: files below a directory that meet conditions. */
import { StarfishError, isStarfishError } from "../../base/errors.ts";
import { patternTest } from "../language/pattern.ts";
import { reasonOf } from "../language/redirect.ts";
import { join, nameOf } from "../namespace/paths.ts";
import type { TreeEntry } from "../namespace/tree.ts";
import type { Command } from "../types.ts";
import { modeWords } from "./modes.ts";
import { utility, type UtilityContext } from "./utility.ts";

export const find: Command = utility({
  name: "find",
  summary: "find files below a directory",
  help: `
usage: find [PATH…] [CONDITION…] [ACTION…]

Goes through each PATH (the current directory) and all below it. Conditions: -name PATTERN -iname -path -regex -type f|d
-size [+-]N[ckMG] -empty -mtime [+-]DAYS -mmin [+-]MINUTES -newer FILE -maxdepth N -mindepth N -perm MODE, joined by -a -o ! ( ).
Actions: -print -print0 -printf FORMAT -ls -exec COMMAND {} ; -exec COMMAND {} + -delete -prune -quit.

  find / -maxdepth 1 -type d
`,
  isVerbatim: true,
  async run(context) {
    const words = [...context.args];
    const paths: string[] = [];
    while (words.length > 0 && !/^(?:-.|[!(),]$)/.test(words[0] ?? "")) paths.push(words.shift() ?? "");
    return await new Find(context, new Expression(words)).run(paths.length === 0 ? ["."] : paths);
  },
});

interface Found {
  /** The path as it is shown: the operand, and the path below it. */
  readonly shown: string;
  readonly path: string;
  readonly entry: TreeEntry;
  readonly depth: number;
  /** The operand under which it was found. */
  readonly root: string;
}

interface Visit {
  isPruned: boolean;
}

type Test = (found: Found, visit: Visit, context: UtilityContext) => Promise<boolean>;

/** `-exec … +`: paths that are collected for one run of the command. */
interface Gathering {
  readonly words: readonly string[];
  readonly paths: string[];
}

const GATHERED_MAX = 5_000;
const DEPTH_MAX = 1_000;

class Quit extends Error {}

class Expression {
  readonly #words: readonly string[];
  #at = 0;
  #hasAction = false;
  readonly gatherings: Gathering[] = [];
  readonly test: Test;
  maxDepth = DEPTH_MAX;
  minDepth = 0;
  /** Whether the contents of a directory come before it. */
  isDepthFirst = false;

  constructor(words: readonly string[]) {
    this.#words = words;
    const test = words.length === 0 ? () => Promise.resolve(true) : this.#or();
    if (this.#at < words.length)
      throw new StarfishError("usage", `paths must precede expression: '${words[this.#at] ?? ""}'`);
    this.test = this.#hasAction
      ? test
      : async (found, visit, context) =>
          (await test(found, visit, context)) && (await print("\n")(found, visit, context));
  }

  #peek(): string | undefined {
    return this.#words[this.#at];
  }

  #value(name: string): string {
    const value = this.#words[this.#at++];
    if (value === undefined) throw new StarfishError("usage", `missing argument to '${name}'`);
    return value;
  }

  #or(): Test {
    let left = this.#and();
    while (this.#peek() === "-o" || this.#peek() === "-or" || this.#peek() === ",") {
      const isList = this.#words[this.#at++] === ",";
      const [before, after] = [left, this.#and()];
      left = async (...args) => {
        const first = await before(...args);
        return isList ? await after(...args) : first || (await after(...args));
      };
    }
    return left;
  }

  #and(): Test {
    let left = this.#not();
    for (;;) {
      const next = this.#peek();
      if (next === undefined || next === "-o" || next === "-or" || next === ")" || next === ",") return left;
      if (next === "-a" || next === "-and") this.#at++;
      const [before, after] = [left, this.#not()];
      left = async (...args) => (await before(...args)) && (await after(...args));
    }
  }

  #not(): Test {
    const next = this.#peek();
    if (next === "!" || next === "-not") {
      this.#at++;
      const inner = this.#not();
      return async (...args) => !(await inner(...args));
    }
    if (next === "(") {
      this.#at++;
      const inner = this.#or();
      if (this.#words[this.#at++] !== ")") throw new StarfishError("usage", "missing closing ')'");
      return inner;
    }
    return this.#primary();
  }

  #primary(): Test {
    const name = this.#words[this.#at++] ?? "";
    const always = (): Promise<boolean> => Promise.resolve(true);
    switch (name) {
      case "-maxdepth":
        this.maxDepth = wholeValue(name, this.#value(name));
        return always;
      case "-mindepth":
        this.minDepth = wholeValue(name, this.#value(name));
        return always;
      case "-depth":
        this.isDepthFirst = true;
        return always;
      case "-mount":
      case "-xdev":
      case "-noleaf":
      case "-true":
        return always;
      case "-false":
        return () => Promise.resolve(false);
      case "-print":
      case "-print0":
        this.#hasAction = true;
        return print(name === "-print" ? "\n" : "\0");
      case "-printf":
        this.#hasAction = true;
        return printFormat(this.#value(name));
      case "-ls":
        this.#hasAction = true;
        return printFormat("%M %9s %t %p\\n");
      case "-exec":
      case "-execdir":
      case "-ok":
        this.#hasAction = true;
        return this.#execute(name);
      case "-delete":
        this.#hasAction = true;
        this.isDepthFirst = true;
        return remove;
      case "-prune":
        return (_, visit) => {
          visit.isPruned = true;
          return Promise.resolve(true);
        };
      case "-quit":
        this.#hasAction = true;
        return () => Promise.reject(new Quit());
      default:
        return conditionOf(name, () => this.#value(name));
    }
  }

  #execute(name: string): Test {
    const words: string[] = [];
    for (;;) {
      const word = this.#value(name);
      if (word === ";") return executeOne(words);
      if (word === "+" && words.at(-1) === "{}") {
        const gathering: Gathering = { words: words.slice(0, -1), paths: [] };
        this.gatherings.push(gathering);
        return async (found, _, context) => {
          gathering.paths.push(found.shown);
          if (gathering.paths.length >= GATHERED_MAX) await runGathered(gathering, context);
          return true;
        };
      }
      words.push(word);
    }
  }
}

async function runGathered({ words, paths }: Gathering, { run, flush, problem }: UtilityContext): Promise<void> {
  if (paths.length === 0) return;
  await flush();
  const status = await run([...words, ...paths.splice(0)]);
  if (status !== 0) await problem(`'${words[0] ?? ""}' ended with status ${status}`);
}

function executeOne(words: readonly string[]): Test {
  return async ({ shown }, _, { run, flush }) => {
    await flush();
    return (await run(words.map((word) => word.replaceAll("{}", shown)))) === 0;
  };
}

function print(end: string): Test {
  return async ({ shown }, _, { out }) => {
    await out(shown + end);
    return true;
  };
}

const remove: Test = async ({ path, shown, entry }, _, { names, signal, problem }) => {
  if (path === "/" || shown === ".") return true;
  try {
    await names.remove(path, { signal, isRecursive: false });
    return true;
  } catch (error) {
    if (!isStarfishError(error) || error.code === "cancelled") throw error;
    await problem(
      `cannot delete '${shown}': ${entry.kind === "directory" && error.code === "not-empty" ? "Directory not empty" : reasonOf(error)}`,
    );
    return false;
  }
};

function wholeValue(name: string, text: string): number {
  if (!/^\d+$/.test(text))
    throw new StarfishError("usage", `expected a positive integer argument to ${name}, but got '${text}'`);
  return Number(text);
}

/** `+5`, `-5`, `5`: more than, less than, exactly. */
function amount(name: string, text: string): (value: number) => boolean {
  const [, sign = "", digits] = /^([+-]?)(\d+)$/.exec(text) ?? [];
  if (digits === undefined) throw new StarfishError("usage", `invalid argument '${text}' to '${name}'`);
  const number = Number(digits);
  if (sign === "+") return (value) => value > number;
  return sign === "-" ? (value) => value < number : (value) => value === number;
}

const SIZE_UNITS: Readonly<Record<string, number>> = {
  "": 512,
  b: 512,
  c: 1,
  w: 2,
  k: 1024,
  M: 1024 ** 2,
  G: 1024 ** 3,
};

function conditionOf(name: string, value: () => string): Test {
  switch (name) {
    case "-name":
    case "-iname": {
      const test = patternTest([{ text: value(), isQuoted: false }], { ignoreCase: name === "-iname" });
      return ({ shown, entry }) => Promise.resolve(test(entry.name === "" ? nameOf(shown) || "/" : entry.name));
    }
    case "-path":
    case "-wholename":
    case "-ipath": {
      const test = patternTest([{ text: value(), isQuoted: false }], { ignoreCase: name === "-ipath" });
      return ({ shown }) => Promise.resolve(test(shown));
    }
    case "-regex":
    case "-iregex": {
      const expression = new RegExp(`^(?:${value()})$`, name === "-iregex" ? "isu" : "su");
      return ({ shown }) => Promise.resolve(expression.test(shown));
    }
    case "-type": {
      const types = value().split(",");
      return ({ entry }) => Promise.resolve(types.includes(entry.kind === "device" ? "c" : entry.kind.charAt(0)));
    }
    case "-size": {
      const [, text = "", unit = ""] = /^([+-]?\d+)([bcwkMG]?)$/.exec(value()) ?? [];
      const test = amount(name, text);
      return ({ entry }) => Promise.resolve(test(Math.ceil((entry.sizeBytes ?? 0) / (SIZE_UNITS[unit] ?? 512))));
    }
    case "-empty":
      return async ({ entry, path }, _, { names, signal }) =>
        entry.kind === "directory"
          ? (await names.list(path, { signal })).length === 0
          : entry.kind === "file" && entry.sizeBytes === 0;
    case "-mtime":
    case "-mmin":
    case "-atime":
    case "-ctime":
    case "-cmin": {
      const test = amount(name, value());
      const unitMs = name.endsWith("min") ? 60_000 : 86_400_000;
      return ({ entry }, _, { computer }) =>
        Promise.resolve(
          entry.modifiedAtMs !== undefined && test(Math.floor((computer.clock.now() - entry.modifiedAtMs) / unitMs)),
        );
    }
    case "-newer": {
      const other = value();
      return async ({ entry }, _, { names, path, signal }) => {
        const reference = await names.stat(path(other), { signal });
        if (reference === undefined) throw new StarfishError("usage", `'${other}': No such file or directory`);
        return (entry.modifiedAtMs ?? 0) > (reference.modifiedAtMs ?? 0);
      };
    }
    case "-user": {
      const owner = value();
      return ({ entry }) => Promise.resolve(entry.owner === owner);
    }
    case "-perm": {
      const text = value();
      const bits = Number.parseInt(text.replace(/^[-/]/, ""), 8);
      if (Number.isNaN(bits)) throw new StarfishError("usage", `invalid mode '${text}'`);
      return ({ entry }) => {
        const mode = entry.mode ?? (entry.kind === "directory" ? 0o755 : 0o644);
        return Promise.resolve(
          text.startsWith("-") ? (mode & bits) === bits : text.startsWith("/") ? (mode & bits) !== 0 : mode === bits,
        );
      };
    }
    case "-executable":
    case "-readable":
    case "-writable": {
      const bits = name === "-executable" ? 0o111 : name === "-readable" ? 0o444 : 0o222;
      return ({ entry }) =>
        Promise.resolve(((entry.mode ?? (entry.kind === "directory" ? 0o755 : 0o644)) & bits) !== 0);
    }
    default:
      throw new StarfishError("usage", `unknown predicate '${name}'`);
  }
}

function printFormat(format: string): Test {
  return async (found, _, { out }) => {
    const text = format.replaceAll(
      /%([-0]?\d*)(T@|T[a-zA-Z+]|[a-zA-Z%])|\\(n|t|0|\\|a|r)/g,
      (whole, width: string | undefined, letter: string | undefined, escape: string | undefined) => {
        if (escape !== undefined)
          return { n: "\n", t: "\t", "0": "\0", "\\": "\\", a: "\x07", r: "\r" }[escape] ?? whole;
        const value = fieldOf(letter ?? "", found);
        if (value === undefined) return whole;
        const wanted = Number(width?.replace("-", "") ?? 0);
        return width?.startsWith("-") === true ? value.padEnd(wanted) : value.padStart(wanted);
      },
    );
    await out(text);
    return true;
  };
}

function fieldOf(letter: string, { shown, entry, depth, root }: Found): string | undefined {
  const mode = entry.mode ?? (entry.kind === "directory" ? 0o755 : 0o644);
  const time = new Date(entry.modifiedAtMs ?? 0);
  switch (letter) {
    case "%":
      return "%";
    case "p":
      return shown;
    case "f":
      return nameOf(shown) || shown;
    case "h":
      return shown.includes("/") ? shown.slice(0, shown.lastIndexOf("/")) || "/" : ".";
    case "P":
      return shown === root ? "" : shown.slice(root.length).replace(/^\//, "");
    case "H":
      return root;
    case "d":
      return String(depth);
    case "s":
      return String(entry.sizeBytes ?? 0);
    case "b":
      return String(Math.ceil((entry.sizeBytes ?? 0) / 512));
    case "k":
      return String(Math.ceil((entry.sizeBytes ?? 0) / 1024));
    case "m":
      return (mode & 0o7777).toString(8);
    case "M":
      return modeWords(entry.kind, mode);
    case "y":
      return entry.kind === "device" ? "c" : entry.kind.charAt(0);
    case "u":
      return entry.owner ?? "?";
    case "t":
      return time.toUTCString();
    case "T@":
      return (time.getTime() / 1000).toFixed(9);
    default:
      return undefined;
  }
}

class Find {
  readonly #context: UtilityContext;
  readonly #expression: Expression;

  constructor(context: UtilityContext, expression: Expression) {
    this.#context = context;
    this.#expression = expression;
  }

  async run(operands: readonly string[]): Promise<number> {
    const { names, path, signal, problem } = this.#context;
    try {
      for (const operand of operands) {
        const entry = await names.stat(path(operand), { signal });
        if (entry === undefined) await problem(`'${operand}': No such file or directory`);
        else await this.#visit({ shown: operand, path: path(operand), entry, depth: 0, root: operand });
      }
    } catch (error) {
      if (!(error instanceof Quit)) throw error;
    }
    for (const gathering of this.#expression.gatherings) await runGathered(gathering, this.#context);
    return 0;
  }

  async #visit(found: Found): Promise<void> {
    const { isDepthFirst, minDepth, maxDepth, test } = this.#expression;
    const visit: Visit = { isPruned: false };
    const isTested = found.depth >= minDepth;
    if (!isDepthFirst && isTested) await test(found, visit, this.#context);
    if (found.entry.kind === "directory" && found.depth < maxDepth && !visit.isPruned) await this.#below(found);
    if (isDepthFirst && isTested) await test(found, visit, this.#context);
    await this.#context.flush();
  }

  async #below({ shown, path, depth, root }: Found): Promise<void> {
    const { names, signal, problem } = this.#context;
    let entries: readonly TreeEntry[];
    try {
      entries = await names.list(path, { signal });
    } catch (error) {
      if (!isStarfishError(error) || error.code === "cancelled") throw error;
      await problem(`'${shown}': ${reasonOf(error)}`);
      return;
    }
    for (const entry of [...entries].sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const below = shown.endsWith("/") ? shown + entry.name : `${shown}/${entry.name}`;
      await this.#visit({ shown: below, path: join(path, entry.name), entry, depth: depth + 1, root });
    }
  }
}
