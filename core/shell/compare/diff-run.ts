/** The code of `diff`: compares files, and directories name by name. */
import { isStarfishError, StarfishError } from "../../base/errors.ts";
import { reasonOf } from "../language/redirect.ts";
import { turns } from "../language/turns.ts";
import { join, nameOf } from "../namespace/paths.ts";
import { noMoreOperands } from "../operands.ts";
import { isLike } from "../utilities/names.ts";
import { numberValue, type UtilityContext } from "../utilities/utility.ts";
import { changesBetween, type Change } from "./edit-script.ts";
import { type Marked, normalHunks, type Side, unifiedHunks } from "./hunks.ts";
import { LEVELS_MAX } from "./limits.ts";
import { areEqual } from "./streams.ts";
import { looksBinary, sideOf, wholeBytes } from "./text.ts";

const CONTEXT_LINES = 3;

export async function runDiff(context: UtilityContext): Promise<number> {
  const { operands } = context;
  const [old, now] = operands;
  if (old === undefined) throw new StarfishError("usage", "missing operand after 'diff'");
  if (now === undefined) throw new StarfishError("usage", `missing operand after '${old}'`);
  noMoreOperands(operands, 2);
  return await new Diff(context).operands(old, now);
}

interface Place {
  /** The name in the output. */
  readonly shown: string;
  /** Absolute, or "-". */
  readonly path: string;
  readonly kind: "file" | "directory" | "device" | "missing";
  readonly modifiedAtMs: number;
}

class Diff {
  readonly #context: UtilityContext;
  readonly #around: number | undefined;
  readonly #isDeep: boolean;
  readonly #isFolding: boolean;
  /** The options as they stand in the heading of a directory's files. */
  readonly #words: string;

  constructor(context: UtilityContext) {
    const { options, args, operands } = context;
    this.#context = context;
    const lines = options.value("U");
    const format = options.last("u", "U", "normal");
    if (format === "u" || format === "U")
      this.#around = lines === undefined ? CONTEXT_LINES : numberValue(lines, "context length");
    this.#isDeep = options.has("r");
    this.#isFolding = ["i", "b", "w", "B", "Z"].some((name) => options.has(name));
    const left = [...operands];
    const words = args.filter((word) => {
      if (word !== left[0]) return word !== "--";
      left.shift();
      return false;
    });
    this.#words = ["diff", ...words.map(quoted)].join(" ");
  }

