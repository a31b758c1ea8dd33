/**
 * Which of a user's files a node may ask for. `starfish sh` serves only the files that the line names, for reading or
 * writing as its command needs. So a node that is not what it seems gets no more than it was given. An unknown command
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
   * For one line: the paths that its commands name in plain words, and `words`, which are beside it on the command
   * line. A line that uses `/host` reaches these directories.
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

  /** For a script or a session, whose lines only the node sees: everything in these directories, and these paths. */
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

/** The words of each command of a line. Words with expansions name nothing beforehand. */
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
  // The node will report the error.
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
      return operands.slice(args.includes("--code") ? 0 : 1).map((path) => ({ access: "read", path }));
    case "receive": {
      const into = args[args.indexOf("-o") + 1];
      // Everything that arrives is put in there, and existing files are looked at so that they are not replaced.
      return args.includes("-o") && into !== undefined ? bothWays([into]) : optionOf("out", args);
    }
    case "mail":
      // Names of readers and numbers of mails are not files; but a file of that name would be read.
      return operandsOf(withoutValues(args)).map((path) => ({ access: "read", path }));
    case "me":
      return optionOf("picture", args, "read");
    case "map":
      return [...operands.filter(isModule).map((path): Named => ({ access: "read", path })), ...optionOf("out", args)];
    default:
      return [];
  }
}

/** For `mail`, whose texts are not paths. */
function withoutValues(args: readonly string[]): string[] {
  return args.filter((_, at) => !/^(-[ms]|--(message|subject))$/.test(args[at - 1] ?? ""));
}

/** Like `map`, tells a user's own module from a bundled task. */
function isModule(path: string): boolean {
  return path.includes("/") || path.endsWith(".wasm");
}

/** A target that ends with a slash is a directory for the file. */
function target(given: string | undefined, name: string): Named {
  const path = given === undefined ? name : given.endsWith("/") ? given + name : given;
  return { access: "write", path };
}

function lastName(path: string): string {
  return path.replace(/\/+$/, "").split("/").at(-1) || "starfish";
}

/** Words that are not options. "-" is one of them: standard input. */
function operandsOf(args: readonly string[]): string[] {
  const end = args.indexOf("--");
  const before = end < 0 ? args : args.slice(0, end);
  return [...before.filter((word) => word === "-" || !word.startsWith("-")), ...(end < 0 ? [] : args.slice(end + 1))];
}

function optionOf(name: string, args: readonly string[], access: Access = "write"): Named[] {
  return args.flatMap((word, at): Named[] => {
    const path =
      word === `--${name}` ? args[at + 1] : word.startsWith(`--${name}=`) ? word.slice(name.length + 3) : undefined;
    return path === undefined ? [] : [{ access, path }];
  });
}
