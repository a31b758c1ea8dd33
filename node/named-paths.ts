/**
 * What of a person's files a node may ask for: `starfish sh` serves only what the line has named, to be read or to be written
 * as its command does. So a node that is not what it seems gets no more than it was given. A command that is not known here
 * gets no file at all.
 */
import { resolve, sep } from "node:path";
import { StarfishError } from "../core/base/errors.ts";
import { parse, type Words } from "../core/shell/parse.ts";

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

  /** For one line. Its words are as they are: a line has no variables and no patterns. */
  static ofLine(line: string, directory: string): NamedPaths {
    const named: Named[] = [];
    for (const { stages } of parsed(line)) {
      for (const words of stages) {
        for (const { access, path } of namedBy(words)) named.push({ access, path: resolve(directory, path) });
      }
    }
    return new NamedPaths(named, "the line does not name it");
  }

  /** For a session, whose lines only the node sees: what is in these directories. */
  static inDirectories(directories: readonly string[]): NamedPaths {
    const named = directories.flatMap((path): Named[] => [
      { access: "read", path },
      { access: "write", path },
    ]);
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

function parsed(line: string): ReturnType<typeof parse> {
  try {
    return parse(line);
  } catch {
    // The node will say what is wrong with it.
    return [];
  }
}

function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory.endsWith(sep) ? directory : directory + sep);
}

function namedBy([command, ...args]: Words): Named[] {
  const operands = operandsOf(args);
  const [first, second] = operands;
  switch (command) {
    case "put": {
      const sources = operands.length > 1 ? operands.slice(0, -1) : operands;
      return sources.map((path) => ({ access: "read", path }));
    }
    case "import":
      return first === undefined ? [] : [{ access: "read", path: first }];
    case "get":
      return first === undefined ? [] : [target(second, lastName(first))];
    case "export": {
      const name = lastName(first ?? "");
      if (second !== undefined) return [target(second, name)];
      return ["car", "tar", "zip"].map((format) => ({ access: "write", path: `${name}.${format}` }));
    }
    case "map":
      return [...operands.filter(isModule).map((path): Named => ({ access: "read", path })), ...optionOf("out", args)];
    default:
      return [];
  }
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
