/** ls: lists directories. */
import { isStarfishError } from "../../base/errors.ts";
import { oneLine } from "../harmless.ts";
import { reasonOf } from "../language/redirect.ts";
import { formatTime } from "../language/strftime.ts";
import { join } from "../namespace/paths.ts";
import type { TreeEntry } from "../namespace/tree.ts";
import type { Command, TerminalInfo } from "../types.ts";
import { widthOf } from "../width.ts";
import { modeWords } from "./modes.ts";
import { sizeWords } from "./sizes.ts";
import { utility, type UtilityContext } from "./utility.ts";

export const ls: Command = utility({
  name: "ls",
  summary: "what is in a directory",
  help: `
usage: ls [-1aACdFhlrRsStU] [PATH…] [--json]

Lists what is in each directory (by default the current one), or the file. -a shows names that begin with a dot too; -l adds
permissions, who wrote it, size and time (UTC); -h writes sizes with units; -s adds KiB. -t lists the newest first, -S the
largest; -r reverses the order. -R goes into directories; -d lists directories themselves; -F marks them with /; -1 writes
one name a line.

  ls -la /
`,
  specs: {
    "1": {},
    a: { long: "all" },
    A: { long: "almost-all" },
    C: {},
    d: { long: "directory" },
    F: { long: "classify", value: "optional" },
    p: {},
    g: {},
    G: { long: "no-group" },
    h: { long: "human-readable" },
    i: { long: "inode" },
    l: {},
    n: { long: "numeric-uid-gid" },
    o: {},
    q: {},
    r: { long: "reverse" },
    R: { long: "recursive" },
    s: { long: "size" },
    S: {},
    t: {},
    U: {},
    X: {},
    json: {},
    color: { value: "optional" },
    "group-directories-first": {},
    "time-style": { value: true },
    "full-time": {},
  },
  failed: 2,
  run: (context) => new Ls(context).run(),
});

interface Listed {
  readonly name: string;
  readonly entry: TreeEntry;
}

class Ls {
  readonly #context: UtilityContext;
  readonly #screen: TerminalInfo | undefined;
  readonly #isLong: boolean;
  #isFirst = true;

  constructor(context: UtilityContext) {
    this.#context = context;
    this.#screen = context.terminal.stdout;
    this.#isLong = ["l", "g", "n", "o", "full-time"].some((name) => context.options.has(name));
  }

  async run(): Promise<number> {
    const { options, names, path, signal, problem } = this.#context;
    const operands = this.#context.operands.length === 0 ? ["."] : this.#context.operands;
    const files: Listed[] = [];
    const directories: string[] = [];
    for (const operand of operands) {
      const entry = await names.stat(path(operand), { signal });
      if (entry === undefined || (operand.endsWith("/") && entry.kind !== "directory")) {
        await problem(
          `cannot access '${operand}': ${entry === undefined ? "No such file or directory" : "Not a directory"}`,
        );
      } else if (entry.kind === "directory" && !options.has("d")) directories.push(operand);
      else files.push({ name: operand, entry });
    }
    if (options.has("json")) return await this.#json(files, directories);
    if (files.length > 0) await this.#write(this.#sorted(files));
    this.#isFirst = files.length === 0;
    const hasTitles = operands.length > 1 || options.has("R");
    for (const directory of directories.sort()) await this.#directory(directory, path(directory), hasTitles);
    return 0;
  }