  async operands(old: string, now: string): Promise<number> {
    let [left, right] = [await this.#place(old), await this.#place(now)];
    if (left.kind === "directory" && right.kind !== "directory" && right.kind !== "missing")
      left = await this.#place(`${old.replace(/\/+$/, "")}/${nameOf(now)}`);
    else if (right.kind === "directory" && left.kind !== "directory" && left.kind !== "missing")
      right = await this.#place(`${now.replace(/\/+$/, "")}/${nameOf(old)}`);
    const missing = [left, right].filter(({ kind }) => kind === "missing");
    if (missing.length === 2 || (missing.length === 1 && !this.#context.options.has("N"))) {
      for (const { shown } of missing) await this.#context.problem(`${shown}: No such file or directory`);
      return 2;
    }
    return await this.#pair(left, right, 0);
  }

  async #place(operand: string, path = operand === "-" ? "-" : this.#context.path(operand)): Promise<Place> {
    const { names, signal, computer } = this.#context;
    if (path === "-") return { shown: operand, path, kind: "file", modifiedAtMs: computer.clock.now() };
    const entry = await names.stat(path, { signal });
    return { shown: operand, path, kind: entry?.kind ?? "missing", modifiedAtMs: entry?.modifiedAtMs ?? 0 };
  }

  async #pair(left: Place, right: Place, level: number): Promise<number> {
    const { out, problem, signal, options } = this.#context;
    const [old, now] = [left.kind, right.kind];
    if (old === "directory" && now === "directory") {
      if (level === 0 || this.#isDeep) return await this.#directories(left, right, level);
      await out(`Common subdirectories: ${left.shown} and ${right.shown}\n`);
      return 0;
    }
    if (old !== "missing" && now !== "missing" && (old === "directory" || now === "directory")) {
      await out(`File ${left.shown} is a ${kindWords(old)} while file ${right.shown} is a ${kindWords(now)}\n`);
      return 1;
    }
    if (old === "directory" || now === "directory") return await this.#directories(left, right, level);
    try {
      const status = await this.#files(left, right, level);
      if (status === 0 && options.has("s")) await out(`Files ${left.shown} and ${right.shown} are identical\n`);
      return status;
    } catch (error) {
      if (!isStarfishError(error) || ["closed", "cancelled", "usage"].includes(error.code) || signal.aborted)
        throw error;
      await problem(`${left.shown}: ${reasonOf(error)}`);
      return 2;
    }
  }

  async #directories(left: Place, right: Place, level: number): Promise<number> {
    if (level >= LEVELS_MAX) throw new StarfishError("too-large", `${left.shown}: directories are nested too deeply`);
    const { out, options } = this.#context;
    const [old, now] = [await this.#names(left), await this.#names(right)];
    let status = 0;
    for (const name of [...new Set([...old, ...now])].sort((a, b) => (a < b ? -1 : 1))) {
      if (options.values("x").some((pattern) => isLike(name, pattern))) continue;
      const only = !now.has(name) ? left : !old.has(name) ? right : undefined;
      if (only !== undefined && !options.has("N")) {
        await out(`Only in ${only.shown.replace(/(.)\/+$/, "$1")}: ${name}\n`);
        status = Math.max(status, 1);
        continue;
      }
      const [a, b] = await Promise.all(
        [left, right].map((place) => this.#place(within(place, name), join(place.path, name))),
      );
      if (a !== undefined && b !== undefined) status = Math.max(status, await this.#pair(a, b, level + 1));
    }
    return status;
  }

  async #names({ path, kind }: Place): Promise<Set<string>> {
    const { names, signal } = this.#context;
    if (kind === "missing") return new Set();
    return new Set((await names.list(path, { signal })).map(({ name }) => name));
  }

  #read({ path, kind }: Place): AsyncIterable<Uint8Array> {
    return kind === "missing" ? nothing() : this.#context.input(path);
  }

  async #files(left: Place, right: Place, level: number): Promise<number> {
    const { options, out } = this.#context;
    if (left.path === right.path) return 0;
    const differ = async (): Promise<number> => {
      await out(`Files ${left.shown} and ${right.shown} differ\n`);
      return 1;
    };
    if (options.has("q") && !this.#isFolding)
      return (await areEqual(this.#read(left), this.#read(right))) ? 0 : await differ();
    const oldBytes = await wholeBytes(this.#read(left));
    const newBytes = await wholeBytes(this.#read(right));
    if (oldBytes.length === newBytes.length && oldBytes.every((byte, i) => byte === newBytes[i])) return 0;
    if (!options.has("a") && (looksBinary(oldBytes) || looksBinary(newBytes))) {
      if (options.has("q")) return await differ();
      await out(`Binary files ${left.shown} and ${right.shown} differ\n`);
      return 1;
    }
    const [old, now] = [sideOf(oldBytes), sideOf(newBytes)];
    const script = await this.#script(old, now);
    if (script.every(({ isIgnored }) => isIgnored)) return 0;
    if (options.has("q")) return await differ();
    if (level > 0) await out(`${this.#words} ${left.shown} ${right.shown}\n`);
    await this.#show(left, right, old, now, script);
    return 1;
  }

  async #show(left: Place, right: Place, old: Side, now: Side, script: readonly Marked[]): Promise<void> {
    const { options, out } = this.#context;
    if (this.#around === undefined) {
      for (const text of normalHunks(old, now, script)) await out(text);
      return;
    }
    const [oldLabel, newLabel] = options.values("label");
    await out(`--- ${oldLabel ?? heading(left)}\n+++ ${newLabel ?? heading(right)}\n`);
    for (const text of unifiedHunks(old, now, script, this.#around)) await out(text);
  }

  async #script(old: Side, now: Side): Promise<Marked[]> {
    const { options, computer, signal } = this.#context;
    const numbers = new Map<string, number>();
    const keyOf = this.#folding();
    const isCutSeen = !["b", "w", "Z"].some((name) => options.has(name));
    const numbered = ({ lines, isEnded }: Side): number[] =>
      lines.map((line, i) => {
        // A missing line break at the end counts as a difference.
        const key = keyOf(line) + (isCutSeen && !isEnded && i === lines.length - 1 ? "\n" : "");
        const number = numbers.get(key) ?? numbers.size;
        numbers.set(key, number);
        return number;
      });
    const changes = await changesBetween(numbered(old), numbered(now), async () => {
      await turns.due(computer.clock);
      signal.throwIfAborted();
    });
    const isBlank = options.has("w") || options.has("b") || options.has("Z") ? /^\s*$/ : /^$/;
    const areBlank = (side: Side, from: number, count: number): boolean =>
      side.lines.slice(from, from + count).every((line) => isBlank.test(line));
    return changes.map((change: Change) => ({
      ...change,
      isIgnored:
        options.has("B") &&
        areBlank(old, change.oldAt, change.oldCount) &&
        areBlank(now, change.newAt, change.newCount),
    }));
  }

  #folding(): (line: string) => string {
    const { options } = this.#context;
    const blanks = options.has("w")
      ? (line: string) => line.replaceAll(/\s+/g, "")
      : options.has("b")
        ? (line: string) => line.trimEnd().replaceAll(/\s+/g, " ")
        : options.has("Z")
          ? (line: string) => line.trimEnd()
          : (line: string) => line;
    return options.has("i") ? (line) => blanks(line).toLowerCase() : blanks;
  }
}

async function* nothing(): AsyncGenerator<Uint8Array, void, undefined> {}

function within({ shown }: Place, name: string): string {
  return `${shown.replace(/\/+$/, "")}/${name}`;
}

function kindWords(kind: Place["kind"]): string {
  return kind === "directory" ? "directory" : kind === "device" ? "character special file" : "regular file";
}

/** Name and time, as in the heading of a patch. */
function heading({ shown, modifiedAtMs }: Place): string {
  const time = new Date(modifiedAtMs).toISOString().replace("T", " ").replace("Z", "000000 +0000");
  // eslint-disable-next-line no-control-regex
  const name = /[\x00-\x1f"\\]/.test(shown) ? JSON.stringify(shown) : shown;
  return `${name}\t${time}`;
}

/** Quoted so that the shell would read it as the same word. */
function quoted(word: string): string {
  return /^[\w\-.,:/=+@%]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
