/** Pathname expansion: a field with pattern characters becomes the names that match, sorted by code point. */
import { isStarfishError } from "../../base/errors.ts";
import { WORDS_MAX } from "./limits.ts";
import { ShellFault } from "./faults.ts";
import { compile, isPattern, patternSource, type PatternOptions, type Piece } from "./pattern.ts";
import type { FileAccess } from "./world.ts";

export interface GlobOptions {
  readonly cwd: string;
  readonly files: FileAccess;
  readonly signal: AbortSignal;
  readonly extglob: boolean;
  readonly dotglob: boolean;
  readonly ignoreCase: boolean;
  readonly globstar: boolean;
  /** Whether `.*` matches `.` and `..`. */
  readonly hasDots: boolean;
}

const DOTS = [".", ".."].map((name) => ({ name, isDirectory: true }));

/** How many directories deep `**` goes. */
const STAR_DEPTH_MAX = 64;

/** The paths that match, or none. */
export async function expandPath(field: readonly Piece[], options: GlobOptions): Promise<string[]> {
  const segments = segmentsOf(field);
  const isAbsolute = segments.length > 1 && segments[0]?.length === 0;
  const found = await new Walk(options).walk(isAbsolute ? "/" : "", isAbsolute ? segments.slice(1) : segments);
  return [...new Set(found)].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

/** Splits at each slash, which a pattern never crosses. */
function segmentsOf(field: readonly Piece[]): Piece[][] {
  const segments: Piece[][] = [[]];
  for (const { text, isQuoted } of field) {
    for (const [i, part] of text.split("/").entries()) {
      if (i > 0) segments.push([]);
      if (part !== "") segments.at(-1)?.push({ text: part, isQuoted });
    }
  }
  return segments;
}

class Walk {
  readonly #options: GlobOptions;
  #found: string[] = [];

  constructor(options: GlobOptions) {
    this.#options = options;
  }

  async walk(prefix: string, segments: readonly Piece[][]): Promise<string[]> {
    await this.#step(prefix, segments);
    return this.#found;
  }

  /** `prefix` is the path so far, as it will be shown: "" or a path that ends with a slash. */
  async #step(prefix: string, segments: readonly Piece[][]): Promise<void> {
    const [segment, ...rest] = segments;
    if (segment === undefined) return;
    const { extglob, globstar } = this.#options;
    if (segment.length === 0) {
      // One or more slashes at the end.
      if (rest.length === 0) this.#add(prefix);
      else await this.#step(prefix.endsWith("/") || prefix === "" ? prefix : `${prefix}/`, rest);
      return;
    }
    if (globstar && segment.length === 1 && segment[0]?.text === "**" && !segment[0].isQuoted) {
      await this.#star(prefix, rest, 0);
      return;
    }
    if (!isPattern(segment, extglob)) {
      await this.#literal(prefix, literalOf(segment), rest);
      return;
    }
    for (const { name, isDirectory } of await this.#matching(prefix, segment)) {
      if (rest.length === 0) this.#add(prefix + name);
      else if (isDirectory) await this.#step(`${prefix}${name}/`, rest);
    }
  }

  async #literal(prefix: string, name: string, rest: readonly Piece[][]): Promise<void> {
    if (rest.length > 0) {
      await this.#step(`${prefix}${name}/`, rest);
      return;
    }
    const { files, signal } = this.#options;
    if ((await files.stat(this.#absolute(prefix + name), { signal })) !== undefined) this.#add(prefix + name);
  }

  /** `**`: this directory and all below it. */
  async #star(prefix: string, rest: readonly Piece[][], depth: number): Promise<void> {
    // A pattern that ends with a slash means directories. For `**/` the starting directory itself has no name, so it is
    // left out.
    const isSelf = rest.length === 1 && rest[0]?.length === 0 && prefix === "";
    if (rest.length > 0 && !isSelf) await this.#step(prefix, rest);
    else if (prefix !== "" && depth === 0) this.#add(prefix);
    if (depth >= STAR_DEPTH_MAX) return;
    for (const { name, isDirectory } of await this.#list(prefix)) {
      if (name.startsWith(".") && !this.#options.dotglob) continue;
      if (isDirectory) await this.#star(`${prefix}${name}/`, rest, depth + 1);
      else if (rest.length === 0) this.#add(prefix + name);
      if (isDirectory && rest.length === 0) this.#add(prefix + name);
    }
  }

  async #matching(prefix: string, segment: readonly Piece[]): Promise<{ name: string; isDirectory: boolean }[]> {
    const options: PatternOptions = {
      extglob: this.#options.extglob,
      ignoreCase: this.#options.ignoreCase,
      isPath: true,
    };
    const expression = compile(`^(?:${patternSource(segment, options)})$`, options);
    const first = segment[0];
    const wantsDot =
      (first !== undefined && first.text.startsWith(".")) ||
      (first !== undefined && !first.isQuoted && first.text.startsWith("\\."));
    const dots = this.#options.hasDots && wantsDot ? DOTS : [];
    const names = [...dots, ...(await this.#list(prefix))];
    return names.filter(
      ({ name }) => (wantsDot || this.#options.dotglob || !name.startsWith(".")) && expression.test(name),
    );
  }

  async #list(prefix: string): Promise<readonly { name: string; isDirectory: boolean }[]> {
    const { files, signal } = this.#options;
    try {
      return (await files.list(this.#absolute(prefix), { signal })) ?? [];
    } catch (error) {
      // A path that does not exist, or can't be read, matches nothing.
      if (!isStarfishError(error) || signal.aborted) throw error;
      return [];
    }
  }

  #absolute(path: string): string {
    return absolutePath(path, this.#options.cwd);
  }

  #add(path: string): void {
    if (this.#found.length >= WORDS_MAX) throw new ShellFault(`more than ${WORDS_MAX} names match`);
    this.#found.push(path);
  }
}

function literalOf(pieces: readonly Piece[]): string {
  return pieces.map(({ text, isQuoted }) => (isQuoted ? text : text.replaceAll(/\\(.)/gsu, "$1"))).join("");
}

/** The path that is meant, seen from a directory, without `.`, `..` and double slashes. */
export function absolutePath(path: string, cwd: string): string {
  const names: string[] = [];
  for (const name of (path.startsWith("/") ? path : `${cwd}/${path}`).split("/")) {
    if (name === "..") names.pop();
    else if (name !== "" && name !== ".") names.push(name);
  }
  return `/${names.join("/")}`;
}