  async #json(files: readonly Listed[], directories: readonly string[]): Promise<number> {
    const { path, names, signal, out } = this.#context;
    const rows = [...files];
    for (const directory of directories) {
      for (const entry of await names.list(path(directory), { signal }))
        rows.push({ name: join(path(directory), entry.name), entry });
    }
    const shown = this.#sorted(rows).map(({ name, entry }) => ({
      path: path(name),
      kind: entry.kind,
      sizeBytes: entry.sizeBytes ?? null,
      modifiedAtMs: entry.modifiedAtMs ?? null,
      owner: entry.owner ?? null,
    }));
    await out(`[${shown.map((row) => JSON.stringify(row)).join(",\n")}]\n`);
    return 0;
  }

  async #directory(shown: string, path: string, hasTitle: boolean): Promise<void> {
    const { options, names, signal, problem, out, flush } = this.#context;
    let entries: readonly TreeEntry[];
    try {
      entries = await names.list(path, { signal });
    } catch (error) {
      if (!isStarfishError(error) || error.code === "cancelled") throw error;
      await problem(`cannot open directory '${shown}': ${reasonOf(error)}`);
      return;
    }
    if (hasTitle) await out(`${this.#isFirst ? "" : "\n"}${shown}:\n`);
    this.#isFirst = false;
    const isShown = (name: string): boolean => !name.startsWith(".") || options.has("a") || options.has("A");
    const listed = entries.filter(({ name }) => isShown(name)).map((entry) => ({ name: entry.name, entry }));
    const own: TreeEntry = { name: ".", kind: "directory" };
    const dots = options.has("a")
      ? [
          { name: ".", entry: own },
          { name: "..", entry: own },
        ]
      : [];
    const sorted = [...dots, ...this.#sorted(listed)];
    if (this.#isLong)
      await out(`total ${Math.ceil(listed.reduce((sum, { entry }) => sum + (entry.sizeBytes ?? 0), 0) / 1024)}\n`);
    await this.#write(sorted, path);
    if (sorted.length === 0 && this.#screen !== undefined && path === "/")
      await out("Nothing is here yet: 'put' brings files in.\n");
    await flush();
    if (!options.has("R")) return;
    for (const { name, entry } of sorted) {
      if (entry.kind !== "directory" || name === "." || name === "..") continue;
      await this.#directory(shown.endsWith("/") ? shown + name : `${shown}/${name}`, join(path, name), true);
    }
  }

  #sorted(listed: readonly Listed[]): Listed[] {
    const { options } = this.#context;
    if (options.has("U")) return [...listed];
    const by = options.last("S", "t", "X");
    const suffix = (name: string): string => (name.includes(".") ? name.slice(name.lastIndexOf(".")) : "");
    const compare = (a: Listed, b: Listed): number => {
      if (options.has("group-directories-first")) {
        const order = Number(b.entry.kind === "directory") - Number(a.entry.kind === "directory");
        if (order !== 0) return order;
      }
      if (by === "S") return (b.entry.sizeBytes ?? 0) - (a.entry.sizeBytes ?? 0) || byName(a, b);
      if (by === "t") return (b.entry.modifiedAtMs ?? 0) - (a.entry.modifiedAtMs ?? 0) || byName(a, b);
      if (by === "X") return suffix(a.name) < suffix(b.name) ? -1 : suffix(a.name) > suffix(b.name) ? 1 : byName(a, b);
      return byName(a, b);
    };
    const sorted = [...listed].sort(compare);
    return options.has("r") ? sorted.reverse() : sorted;
  }

  /** `within` is the directory of the entries, unless they are operands. */
  async #write(listed: readonly Listed[], within?: string): Promise<void> {
    const { out, options } = this.#context;
    if (this.#isLong) return await this.#writeLong(listed, within);
    const isRows = options.has("C") || (this.#screen !== undefined && !options.has("1"));
    const names = listed.map((one) => this.#sizeOf(one) + this.#nameOf(one));
    if (!isRows) {
      for (const name of names) await out(`${name}\n`);
      return;
    }
    await out(inColumns(names, this.#screen?.columns ?? 80));
  }

  async #writeLong(listed: readonly Listed[], within: string | undefined): Promise<void> {
    const { options, out } = this.#context;
    const { names, signal, path } = this.#context;
    const rows: string[][] = [];
    for (const one of listed) {
      // Some trees know the size of a file only when it is looked at by itself.
      const isKnown = one.entry.sizeBytes !== undefined || one.entry.kind !== "file";
      const place = within === undefined ? path(one.name) : join(within, one.name);
      const entry = isKnown ? one.entry : ((await names.stat(place, { signal })) ?? one.entry);
      const mode = entry.mode ?? (entry.kind === "directory" ? 0o755 : 0o644);
      const link = names.readLink(place);
      const size = entry.sizeBytes ?? 0;
      const time =
        entry.modifiedAtMs === undefined
          ? ""
          : formatTime(options.has("full-time") ? "%F %T +0000" : "%b %e %H:%M", entry.modifiedAtMs);
      rows.push([
        link === undefined ? modeWords(entry.kind, mode) : "lrwxrwxrwx",
        "1",
        entry.owner ?? "-",
        options.has("h") ? sizeWords(size) : String(size),
        time,
        this.#nameOf(one) + (link === undefined ? "" : ` -> ${link.target}`),
        entry.about ?? "",
      ]);
    }
    const nameWidth = Math.max(0, ...rows.filter((row) => row[6] !== "").map((row) => widthOf(row[5] ?? "")));
    const widths = [0, 1, 2, 3, 4].map((column) => Math.max(0, ...rows.map((row) => widthOf(row[column] ?? ""))));
    for (const row of rows) {
      const about = row.pop() ?? "";
      const cells = row.map((cell, column) => {
        if (column === 5) return about === "" ? cell : `${cell}${" ".repeat(nameWidth - widthOf(cell))}  ${about}`;
        const fill = " ".repeat((widths[column] ?? 0) - widthOf(cell));
        return column === 3 || column === 1 ? fill + cell : cell + fill;
      });
      await out(`${cells.join(" ")}\n`);
    }
  }

  #sizeOf({ entry }: Listed): string {
    return this.#context.options.has("s") ? `${Math.ceil((entry.sizeBytes ?? 0) / 1024)} ` : "";
  }

  #nameOf({ name, entry }: Listed): string {
    const { options } = this.#context;
    const isMarked = options.has("F") || options.has("p") || this.#screen !== undefined;
    const mark =
      entry.kind === "directory" && isMarked && !name.endsWith("/")
        ? "/"
        : options.has("F") && entry.kind === "file" && ((entry.mode ?? 0) & 0o111) !== 0
          ? "*"
          : "";
    return (this.#screen === undefined ? name : oneLine(name)) + mark;
  }
}

function byName(a: Listed, b: Listed): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

/** In as many columns as fit, filled downwards first. */
function inColumns(names: readonly string[], columns: number): string {
  if (names.length === 0) return "";
  const widths = names.map(widthOf);
  for (let rows = 1; rows <= names.length; rows++) {
    const across = Math.ceil(names.length / rows);
    const columnWidths = Array.from({ length: across }, (_, c) => Math.max(...widths.slice(c * rows, (c + 1) * rows)));
    if (rows < names.length && columnWidths.reduce((sum, width) => sum + width + 2, -2) > columns) continue;
    const lines: string[] = [];
    for (let r = 0; r < rows; r++) {
      let line = "";
      for (let c = 0; c < across; c++) {
        const at = c * rows + r;
        const name = names[at];
        if (name === undefined) continue;
        const isLast = at + rows >= names.length;
        line += isLast ? name : name + " ".repeat((columnWidths[c] ?? 0) - (widths[at] ?? 0) + 2);
      }
      lines.push(`${line}\n`);
    }
    return lines.join("");
  }
  return `${names.join("\n")}\n`;
}
