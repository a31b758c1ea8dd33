/**
 * What of a person's files a node may ask for: `starfish sh` serves only what the line has named, to be read or to be written
 * as its command does. So a node that is not what it seems gets no more than it was given. A command that is not known here
 * gets no file at all.
 */
import { resolve, sep } from "node:path";
import { forEachChild, parse, type SyntaxNode, type Word } from "unbash";
import { StarfishError } from "../core/base/errors.ts";

export type Access = "read" | "write";

interface Named {
  readonly access: Access;
  readonly path: string;
}

export class NamedPaths {
  readonly #named: readonly Named[];
  readonly #advice: string;

  private constructor(named: readonly Named[], advice: string) {
    this.#named = named;
    this.#advice = advice;
  }

  /**
   * For one line: what its commands name in plain words, and `words`, which stand beside it on the command line. A line that
   * goes through `/host` reaches these directories.
   */
  static ofLine(
    line: string,
    directory: string,
    beside: { words?: readonly string[]; directories?: readonly string[] } = {},
  ): NamedPaths {
    const named: Named[] = bothWays((beside.words ?? []).map((path) => resolve(directory, path)));
    for (const words of commandsOf(line)) {
      for (const { access, path } of namedBy(words)) named.push({ access, path: resolve(directory, path) });
      if (words.some((word) => word === "/host" || word.startsWith("/host/")))
        named.push(...bothWays(beside.directories ?? [directory]));
    }
    return new NamedPaths(named, "the line does not name it");
  }

  /** For a script or a session, whose lines only the node sees: what is in these directories, and these paths. */
  static inDirectories(directories: readonly string[], paths: readonly string[] = []): NamedPaths {
    const named = bothWays([...directories, ...paths.map((path) => resolve(path))]);
    return new NamedPaths(named, "it is outside of where this terminal was started; name its directory with --files");
  }

  /** Throws "unsupported". */
  check(access: Access, path: string, directory: string): void {
    const whole = resolve(directory, path);
    const isNamed = this.#named.some((named) => named.access === access && isWithin(whole, named.path));
    if (isNamed) return;
    const what = access === "read" ? "read" : "write";
    throw new StarfishError("unsupported", `The node wanted to ${what} ${path} on your machine: ${this.#advice}`);
  }
}

function bothWays(paths: readonly string[]): Named[] {
  return paths.flatMap((path): Named[] => [
    { access: "read", path },
    { access: "write", path },
  ]);
}

/** The words of each command of a line, wherever it stands; words with expansions in them name nothing beforehand. */
function commandsOf(line: string): string[][] {
  const commands: string[][] = [];
  const visit = (node: SyntaxNode): void => {
    if (node.type === "Command" && node.name !== undefined) {
      const words = [node.name, ...node.args].filter((word): word is Word => word.type === "Word" && isPlain(word));
      commands.push(words.map(({ value }) => value));
    }
    forEachChild(node, visit);
  };
  const { commands: statements, errors = [] } = parse(line);
  // The node will say what is wrong with it.
  if (errors.length > 0) return [];
  for (const statement of statements) visit(statement);
  return commands;
}

function isPlain({ parts }: Word): boolean {
  return (parts ?? []).every(
    (part) =>
      part.type === "Literal" ||
      part.type === "SingleQuoted" ||
      part.type === "AnsiCQuoted" ||
      (part.type === "DoubleQuoted" && part.parts.every(({ type }) => type === "Literal")),
  );
}

function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory.endsWith(sep) ? directory : directory + sep);
}

function namedBy([command, ...args]: readonly string[]): Named[] {
  const operands = operandsOf(args);
  const [first, second] = operands;
  switch (command) {
    case "put": {
      const isArchive = args.includes("--unpack");
      const sources = isArchive ? operands.slice(0, 1) : operands.length > 1 ? operands.slice(0, -1) : operands;
      return sources.map((path) => ({ access: "read", path }));
    }
    case "get": {
      if (first === undefined) return [];
      const format = ["tar", "zip", "car"].find((one) => args.includes(`--${one}`));
      if (format === undefined || second !== undefined) return [target(second, lastName(first))];
      return [{ access: "write", path: `${lastName(first)}.${format}` }];
    }
    case "send":
      return operands.slice(1).map((path) => ({ access: "read", path }));
    case "receive": {
      const into = args[args.indexOf("-o") + 1];
      // Whatever comes lands in there, and what is there is looked at so as not to be replaced.
      return args.includes("-o") && into !== undefined ? bothWays([into]) : optionOf("out", args);
    }
    case "mail":
      // Who it goes to and numbers of mails are no files; a file called so would be read.
      return operandsOf(withoutValues(args)).map((path) => ({ access: "read", path }));
    case "map":
      return [...operands.filter(isModule).map((path): Named => ({ access: "read", path })), ...optionOf("out", args)];
    default:
      return [];
  }
}

/** Of `mail`, whose texts are no paths. */
function withoutValues(args: readonly string[]): string[] {
  return args.filter((_, at) => !/^(-[ms]|--(message|subject))$/.test(args[at - 1] ?? ""));
}

/** As `map` tells a module of one's own from a task. */
function isModule(path: string): boolean {
  return path.includes("/") || path.endsWith(".wasm");
}

/** A target that ends with a slash is the directory into which the name goes. */
function target(given: string | undefined, name: string): Named {
  const path = given === undefined ? name : given.endsWith("/") ? given + name : given;
  return { access: "write", path };
}

function lastName(path: string): string {
  return path.replace(/\/+$/, "").split("/").at(-1) || "starfish";
}

/** Words that are no options. "-" is one: standard input. */
function operandsOf(args: readonly string[]): string[] {
  const end = args.indexOf("--");
  const before = end < 0 ? args : args.slice(0, end);
  return [...before.filter((word) => word === "-" || !word.startsWith("-")), ...(end < 0 ? [] : args.slice(end + 1))];
}

function optionOf(name: string, args: readonly string[]): Named[] {
  return args.flatMap((word, at): Named[] => {
    const path =
      word === `--${name}` ? args[at + 1] : word.startsWith(`--${name}=`) ? word.slice(name.length + 3) : undefined;
    return path === undefined ? [] : [{ access: "write", path }];
  });
}
